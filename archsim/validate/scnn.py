"""SCNN against an RTL of its PE, a peer simulator's layers and its published speedups; called by `archsim validate scnn`.

References
----------
.. [1] A. Parashar et al., SCNN: an accelerator for compressed-sparse convolutional neural networks, ISCA 2017: the
   abstract; networks' speedups are recalled.
"""

import csv
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.planar_pe import PlanarPe, Products
from archsim.catalog import load_arch, load_workload
from archsim.engine.simulate import run_layer
from archsim.errors import ConfigError
from archsim.mapping.planar_counts import PlanarCounts, count_layer, count_planes, dot_cycles
from archsim.mapping.planar_shape import ifmap_planes, planar_shape, weight_planes
from archsim.terms import Dataflow, Operand, ZeroSkip
from archsim.validate.scnn_energy import energy_tier
from archsim.validate.scnn_rows import PassRow, PeerRow, ScnnRow, SpeedupRow, read_scnn
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, SuiteResult, Tier
from archsim.workload.layer import ConvLayer
from archsim.workload.zero_masks import mask_shape
from archsim.workload.zero_pattern import ZeroFractions

BoolArray = NDArray[np.bool_]
GOLDEN = Path(__file__).parent / "golden"
TABLES = ("scnn_rtl.csv", "scnn_peer.csv", "scnn_speedups.csv")
CHIP = "scnn"
ALL_MULTIPLIERS = "multipliers"
RTL_DRAIN_CYCLES = 15
"""Of the RTL's crossbar, behind the last channel of a group of filters. [cycles]"""
EXACT_SUM = 2**27
"""Products up to which the peer's sums are taken: five of its layers stop at or just below 2**28 and others fall short beyond
2**27, as a sum in float32 does, which rounds away what is small beside it."""
PRODUCTS_WITHIN, PAIRS_WITHIN, MONTE_CARLO_WITHIN, SWEEP_WITHIN = 0.01, 0.02, 0.06, 0.05
BOUNDS = {"Monte Carlo": MONTE_CARLO_WITHIN, "density sweep": SWEEP_WITHIN}
"""Tier of speedups -> largest error; of the others a bracket decides, or nothing."""
CLAIMS = {
    "network speedup": "convolutions: compute cycles of the baseline / those of scnn; pruned weights, zeros drawn i.i.d.",
    "Monte Carlo": "the same without the halo's time, against all multipliers busy or dcnn, with a barrier per group or per channel",
    "density sweep": "dcnn / scnn where ifmaps and weights of all convolutions have one share of nonzero values",
    "average speedup": "the mean over networks",
}


def scnn_suite(reference: Path | None = None) -> SuiteResult:
    """Compare with the shipped tables, or with one of a user's in their columns.

    Parameters
    ----------
    reference
        A .csv with the columns of one of `TABLES`, or the raw measurements of the RTL.

    Raises
    ------
    ConfigError
        Faults in the file, each with its line.
    """
    paths = [GOLDEN / name for name in TABLES] if reference is None else [reference]
    rows: list[ScnnRow] = [row for path in paths for row in read_scnn(path)]
    tiers = []
    if passes := [row for row in rows if isinstance(row, PassRow)]:
        tiers.append(_pass_tier(passes))
    if layers := [row for row in rows if isinstance(row, PeerRow)]:
        tiers.append(_product_tier(layers))
        tiers += _pair_tier([row for row in layers if row.pairs is not None and row.filters])
    tiers += _speedup_tiers([row for row in rows if isinstance(row, SpeedupRow)])
    if reference is None:
        tiers.append(energy_tier())
    told = "an RTL, a peer simulator, SCNN (ISCA 2017), in part recalled"
    return SuiteResult(name="scnn", reference=told if reference is None else str(reference), tiers=tuple(tiers))


def _pass_tier(passes: Sequence[PassRow]) -> Tier:
    rows = tuple(
        Row(group="dense mode" if row.is_dense else "skipping", case=row.case, published=row.cycles, simulated=_pass_cycles(row),
            source=row.source, is_gated=not row.is_dense,
            note="its dense mode gives a weight 16 ofmap values per cycle; archsim's takes dot products" if row.is_dense else "")
        for row in passes
    )  # fmt: skip
    return Tier(
        name="RTL passes", claim="a channel of a group of filters on one PE of 4 x 4 multipliers", quantity="cycles", unit="cycles",
        rows=rows, bounds=EQUAL,
        notes=("which values are zero is not published: they are drawn, and the RTL's own stalls are added",),
    )  # fmt: skip


def _pass_cycles(row: PassRow) -> int:
    """Count one pass on an array of one PE; all its filters are one group. [cycles]"""
    planar = PlanarPe(ifmap_vector=row.vectors[0], weight_vector=row.vectors[1], accumulator_entries=2**16,
                      drain_cycles=RTL_DRAIN_CYCLES if row.is_last else 0)  # fmt: skip
    array = PeArray(rows=1, columns=1, dataflow=Dataflow.PLANAR_TILES, multipliers_per_pe=row.vectors[0] * row.vectors[1],
                    zero_skip=ZeroSkip.SKIP, planar=planar)  # fmt: skip
    if row.is_dense:
        dot = PlanarPe(ifmap_vector=row.vectors[0], weight_vector=row.vectors[1], products=Products.DOT)
        array = replace(array, zero_skip=ZeroSkip.NONE, planar=dot)
        return dot_cycles(row.layer, planar_shape(row.layer, array), dot)
    ifmap, weight = (_drawn(row.layer, each, count) for each, count in
                     ((Operand.IFMAP, row.values), (Operand.WEIGHT, row.weights)))  # fmt: skip
    return count_layer(row.layer, array, ifmap, weight).cycles + row.stall_cycles


def _drawn(layer: ConvLayer, operand: Operand, nonzero: int) -> BoolArray:
    """Return a mask with exactly so many nonzero values."""
    shape = mask_shape(layer, operand)
    words = int(np.prod(shape))
    mask = np.zeros(words, dtype=np.bool_)
    mask[np.random.default_rng([words, nonzero]).permutation(words)[:nonzero]] = True
    return mask.reshape(shape)


def _product_tier(layers: Sequence[PeerRow]) -> Tier:
    rows = []
    for row in layers:
        whole = row.products <= EXACT_SUM
        rows.append(
            Row(group=row.network, case=row.layer.name, published=row.products, simulated=_products(row), source=row.source,
                is_gated=whole, note="" if whole else "beyond 2**27, where the peer's sum, which stops at 2**28, behaves as one in float32")
        )  # fmt: skip
    return Tier(
        name="products", claim="nonzero ifmap values x nonzero weights, channel by channel, at a peer's shares of zeros",
        quantity="products", unit="products", rows=tuple(rows), bounds=(Bound(statistic=Statistic.MAX, limit=PRODUCTS_WITHIN),),
        notes=("the peer's tensors are not published: masks with exactly its shares are drawn",
               "shown, not gated: layers whose sum is beyond 2**27"),
    )  # fmt: skip


def _pair_tier(layers: Sequence[PeerRow]) -> list[Tier]:
    rows = tuple(
        Row(group=row.network, case=row.layer.name, published=row.pairs or 0.0, simulated=_peer_counts(row).vector_pairs,
            source=row.source)
        for row in layers
    )  # fmt: skip
    claim = "pairs of vectors, a cycle each, of all PEs: as many filters together as the peer takes, planes cut evenly as it cuts them"
    tier = Tier(
        name="vector pairs", claim=claim, quantity="pairs of vectors", unit="cycles", rows=rows,
        bounds=(Bound(statistic=Statistic.MAX, limit=PAIRS_WITHIN),),
        notes=("the peer's tensors are not published: masks with exactly its shares are drawn",),
    )  # fmt: skip
    return [tier] if rows else []


def _products(row: PeerRow) -> int:
    return _peer_counts(row).products


@lru_cache
def _peer_counts(row: PeerRow) -> PlanarCounts:
    """Count a peer's layer in masks of its shares of zeros, as it cuts planes and filters."""
    words = {
        Operand.IFMAP: (row.layer.ifmap_words, row.ifmap_zeros),
        Operand.WEIGHT: (row.layer.weight_words, row.weight_zeros),
    }
    ifmap, weight = (
        _drawn(row.layer, operand, round(count * (1 - zeros))) for operand, (count, zeros) in words.items()
    )
    array = load_arch(CHIP, ("pe_array.planar.even_tiles=true",)).pe_array
    shape = planar_shape(row.layer, array)
    shape = replace(shape, group_filters=row.filters or shape.group_filters)
    planes = ifmap_planes(row.layer, shape, ifmap), weight_planes(row.layer, shape, weight)
    return count_planes(shape, array.require_planar(), *planes)


def _speedup_tiers(rows: Sequence[SpeedupRow]) -> list[Tier]:
    by_tier: dict[str, list[tuple[SpeedupRow, Row]]] = {}
    for row in rows:
        compared = Row(
            group=", ".join(row.networks), case=_case(row), published=row.published, simulated=_speedup(row), source=row.source,
            is_recalled=row.is_recalled, note=row.note.removeprefix("not gated:").strip(), is_gated=not row.note.startswith("not gated:"),
        )  # fmt: skip
        by_tier.setdefault(row.tier, []).append((row, compared))
    tiers = []
    for name, members in by_tier.items():
        limit = BOUNDS.get(name)
        bounds = () if limit is None else (Bound(statistic=Statistic.MAX, limit=limit),)
        tiers.append(Tier(name=name, claim=CLAIMS.get(name, CLAIMS["network speedup"]), quantity="speedup", unit="x", lists_rows=True,
                          rows=tuple(compared for _, compared in members), bounds=bounds))  # fmt: skip
    brackets = [(row.low, row.high, compared) for each in by_tier.values() for row, compared in each]
    inside = tuple(
        replace(compared, published=min(max(compared.simulated, low), high), note=f"bracket: {low} to {high}")
        for low, high, compared in brackets
        if low is not None and high is not None
    )
    if inside:
        tiers.append(Tier(name="bracket", claim="speedups lie in their bracket: published is the value in it that is nearest",
                          quantity="speedup", unit="x", rows=inside, bounds=EQUAL, lists_rows=True))  # fmt: skip
    return tiers


def _case(row: SpeedupRow) -> str:
    densities = "" if row.densities == "table" else f" at {row.densities} nonzero"
    settings = f" with {', '.join(each.rpartition('.')[2] for each in row.settings)}" if row.settings else ""
    return f"over {row.baseline}{densities}{settings}"


def _speedup(row: SpeedupRow) -> float:
    gains = []
    for network in row.networks:
        cycles = _cycles(CHIP, row.settings, network, row.densities)
        if row.baseline == ALL_MULTIPLIERS:
            multipliers = load_arch(CHIP, row.settings).pe_array.multipliers
            gains.append(sum(layer.macs for layer in _layers(network, row.densities)) / multipliers / cycles)
        else:
            gains.append(_cycles(row.baseline, (), network, row.densities) / cycles)
    return sum(gains) / len(gains)


@lru_cache(maxsize=64)
def _cycles(chip: str, settings: tuple[str, ...], network: str, densities: str) -> int:
    arch = load_arch(chip, settings)
    return sum(run_layer(layer, arch).compute_cycles for layer in _layers(network, densities))


def _layers(network: str, densities: str) -> list[ConvLayer]:
    """Return a network's convolutions with their shares of zeros.

    Raises
    ------
    ConfigError
        There are no shares for the network.
    """
    layers = [layer for layer in load_workload(network).layers if isinstance(layer, ConvLayer)]
    if densities != "table":
        zeros = 1.0 - float(densities)
        return [replace(layer, zero_fractions=ZeroFractions(ifmap=zeros, weight=zeros)) for layer in layers]
    shares = {row["layer"]: row for row in _read_densities() if row["network"] == network}
    missing = [layer.name for layer in layers if layer.name not in shares]
    if missing:
        raise ConfigError(
            f"no shares of zeros are shipped for {network} ({', '.join(missing[:3])}...); give densities as a number"
        )
    return [
        replace(layer, zero_fractions=ZeroFractions(ifmap=float(shares[layer.name]["ifmap_zero_fraction"]),
                                                    weight=float(shares[layer.name]["weight_zero_fraction"])))
        for layer in layers
    ]  # fmt: skip


def _read_densities() -> list[dict[str, str]]:
    return list(csv.DictReader((GOLDEN / "scnn_densities.csv").read_text(encoding="utf-8").splitlines()))

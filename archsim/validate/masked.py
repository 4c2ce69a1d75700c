"""Tensors in hand on the chips that skip zeros, beside what a peer simulator counts of them: `archsim validate scnn --masks DIR`.

Called by `suites.py` in place of a suite's own rows. Every pair of masks is a layer (`workload/mask_layers.py`).
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.arch.planar_pe import Barrier, FilterGroup
from archsim.catalog import load_arch
from archsim.config_file import did_you_mean, read_text
from archsim.errors import ConfigError
from archsim.mapping.planar_counts import PlanarCounts, count_planes
from archsim.mapping.planar_shape import ifmap_planes, planar_shape, weight_planes
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.study.zero_table import waterfall
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, SuiteResult, Tier
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.mask_files import load_masks
from archsim.workload.mask_layers import ASSUMED, network_of_masks
from archsim.workload.network import Workload
from archsim.workload.zero_masks import NetworkMasks, fit_ifmap

BoolArray = NDArray[np.bool_]
CHIPS = {"scnn": "scnn", "zasca": "zascas", "cnvlutin": "cnvlutin"}
"""Suite that takes masks -> the chip that they run on."""
COLUMNS = ("layer", "quantity", "published")
PEER_COLUMNS = {"nonzero_products": "products", "mult_cycles": "vector_pairs", "mults": "effectual_macs"}
"""Columns of a peer simulator's table that are accepted as they are, and what they are here."""
EXACT = frozenset({"products", "effectual_macs"})
"""Quantities that follow from the masks alone."""
LOOSE = "not gated: how this simulator counts products at the edges is not known"
PRINTED = (Bound(statistic=Statistic.MAX, limit=5e-6),)
"""A number printed with six digits."""


@dataclass(frozen=True, kw_only=True)
class _Masked:
    """One layer of a run, with its masks.

    Parameters
    ----------
    layer, result, run, masks
        What ran, and how.
    filters
        Filters that a peer works on together, with planes cut evenly, as such a peer does both; 0 = as the chip does.
    """

    layer: ArrayLayer
    result: LayerResult
    run: RunResult
    masks: NetworkMasks
    filters: int = 0

    @cached_property
    def pair(self) -> tuple[BoolArray, BoolArray]:
        """Both masks, shapes as `mask_shape`."""
        of = self.masks.layer(self.layer.name)
        assert of.ifmap is not None, "a layer of masks has an ifmap"
        assert of.weight is not None, "a layer of masks has weights"
        return fit_ifmap(of.ifmap.nonzero(), self.layer), of.weight.nonzero()

    def planar(self, **settings: Any) -> PlanarCounts:
        """Count the layer on planar tiles with some settings changed."""
        array = self.run.arch.pe_array
        if self.filters:
            settings["even_tiles"] = True
        array = replace(array, planar=replace(array.require_planar(), **settings))
        shape = planar_shape(self.layer, array)
        if self.filters:
            shape = replace(shape, group_filters=self.filters)
        ifmap, weight = self.pair
        return count_planes(
            shape,
            array.require_planar(),
            ifmap_planes(self.layer, shape, ifmap),
            weight_planes(self.layer, shape, weight),
        )


def _direct_products(layer: ArrayLayer, ifmap: BoolArray, weight: BoolArray) -> int | None:
    """Add up nonzero values x nonzero weights by channel, straight from the masks; None where a stride tells them apart."""
    if not isinstance(layer, ConvLayer):
        return int((ifmap.sum(axis=1) * weight.sum(axis=2)).sum())
    if any(stride > 1 for stride in layer.stride):
        return None
    values = ifmap.sum(axis=(0, *range(2, ifmap.ndim))).reshape(layer.groups, -1)
    filters = weight.reshape(layer.groups, -1, *weight.shape[1:])
    return int((values * filters.sum(axis=(1, *range(3, filters.ndim)))).sum())


DNNSIM: dict[str, Any] = {
    "barrier": Barrier.CHANNEL,
    "bank_queue": 1,
    "filter_group": FilterGroup.OFMAP_TILE,
    "tiles_padding": True,
}
"""Settings by which DNNsim counts."""
QUANTITIES: dict[str, Callable[[_Masked], int]] = {
    "cycles": lambda one: one.result.compute_cycles,
    "dense_cycles": lambda one: waterfall(one.result).dense_cycles,
    "ideal_cycles": lambda one: waterfall(one.result).ideal_cycles,
    "effectual_macs": lambda one: one.result.effectual_macs,
    "issued_macs": lambda one: one.result.occupied_macs,
}
"""What every chip counts of a layer."""
PLANAR_QUANTITIES: dict[str, Callable[[_Masked], int]] = {
    "products": lambda one: one.planar().products,
    "vector_pairs": lambda one: one.planar().vector_pairs,
    "cycles_barrier_group": lambda one: one.planar(barrier=Barrier.GROUP).cycles,
    "cycles_barrier_channel": lambda one: one.planar(barrier=Barrier.CHANNEL).cycles,
    "cycles_dnnsim": lambda one: one.planar(**DNNSIM).cycles,
}
"""What SCNN counts besides: products are nonzero values x nonzero weights, pairs of vectors cycles of all PEs."""


def masked_suite(name: str, folder: Path, reference: Path | None) -> SuiteResult:
    """Run every pair of masks of a folder on a suite's chip.

    Parameters
    ----------
    name
        Of the suite: one of `CHIPS`.
    folder
        Of masks.
    reference
        A .csv with the columns `COLUMNS`, or a peer's with ``layer`` and a column per quantity, ours or of `PEER_COLUMNS`;
        None = the counts are held against what follows from the masks alone.

    Raises
    ------
    ArchsimError
        Masks or reference are wrong.
    """
    workload = network_of_masks(folder)
    masks = load_masks(folder, workload)
    run = simulate(load_arch(CHIPS[name]), workload, masks=masks)
    known = QUANTITIES | (PLANAR_QUANTITIES if name == "scnn" else {})
    layers = {
        layer.name: _Masked(layer=layer, result=result, run=run, masks=masks)
        for layer, result in zip(_array_layers(workload), run.layers, strict=True)
    }
    tiers = _own_tiers(name, layers) if reference is None else _reference_tiers(reference, layers, known)
    source = f"masks in {folder}" + ("" if reference is None else f", {reference}")
    return SuiteResult(name=name, reference=source, tiers=tuple(tiers))


def _array_layers(workload: Workload) -> list[ArrayLayer]:
    return [layer for layer in workload.layers if isinstance(layer, ArrayLayer)]


def _own_tiers(name: str, layers: Mapping[str, _Masked]) -> list[Tier]:
    """Hold what follows from masks alone: products, and that no layer gets slower."""
    chip = CHIPS[name]
    slower = tuple(
        Row(group=chip, case=each.layer.name, published=waterfall(each.result).dense_cycles, simulated=each.result.compute_cycles,
            is_ceiling=True, source="the same array taking every value")
        for each in layers.values()
    )  # fmt: skip
    tiers = [
        Tier(name="cycles", claim="compute cycles with zeros skipped, below those of the same array taking every value",
             quantity="cycles", unit="cycles", rows=slower, bounds=EQUAL, notes=(ASSUMED,), lists_rows=True)
    ]  # fmt: skip
    if name == "scnn":
        direct = {key: _direct_products(each.layer, *each.pair) for key, each in layers.items()}
        rows = tuple(
            Row(
                group=chip,
                case=key,
                published=count,
                simulated=layers[key].planar().products,
                source="sums over the masks",
            )
            for key, count in direct.items()
            if count is not None
        )
        tiers.append(
            Tier(name="products", claim="products: over channels, nonzero ifmap values x nonzero weights",
                 quantity="products", unit="products", rows=rows, bounds=EQUAL, lists_rows=True,
                 skipped="" if rows else "every layer has a stride, which splits its products by phase")
        )  # fmt: skip
    return tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A number of the reference."""

    layer: str
    quantity: str
    published: float
    source: str
    is_exact: bool
    filters: int = 0


def _reference_tiers(
    path: Path, layers: Mapping[str, _Masked], known: Mapping[str, Callable[[_Masked], int]]
) -> list[Tier]:
    rows = _read_reference(path, layers, known)
    tiers = []
    for quantity in dict.fromkeys(row.quantity for row in rows):
        compared = tuple(
            Row(group=row.quantity, case=row.layer, published=row.published,
                simulated=known[quantity](replace(layers[row.layer], filters=row.filters)), source=row.source,
                is_gated=row.is_exact, note="" if row.is_exact else LOOSE)
            for row in rows if row.quantity == quantity
        )  # fmt: skip
        tiers.append(
            Tier(name=quantity.replace("_", " "), claim=f"{quantity} of every layer, as the reference counts them",
                 quantity=quantity, unit="", rows=compared, bounds=PRINTED if quantity in EXACT else (),
                 notes=(ASSUMED,), lists_rows=True)
        )  # fmt: skip
    return tiers


def _read_reference(path: Path, layers: Mapping[str, _Masked], known: Mapping[str, object]) -> list[_Counted]:
    lines = [line for line in read_text(path, ConfigError).splitlines() if line.strip() and not line.startswith("#")]
    table = list(csv.DictReader(lines))
    header = list(table[0]) if table else []
    is_long = set(COLUMNS) <= set(header)
    peers = {column: quantity for column in header if (quantity := _peer_quantity(column, header)) in known}
    if "layer" not in header or not (is_long or peers):
        raise ConfigError(
            f"{path}: needs rows under the columns {', '.join(COLUMNS)}, or layer and some of "
            f"{', '.join((*PEER_COLUMNS, *known))}"
        )
    names = {_plain(name): name for name in layers}
    faults: list[str] = []
    found: list[_Counted] = []
    for row in table:
        if row["layer"].lower() == "total":
            continue
        name = names.get(_plain(row["layer"]), row["layer"])
        cells = {row["quantity"]: row["published"]} if is_long else {peers[each]: row[each] for each in peers}
        for quantity, published in cells.items():
            fault = _fault(name, quantity, published, layers=layers, known=known) or _fault_of_filters(row)
            if fault:
                faults.append(f"{path}: layer {row['layer']!r}: {fault}")
            else:
                found.append(_Counted(layer=name, quantity=quantity, published=float(published), is_exact="mults" not in peers,
                                      source=row.get("source") or str(path), filters=int(row.get("Kc") or 0)))  # fmt: skip
    if faults:
        raise ConfigError("\n".join(faults))
    return found


def _peer_quantity(column: str, header: Sequence[str]) -> str:
    """Return what a column of a peer's table is here; the cycles of one that counts as DNNsim does are counted so."""
    if column == "cycles" and "mults" in header:
        return "cycles_dnnsim"
    return PEER_COLUMNS.get(column, column)


def _plain(name: str) -> str:
    """Return a layer's name without case and marks, which files cannot always hold."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _fault_of_filters(row: Mapping[str, str]) -> str:
    """Say what is wrong with the filters that a peer works on together; empty = nothing, or not given."""
    together = row.get("Kc") or "0"
    return "" if together.isdecimal() else f"Kc (={together!r}) must be a whole number"


def _fault(
    layer: str, quantity: str, published: str, *, layers: Mapping[str, object], known: Mapping[str, object]
) -> str:
    """Say what is wrong with a row; empty = nothing."""
    if layer not in layers:
        return f"has no masks.{did_you_mean(layer, layers)}"
    if quantity not in known:
        return f"quantity {quantity!r} is not counted.{did_you_mean(quantity, known)} Known: {', '.join(known)}"
    try:
        float(published)
    except (TypeError, ValueError):
        return f"{quantity} (={published!r}) must be a number"
    return ""

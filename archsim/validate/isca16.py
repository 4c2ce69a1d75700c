"""ISCA 2016: six dataflows under equal storage area on AlexNet, against the paper's figures 10 to 13.

Called by `archsim validate isca16`.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from archsim.catalog import load_workload
from archsim.config_file import read_text
from archsim.errors import ConfigError
from archsim.study.reuse.split import ReuseLevel
from archsim.study.reuse.square_layer import SquareLayer, square_layers
from archsim.study.reuse.study import PointKey, ReuseDataflow, ReusePoint, run_point
from archsim.validate.suite import EQUAL, Bound, Row, Statistic, SuiteResult, Tier

GOLDEN = Path(__file__).parent / "golden"
POINT_FILES = tuple(GOLDEN / f"isca16_{name}.csv" for name in ("energy", "dram", "edp"))
LAYER_FILE = GOLDEN / "isca16_rs_layers.csv"

ENERGY, DRAM, EDP = "total_in_MAC_units", "dram_total_per_mac", "edp_norm_to_RS256_N1"
NORMALISED = "total_norm_to_RS256_N1"
LEVELS = {
    "dram": ReuseLevel.DRAM,
    "buffer": ReuseLevel.GLB,
    "array": ReuseLevel.ARRAY,
    "rf": ReuseLevel.SPAD,
}
"""Column -> level; the ALU is 1 by definition."""

SAME_MODEL = (
    "what the figures' authors counted, counted anew: the formulas agree with their own analysis scripts "
    "(github.com/ominux/eyeriss-dataflow), whose areas per byte are used; no chip was measured"
)
SEARCHES = (
    "NLR at 256 PEs, N=64 and at 512 PEs, N=16 and 64: the mappings found here cost less in the search than "
    "the published ones, which a random search found"
)
DELAY = "the published delay is PEs over active PEs, so that both sizes are on one scale"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    """What is published of a point; columns without a number are left out."""

    numbers: dict[str, float]
    source: str
    is_recalled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A point as published and as found."""

    published: _Published
    point: ReusePoint

    @property
    def group(self) -> str:
        return f"{self.point.storage.pes} PEs"

    @property
    def case(self) -> str:
        return f"{self.point.dataflow} N={self.point.batch}"

    def row(self, published: float, simulated: float, what: str = "") -> Row:
        return Row(group=self.group, case=f"{self.case} {what}".rstrip(), published=published, simulated=simulated,
                   source=self.published.source, is_recalled=self.published.is_recalled)  # fmt: skip


def isca16_suite(reference: Path | None = None) -> SuiteResult:
    """Compare the study with the paper's figures.

    Parameters
    ----------
    reference
        A .csv file with the columns ``dataflow``, ``num_pes``, ``batch_N`` and some of `ENERGY`, `DRAM`, `EDP`; a
        point whose numbers are empty has no mapping. None = the shipped figures.

    Raises
    ------
    ConfigError
        A fault in the file: column or value named with its line.
    """
    layers = square_layers(load_workload("alexnet"))
    convolutions = tuple(layer for layer in layers if not layer.is_fully_connected)
    pairs = tuple(
        _Pair(published=published, point=run_point(convolutions, dataflow=key[0], pes=key[1], batch=key[2]))
        for key, published in _read_points(POINT_FILES if reference is None else (reference,)).items()
    )
    baseline = run_point(convolutions, dataflow=ReuseDataflow.RS, pes=256, batch=1).energy_delay_product
    tiers = (
        *_gated_tiers(pairs),
        _level_tier(pairs),
        *(() if reference else (_layer_tier(layers),)),
        _tier("energy-delay product", EDP, pairs, lambda point: point.energy_delay_product / baseline,
              unit="of RS at 256 PEs, N=1", notes=(DELAY,)),
    )  # fmt: skip
    source = "Chen, Emer, Sze, ISCA 2016, figures 10 to 13" if reference is None else str(reference)
    return SuiteResult(name="isca16", reference=source, tiers=tuple(tier for tier in tiers if tier.rows))


def published_energies() -> dict[PointKey, float]:
    """Return the total energy per MAC of the paper's points that have a mapping. [MACs]"""
    return {key: each.numbers[ENERGY] for key, each in _read_points(POINT_FILES).items() if ENERGY in each.numbers}


def _gated_tiers(pairs: Sequence[_Pair]) -> tuple[Tier, ...]:
    return (
        _tier("energy per MAC", ENERGY, pairs, lambda point: point.total_energy_per_mac, unit="MACs", limit=0.15,
              notes=(SAME_MODEL,)),
        _tier("DRAM accesses per MAC", DRAM, pairs, lambda point: point.dram_reads_per_mac + point.dram_writes_per_mac,
              unit="words", limit=0.20, notes=(SEARCHES,)),
        Tier(name="order", claim="rank of each dataflow by energy, at each size and batch", quantity="rank", unit="",
             rows=_order_rows(pairs), bounds=EQUAL),
        Tier(name="feasible", claim="whether all layers have a mapping", quantity="feasible", unit="1 = yes",
             rows=tuple(pair.row(float(bool(pair.published.numbers)), float(pair.point.is_feasible)) for pair in pairs),
             bounds=EQUAL),
    )  # fmt: skip


def _tier(
    name: str,
    column: str,
    pairs: Iterable[_Pair],
    simulated: Callable[[ReusePoint], float],
    *,
    unit: str,
    limit: float | None = None,
    notes: tuple[str, ...] = (),
) -> Tier:
    """Compare one column of all points that are published; a point without a mapping is infinitely far off."""
    rows = tuple(
        pair.row(pair.published.numbers[column], simulated(pair.point) if pair.point.is_feasible else inf)
        for pair in pairs
        if column in pair.published.numbers
    )
    return Tier(name=name, claim="each layer in its mapping of least energy", quantity=name, unit=unit, rows=rows,
                bounds=() if limit is None else (Bound(statistic=Statistic.MAX, limit=limit),), notes=notes)  # fmt: skip


def _order_rows(pairs: Sequence[_Pair]) -> tuple[Row, ...]:
    """Rank the dataflows of each size and batch, the least energy first."""
    rows = []
    for size_and_batch in dict.fromkeys((pair.point.storage.pes, pair.point.batch) for pair in pairs):
        rivals = [
            pair
            for pair in pairs
            if (pair.point.storage.pes, pair.point.batch) == size_and_batch
            and ENERGY in pair.published.numbers
            and pair.point.is_feasible
        ]
        published = sorted(rivals, key=lambda pair: pair.published.numbers[ENERGY])
        simulated = sorted(rivals, key=lambda pair: pair.point.total_energy_per_mac)
        rows += [pair.row(published.index(pair) + 1, simulated.index(pair) + 1) for pair in rivals]
    return tuple(rows)


def _level_tier(pairs: Iterable[_Pair]) -> Tier:
    rows = []
    for pair in pairs:
        numbers = pair.published.numbers
        if pair.point.is_feasible and NORMALISED in numbers and ENERGY in numbers:
            unit = numbers[ENERGY] / numbers[NORMALISED]
            rows += [
                pair.row(numbers[column] * unit, pair.point.energy_per_mac(level), level)
                for column, level in LEVELS.items()
                if column in numbers
            ]
    return Tier(name="energy by level", claim="per MAC, each level's part of the bars", quantity="energy", unit="MACs",
                rows=tuple(rows))  # fmt: skip


def _layer_tier(layers: Sequence[SquareLayer]) -> Tier:
    """Compare RS layer by layer, the fully connected ones too: CONV1 is the first convolution, FC1 the first other."""
    point = run_point(layers, dataflow=ReuseDataflow.RS, pes=256, batch=16)
    counts = {"CONV": 0, "FC": 0}
    found = {}
    for layer in point.layers:
        kind = "FC" if layer.layer.is_fully_connected else "CONV"
        counts[kind] += 1
        found[f"{kind}{counts[kind]}"] = layer
    rows = tuple(
        Row(group=line["layer"], case=level.value, published=float(line[column]), source=line["source"],
            simulated=found[line["layer"]].energy(level, point.costs), is_recalled=line["from_memory"] == "True")
        for line in csv.DictReader(read_text(LAYER_FILE, ConfigError).splitlines())
        for column, level in LEVELS.items()
    )  # fmt: skip
    return Tier(name="RS by layer", claim="each level's energy in each layer, 256 PEs, N=16", quantity="energy",
                unit="MACs", rows=rows)  # fmt: skip


def _read_points(paths: Iterable[Path]) -> dict[PointKey, _Published]:
    """Read files of the same points, and put together what they say of each."""
    points: dict[PointKey, _Published] = {}
    for path in paths:
        lines = csv.DictReader(read_text(path, ConfigError).splitlines())
        columns = set(lines.fieldnames or ())
        if not {"dataflow", "num_pes", "batch_N"} <= columns or not columns & {ENERGY, DRAM, EDP}:
            raise ConfigError(
                f"{path}:1: needs the columns dataflow, num_pes, batch_N and some of {ENERGY}, {DRAM}, {EDP}"
            )
        for line in lines:
            key, published = _read_point(line, f"{path}:{lines.line_num}")
            known = points.get(key)
            points[key] = published if known is None else _Published(
                numbers=known.numbers | published.numbers, source=known.source, is_recalled=known.is_recalled
            )  # fmt: skip
    if not points:
        raise ConfigError(f"{', '.join(map(str, paths))}: no points in it")
    return points


def _read_point(line: dict[str, str], where: str) -> tuple[PointKey, _Published]:
    try:
        key = (ReuseDataflow(line["dataflow"]), int(line["num_pes"]), int(line["batch_N"]))
        numbers = {
            column: float(line[column]) for column in (ENERGY, DRAM, EDP, NORMALISED, *LEVELS) if line.get(column)
        }
    except (TypeError, ValueError) as problem:
        raise ConfigError(f"{where}: not a point of the study: {problem}") from problem
    if min(key[1:]) < 1:
        raise ConfigError(f"{where}: num_pes (={key[1]}) and batch_N (={key[2]}) must be 1 or more")
    return key, _Published(
        numbers=numbers, source=line.get("source") or "", is_recalled=line.get("from_memory") == "True"
    )

"""zero_skip.csv: per layer what the zeros were like, what skipping or gating them saved, and where the ideal gain was lost.

`study/result.py` writes it, `study/saved_run.py` reads it; there is none for a chip that does not look at zeros. The order of
the columns is a promise to users' scripts: append, never insert. A cell is empty where the number is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from math import fsum
from pathlib import Path
from typing import Any

from archsim.engine.zeros_used import ZerosUsed
from archsim.mapping.skip_cycles import SkipCycles
from archsim.study.layer_result import LayerResult
from archsim.study.run_tables import Cell
from archsim.study.table_rows import TableRow, read_table, rows_by_layer
from archsim.study.zero_saving import DenseLayer
from archsim.terms import ZeroSkip
from archsim.workload.mask_statistics import MaskStatistics

SKIP_FILE = "zero_skip.csv"
STATISTICS = {field.name: f"ifmap_{field.name}" for field in fields(MaskStatistics)}
CYCLES = {field.name: field.name for field in fields(SkipCycles)} | {"dense_cycles": "dense_compute_cycles"}
SKIP_COLUMNS = (
    "layer", "scheme", "zeros_from", *STATISTICS.values(), "weight_zeros_from", "weight_zero_fraction", *CYCLES.values(),
    "memory_stall_cycles", "total_cycles", "dense_total_cycles", "cycles_saved", "energy_pj", "dense_energy_pj",
    "energy_saved_pj",
)  # fmt: skip
UNKNOWN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCells:
    """What a row of the table adds to a layer."""

    zeros: ZerosUsed | None
    skip: SkipCycles | None
    dense: DenseLayer


def zero_rows(results: Iterable[LayerResult]) -> list[tuple[Cell, ...]]:
    """Return the rows in the order of `SKIP_COLUMNS`: layers on an array that skips or gates."""
    return [_row(result) for result in results if result.dense is not None]


def zero_totals(results: Iterable[LayerResult]) -> dict[str, int | float | str | None] | None:
    """Return what summary.json says of zeros: sums over the layers that looked at them; None where there is none.

    The energy that was saved is None where it is not known of every layer.
    """
    layers = [result for result in results if result.dense is not None]
    if not layers:
        return None
    saved = [layer.energy_saved_pj for layer in layers]
    return {
        "scheme": (ZeroSkip.SKIP if any(layer.run.skip for layer in layers) else ZeroSkip.GATE).value,
        "dense_total_cycles": sum(layer.total_cycles + layer.cycles_saved for layer in layers),
        "cycles_saved": sum(layer.cycles_saved for layer in layers),
        "memory_stall_cycles": sum(layer.total_cycles - layer.compute_cycles for layer in layers),
        **{name: sum(getattr(waterfall(layer), name) for layer in layers) for name in CYCLES if name != "dense_cycles"},
        "energy_saved_pj": None if None in saved else fsum(each for each in saved if each is not None),
    }


def waterfall(result: LayerResult) -> SkipCycles:
    """Return what a layer's compute cycles are made of; where none are skipped, all of them are ideal."""
    whole = result.compute_cycles
    return result.run.skip or SkipCycles(dense_cycles=whole, ideal_cycles=whole)


def _row(result: LayerResult) -> tuple[Cell, ...]:
    assert result.dense is not None, "a row of a layer that took every value"
    run, zeros, dense = result.run, result.run.zeros, result.dense
    scheme = ZeroSkip.SKIP if run.skip else ZeroSkip.GATE
    cycles = waterfall(result)
    statistics = [_known(getattr(zeros.ifmap, name)) if zeros else UNKNOWN for name in STATISTICS]
    return (
        result.layer, scheme.value, zeros.origin if zeros else UNKNOWN, *statistics,
        zeros.weight_origin if zeros else UNKNOWN, zeros.weight_zero_fraction if zeros else UNKNOWN,
        *(getattr(cycles, name) for name in CYCLES), result.total_cycles - result.compute_cycles, result.total_cycles,
        dense.total_cycles, result.cycles_saved, result.energy_pj, _known(dense.energy_pj), _known(result.energy_saved_pj),
    )  # fmt: skip


def read_zeros(file: Path, names: list[str]) -> dict[str, ZeroCells]:
    """Read the table of a saved run by layer; nothing where there is none. Raises ConfigError where it is wrong."""
    rows = rows_by_layer(read_table(file, SKIP_COLUMNS), names) if file.is_file() else {}
    return {layer: _cells(found[0]) for layer, found in rows.items() if found}


def with_zeros(result: LayerResult, cells: ZeroCells) -> LayerResult:
    """Return a layer with what its row of the table says."""
    run = replace(result.run, zeros=cells.zeros, skip=cells.skip)
    return replace(result, run=run, dense=cells.dense)


def _cells(row: TableRow) -> ZeroCells:
    scheme = row.choice("scheme", {each.value: each for each in ZeroSkip})
    energy = row.cells["dense_energy_pj"]
    return ZeroCells(
        zeros=_zeros(row) if row.cells["zeros_from"] else None,
        skip=_cycles(row) if scheme is ZeroSkip.SKIP else None,
        dense=DenseLayer(
            total_cycles=row.integer("dense_total_cycles"),
            energy_pj=None if energy == UNKNOWN else row.number("dense_energy_pj"),
        ),
    )


def _zeros(row: TableRow) -> ZerosUsed:
    return ZerosUsed(
        origin=row.cells["zeros_from"],
        ifmap=MaskStatistics(**{name: _number(row, column) for name, column in STATISTICS.items()}),
        weight_origin=row.cells["weight_zeros_from"],
        weight_zero_fraction=row.number("weight_zero_fraction"),
    )


def _cycles(row: TableRow) -> SkipCycles:
    sign = -1 if row.cells["fragmentation_cycles"].startswith("-") else 1
    lost = replace(
        row, cells={**row.cells, "fragmentation_cycles": row.cells["fragmentation_cycles"].removeprefix("-")}
    )
    found = {name: lost.integer(column) for name, column in CYCLES.items()}
    return SkipCycles(**{**found, "fragmentation_cycles": sign * found["fragmentation_cycles"]})


def _number(row: TableRow, column: str) -> Any:
    if row.cells[column] == UNKNOWN:
        return None
    return row.integer(column) if column in ("ifmap_images", "ifmap_words") else row.number(column)


def _known(value: float | None) -> Cell:
    return UNKNOWN if value is None else value

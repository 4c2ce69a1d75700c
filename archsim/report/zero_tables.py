"""What zeros saved as a table for the terminal: every layer against the same array without skipping, and where gain was lost.

Called by `terminal.py`; nothing here writes anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rich import box
from rich.table import Table
from rich.text import Text

from archsim.report.quantity import shortened
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.study.zero_table import waterfall

LONGEST_NAME = 24
LOSSES = {
    "fragmentation_cycles": "fragmen-\ntation",
    "imbalance_cycles": "imba-\nlance",
    "sync_cycles": "sync",
    "conflict_cycles": "con-\nflicts",
}
"""Losses that have a column where a layer has any, and its header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """Header, and the cell of one layer or of all of them."""

    header: str
    cell: Callable[[Sequence[LayerResult]], str]


def zero_table(run: RunResult) -> Table | None:
    """Return a row per layer that was run with its zeros looked at, and their sum; None where there is none.

    An array that gates has no cycles to show: its energy alone.
    """
    layers = [layer for layer in run.layers if layer.dense is not None]
    if not layers:
        return None
    skips = any(layer.run.skip for layer in layers)
    columns = _skip_columns(layers) if skips else _energy_columns()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("layer", overflow="fold", vertical="bottom")
    for column in columns:
        table.add_column(column.header, justify="right", no_wrap=True, vertical="bottom")
    for layer in layers:
        cells = [column.cell((layer,)) for column in columns]
        table.add_row(Text(shortened(layer.layer, LONGEST_NAME)), *cells)
    table.add_section()
    table.add_row("total", *(column.cell(layers) for column in columns))
    return table


def zero_title(run: RunResult) -> str:
    """Return what the table shows, in a line."""
    scheme = "skipped (counts of cycles)" if run.arch.pe_array.skips else "gated"
    return f"zeros {scheme}, against the same chip taking every value"


def _skip_columns(layers: Sequence[LayerResult]) -> list[_Column]:
    lossy = [name for name in LOSSES if any(getattr(waterfall(layer), name) for layer in layers)]
    return [
        _Column(header="zeros\n%", cell=_zeros),
        _Column(header="dense", cell=partial(_sum, name="dense_total")),
        _Column(header="array,\ndense", cell=partial(_sum, name="dense_cycles")),
        _Column(header="array,\nideal", cell=partial(_sum, name="ideal_cycles")),
        *(_Column(header=f"+ {LOSSES[name]}", cell=partial(_sum, name=name)) for name in lossy),
        _Column(header="+ memory", cell=partial(_sum, name="memory")),
        _Column(header="= cycles", cell=partial(_sum, name="total")),
        _Column(header="gain\nideal", cell=partial(_ratio, above="dense_cycles", below="ideal_cycles")),
        _Column(header="gain\narray", cell=partial(_ratio, above="dense_cycles", below="array")),
        _Column(header="gain", cell=partial(_ratio, above="dense_total", below="total")),
        _Column(header="energy\nsaved %", cell=_saved),
    ]


def _energy_columns() -> list[_Column]:
    return [
        _Column(header="gated MACs\n%", cell=_gated),
        _Column(header="energy\nsaved %", cell=_saved),
    ]


def _loss(layer: LayerResult, name: str) -> int:
    cycles: int = getattr(waterfall(layer), name)
    return cycles


COUNTS: dict[str, Callable[[LayerResult], int]] = {
    "dense_total": lambda layer: layer.total_cycles + layer.cycles_saved,
    "dense_cycles": lambda layer: waterfall(layer).dense_cycles,
    "ideal_cycles": lambda layer: waterfall(layer).ideal_cycles,
    **{name: partial(_loss, name=name) for name in LOSSES},
    "array": lambda layer: layer.compute_cycles,
    "memory": lambda layer: layer.total_cycles - layer.compute_cycles,
    "total": lambda layer: layer.total_cycles,
}  # fmt: skip
"""What the cells add up. [cycles]"""


def _sum(layers: Sequence[LayerResult], name: str) -> str:
    return f"{sum(COUNTS[name](layer) for layer in layers):,}"


def _ratio(layers: Sequence[LayerResult], above: str, below: str) -> str:
    dense, left = (sum(COUNTS[name](layer) for layer in layers) for name in (above, below))
    return f"{dense / left:.2f} x" if left else "-"


def _zeros(layers: Sequence[LayerResult]) -> str:
    """Share of zeros among the ifmap values that were looked at."""
    known = [layer.run.zeros.ifmap for layer in layers if layer.run.zeros]
    words = sum(each.words for each in known)
    return f"{100 * sum(each.words * each.zero_fraction for each in known) / words:.1f}" if words else "-"


def _gated(layers: Sequence[LayerResult]) -> str:
    occupied = sum(layer.occupied_macs for layer in layers)
    return f"{100 * sum(layer.gated_macs for layer in layers) / occupied:.1f}" if occupied else "-"


def _saved(layers: Sequence[LayerResult]) -> str:
    saved = [layer.energy_saved_pj for layer in layers]
    spent = sum(layer.energy_pj for layer in layers)
    if None in saved:
        return "-"
    total = sum(each for each in saved if each is not None)
    return f"{100 * total / (spent + total):.1f}" if spent + total else "-"

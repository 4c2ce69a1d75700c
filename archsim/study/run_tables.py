"""The tables of a run as columns and rows: layers, traffic, energy, actions, DRAM commands, area; and how a table becomes CSV text.

`study/result.py` writes them, `study/saved_run.py` reads them, `report/` shows some of their columns.
The order of the columns is a promise to users' scripts: append, never insert.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import fields

from archsim.cost.price_list import AreaPart
from archsim.engine.dram_run import BusUse, DramActivity, DramCounts
from archsim.study.layer_result import WAIT_CAUSES, LayerResult

Cell = str | int | float | bool
WAIT_COLUMNS = tuple(f"wait_{cause}_cycles" for cause in WAIT_CAUSES)
LAYER_COLUMNS = (
    "layer", "op", "dataflow", "macs", "effectual_macs", "folds", "compute_cycles", "onchip_stall_cycles",
    "dram_stall_cycles", "total_cycles", "utilization", "mapping_efficiency", "dram_read_bytes", "dram_write_bytes",
    "energy_pj", "bottleneck", "dram_latency_stall_cycles", *WAIT_COLUMNS, "occupied_macs", "multipliers", "lane_ops",
    "is_costed", "note", "active_pes", "gated_macs",
)  # fmt: skip
TRAFFIC_COLUMNS = ("layer", "level", "operand", "direction", "words", "bytes", "energy_pj")
ENERGY_COLUMNS = ("layer", "component", "energy_pj")
ACTION_COLUMNS = ("layer", "component", "action", "operand", "unit", "count", "unit_pj", "energy_pj", "source")
DRAM_COUNTS = tuple(field.name for field in fields(DramCounts))
DRAM_COLUMNS = ("layer", "cycles", "burst_bytes", *DRAM_COUNTS, *(f"bus_{use.value}_cycles" for use in BusUse))
AREA_COLUMNS = ("component", "count", "unit_mm2", "area_mm2", "source")


def layer_row(result: LayerResult) -> tuple[Cell, ...]:
    """Return one row of layers.csv, typed, in the order of `LAYER_COLUMNS`."""
    waits = dict(zip(WAIT_COLUMNS, (result.wait_cycles(cause) for cause in WAIT_CAUSES), strict=True))
    return tuple(waits[column] if column in waits else getattr(result, column) for column in LAYER_COLUMNS)


def traffic_rows(results: Iterable[LayerResult]) -> list[tuple[Cell, ...]]:
    """Return the rows of traffic.csv in the order of `TRAFFIC_COLUMNS`."""
    return [
        (result.layer, row.level, row.operand.value, row.direction.value, row.words, row.bytes, energy_pj)
        for result in results
        for row, energy_pj in zip(result.run.traffic, result.energy.traffic_pj, strict=True)
    ]


def energy_rows(results: Iterable[LayerResult]) -> list[tuple[Cell, ...]]:
    """Return the rows of energy.csv in the order of `ENERGY_COLUMNS`."""
    return [(result.layer, component, pj) for result in results for component, pj in result.energy.components]


def action_rows(results: Iterable[LayerResult]) -> list[tuple[Cell, ...]]:
    """Return the rows of actions.csv in the order of `ACTION_COLUMNS`."""
    return [
        (result.layer, *(getattr(action, column) for column in ACTION_COLUMNS[1:]))
        for result in results
        for action in result.energy.actions
    ]


def dram_rows(results: Iterable[LayerResult]) -> list[tuple[Cell, ...]]:
    """Return the rows of dram.csv in the order of `DRAM_COLUMNS`: layers whose DRAM device was simulated. [tCK]"""
    return [(each.layer, *dram_cells(dram)) for each in results if (dram := each.run.dram) is not None]


def dram_cells(dram: DramActivity) -> tuple[int, ...]:
    """Return the columns of dram.csv behind the layer's name."""
    uses = dict(dram.bus_use)
    return (dram.cycles, dram.burst_bytes, *(getattr(dram.counts, name) for name in DRAM_COUNTS),
            *(uses.get(use, 0) for use in BusUse))  # fmt: skip


def area_rows(parts: Iterable[AreaPart]) -> list[tuple[Cell, ...]]:
    """Return the rows of area.csv in the order of `AREA_COLUMNS`."""
    return [tuple(getattr(part, column) for column in AREA_COLUMNS) for part in parts]


def loop_nest_text(results: Iterable[LayerResult]) -> str:
    """Return loop_nests.txt: every layer's name, its loop nest indented below it."""
    blocks = ["\n".join([shown_name(each.layer), *(f"  {line}" for line in each.run.loop_nest)]) for each in results]
    return "\n".join(blocks) + "\n"


def shown_name(layer: str) -> str:
    """Return the layer's name on a line of its own, quoted where it could be taken for something else."""
    is_plain = layer.isprintable() and layer == layer.strip() and layer != ""
    return layer if is_plain else repr(layer)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a CSV table: a header, then the rows; lines end in a line feed.

    Floats keep every digit, booleans are ``true`` and ``false``, text is quoted where it has to be.

    Notes
    -----
    Text is data and written as it is: a layer named ``=A1`` keeps its name, so a spreadsheet should
    import the column as text.
    """
    sink = _Lines()
    writer = csv.writer(sink)  # its own "\r\n" makes it quote both characters inside a cell
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_written(cell) for cell in row])
    return "".join(line.removesuffix("\r\n") + "\n" for line in sink.lines)


def csv_rows(text: str) -> list[tuple[int, list[str]]]:
    """Return (line, cells as written) of every row of a CSV text, header included.

    Raises
    ------
    csv.Error
        The text is not CSV.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    return [(reader.line_num, cells) for cells in reader]


def _written(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(float(cell)) if isinstance(cell, float) else str(cell)


class _Lines:
    """A file that keeps what is written as a list, one entry per row."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)

"""A ConversionReport as tables of text, units in their heads: for the terminal and for the page.

Called by `conversion_terminal.py` and `conversion_page.py`; nothing here writes anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archsim.report.conversion_rows import (
    COST_COLUMNS,
    FORMAT_COLUMNS,
    LAYER_COLUMNS,
    PASS_COLUMNS,
    OptionalCell,
    baseline_of,
    format_rows,
    known,
    layer_rows,
    pass_rows,
    ratio,
    weight_formats,
)
from archsim.report.quantity import (
    BYTE_SCALES,
    CYCLE_SCALES,
    ENERGY_SCALES,
    SECOND_SCALES,
    Scale,
    scale_of,
    shortened,
    shown,
    three_digits,
)
from archsim.study.conversion import FLOAT_NAME, Accuracy, ConversionReport, bytes_of
from archsim.study.run_tables import Cell

UNKNOWN = "-"
COST_HEADS = {"weight_bytes": "weights", "dram_bytes": "DRAM", "energy_pj": "energy", "total_cycles": "time"}
COST_SCALES = {
    "weight_bytes": BYTE_SCALES,
    "dram_bytes": BYTE_SCALES,
    "energy_pj": ENERGY_SCALES,
    "total_cycles": CYCLE_SCALES,
}
LONGEST_HEAD = 14
"""Characters of the baseline's name where it stands in the head of a column."""
MOST_FORMATS = 4
"""That the summary names; with more, it counts them."""


class Column(NamedTuple):
    """A column of numbers or words: its head, how a cell is written, or the units to choose one of."""

    head: str
    write: Callable[[Cell], str] = str
    scales: tuple[Scale, ...] = ()


class TextTable(NamedTuple):
    """A table as people read it; the title says what it is and which way is better."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


def conversion_tables(report: ConversionReport) -> tuple[TextTable, ...]:
    """Return passes, layers and formats; those without rows are left out."""
    tables = (pass_table(report), layer_table(report), format_table(report))
    return tuple(table for table in tables if table.rows)


def pass_table(report: ConversionReport) -> TextTable:
    """Return the passes, the model as it came first."""
    wanted = {
        "pass": Column("pass"),
        "accuracy": Column("accuracy\n%", _per_cent),
        "weight_bytes": Column("weights", scales=BYTE_SCALES),
        "weight_bytes_to_float": Column(f"over\n{FLOAT_NAME}", _number),
        "seconds": Column("took", scales=SECOND_SCALES),
        "invariant": Column("must hold"),
        "measured": Column("found"),
    }
    title = f"passes; size of weights and biases, also over that of {FLOAT_NAME} (below 1 is smaller)"
    return TextTable(title, *_shown(PASS_COLUMNS, pass_rows(report), wanted))


def layer_table(report: ConversionReport) -> TextTable:
    """Return the layers that have weights."""
    wanted = {
        "layer": Column("layer"),
        "weights": Column("weights\nwords", _count),
        "ifmap_format": Column("ifmap"),
        "weight_format": Column("weight"),
        "ofmap_format": Column("ofmap"),
        "accumulator": Column("accumulator"),
        "accumulator_bits": Column("exact sum\nneeds bits", _count),
        "weight_bytes": Column("stored", scales=BYTE_SCALES),
        "weight_bytes_share": Column("of all\n%", _short_per_cent),
        "zero_weights": Column("zero\nweights %", _short_per_cent),
        "zero_ifmaps": Column("zero\nifmaps %", _short_per_cent),
    }
    title = "layers; stored: weights and biases, pointers where weights are clustered; zero ifmaps of the calibration"
    return TextTable(title, *_shown(LAYER_COLUMNS, layer_rows(report), wanted))


def format_table(report: ConversionReport) -> TextTable:
    """Return the formats side by side; quantities that no row has are left out."""
    baseline = baseline_of(report)
    if baseline is None:
        return TextTable("formats", (), [])
    name = shortened(baseline.format, LONGEST_HEAD)
    over = Column(f"over\n{name}", _number)
    wanted = {
        "format": Column("format"),
        "correct": Column("correct\nimages", _count),
        "images": Column("of\nimages", _count),
        "accuracy": Column("accuracy\n%", _per_cent),
        "accuracy_change": Column("change\npoints", _points),
    }
    for cost in COST_COLUMNS:
        wanted[cost] = Column(COST_HEADS[cost], scales=COST_SCALES[cost])
        wanted[f"{cost}_to_baseline"] = over
    where = f"; costs of one image on {report.arch}" if report.arch else ""
    is_measured = any(known(row.accuracy) for row in report.rows)
    accuracy = "; of accuracy more is better" if is_measured else ""
    title = f"formats side by side{where}; baseline {name}: below 1 over it is better{accuracy}"
    return TextTable(title, *_shown(FORMAT_COLUMNS, format_rows(report), wanted))


def summary_rows(report: ConversionReport) -> Iterator[tuple[str, str]]:
    """Yield the conversion in a few words: what, from what, to what."""
    yield "model", report.model
    yield "network", report.network
    formats = weight_formats(report.layers)
    yield "weight formats", ", ".join(formats) if len(formats) <= MOST_FORMATS else f"{len(formats)} formats"
    yield "accuracy before", _accuracy_words(report.float_accuracy)
    yield "accuracy after", _accuracy_words(report.accuracy)
    before, after = bytes_of(report.float_weight_bits), bytes_of(report.weight_bits)
    share = ratio(after, before)
    change = f" ({three_digits(share)} of {FLOAT_NAME})" if share is not None else ""
    yield "weights and biases", f"{shown(before, BYTE_SCALES)} before, {shown(after, BYTE_SCALES)} after{change}"
    if report.arch:
        yield "arch of the formats", report.arch


def _shown(
    columns: Sequence[str], rows: Sequence[Sequence[OptionalCell]], wanted: Mapping[str, Column]
) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return heads and cells of the wanted columns; those in which nothing is known are left out."""
    heads: list[str] = []
    texts: list[list[str]] = []
    for name, column in wanted.items():
        cells = [row[columns.index(name)] for row in rows]
        if any(cell is not None for cell in cells):
            head, written = _column_texts(column, cells)
            heads.append(head)
            texts.append(written)
    return tuple(heads), [list(row) for row in zip(*texts, strict=True)]


def _column_texts(column: Column, cells: Sequence[OptionalCell]) -> tuple[str, list[str]]:
    """Return the head with its unit, and the cells; scaled columns have one unit for all."""
    if not column.scales:
        return column.head, [UNKNOWN if cell is None else column.write(cell) for cell in cells]
    numbers = [None if cell is None else float(cell) for cell in cells]
    scale = scale_of(max(number for number in numbers if number is not None), column.scales)
    texts = [UNKNOWN if number is None else three_digits(number / scale.divisor) for number in numbers]
    return f"{column.head}\n{scale.unit}", texts


def _count(cell: Cell) -> str:
    return f"{cell:,}"


def _number(cell: Cell) -> str:
    return three_digits(float(cell))


def _per_cent(cell: Cell) -> str:
    return f"{100 * float(cell):.2f}"


def _short_per_cent(cell: Cell) -> str:
    return f"{100 * float(cell):.1f}"


def _points(cell: Cell) -> str:
    return f"{100 * float(cell):+.2f}"


def _accuracy_words(accuracy: Accuracy | None) -> str:
    seen = known(accuracy)
    if seen is None:
        return "not measured: no images were given"
    return f"{100 * seen.share:.2f} % ({seen.correct:,} of {seen.images:,} images)"

"""A ConversionReport as columns and typed rows: passes, layers, formats side by side.

`conversion_page.py` writes them as CSV, `conversion_json.py` as JSON, and the tables and pictures show them.
The order of the columns is a promise to users' scripts: append, never insert. What is not known is None, an
empty cell in CSV.
"""

from collections.abc import Iterable, Sequence

from archsim.numerics.format_grammar import parse_format
from archsim.study.conversion import FLOAT_NAME, Accuracy, ConversionReport, FormatRow, LayerRecord, bytes_of
from archsim.study.run_tables import Cell, csv_text

OptionalCell = Cell | None
COST_COLUMNS = ("weight_bytes", "dram_bytes", "energy_pj", "total_cycles")
"""What a format costs: the less the better."""
PASS_COLUMNS = (
    "pass", "invariant", "measured", "correct", "images", "accuracy", "weight_bits", "weight_bytes",
    "weight_bytes_to_float", "seconds",
)  # fmt: skip
LAYER_COLUMNS = (
    "layer", "weights", "ifmap_format", "ifmap_width_bits", "weight_format", "weight_width_bits", "ofmap_format",
    "accumulator", "accumulator_bits", "weight_bits", "weight_bytes", "weight_bytes_share", "zero_weights",
    "zero_ifmaps",
)  # fmt: skip
FORMAT_COLUMNS = (
    "format", "is_baseline", "correct", "images", "accuracy", "accuracy_change",
    *(column for cost in COST_COLUMNS for column in (cost, f"{cost}_to_baseline")),
)  # fmt: skip


def pass_rows(report: ConversionReport) -> list[tuple[OptionalCell, ...]]:
    """Return the model as it came, then one row per pass, in the order of `PASS_COLUMNS`."""
    first = (
        FLOAT_NAME,
        "",
        "",
        *_accuracy_cells(report.float_accuracy),
        *_size_cells(report.float_weight_bits, report),
    )
    return [
        (*first, None),
        *(
            (each.name, each.invariant, each.measured, *_accuracy_cells(each.accuracy),
             *_size_cells(each.weight_bits, report), each.seconds)
            for each in report.passes
        ),
    ]  # fmt: skip


def layer_rows(report: ConversionReport) -> list[tuple[OptionalCell, ...]]:
    """Return one row per product layer in the order of `LAYER_COLUMNS`; no accumulator bits where sums are no integers."""
    total_bits = sum(each.weight_bits for each in report.layers)
    return [
        (each.name, each.weights, each.ifmap_format, width_bits(each.ifmap_format), each.weight_format,
         width_bits(each.weight_format), each.ofmap_format, each.accumulator, each.accumulator_bits or None,
         each.weight_bits, bytes_of(each.weight_bits), ratio(each.weight_bits, total_bits), each.zero_weights,
         each.zero_ifmaps)
        for each in report.layers
    ]  # fmt: skip


def format_rows(report: ConversionReport) -> list[tuple[OptionalCell, ...]]:
    """Return the formats side by side in the order of `FORMAT_COLUMNS`, each quantity over the baseline's."""
    baseline = baseline_of(report)
    return [_format_row(each, baseline) for each in report.rows] if baseline else []


def baseline_of(report: ConversionReport) -> FormatRow | None:
    """Return the format that the others are measured against: fp32, or the first; None without formats."""
    return next((row for row in report.rows if row.format == FLOAT_NAME), next(iter(report.rows), None))


def known(accuracy: Accuracy | None) -> Accuracy | None:
    """Return the accuracy, or None where no image was seen."""
    return accuracy if accuracy is not None and accuracy.images else None


def width_bits(format_name: str) -> int | None:
    """Return the bits of a word of the format; None where the name says none. [b]"""
    try:
        return parse_format(format_name).width_bits
    except ValueError:
        return None


def weight_formats(layers: Iterable[LayerRecord]) -> list[str]:
    """Return the formats of the weights, each once, in running order."""
    return list(dict.fromkeys(each.weight_format for each in layers))


def ratio(value: float | None, baseline: float | None) -> float | None:
    """Return value / baseline; None where either is not known or the baseline is zero."""
    return None if value is None or not baseline else value / baseline


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[OptionalCell]]) -> bytes:
    """Return a CSV file; None is an empty cell."""
    cells = [["" if cell is None else cell for cell in row] for row in rows]
    return csv_text(columns, cells).encode(errors="backslashreplace")  # a name that is not UTF-8 loses no file


def _accuracy_cells(accuracy: Accuracy | None) -> tuple[OptionalCell, ...]:
    """Return correct, images, share."""
    seen = known(accuracy)
    return (seen.correct, seen.images, seen.share) if seen else (None, None, None)


def _size_cells(weight_bits: int, report: ConversionReport) -> tuple[OptionalCell, ...]:
    return weight_bits, bytes_of(weight_bits), ratio(weight_bits, report.float_weight_bits)


def _format_row(row: FormatRow, baseline: FormatRow) -> tuple[OptionalCell, ...]:
    seen, reference = known(row.accuracy), known(baseline.accuracy)
    change = seen.share - reference.share if seen and reference else None
    costs = [(getattr(row, column), getattr(baseline, column)) for column in COST_COLUMNS]
    pairs = [cell for own, other in costs for cell in (own, ratio(own, other))]
    return row.format, row is baseline, *_accuracy_cells(row.accuracy), change, *pairs

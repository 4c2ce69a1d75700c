"""The Siemens webinar on QKeras and HLS as a study: the numbers and the picture of docs/webinar.md.

    export OPENBLAS_NUM_THREADS=1                            # small matrices: more threads wait for each other
    .venv/bin/python scripts/reproduce_webinar.py            # all but retraining, about 5 minutes
    .venv/bin/python scripts/reproduce_webinar.py --retrain --plot   # 2 minutes more; draws .readme/webinar.png

Parts A, B: the network in many fixed-point types, bit for bit (`webinar_accuracy.py`). Part C: retrained for one epoch.
Part D: the engine in five word widths (`webinar_engine.py`). A to C need MNIST, found as `archsim convert` finds it;
without it D runs alone. What was measured is held to the reference of tests/golden/numerics row by row.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from webinar_accuracy import (
    RETRAINED_ROWS,
    TEST_IMAGES,
    Retrained,
    SweepRow,
    blank_conversion,
    float_share,
    in_format,
    measure,
    mnist_test,
    retrain,
    sweep_rows,
)
from webinar_engine import SOFTWARE, WIDTHS, EngineRow, engine_facts, engine_table, run_engine
from webinar_plot import webinar_figure

from archsim.convert.evaluate import coded_accuracy
from archsim.convert.image_files import ImageSet
from archsim.report.pictures import png_bytes
from archsim.study.conversion import Accuracy
from archsim.study.plain_json import json_text
from archsim.study.run_tables import csv_text

PICTURE = Path(__file__).parents[1] / ".readme" / "webinar.png"
Cell = str | int | float
COLUMNS = ("part", "weights", "ifmaps", "width_bits", "overflow", "images", "accuracy", "reference_accuracy",
           "values_per_word", "multipliers", "multiplier_um2", "macs_mm2", "chip_mm2", "bus_bytes", "total_cycles",
           "clock_mhz", "milliseconds", "chip_pj", "transfer_pj", "standby_pj")  # fmt: skip


def main() -> None:
    """Measure, print, and draw where asked."""
    asked = _parser().parse_args()
    images = mnist_test(asked.images, _say)
    sweeps, learnt = _accuracies(images, retraining=asked.retrain)
    engines = _engines(images, learnt)
    if asked.json:
        print(json_text({"sweeps": sweeps, "retrained": learnt, "software": SOFTWARE, "engines": engines}), end="")
    else:
        print("\n\n".join(_texts(images, sweeps, learnt, engines)))
    if asked.plot is not None:
        asked.plot.write_bytes(png_bytes(webinar_figure(sweeps, learnt, engines)))
        table = asked.plot.with_suffix(".csv")
        table.write_text(csv_text(COLUMNS, csv_rows(sweeps, learnt, engines)), encoding="utf-8")
        _say(f"{asked.plot} and {table}")


def overflow_table(sweeps: Iterable[SweepRow]) -> str:
    """Return part A in Markdown: a line per kind of overflow, a column per number of integer bits."""
    rows = [row for row in sweeps if row.experiment == "a_overflow"]
    return _square(rows, "integer bits", lambda row: {"WRAP": "wrap", "SAT": "saturate"}[row.overflow],
                   lambda row: row.integer_bits)  # fmt: skip


def split_table(sweeps: Iterable[SweepRow]) -> str:
    """Return part B in Markdown: a line per number of integer bits, a column per number of fraction bits."""
    rows = [row for row in sweeps if row.experiment == "b_ptq"]
    return _square(rows, "integer bits, then fraction bits", lambda row: str(row.integer_bits),
                   lambda row: row.fraction_bits)  # fmt: skip


def retrained_table(learnt: Iterable[Retrained]) -> str:
    """Return part C in Markdown."""
    head = ("weights", "ifmaps", "converted %", "reference %", "one epoch %", "reference %")
    lines = [_line(head), _line(["---"] * 2 + ["---:"] * 4)]
    for each in learnt:
        shares = (each.before.share, each.reference_before, each.after.share, each.reference_after)
        lines.append(
            _line((f"`{each.row.weights}`", f"`{each.row.ifmaps}`", *(f"{100 * share:.2f}" for share in shares)))
        )
    return "\n".join(lines)


def agreement(sweeps: Sequence[SweepRow]) -> str:
    """Count the rows that find exactly as many images as the reference, which was measured on 10,000."""
    if any(row.measured is None or row.measured.images != TEST_IMAGES for row in sweeps):
        return f"the reference was measured on {TEST_IMAGES:,} images: not compared"
    equal = sum(
        row.measured is not None and row.measured.correct == round(row.reference * TEST_IMAGES) for row in sweeps
    )
    return f"{equal} of {len(sweeps)} rows equal the reference to the image"


def csv_rows(
    sweeps: Iterable[SweepRow], learnt: Iterable[Retrained], engines: Iterable[EngineRow]
) -> Iterator[list[Cell]]:
    """Yield what lies beside the picture; a cell that a part does not have is empty."""
    for row in sweeps:
        known: dict[str, Cell] = {
            "part": row.experiment, "weights": row.format, "ifmaps": row.format, "overflow": row.overflow,
            "width_bits": row.integer_bits + row.fraction_bits, "reference_accuracy": row.reference,
        }  # fmt: skip
        yield _cells(known | _accuracy(row.measured))
    for each in learnt:
        named: dict[str, Cell] = {"weights": each.row.weights, "ifmaps": each.row.ifmaps}
        for part, measured, reference in (
            ("c_converted", each.before, each.reference_before),
            ("c_retrained", each.after, each.reference_after),
        ):
            yield _cells(named | _accuracy(measured) | {"part": part, "reference_accuracy": reference})
    yield _cells({"part": "d_software", "milliseconds": SOFTWARE.seconds * 1e3, "chip_pj": SOFTWARE.joules * 1e12})
    for engine in engines:
        shown: dict[str, Cell] = {name: getattr(engine, name) for name in COLUMNS if hasattr(engine, name)}
        formats: dict[str, Cell] = {"part": "d_engine", "weights": engine.format, "ifmaps": engine.format}
        yield _cells(shown | formats | _accuracy(engine.accuracy))


def _accuracies(images: ImageSet | None, *, retraining: bool) -> tuple[tuple[SweepRow, ...], tuple[Retrained, ...]]:
    if images is None:
        return (), ()
    rows = (*sweep_rows("a_overflow"), *sweep_rows("b_ptq"))
    sweeps = measure(rows, images, _say)
    learnt: list[Retrained] = []
    for row in RETRAINED_ROWS if retraining else ():
        learnt.append(retrain(row, images))
        _say(f"{row.weights}, {row.ifmaps}: {100 * learnt[-1].after.share:.2f} % after one epoch")
    return sweeps, tuple(learnt)


def _engines(images: ImageSet | None, learnt: Iterable[Retrained]) -> tuple[EngineRow, ...]:
    """Run the five engines, and what their formats make of the images."""
    engines = tuple(run_engine(width) for width in WIDTHS)
    if images is None:
        return engines
    conversion = blank_conversion(engines[0].format)
    after = {each.row.weights: each.after for each in learnt if each.row.weights == each.row.ifmaps}
    return tuple(
        replace(engine, accuracy=coded_accuracy(in_format(conversion, engine.format), images),
                retrained=after.get(engine.format))
        for engine in engines
    )  # fmt: skip


def _texts(
    images: ImageSet | None, sweeps: Sequence[SweepRow], learnt: Sequence[Retrained], engines: Sequence[EngineRow]
) -> Iterator[str]:
    if images is None:
        yield "Parts A to C are left out: they need MNIST."
    else:
        yield f"float: {100 * float_share(images).share:.2f} % of {len(images):,} test images"
        yield f"A. Saturate or wrap, 9 fraction bits, exact sums: accuracy in %\n\n{overflow_table(sweeps)}"
        yield f"B. Integer and fraction bits, saturating: accuracy in %\n\n{split_table(sweeps)}"
        yield agreement(sweeps)
        if learnt:
            yield f"C. Retrained for one epoch, logits kept as sums\n\n{retrained_table(learnt)}"
        else:
            yield "C. Retraining is left out: ask for it with --retrain (2 minutes)."
    yield f"D. The engine\n\n{engine_table(engines)}\n\n{engine_facts(engines)}"


def _square(
    rows: Sequence[SweepRow], corner: str, line_of: Callable[[SweepRow], str], column_of: Callable[[SweepRow], int]
) -> str:
    lines, columns = list(dict.fromkeys(map(line_of, rows))), list(dict.fromkeys(map(column_of, rows)))
    shares = {(line_of(row), column_of(row)): row.measured.share for row in rows if row.measured is not None}
    body = [_line((line, *(f"{100 * shares[line, column]:.2f}" for column in columns))) for line in lines]
    return "\n".join([_line((corner, *map(str, columns))), _line(["---", *["---:"] * len(columns)]), *body])


def _accuracy(measured: Accuracy | None) -> dict[str, Cell]:
    return {} if measured is None else {"images": measured.images, "accuracy": measured.share}


def _cells(known: dict[str, Cell]) -> list[Cell]:
    return [known.get(column, "") for column in COLUMNS]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=TEST_IMAGES, help="test images, the first of the file")
    parser.add_argument("--retrain", action="store_true", help="part C as well")
    parser.add_argument("--json", action="store_true", help="all values as JSON on stdout")
    parser.add_argument("--plot", type=Path, nargs="?", const=PICTURE, metavar="PNG", help="draw; a .csv beside it")
    return parser


if __name__ == "__main__":
    main()

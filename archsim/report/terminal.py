"""What a person at a terminal sees: tables on stdout, a progress bar on stderr.

Called by `cli.py`.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from archsim.report.cell_table import cell_table
from archsim.report.tables import run_table, summary_panel
from archsim.report.zero_tables import zero_table, zero_title
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.study.run_tables import loop_nest_text

if TYPE_CHECKING:
    from archsim.engine.simulate import Progress

PLAIN_WIDTH = 140
"""Columns of the tables where stdout is not a terminal."""
MOST_NESTS = 3
"""Layers up to which their loop nests are printed too."""
WIDE = 100
"""Columns from which a table shows everything."""


def print_run(run: RunResult) -> None:
    """Print a run's layers and totals to stdout, and the loop nests where the layers are few."""
    console = stdout_console()
    console.print(run_table(run, is_narrow=console.width < WIDE))
    zeros = zero_table(run)
    if zeros is not None:
        console.print(zero_title(run), markup=False, highlight=False, style="bold")
        console.print(zeros)
        console.print()
    if len(run.layers) <= MOST_NESTS:
        console.print(loop_nest_text(run.layers), markup=False, highlight=False)
    console.print(summary_panel(run))


def print_tables(tables: Iterable[tuple[str, Sequence[str], Sequence[Sequence[str]]]], notes: Iterable[str]) -> None:
    """Print tables of text, each with its title and columns, and sentences below them, to stdout."""
    console = stdout_console()
    for title, columns, rows in tables:
        if rows:
            console.print(title, markup=False, highlight=False, style="bold")
            console.print(cell_table(columns, rows))
            console.print()
    for note in notes:
        console.print(note, markup=False, highlight=False)


def uncosted_lines(layers: Iterable[LayerResult]) -> list[str]:
    """Return a line per operator and reason: how many layers, and the first of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for layer in layers:
        groups.setdefault((layer.op, layer.note), []).append(layer.layer)
    return [
        f"not costed: {len(names)} x {op} ({', '.join(names[:3])}{'...' if len(names) > 3 else ''}): {note}"
        for (op, note), names in groups.items()
    ]


@contextmanager
def progress_bar() -> Iterator["Progress"]:
    """Show how many layers are done, on stderr; gone when the run is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("layers", total=None)

        def on_layer(index: int, count: int, name: str) -> None:
            bar.update(task, completed=index, total=count, description=name)

        yield on_layer


def stdout_console() -> Console:
    """Return rich's console on stdout, of a fixed width where that is no terminal."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)

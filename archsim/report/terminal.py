"""What a person at a terminal sees: the tables of a run on stdout, a progress bar on stderr.

Called by `cli.py`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from archsim.report.tables import run_table, summary_panel
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
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    console.print(run_table(run, is_narrow=console.width < WIDE))
    if len(run.layers) <= MOST_NESTS:
        console.print(loop_nest_text(run.layers), markup=False, highlight=False)
    console.print(summary_panel(run))


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

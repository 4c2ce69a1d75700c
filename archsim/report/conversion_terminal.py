"""What a person at a terminal sees of a conversion: tables, then a panel of what was done and assumed.

Called by `cli_convert.py`.
"""

from collections.abc import Iterable

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from archsim.report.conversion_tables import conversion_tables, summary_rows
from archsim.report.quantity import shortened
from archsim.report.terminal import print_tables, stdout_console
from archsim.study.conversion import ConversionReport

LONGEST_NAME = 32
"""Characters of the first cell of a row; a longer one loses its middle. Files keep it whole."""


def print_conversion(report: ConversionReport) -> None:
    """Print a conversion to stdout."""
    print_tables(
        [
            (table.title, table.columns, [[shortened(row[0], LONGEST_NAME), *row[1:]] for row in table.rows])
            for table in conversion_tables(report)
        ],
        (),
    )
    stdout_console().print(conversion_panel(report))


def conversion_panel(report: ConversionReport) -> Panel:
    """Return accuracy and size before and after, the recipe, and the assumptions."""
    parts: list[Table | Text] = [_grid(summary_rows(report))]
    if report.recipe:
        parts += [Text("recipe:"), _grid((f"  {name}", value) for name, value in report.recipe)]
    if report.assumptions:
        parts += [Text("assumed:"), _grid(("-", sentence) for sentence in report.assumptions)]
    return Panel(Group(*parts), title=Text(report.network), title_align="left", expand=False, box=box.ROUNDED)


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(Text(name), Text(value))
    return grid

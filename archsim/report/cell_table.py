"""Cells of text -> a table for the terminal; called by `report/terminal.py`."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

NUMBER_CHARACTERS = frozenset("0123456789.,+-<einf%")


def cell_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table; a column whose cells are all numbers stands at the right.

    Parameters
    ----------
    columns
        May be unnamed.
    rows
        As many cells each as there are columns.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        is_number = all(set(row[index]) <= NUMBER_CHARACTERS for row in rows)
        table.add_column(Text(column), justify="right" if is_number else "left", overflow="fold", vertical="bottom")
    for row in rows:
        table.add_row(*map(Text, row))
    return table

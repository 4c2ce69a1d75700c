"""A table of a saved run as rows that know where they stand; called by `saved_run.py` and `zero_table.py`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from archsim.config_file import read_text
from archsim.errors import ConfigError
from archsim.study import run_tables

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row of a table: its cells by column, and where it stands; a wrong cell is a ConfigError that names it."""

    where: str
    cells: dict[str, str]

    def integer(self, column: str) -> int:
        """Return a count, 0 or more."""
        text = self.cells[column]
        if not text.isdecimal():
            raise ConfigError(f"{self.where}: {column} (={text!r}) must be an integer, 0 or more")
        return int(text)

    def number(self, column: str) -> float:
        """Return a number."""
        try:
            return float(self.cells[column])
        except ValueError:
            raise ConfigError(f"{self.where}: {column} (={self.cells[column]!r}) must be a number") from None

    def choice(self, column: str, known: dict[str, Value]) -> Value:
        """Return what a word stands for."""
        if self.cells[column] not in known:
            raise ConfigError(f"{self.where}: {column} (={self.cells[column]!r}) is none of {', '.join(known)}")
        return known[self.cells[column]]


def read_table(file: Path, columns: Sequence[str]) -> list[TableRow]:
    """Read a table that has at least these columns. Raises ConfigError where it is none."""
    try:
        header, *rows = run_tables.csv_rows(read_text(file, ConfigError))
    except (ValueError, csv.Error) as problem:
        raise ConfigError(f"{file}: no table: {problem}") from problem
    for column in columns:
        if column not in header[1]:
            raise ConfigError(f"{file}:1: column {column!r} is missing")
    for line, cells in rows:
        if len(cells) != len(header[1]):
            raise ConfigError(f"{file}:{line}: {len(cells)} cells under {len(header[1])} columns")
    return [TableRow(where=f"{file}:{line}", cells=dict(zip(header[1], cells, strict=True))) for line, cells in rows]


def rows_by_layer(rows: list[TableRow], names: list[str]) -> dict[str, list[TableRow]]:
    """Sort rows by their layer. Raises ConfigError for a row of a layer that is not in layers.csv."""
    found: dict[str, list[TableRow]] = {name: [] for name in names}
    for row in rows:
        if row.cells["layer"] not in found:
            raise ConfigError(f"{row.where}: layer {row.cells['layer']!r} is not in layers.csv")
        found[row.cells["layer"]].append(row)
    return found

"""A table of published rows line by line, every fault told with its line; called by the suites that read one."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from archsim.config_file import read_text
from archsim.errors import ConfigError

Made = TypeVar("Made")
Row = Mapping[str, str]
MOST_FAULTS = 20


def read_rows(
    path: Path,
    columns: Sequence[str],
    faults_of: Callable[[Row], Iterable[str]],
    build: Callable[[Row], Made],
    *,
    what: str = "rows",
) -> list[Made]:
    """Read a .csv whose lines that open with ``#`` are passed over.

    Parameters
    ----------
    path
        Of the file.
    columns
        What it must have; further columns are handed on.
    faults_of
        Says what is wrong with a row.
    build
        Makes something of a row without faults.
    what
        What rows are, for messages.

    Raises
    ------
    ConfigError
        The file cannot be read, lacks a column or has no rows; or what is wrong with its rows, up to 20 faults, each
        with its line.
    """
    lines = [(number, line) for number, line in enumerate(read_text(path, ConfigError).splitlines(), start=1)
             if line.strip() and not line.startswith("#")]  # fmt: skip
    if len(lines) < 2:
        raise ConfigError(f"{path}: holds no rows; its columns are {', '.join(columns)}")
    header = _cells(lines[0][1])
    missing = [name for name in columns if name not in header]
    if missing:
        raise ConfigError(
            f"{path}:{lines[0][0]}: {what} need the columns {', '.join(columns)}; missing: {', '.join(missing)}"
        )
    found: list[Made] = []
    faults: list[str] = []
    for number, line in lines[1:]:
        cells = _cells(line)
        row = dict(zip(header, cells, strict=False))
        wrong = [f"{len(cells)} cells under {len(header)} columns; a cell with a comma in it needs quotes"]
        if len(cells) == len(header):
            wrong = list(faults_of(row))
        faults += [f"{path}:{number}: {fault}" for fault in wrong]
        if not wrong:
            found.append(build(row))
    if faults:
        more = [f"{path}: ... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise ConfigError("\n".join(faults[:MOST_FAULTS] + more))
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]))]

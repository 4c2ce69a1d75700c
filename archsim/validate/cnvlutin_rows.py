"""Rows of `archsim validate cnvlutin`: a golden .csv of this package, or a user's own; called by `cnvlutin.py`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from archsim.catalog import load_workload
from archsim.config_file import did_you_mean, shortened
from archsim.errors import ArchsimError
from archsim.validate.row_reading import read_rows

COLUMNS = ("quantity", "workload", "zero_fraction", "published", "source", "from_memory", "note")
QUANTITIES = ("window_gain", "speedup", "lnpu_peak_gops", "lnpu_gain")
TRUTHS = {"true": True, "false": False}
NOT_GATED = "not gated:"
"""A note that opens with this takes its row out of the bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GainRow:
    """One published number.

    Parameters
    ----------
    quantity
        Of `QUANTITIES`.
    workload
        Of a speedup: the network; empty = the mean over the networks of the table.
    zero_fraction
        Share of zeros that it is simulated with, 0..1; of a network over the multiplications of its convolutions.
    published
        The number.
    source, from_memory, note, is_gated
        As in `PublishedRow`.
    """

    quantity: str
    workload: str
    zero_fraction: float
    published: float
    source: str
    from_memory: bool
    note: str
    is_gated: bool


def read_gain_rows(path: Path) -> list[GainRow]:
    """Read rows.

    Parameters
    ----------
    path
        A .csv with the columns `COLUMNS`; lines that open with ``#`` are passed over.

    Raises
    ------
    ConfigError
        The file cannot be read, lacks a column or has no rows; or what is wrong with its rows, up to 20 faults, each
        with its line.
    """
    return read_rows(path, COLUMNS, _faults, _build)


def _faults(row: Mapping[str, str]) -> Iterator[str]:
    if row["quantity"] not in QUANTITIES:
        near = did_you_mean(row["quantity"], QUANTITIES)
        yield f"no quantity is named {row['quantity']!r}.{near} Known: {', '.join(QUANTITIES)}"
    if row["workload"]:
        try:
            load_workload(row["workload"])
        except ArchsimError as problem:
            yield f"workload: {str(problem).splitlines()[0]}"
    if row["zero_fraction"] and not _number(row["zero_fraction"], highest=1.0):
        yield f"zero_fraction must lie in 0..1, or be empty (found {shortened(repr(row['zero_fraction']))})"
    if not _number(row["published"]):
        yield f"published must be a number of at least 0 (found {shortened(repr(row['published']))})"
    if not row["source"]:
        yield "source is empty: say where the number stands"
    if row["from_memory"].lower() not in TRUTHS:
        yield f"from_memory must be true or false (found {shortened(repr(row['from_memory']))})"


def _build(row: Mapping[str, str]) -> GainRow:
    return GainRow(
        quantity=row["quantity"], workload=row["workload"], zero_fraction=float(row["zero_fraction"] or 0),
        published=float(row["published"]), source=row["source"], from_memory=TRUTHS[row["from_memory"].lower()],
        note=row["note"].removeprefix(NOT_GATED).strip(), is_gated=not row["note"].startswith(NOT_GATED),
    )  # fmt: skip


def _number(cell: str, *, highest: float = float("inf")) -> bool:
    try:
        return isfinite(float(cell)) and 0 <= float(cell) <= highest
    except ValueError:
        return False

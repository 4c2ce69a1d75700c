"""Tiers that list their rows, as cells of tables: published, simulated, error, source; called by `cli.py`'s `validate`.

The summary of all tiers is made by `tables.py` and follows them.
"""

from archsim.validate.suite import Row, SuiteResult, Tier
from archsim.validate.tables import (
    Cells,
    CellTable,
    bound_text,
    number,
    signed_per_cent,
    suite_notes,
    suite_tables,
    suite_verdict,
)

COLUMNS = ("", "published", "simulated", "error %", "", "source")
SOURCE_CHARACTERS = 20
"""Of a source in a table of 80 columns; `--json` has all of it."""
Page = tuple[list[CellTable], list[str]]
"""Tables, and the sentences below them."""


def suite_pages(result: SuiteResult) -> list[Page]:
    """Return every tier that lists its rows, each row explained where it has a note; then the suite as a whole."""
    rows = [_page(tier) for tier in result.tiers if tier.lists_rows]
    return [*rows, (suite_tables(result), [*suite_notes(result), suite_verdict(result)])]


def _page(tier: Tier) -> Page:
    """Return a table per run: a network, its chip and its batch; one table of runs with a row each."""
    runs = tier.by_group()
    if len(runs) > 1 and len(runs) == len(tier.rows):
        tables = [CellTable(_title(tier, "a run each"), COLUMNS, [_cells(row, row.group) for row in tier.rows])]
    else:
        tables = [
            CellTable(_title(tier, run.name), COLUMNS, [_cells(row, row.case) for row in run.rows]) for run in runs
        ]
    notes = [f"  {note}" for run in runs for note in _row_notes(run, names_run=len(runs) > 1)]
    return tables, [*notes, *([""] if notes else [])]


def _title(tier: Tier, run: str) -> str:
    bounds = f"bound {bound_text(tier, tier.bounds)}" if tier.bounds else "reported"
    return f"{tier.name} [{tier.unit}], {run}; {bounds}"


def _cells(row: Row, name: str) -> Cells:
    numbers = (number(row.published), number(row.simulated), signed_per_cent(row.error))
    return (name, *numbers, ", ".join(_marks(row)), _short(row.source))


def _short(source: str) -> str:
    return source if len(source) <= SOURCE_CHARACTERS else f"{source[: SOURCE_CHARACTERS - 3]}..."


def _marks(row: Row) -> list[str]:
    """Return what is special about a row; whatever is not gated has a note too."""
    claims = (("recalled", row.is_recalled), ("not gated", not row.is_gated), ("see below", row.is_gated and row.note))
    return [mark for mark, holds in claims if holds]


def _row_notes(run: Tier, *, names_run: bool) -> list[str]:
    where = f", {run.name}" if names_run else ""
    return [f"{row.case}{where}: {'' if row.is_gated else 'not gated: '}{row.note}" for row in run.rows if row.note]

"""A SuiteResult as cells of tables and as plain JSON values; called by `cli.py`, which has `report/` draw them."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

from archsim.study.plain_json import Plain
from archsim.validate.suite import Bound, Row, Statistic, SuiteResult, Tier

WORST_ROWS, BROKEN_ROWS = 2, 20
"""Shown of a tier that passes, and of one that does not."""
VISIBLE_ERROR = 1e-3
"""A tier that passes with errors below this has no rows worth a look."""
Cells = tuple[str, ...]


class CellTable(NamedTuple):
    """A table of texts: its title, the columns' names, and a row per line. The first column is of words."""

    title: str
    columns: Cells
    rows: list[Cells]


def suite_tables(result: SuiteResult) -> list[CellTable]:
    """Return the tiers with their bounds, the largest error per group and tier, and the worst rows.

    Tiers whose rows are all listed (`row_tables.py`) are only in the first of them.
    """
    statistics = _statistics_of(result)
    return [
        CellTable(
            f"{result.name}: archsim against {result.reference}; errors in %",
            ("tier", "rows", *(each.name for each in statistics), "bound", ""),
            [_tier_cells(tier, statistics) for tier in result.tiers],
        ),
        _group_table([tier for tier in result.tiers if not tier.lists_rows]),
        CellTable(
            "the rows that are farthest off",
            ("tier", "", "case", "published", "simulated", "unit", "error %"),
            [_row_cells(tier, row) for tier in result.tiers if _is_worth_a_look(tier) for row in _worst(tier)],
        ),
    ]


class _Column(NamedTuple):
    """A statistic in the table of tiers."""

    name: str
    statistic: Statistic
    is_of_totals: bool = False


_OF_MANY_ROWS = tuple(_Column(each.value, each) for each in (Statistic.MEDIAN, Statistic.P90, Statistic.MAX))
_OF_LISTED_ROWS = (
    _Column("mean", Statistic.MEAN), _Column("max", Statistic.MAX), _Column("total", Statistic.MAX, is_of_totals=True),
)  # fmt: skip


def _statistics_of(result: SuiteResult) -> tuple[_Column, ...]:
    """Return what the table of tiers shows: with few rows mean and totals say more than median and p90."""
    return _OF_LISTED_ROWS if all(tier.lists_rows for tier in result.tiers) else _OF_MANY_ROWS


def _is_worth_a_look(tier: Tier) -> bool:
    return not tier.lists_rows and (not tier.passes or tier.reached(Statistic.MAX) >= VISIBLE_ERROR)


def _worst(tier: Tier) -> list[Row]:
    return tier.worst(WORST_ROWS if tier.passes else BROKEN_ROWS)


def suite_notes(result: SuiteResult) -> list[str]:
    """Return what each tier compares and what a reader has to know of it; what several share is told once."""
    said: dict[str, list[str]] = {}
    claims = [(tier.claim, tier.name) for tier in result.tiers]
    notes = [(note, tier.name) for tier in result.tiers for note in tier.notes]
    skipped = [(f"skipped: {tier.skipped}", tier.name) for tier in result.tiers if tier.skipped]
    for sentence, name in claims + notes + skipped:
        said.setdefault(sentence, []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in said.items()]


def suite_verdict(result: SuiteResult) -> str:
    """Return one sentence: what holds, or which bounds are broken."""
    gated = [tier for tier in result.tiers if tier.is_gated and not tier.skipped]
    broken = [f"{tier.name} ({bound_text(tier, tier.broken)})" for tier in gated if not tier.passes]
    if broken:
        return f"{result.name}: FAIL: {', '.join(broken)}"
    count = sum(bool(tier.skipped) for tier in result.tiers)
    skipped = f"; {count} skipped" if count else ""
    return f"{result.name}: pass: all bounds of {len(gated)} tiers hold{skipped}"


def plain_suite(result: SuiteResult) -> dict[str, Plain]:
    """Return everything, each row included; errors are fractions of the published number."""
    return {
        "suite": result.name,
        "reference": result.reference,
        "passes": result.passes,
        "tiers": [_plain_tier(tier) for tier in result.tiers],
    }


def _plain_tier(tier: Tier) -> dict[str, Plain]:
    return {
        "tier": tier.name,
        "claim": tier.claim,
        "quantity": tier.quantity,
        "unit": tier.unit,
        "is_gated": tier.is_gated,
        "passes": None if tier.skipped else tier.passes,
        "skipped": tier.skipped or None,
        "notes": list(tier.notes),
        "errors": {statistic.value: _plain_error(tier.reached(statistic)) for statistic in Statistic},
        "bounds": {_bound_key(tier, bound): bound.limit for bound in tier.bounds},
        "rows": [
            {
                "group": row.group,
                "case": row.case,
                "published": row.published,
                "simulated": row.simulated,
                "error": _plain_error(row.error),
                "source": row.source or None,
                "is_recalled": row.is_recalled,
                "is_gated": row.is_gated,
                "is_total": row.is_total,
                "note": row.note or None,
            }
            for row in tier.rows
        ],
    }


def _bound_key(tier: Tier, bound: Bound) -> str:
    """Return the statistic, with the unit where the limit is no fraction."""
    return f"{_statistic_text(bound)} {tier.unit}" if bound.is_distance else _statistic_text(bound)


def _statistic_text(bound: Bound) -> str:
    """Return the statistic; the largest error of totals, as a rule of one, is plainly ``total``."""
    if not bound.is_of_totals:
        return bound.statistic.value
    return "total" if bound.statistic is Statistic.MAX else f"total {bound.statistic.value}"


def _plain_error(error: float) -> float | None:
    return error if isfinite(error) else None


def _tier_cells(tier: Tier, columns: Sequence[_Column]) -> Cells:
    if tier.skipped:
        return (tier.name, "0", *("" for _ in columns), bound_text(tier, tier.bounds), "skipped")
    verdict = "reported" if not tier.is_gated else "pass" if tier.passes else "FAIL"
    errors = (_reached_text(tier, column) for column in columns)
    return (tier.name, f"{len(tier.rows):,}", *errors, bound_text(tier, tier.bounds), verdict)


def _reached_text(tier: Tier, column: _Column) -> str:
    """Return the statistic; empty where no row counts for it."""
    if not tier.count(is_of_totals=column.is_of_totals):
        return ""
    return per_cent(tier.reached(column.statistic, is_of_totals=column.is_of_totals))


def bound_text(tier: Tier, bounds: Sequence[Bound]) -> str:
    """Return what a tier is held to, e.g. ``max 7.5, mean 5``; in % where no unit stands with it."""
    is_exact = tier.is_exact and any(not bound.is_of_totals for bound in bounds)
    is_ceiling = bool(tier.rows) and all(row.is_ceiling for row in tier.rows)
    said = ["not above" if is_ceiling else "equal"] if is_exact else []
    others = (bound for bound in bounds if bound.is_of_totals or not is_exact)
    return ", ".join([*said, *(f"{_statistic_text(bound)} {_limit_text(tier, bound)}" for bound in others)])


def _limit_text(tier: Tier, bound: Bound) -> str:
    unit = "points" if tier.unit == "%" else tier.unit
    return f"{number(bound.limit)} {unit}" if bound.is_distance else per_cent(bound.limit)


def _group_table(tiers: Sequence[Tier]) -> CellTable:
    """Return the largest error of every group in every tier that is worth a look."""
    shown = [tier for tier in tiers if _is_worth_a_look(tier)]
    groups = list(dict.fromkeys(row.group for tier in tiers for row in tier.rows))
    largest = {(tier.name, group.name): group.reached(Statistic.MAX) for tier in shown for group in tier.by_group()}
    rows = [
        (group, *(per_cent(largest[tier.name, group]) if (tier.name, group) in largest else "" for tier in shown))
        for group in groups
        if any((tier.name, group) in largest for tier in shown)
    ]
    return CellTable("largest error in %", ("", *(tier.name for tier in shown)), rows if shown else [])


def _row_cells(tier: Tier, row: Row) -> Cells:
    numbers = (number(row.published), number(row.simulated))
    return (tier.name, row.group, row.case, *numbers, tier.unit, signed_per_cent(row.error))


def number(value: float) -> str:
    """Return four digits of a value, or all of an integer's."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.4g}"


def signed_per_cent(error: float) -> str:
    """Return an error with its sign, in %; ``0`` where there is none."""
    return f"{'+' if error > 0 else '-'}{per_cent(abs(error))}" if error else "0"


def per_cent(error: float) -> str:
    """Return three digits of a positive error, in %."""
    if not isfinite(error):
        return "inf"
    shown = 100 * error
    return "0" if not shown else "<0.001" if shown < 0.001 else f"{shown:.3g}"

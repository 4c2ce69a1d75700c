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
    """Return the tiers with their bounds, the largest error per group and tier, and the worst rows."""
    return [
        CellTable(
            f"{result.name}: archsim against {result.reference}; errors in %",
            ("tier", "rows", "median", "p90", "max", "bound", ""),
            [_tier_cells(tier) for tier in result.tiers],
        ),
        _group_table(result.tiers),
        CellTable(
            "the rows that are farthest off",
            ("tier", "", "case", "published", "simulated", "unit", "error %"),
            [_row_cells(tier, row) for tier in result.tiers if _is_worth_a_look(tier) for row in _worst(tier)],
        ),
    ]


def _is_worth_a_look(tier: Tier) -> bool:
    return not tier.passes or tier.reached(Statistic.MAX) >= VISIBLE_ERROR


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
    gated = [tier for tier in result.tiers if tier.bounds and not tier.skipped]
    broken = [f"{tier.name} ({_bound_text(tier, tier.broken)})" for tier in gated if not tier.passes]
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
        "is_gated": bool(tier.bounds),
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
            }
            for row in tier.rows
        ],
    }


def _bound_key(tier: Tier, bound: Bound) -> str:
    """Return the statistic, with the unit where the limit is no fraction."""
    return f"{bound.statistic.value} {tier.unit}" if bound.is_distance else bound.statistic.value


def _plain_error(error: float) -> float | None:
    return error if isfinite(error) else None


def _tier_cells(tier: Tier) -> Cells:
    if tier.skipped:
        return (tier.name, "0", *("" for _ in Statistic), _bound_text(tier, tier.bounds), "skipped")
    verdict = "reported" if not tier.bounds else "pass" if tier.passes else "FAIL"
    errors = (_per_cent(tier.reached(statistic)) for statistic in Statistic)
    return (tier.name, f"{len(tier.rows):,}", *errors, _bound_text(tier, tier.bounds), verdict)


def _bound_text(tier: Tier, bounds: Sequence[Bound]) -> str:
    if tier.is_exact and bounds:
        return "not above" if tier.rows and all(row.is_ceiling for row in tier.rows) else "equal"
    return ", ".join(f"{bound.statistic.value} {_limit_text(tier, bound)}" for bound in bounds)


def _limit_text(tier: Tier, bound: Bound) -> str:
    return f"{_number(bound.limit)} {tier.unit}" if bound.is_distance else _per_cent(bound.limit)


def _group_table(tiers: Sequence[Tier]) -> CellTable:
    """Return the largest error of every group in every tier that is worth a look."""
    shown = [tier for tier in tiers if _is_worth_a_look(tier)]
    groups = list(dict.fromkeys(row.group for tier in tiers for row in tier.rows))
    largest = {(tier.name, group.name): group.reached(Statistic.MAX) for tier in shown for group in tier.by_group()}
    rows = [
        (group, *(_per_cent(largest[tier.name, group]) if (tier.name, group) in largest else "" for tier in shown))
        for group in groups
        if any((tier.name, group) in largest for tier in shown)
    ]
    return CellTable("largest error in %", ("", *(tier.name for tier in shown)), rows if shown else [])


def _row_cells(tier: Tier, row: Row) -> Cells:
    sign = "+" if row.error > 0 else "-"
    error = f"{sign}{_per_cent(abs(row.error))}"
    return (tier.name, row.group, row.case, _number(row.published), _number(row.simulated), tier.unit, error)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _per_cent(error: float) -> str:
    if not isfinite(error):
        return "inf"
    shown = 100 * error
    return "0" if not shown else "<0.001" if shown < 0.001 else f"{shown:.3g}"

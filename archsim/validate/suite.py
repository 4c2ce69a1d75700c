"""What a suite of `archsim validate` gives: rows of published and simulated numbers, tier by tier, with bounds.

Made by the suites (`validate/dram.py`, `validate/published.py`...); `validate/tables.py` makes cells of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import ceil, fsum, inf


class Statistic(StrEnum):
    """Which of a tier's absolute errors a bound speaks of."""

    MEDIAN = "median"
    MEAN = "mean"
    P90 = "p90"
    MAX = "max"


SHARES = {Statistic.MEDIAN: 0.5, Statistic.P90: 0.9, Statistic.MAX: 1.0}
"""Share of the rows whose errors are at most the statistic; the mean is none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published number and ours.

    Parameters
    ----------
    group
        What rows are summed up by: a device, a node.
    case
        What ran, within the group.
    published, simulated
        In the tier's unit.
    is_ceiling
        ``published`` is the most that is possible: to stay below it is no error.
    source
        Where the published number stands.
    is_recalled
        The published number was recalled from memory, not read where it stands.
    note
        What a reader has to know of this row.
    is_gated
        Whether it counts for the bounds; ``note`` says why it does not.
    is_total
        It sums up layers that have rows of their own: bounds of totals hold for it, and no others.
    """

    group: str
    case: str
    published: float
    simulated: float
    is_ceiling: bool = False
    source: str = ""
    is_recalled: bool = False
    note: str = ""
    is_gated: bool = True
    is_total: bool = False

    @property
    def distance(self) -> float:
        """Simulated - published, in the tier's unit; 0 below a ceiling."""
        return 0.0 if self.is_ceiling and self.simulated < self.published else self.simulated - self.published

    @property
    def error(self) -> float:
        """Simulated / published - 1; 0 where both are 0, infinite where only the published number is."""
        if self.published == self.simulated or (self.is_ceiling and self.simulated < self.published):
            return 0.0
        return self.simulated / self.published - 1 if self.published else inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A limit that a statistic of the absolute errors must not pass.

    Parameters
    ----------
    statistic
        Of all rows of the tier.
    limit
        As a fraction of the published number.
    is_distance
        The limit is one of simulated - published, in the tier's unit.
    is_of_totals
        It holds for the rows that are totals; otherwise for those that are none.
    """

    statistic: Statistic
    limit: float
    is_distance: bool = False
    is_of_totals: bool = False


EQUAL = (Bound(statistic=Statistic.MAX, limit=0.0),)
"""Every row is the published number."""


@dataclass(frozen=True, kw_only=True)
class Tier:
    """Rows of one quantity that are held to the same bounds.

    Parameters
    ----------
    name
        Short and unique within the suite: ``A cycles``.
    claim
        What is compared with what, in a sentence.
    quantity, unit
        Of both numbers of every row.
    rows
        All that were compared.
    bounds
        Empty = reported, not gated.
    notes
        What a reader has to know: rows left out and why.
    skipped
        Why nothing was compared, and what to do about it; empty = it was.
    lists_rows
        The rows are few and each is of interest: reports show every one, not the worst.
    """

    name: str
    claim: str
    quantity: str
    unit: str
    rows: tuple[Row, ...]
    bounds: tuple[Bound, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: str = ""
    lists_rows: bool = False

    @cached_property
    def _gated_rows(self) -> dict[bool, list[Row]]:
        """Rows that count for the bounds: those that are no totals (False), and the totals (True)."""
        gated = [row for row in self.rows if row.is_gated]
        return {is_total: [row for row in gated if row.is_total is is_total] for is_total in (False, True)}

    @cached_property
    def _ranked(self) -> dict[tuple[bool, bool], list[float]]:
        """Absolute errors (False) and distances (True), of totals or not, smallest first."""
        return {
            (is_distance, is_total): sorted(abs(row.distance if is_distance else row.error) for row in rows)
            for is_total, rows in self._gated_rows.items()
            for is_distance in (False, True)
        }

    def count(self, *, is_of_totals: bool = False) -> int:
        """Return how many rows count for the bounds."""
        return len(self._gated_rows[is_of_totals])

    def reached(self, statistic: Statistic, *, is_distance: bool = False, is_of_totals: bool = False) -> float:
        """Return a statistic of the absolute errors of the gated rows; 0 where there are none.

        The mean, or the least error that the statistic's share of the rows does not pass.
        """
        ranked = self._ranked[is_distance, is_of_totals]
        if not ranked:
            return 0.0
        if statistic is Statistic.MEAN:
            return fsum(ranked) / len(ranked)
        return ranked[ceil(SHARES[statistic] * len(ranked)) - 1]

    @property
    def broken(self) -> tuple[Bound, ...]:
        """Bounds that do not hold."""
        return tuple(
            bound
            for bound in self.bounds
            if not self.reached(bound.statistic, is_distance=bound.is_distance, is_of_totals=bound.is_of_totals)
            <= bound.limit
        )

    @property
    def is_gated(self) -> bool:
        """Whether some bound could be broken: there are bounds, and rows that count for them if there are rows."""
        return bool(self.bounds) and (not self.rows or any(row.is_gated for row in self.rows))

    @property
    def passes(self) -> bool:
        """Whether no bound is broken; a tier without rows, as one that was skipped, has nothing to break."""
        return not self.broken

    @property
    def is_exact(self) -> bool:
        """Whether equality is asked for."""
        return any(
            each.statistic is Statistic.MAX and each.limit == 0 and not each.is_of_totals for each in self.bounds
        )

    def worst(self, count: int) -> list[Row]:
        """Return the rows with the largest absolute errors, none of them exact."""
        ranked = sorted(self.rows, key=lambda row: -abs(row.error))
        return [row for row in ranked[:count] if row.error]

    def by_group(self) -> "list[Tier]":
        """Return a tier of each group's rows, named by the group, in the order of the rows."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row)
        return [
            Tier(name=group, claim=self.claim, quantity=self.quantity, unit=self.unit, rows=tuple(rows), bounds=self.bounds)
            for group, rows in groups.items()
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """All tiers of a suite.

    Parameters
    ----------
    name
        As `archsim validate` takes it.
    reference
        Where the published numbers come from.
    tiers
        In the order of the report.
    """

    name: str
    reference: str
    tiers: tuple[Tier, ...]

    @property
    def passes(self) -> bool:
        """Whether every bound of every tier that was compared holds."""
        return all(tier.passes for tier in self.tiers)

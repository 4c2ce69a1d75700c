"""What a suite of `archsim validate` gives: rows of published and simulated numbers, tier by tier, with bounds.

Made by `validate/dram.py`, `validate/sram.py` and `validate/numerics.py`; `validate/tables.py` makes cells of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import ceil, inf


class Statistic(StrEnum):
    """Which of a tier's absolute errors a bound speaks of."""

    MEDIAN = "median"
    P90 = "p90"
    MAX = "max"


SHARES = {Statistic.MEDIAN: 0.5, Statistic.P90: 0.9, Statistic.MAX: 1.0}
"""Share of the rows whose errors are at most the statistic."""


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
    """

    group: str
    case: str
    published: float
    simulated: float
    is_ceiling: bool = False

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
    """

    statistic: Statistic
    limit: float
    is_distance: bool = False


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
    """

    name: str
    claim: str
    quantity: str
    unit: str
    rows: tuple[Row, ...]
    bounds: tuple[Bound, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: str = ""

    @cached_property
    def errors(self) -> list[float]:
        """Absolute errors, smallest first."""
        return sorted(abs(row.error) for row in self.rows)

    @cached_property
    def distances(self) -> list[float]:
        """Absolute distances, smallest first; in the unit of the rows."""
        return sorted(abs(row.distance) for row in self.rows)

    def reached(self, statistic: Statistic, *, is_distance: bool = False) -> float:
        """Return a statistic of the absolute errors: the least one that its share of the rows does not pass."""
        ranked = self.distances if is_distance else self.errors
        return ranked[ceil(SHARES[statistic] * len(ranked)) - 1] if ranked else 0.0

    @property
    def broken(self) -> tuple[Bound, ...]:
        """Bounds that do not hold."""
        return tuple(
            bound
            for bound in self.bounds
            if not self.reached(bound.statistic, is_distance=bound.is_distance) <= bound.limit
        )

    @property
    def passes(self) -> bool:
        """Whether no bound is broken; a tier without rows, as one that was skipped, has nothing to break."""
        return not self.broken

    @property
    def is_exact(self) -> bool:
        """Whether equality is asked for."""
        return any(bound.statistic is Statistic.MAX and bound.limit == 0 for bound in self.bounds)

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

"""Tiers that list their rows, as panels of bars for `report/validate_plot.py`; called by `archsim validate --plot`."""

from collections.abc import Sequence
from math import isfinite

from archsim.errors import ConfigError
from archsim.report.validate_plot import BarPair, Panel
from archsim.validate.suite import Row, SuiteResult, Tier


def panels_of(results: Sequence[SuiteResult]) -> list[Panel]:
    """Return a panel per run of every tier that lists its rows.

    Raises
    ------
    ConfigError
        No tier does.
    """
    panels = [
        _panel(tier, run) for result in results for tier in result.tiers if tier.lists_rows for run in tier.by_group()
    ]
    if not panels:
        names = ", ".join(result.name for result in results)
        raise ConfigError(
            f"--plot draws the rows of chips' suites; {names}: none. Try: archsim validate eyeriss --plot FILE.png"
        )
    return panels


def _panel(tier: Tier, run: Tier) -> Panel:
    pairs = tuple(map(_pair, run.rows))
    return Panel(title=f"{tier.name}, {run.name}", quantity=f"{tier.quantity} [{tier.unit}]", pairs=pairs)


def _pair(row: Row) -> BarPair:
    return BarPair(
        label=row.case,
        published=row.published,
        simulated=row.simulated,
        error=_error(row.error),
        is_recalled=row.is_recalled,
        is_gated=row.is_gated,
    )


def _error(error: float) -> str:
    """Return the error in %, one decimal; empty where that is 0.0."""
    if not isfinite(error):
        return "inf"
    shown = f"{100 * error:+,.1f} %"
    return "" if shown[1:] == "0.0 %" else shown

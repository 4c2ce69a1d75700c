"""Chips of the literature by their headlines: peak rates, throughput, latency, power; called by `archsim validate chips`.

Most of these chips are known by an abstract or from memory, and stand in `arch_configs/` with what had to be chosen
beside what was published. So little is held to a bound, and every bound has its reason; the rest is printed beside.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from archsim.validate.published import published_suite
from archsim.validate.published_rows import read_published
from archsim.validate.suite import Bound, Statistic, SuiteResult, Tier

SHIPPED = Path(__file__).parent / "golden" / "chips.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How far a chip's quantity may lie from what was published.

    Parameters
    ----------
    chip, quantity
        As in the rows.
    error
        Largest absolute error, as a fraction of the published number.
    reason
        Why it is no smaller.
    is_of_totals
        The rows sum up layers.
    """

    chip: str
    quantity: str
    error: float
    reason: str
    is_of_totals: bool = False

    @property
    def bound(self) -> Bound:
        """The limit as a bound of a tier."""
        return Bound(statistic=Statistic.MAX, limit=self.error, is_of_totals=self.is_of_totals)


LIMITS = (
    Limit(chip="neuflow", quantity="peak_gops", error=0.0, reason="200 MACs at 400 MHz: equal"),
    Limit(chip="park2015", quantity="peak_gops", error=0.005,
          reason="1024 MACs stand for 1028.25 per cycle; what is missing cannot all be MACs"),
    Limit(chip="gupta2015", quantity="peak_gops", error=0.5 / 260, reason="the published number is whole: half a Gops"),
    Limit(chip="eeps", quantity="peak_gops", error=0.025,
          reason="the published MACs, clock and peak disagree by 2.4 %; MACs and clock are kept"),
    Limit(chip="edge_tpu", quantity="peak_gops", error=0.0, reason="the clock follows from it: equal"),
    Limit(chip="eeps", quantity="frames_per_second", error=0.45, is_of_totals=True,
          reason="the chip runs programs: 47 frames/s are 60 % of its peak, and what instructions, loads and "
          "the shapes of its memories cost of that is not published, so not simulated"),
    Limit(chip="edge_tpu", quantity="total_latency_ms", error=0.6, is_of_totals=True,
          reason="an estimate from below: driver, USB protocol and the compiler's choices are not public; the size of the "
          "array and its dataflow are all that holds it"),
)  # fmt: skip
"""Every bound of the suite and its reason; what is not here is reported."""

DSIP = Tier(
    name="dsip energy efficiency", claim="a ratio without a denominator", quantity="energy efficiency", unit="x", rows=(),
    skipped="DSIP: all that is published in what could be read is 2.17 x the energy efficiency of 'the state-of-the-art "
    "accelerator' on AlexNet, which is not named; bring rows of your own with --reference",
)  # fmt: skip


def chips_suite(reference: Path | None = None) -> SuiteResult:
    """Compare chips with their headlines, the shipped rows or a reference of the same columns; errors as in `read_published`."""
    rows = read_published(reference or SHIPPED)
    source = "headlines of chips, in part recalled" if reference is None else str(reference)
    suite = published_suite("chips", rows, {}, reference=source)
    keys = dict.fromkeys((row.chip, row.quantity) for row in rows)
    tiers = [_held(tier, *key) for key, tier in zip(keys, suite.tiers, strict=True)]
    return replace(suite, tiers=(*tiers, DSIP) if reference is None else tuple(tiers))


def _held(tier: Tier, chip: str, quantity: str) -> Tier:
    """Put a chip's own bounds on a quantity, their reasons among the notes."""
    limits = [limit for limit in LIMITS if (limit.chip, limit.quantity) == (chip, quantity)]
    reasons = (f"bound of {limit.error:.1%}: {limit.reason}" for limit in limits)
    return replace(tier, bounds=tuple(limit.bound for limit in limits), notes=(*tier.notes, *reasons))

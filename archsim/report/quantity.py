"""Numbers with units, and names, as people read them: three digits and a prefix, a middle left out.

Called by the tables and pictures of this folder; files keep every digit.
"""

from typing import NamedTuple


class Scale(NamedTuple):
    """A unit to show values in: value / ``divisor`` is in ``unit``."""

    divisor: float
    unit: str


CYCLE_SCALES = (
    Scale(1e9, "billion cycles"),
    Scale(1e6, "million cycles"),
    Scale(1e3, "thousand cycles"),
    Scale(1, "cycles"),
)
ENERGY_SCALES = (Scale(1e12, "J"), Scale(1e9, "mJ"), Scale(1e6, "µJ"), Scale(1e3, "nJ"), Scale(1, "pJ"))
BYTE_SCALES = (Scale(1e9, "GB"), Scale(1e6, "MB"), Scale(1e3, "kB"), Scale(1, "B"))
WORD_SCALES = (Scale(1e9, "billion words"), Scale(1e6, "million words"), Scale(1, "words"))
SECOND_SCALES = (Scale(1, "s"), Scale(1e-3, "ms"), Scale(1e-6, "µs"), Scale(1e-9, "ns"))
OPS_SCALES = (Scale(1e3, "TOPS"), Scale(1, "GOPS"), Scale(1e-3, "MOPS"))
"""For values in GOPS."""


def scale_of(largest: float, scales: tuple[Scale, ...]) -> Scale:
    """Return the first scale that shows ``largest`` as 1 or more; the last one if none does."""
    return next((scale for scale in scales if largest >= scale.divisor), scales[-1])


def shown(value: float, scales: tuple[Scale, ...]) -> str:
    """Return the value in its own best scale, e.g. ``'1.23 MB'``."""
    scale = scale_of(abs(value), scales)
    return f"{three_digits(value / scale.divisor)} {scale.unit}"


def three_digits(value: float) -> str:
    """Return three significant digits without an exponent: ``1,230,000``, ``12.3``, ``0.00123``."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")
    if abs(rounded) >= 100:
        return f"{rounded:,.0f}"
    text = f"{rounded:.12f}".rstrip("0").rstrip(".")
    return text if text not in ("0", "-0") else f"{value:.3g}"


def shortened(name: str, most: int) -> str:
    """Return the name with its middle left out where it is longer than ``most`` characters."""
    tail = (most - 1) // 2
    return name if len(name) <= most else f"{name[: most - 1 - tail]}…{name[-tail:]}"

"""Between two points the value lies on a straight line in both logarithms; beyond the ends it is the end's.

Called by `sram_surface.py` and `sram_tree.py`, whose points are CACTI's.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import exp, log


def neighbours(places: Sequence[float], x: float) -> tuple[float, ...]:
    """Return the one or two places, of several in rising order, that a value is interpolated from."""
    right = bisect_right(places, x)
    if right in (0, len(places)) or places[right - 1] == x:
        return (places[max(right - 1, 0)],)
    return (places[right - 1], places[right])


def along(places: Sequence[float], x: float, at: Callable[[int], tuple[float, ...]]) -> tuple[float, ...]:
    """Interpolate several values at once; ``at`` gives those of a place by its index."""
    right = bisect_right(places, x)
    if right in (0, len(places)) or places[right - 1] == x:
        return at(max(right - 1, 0))
    low, high = places[right - 1], places[right]
    share = log(x / low) / log(high / low)
    return tuple(exp((1 - share) * log(a) + share * log(b)) for a, b in zip(at(right - 1), at(right), strict=True))

"""Nonzero values per brick, and what they cost the lanes window by window: exact counts from masks.

Called by `mapping/brick_work.py`. Memory stays within that of the mask and of one table of windows.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]
SPAN = 4096
"""Places that are counted together: their sums stay in the first cache."""
MOST_SUMS = 255
"""Additions of 0 or 1 that 8 bits hold."""


@compiled
def count_bricks(values: NDArray[np.uint8], brick_values: int, counts: NDArray[np.int32]) -> None:
    """Count the nonzero values of every brick.

    Parameters
    ----------
    values
        Shape (tensors, channels, places), C order; any byte but 0 is nonzero. Bricks are cut along the channels.
    brick_values
        Channels of a brick; the last one may have fewer.
    counts
        Shape (tensors, places, bricks); filled.
    """
    tensors, channels, places = values.shape
    sums = np.zeros(SPAN, np.uint8)
    for tensor in range(tensors):
        for first in range(0, places, SPAN):
            last = min(places, first + SPAN)
            for brick in range(counts.shape[2]):
                for place in range(first, last):
                    counts[tensor, place, brick] = 0
                end = min(channels, (brick + 1) * brick_values)
                for start in range(brick * brick_values, end, MOST_SUMS):
                    sums[:] = 0
                    for channel in range(start, min(end, start + MOST_SUMS)):
                        _add(values[tensor, channel, first:last], sums)
                    for place in range(first, last):
                        counts[tensor, place, brick] += sums[place - first]


@compiled
def sum_lanes(
    counts: NDArray[np.int32],
    places: NDArray[np.int32],
    settings: IntArray,
    results: tuple[IntArray, IntArray, IntArray],
) -> None:
    """Deal the bricks of every window to the lanes and add up what each lane spends.

    Parameters
    ----------
    counts
        Shape (images, groups, places, bricks): nonzero values of each brick.
    places
        Shape (windows, taps): the place of an image that each tap of a window reads; -1 = padding, empty bricks.
    settings
        Cycles of an empty brick; windows that make an ofmap line.
    results
        Added to: ``slowest``, shape (groups, images * lines), sums of the cycles of each window's slowest lane; ``lanes``, shape
        (groups, images * lines, lanes), of each lane; ``nonzero``, shape (groups, images * lines), nonzero values that
        windows read.
    """
    images, groups = counts.shape[:2]
    slowest, lanes, nonzero = results
    empty, line_windows = settings[0], settings[1]
    lines = len(places) // line_windows
    spent = np.zeros(lanes.shape[2], np.int64)
    for image in range(images):
        for group in range(groups):
            for window in range(len(places)):
                line = image * lines + window // line_windows
                nonzero[group, line] += _deal(counts[image, group], places[window], empty, spent)
                slowest[group, line] += spent.max()
                for lane in range(len(spent)):
                    lanes[group, line, lane] += spent[lane]


@compiled
def _deal(counts: NDArray[np.int32], places: NDArray[np.int32], empty: int, spent: IntArray) -> np.int64:
    """Deal one window: brick by brick of a tap, tap by tap, to the lanes in turn; return its nonzero values."""
    spent[:] = 0
    lane, found = 0, np.int64(0)
    for tap in range(len(places)):
        place = places[tap]
        for brick in range(counts.shape[1]):
            values = np.int64(0) if place < 0 else np.int64(counts[place, brick])
            spent[lane] += values if values > 0 else empty
            found += values
            lane += 1
            if lane == len(spent):
                lane = 0
    return found


@compiled
def _add(values: NDArray[np.uint8], sums: NDArray[np.uint8]) -> None:
    """Add 1 where a value is not zero."""
    for index in range(len(values)):
        sums[index] += np.uint8(values[index] != 0)

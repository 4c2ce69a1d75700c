"""Nonzero values per place of a plane, summed over channels: the hot loop of every count of zeros.

Called by `mapping/broadcast_streams.py`. It reads each byte once and keeps sums of 8 bits while they cannot overflow, so that
it runs at the speed of memory.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

SPAN = 4096
"""Places that are counted together: their sums stay in the first cache."""
MOST_SUMS = 255
"""Additions of 0 or 1 that 8 bits hold."""


@compiled
def count_nonzero_planes(values: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Add to ``counts`` the nonzero values of each place.

    Parameters
    ----------
    values
        Shape (tensors, channels, places), C order; any byte but 0 is nonzero.
    counts
        Shape (tensors, places); added to.
    """
    tensors, channels, places = values.shape
    if places == 1:
        for tensor in range(tensors):
            counts[tensor, 0] += _count(values[tensor, :, 0])
        return
    sums = np.zeros(SPAN, np.uint8)
    together = max(1, SPAN // places)  # channels of small planes side by side in one row of sums
    rows, width = channels // together, together * places
    for tensor in range(tensors):
        flat = values[tensor].reshape(channels * places)
        for first in range(0, width, SPAN):
            last = min(width, first + SPAN)
            for row in range(0, rows, MOST_SUMS):
                sums[:] = 0
                for each in range(row, min(rows, row + MOST_SUMS)):
                    _add(flat[each * width + first : each * width + last], sums)
                if together == 1:
                    _add_up(sums[: last - first], counts[tensor, first:last])
                else:
                    for channel in range(together):
                        _add_up(sums[channel * places : (channel + 1) * places], counts[tensor])
        for channel in range(rows * together, channels):
            for place in range(places):
                counts[tensor, place] += values[tensor, channel, place] != 0


@compiled
def _count(values: NDArray[np.uint8]) -> int:
    """Nonzero values of a row."""
    found = 0
    for index in range(len(values)):
        found += values[index] != 0
    return found


@compiled
def _add(values: NDArray[np.uint8], sums: NDArray[np.uint8]) -> None:
    """Add 1 where a value is not zero."""
    for index in range(len(values)):
        sums[index] += np.uint8(values[index] != 0)


@compiled
def _add_up(sums: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Add sums of 8 bits to counts."""
    for index in range(len(sums)):
        counts[index] += sums[index]

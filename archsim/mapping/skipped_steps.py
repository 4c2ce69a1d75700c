"""When the steps of a layer end with zeros skipped: none takes longer than it does on the same array taking every value.

Steps share out whole cycles of a layer, and rounding can give one of them a cycle more than the dense array takes there.
Memories that are late could make of it a cycle more for the layer, so such a cycle goes to a later step. Called by
`channel_skip.py` and `pixel_broadcast.py`.
"""

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def ends_within_dense(until: IntArray, dense_until: IntArray) -> IntArray:
    """Move the ends of steps by what rounding takes, so that none is longer than the dense one; the last end stays. [cycles]

    Parameters
    ----------
    until, dense_until
        Cycles until the end of each step with zeros skipped and without, shape (steps,); the last end is no later than the
        dense one.
    """
    ahead = np.minimum.accumulate(np.minimum(until - dense_until, 0))
    ends: IntArray = dense_until + np.maximum(ahead, until[-1] - dense_until[-1])
    return ends

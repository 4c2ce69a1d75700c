"""What a clocked array asks of its operands before its kernel, which trusts its caller, takes them.

Called by `clocked.py`, `clocked_rows.py` and `clocked_channels.py`.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.errors import SimulationError

IntArray = NDArray[np.int64]
_SHAPES = {2: "be a matrix, not empty", 4: "have four axes, none empty"}


def checked_integers(values: NDArray[np.integer], name: str, *, axes: int, model: str) -> IntArray:
    """Return an operand as int64.

    Parameters
    ----------
    values
        Of any kind of integer that fits.
    name
        Of the operand.
    axes
        That it must have: 2 or 4.
    model
        What the message opens with.

    Raises
    ------
    SimulationError
        It has other axes, an empty one, or no integers that fit int64.
    """
    if values.ndim != axes or 0 in values.shape:
        raise SimulationError(f"{model}: {name} has shape {values.shape}; it must {_SHAPES[axes]}")
    if values.dtype.kind not in "iu" or not np.can_cast(values.dtype, np.int64):
        raise SimulationError(f"{model}: {name} is {values.dtype}; it must be integers that fit int64")
    return values.astype(np.int64)


def check_sums(ifmap: IntArray, weight: IntArray, *, products: int, model: str) -> None:
    """Refuse operands whose sums of so many products might not fit int64.

    Raises
    ------
    SimulationError
        They might not.
    """
    if products * _largest(ifmap) * _largest(weight) > np.iinfo(np.int64).max:
        raise SimulationError(f"{model}: psums may need more than int64; use narrower operands")


def _largest(values: IntArray) -> int:
    """Largest magnitude, as a Python integer, which does not wrap."""
    return max(-int(values.min()), int(values.max()))

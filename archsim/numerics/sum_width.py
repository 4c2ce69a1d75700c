"""How wide a register must be so that no sum of products overflows.

`products.py` chooses its arithmetic by it; `convert/` proves accumulators and finds guard bits with it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def largest_magnitude(codes: NDArray[np.integer[Any]]) -> int:
    """Return the largest magnitude of integer codes, 0 of none."""
    return max(-int(codes.min(initial=0)), int(codes.max(initial=0)))


def largest_sum(
    weight_codes: IntArray, ifmap_max_abs: int, bias: IntArray | None = None, guard_shifts: IntArray | int = 0
) -> int:
    """Return the largest magnitude that any order of adding can reach, from the actual weights.

    Parameters
    ----------
    weight_codes
        Shape (K, ...).
    ifmap_max_abs
        Largest magnitude of an ifmap code.
    bias
        Start codes, shape (K,), behind the guard shift.
    guard_shifts
        By which products are shifted left, shape (K,) or one for all. [b]

    Returns
    -------
    int
        max over k of ``ifmap_max_abs * sum|w_k| * 2**guard_k + |bias_k|``: a Python integer, never wrapped.
    """
    magnitudes = np.abs(weight_codes.reshape(len(weight_codes), -1)).sum(axis=1)
    guards = np.broadcast_to(np.asarray(guard_shifts), magnitudes.shape)
    starts = np.zeros_like(magnitudes) if bias is None else np.abs(bias)
    totals: list[int] = magnitudes.tolist()
    rows = zip(totals, guards.tolist(), starts.tolist(), strict=True)
    return max(((int(ifmap_max_abs) * total << guard) + start for total, guard, start in rows), default=0)


def required_width(
    weight_codes: IntArray, ifmap_max_abs: int, bias: IntArray | None = None, guard_shifts: IntArray | int = 0
) -> int:
    """Return the bits of a two's complement register that holds every sum on the way; arguments as `largest_sum`.

    Notes
    -----
    One more than ``ceil(log2(.)) + 1`` where the largest sum is a power of two, as that sum may be positive. [b]
    """
    return largest_sum(weight_codes, ifmap_max_abs, bias, guard_shifts).bit_length() + 1

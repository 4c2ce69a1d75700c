"""Significands of logarithms: 2**r for every fraction r, as hardware would hold or compute it.

`products.py` makes logarithmic products linear with it. Integers only: no float is made.
"""

import math

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.accumulator import Antilog, AntilogKind

IntArray = NDArray[np.int64]


def antilog_table(antilog: Antilog, fraction_bits: int) -> IntArray:
    """Return the significand of every fraction.

    Parameters
    ----------
    antilog
        How it is found, and its own fraction bits m.
    fraction_bits
        Of the logarithm: f. [b]

    Returns
    -------
    int64 array, shape (2**f,)
        About ``2**(r / 2**f + m)``: rounded to nearest (LUT), ``1 + r / 2**f`` so (Mitchell), or the table's entry
        of the high bits of r times 1 + the low ones, cut off to m bits (hybrid).

    Raises
    ------
    ValueError
        A hybrid addresses its table with more bits than the fraction has.
    """
    f, m = fraction_bits, antilog.fraction_bits
    fractions = range(1 << f)
    if antilog.kind is AntilogKind.LUT:
        table = [_rounded_power(r, f, m) for r in fractions]
    elif antilog.kind is AntilogKind.MITCHELL:
        table = [((((1 << f) + r) << (m + 1)) + (1 << f)) >> (f + 1) for r in fractions]
    else:
        table = [_hybrid(r, f, antilog) for r in fractions]
    return np.array(table, dtype=np.int64)


def _rounded_power(r: int, f: int, m: int) -> int:
    """Return floor(2**(r / 2**f + m) + 1/2): the floor of twice the power is f square roots of an integer."""
    doubled = 1 << (r + ((m + 1) << f))
    for _ in range(f):
        doubled = math.isqrt(doubled)
    return (doubled + 1) >> 1


def _hybrid(r: int, f: int, antilog: Antilog) -> int:
    if not 0 <= antilog.high_bits <= f:
        raise ValueError(f"{antilog.high_bits} high bits of a fraction of {f}")
    low = r & ((1 << (f - antilog.high_bits)) - 1)
    entry = _rounded_power(r - low, f, antilog.fraction_bits)
    return entry + ((entry * low) >> f)

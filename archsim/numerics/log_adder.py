"""Gaussian logarithms: what the larger of two logarithms is corrected by when the smaller is added or taken off.

`products.py` adds in the log domain with the tables; `cost/` asks for their bits.

The forms without a table follow J. N. Mitchell's approximation log2(1 + x) ~ x, and shifts alone; their definitions
are those of this project, not copied from a published adder.
"""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.accumulator import LogAdderKind, LogSum

IntArray = NDArray[np.int64]
DIGITS = 34
"""Of the decimal logarithms: an entry is about 10**4, and none lies within 10**-20 of a tie."""


def adder_tables(adder: LogSum) -> tuple[IntArray, IntArray]:
    """Return log2(1 + 2**-D) and log2(1 - 2**-D) by difference D, both in units of the register's last bit.

    Parameters
    ----------
    adder
        Fraction bits, kind, and the size of its tables.

    Returns
    -------
    int64 arrays of one length
        By D = 0, 1, ...; the last entries are 0, and so is all beyond. ``minus[0]`` has no meaning, it is 0: equal
        terms leave zero. A table of T entries repeats each over ``reach * 2**fa / T`` differences.
    """
    plus, minus = _tables(adder)
    return plus.copy(), minus.copy()


def table_entries(adder: LogSum) -> tuple[int, int]:
    """Return the entries that the two tables hold: T each, or of full tables those that are not 0; 0 without tables."""
    if adder.kind is not LogAdderKind.TABLE:
        return 0, 0
    if adder.entries:
        return adder.entries, adder.entries
    plus, minus = _tables(adder)
    return int(np.count_nonzero(plus)), int(np.count_nonzero(minus))


def table_bits(adder: LogSum) -> int:
    """Return the bits of both tables: entries of fa + 1 bits, and as wide as log2(1 - 2**-D) at D = 1 needs. [b]"""
    plus_entries, minus_entries = table_entries(adder)
    steepest = _to_grid(_logarithm(1, -1, adder.fraction_bits), adder.fraction_bits) if minus_entries else 0
    return plus_entries * (adder.fraction_bits + 1) + minus_entries * abs(steepest).bit_length()


@cache
def _tables(adder: LogSum) -> tuple[IntArray, IntArray]:
    fa = adder.fraction_bits
    if adder.kind is LogAdderKind.TABLE:
        return _sampled(adder)
    form = _mitchell if adder.kind is LogAdderKind.MITCHELL else _bit_shift
    reach = _reach(adder)
    table = np.array([form(difference, fa) for difference in range(reach)] + [(0, 0)], dtype=np.int64)
    return table[:, 0].copy(), table[:, 1].copy()


def _reach(adder: LogSum) -> int:
    """Return how many differences, from 0 on, add anything: also to the forms without a table."""
    return (adder.reach_octaves or adder.fraction_bits + 2) << adder.fraction_bits


def _sampled(adder: LogSum) -> tuple[IntArray, IntArray]:
    """Sample both functions at the centre of each step, at its left end where a step is one last bit."""
    fa, reach = adder.fraction_bits, _reach(adder)
    entries = adder.entries or reach
    step = reach // entries
    doubled = [2 * entry * step + (step if step > 1 else 0) for entry in range(entries)]
    plus = [_to_grid(_logarithm(twice, 1, fa + 1), fa) for twice in doubled]
    minus = [_to_grid(_logarithm(twice, -1, fa + 1), fa) if twice else 0 for twice in doubled]
    ends = np.zeros(1, dtype=np.int64)
    return (
        np.concatenate([np.repeat(np.array(plus, dtype=np.int64), step), ends]),
        np.concatenate([np.repeat(np.array(minus, dtype=np.int64), step), ends]),
    )


def _logarithm(difference: int, sign: int, fraction_bits: int) -> Decimal:
    """Return log2(1 + sign * 2**-D), D = difference / 2**fraction_bits."""
    with localcontext() as context:
        context.prec = DIGITS
        two = Decimal(2).ln()
        smaller = (-two * difference / (1 << fraction_bits)).exp()
        return (1 + sign * smaller).ln() / two


def _to_grid(logarithm: Decimal, fraction_bits: int) -> int:
    """Round to the nearest multiple of 2**-fraction_bits; there is no tie but D = 0, which is exact."""
    return int((logarithm * (1 << fraction_bits)).to_integral_value())


def _mitchell(difference: int, fa: int) -> tuple[int, int]:
    """Approximate 2**-D by 2**-n * (1 - g / 2), D = n + g, and log2(1 + z) by z, here and behind the leading one.

    Both results are rounded down to fa bits; z and 1 - z are exact.
    """
    one = 1 << fa
    whole, fraction = difference >> fa, difference & (one - 1)
    smaller, unit = 2 * one - fraction, one << (whole + 1)  # z = smaller / unit
    plus, left = smaller >> (whole + 1), unit - smaller
    if not left:  # D = 0
        return plus, 0
    zeros = unit.bit_length() - left.bit_length()
    mantissa = (left << zeros) - unit
    return plus, (mantissa * one) // unit - zeros * one


def _bit_shift(difference: int, fa: int) -> tuple[int, int]:
    """Take 2**-floor(D) and -1.5 * 2**-floor(D), cut off to fa bits."""
    whole = difference >> fa
    return (1 << fa) >> whole, -((3 << fa) >> (whole + 1)) if difference else 0

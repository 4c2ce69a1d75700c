"""A register that casts every sum to a fixed-point type, as the numbers that `kernels/cast_sum.py` computes with.

Called by `products.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.cast_sum import CLAMP, CLEAR, WRAP, add_cast_products
from archsim.numerics.accumulator import CastSum
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.patches import Adder
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.numerics.sum_width import largest_magnitude

IntArray = NDArray[np.int64]
WIDEST_BITS = 63
"""Of a sum before its cast. [b]"""

_ROUNDINGS = {
    RoundingMode.TRN: (0, 0, 0, 0),
    RoundingMode.TRN_ZERO: (0, 0, 1, 0),
    RoundingMode.RND: (1, 0, 0, 0),
    RoundingMode.RND_ZERO: (1, -1, 1, 0),
    RoundingMode.RND_INF: (1, 0, -1, 0),
    RoundingMode.RND_MIN_INF: (1, -1, 0, 0),
    RoundingMode.RND_CONV: (1, -1, 0, 1),
    RoundingMode.RND_CONV_ODD: (1, 0, 0, -1),
}
"""Added before the shift: halves, units; to a negative sum (TRN_ZERO: all ones), to a sum whose floor is odd."""
_OVERFLOWS = {
    OverflowMode.SAT: CLAMP,
    OverflowMode.SAT_SYM: CLAMP,
    OverflowMode.WRAP: WRAP,
    OverflowMode.SAT_ZERO: CLEAR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CastRule:
    """Rounding as additions before a shift, overflow as limits.

    Parameters
    ----------
    base, below, odd
        Added to every sum, to one below zero, to one whose floor is odd.
    lowest, highest
        Codes.
    overflow
        `CLAMP`, `WRAP` or `CLEAR`.
    """

    base: int
    below: int
    odd: int
    lowest: int
    highest: int
    overflow: int


def cast_adder(
    accumulator: CastSum, weights: IntArray, starts: IntArray, products: tuple[int, IntArray | int]
) -> tuple[Adder, IntArray]:
    """Return the adder, and the weights in its scale.

    Parameters
    ----------
    accumulator
        The type.
    weights, starts
        Codes, shapes (K, ...) and (K,); starts are brought into range.
    products
        Largest magnitude of an ifmap code; fraction bits of a product, one for all or shape (K,).

    Raises
    ------
    ValueError
        A sum before its cast takes more than 63 bits.
    """
    fmt = accumulator.format
    excess = np.broadcast_to(np.asarray(products[1], dtype=np.int64), starts.shape) - fmt.fraction_bits
    shifts, left = np.maximum(excess, 0), np.maximum(-excess, 0)
    largest_product = products[0] * largest_magnitude(weights) << int(left.max(initial=0))
    needed = ((1 << fmt.width_bits + int(shifts.max(initial=0))) + largest_product).bit_length() + 1
    if needed > WIDEST_BITS:
        raise ValueError(f"a sum before its cast takes {needed} bits; {WIDEST_BITS} are computed")
    rules = [cast_rule(fmt, shift) for shift in shifts.tolist()]
    columns = zip(*((rule.base, rule.below, rule.odd) for rule in rules), strict=True)
    range_rule = cast_rule(fmt, 0)
    adder = Adder(
        kernel=add_cast_products,
        per_channel=(
            np.array([fit(start, range_rule) for start in starts.tolist()], dtype=np.int64),
            shifts,
            *(np.array(column, dtype=np.int64) for column in columns),
        ),
        shared=(np.array([range_rule.lowest, range_rule.highest], dtype=np.int64), range_rule.overflow),
    )
    return adder, weights << left.reshape((-1,) + (1,) * (weights.ndim - 1))


def cast_rule(fmt: FixedPoint, shift: int) -> CastRule:
    """Return what casting away ``shift`` >= 0 fraction bits to a type comes to."""
    halves, units, below, odd = _ROUNDINGS[fmt.rounding]
    if shift == 0:
        halves = units = below = odd = 0
    if fmt.rounding is RoundingMode.TRN_ZERO:
        below *= (1 << shift) - 1
    symmetric = fmt.signed and fmt.overflow is OverflowMode.SAT_SYM
    return CastRule(
        base=halves * ((1 << shift) >> 1) + units,
        below=below,
        odd=odd,
        lowest=-fmt.highest_code if symmetric else fmt.lowest_code,
        highest=fmt.highest_code,
        overflow=_OVERFLOWS[fmt.overflow],
    )


def fit(code: int, rule: CastRule) -> int:
    """Bring one code into range."""
    if rule.overflow == WRAP:
        return (code - rule.lowest) % (rule.highest - rule.lowest + 1) + rule.lowest
    if rule.overflow == CLEAR:
        return code if rule.lowest <= code <= rule.highest else 0
    return min(max(code, rule.lowest), rule.highest)

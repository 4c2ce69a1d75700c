"""Fixed point and integers: W bits, I of them before the point, eight ways to round, four to overflow.

Called by `convert/` (float to codes) and by the bit-true layers (sums to codes). The semantics are those of
Siemens' ``ac_fixed``; integers (``int8``, ``uint8``, ``sx<8>``) are the case of I = W whose scale, a power of two,
is chosen per tensor or channel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.number_format import FloatArray, IntArray, NumberFormat, NumberKind, require_finite
from archsim.numerics.rounding import OverflowMode, RoundingMode

BoolArray = NDArray[np.bool_]

WIDEST_CODE_BITS = 63
"""Of a code that can be computed with: it lives in an int64. [b]"""
FARTHEST_POINT_BITS = 512
"""The point lies at most so many bits before or behind the code, so that every value is a float64. [b]"""
_SIGNIFICAND_BITS = 53
_DEEPEST_SHIFT = 62
_STICKY_BITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPoint(NumberFormat):
    """A fixed-point type; the value of a code is ``code * 2**(integer_bits - width_bits)``.

    Parameters
    ----------
    integer_bits
        Before the point, the sign included where there is one; below 0 or above the width is allowed. [b]
    signed
        Two's complement, or from 0 up.
    rounding, overflow
        See their enums.

    Notes
    -----
    Codes are int64: a type wider than 63 bits can be named and stored, not computed with.

    References
    ----------
    .. [1] Siemens, Algorithmic C datatypes reference, v4.x: ``ac_fixed``, quantisation and overflow modes.
    """

    integer_bits: int
    signed: bool = True
    rounding: RoundingMode = RoundingMode.RND
    overflow: OverflowMode = OverflowMode.SAT

    def __post_init__(self) -> None:
        NumberFormat.__post_init__(self)
        if abs(self.integer_bits) > FARTHEST_POINT_BITS:
            raise ValueError(f"a format has -512 to 512 bits before the point, {self.name!r} has {self.integer_bits}")

    @property
    def is_signed(self) -> bool:
        """Whether it can write negative values."""
        return self.signed

    @property
    def fraction_bits(self) -> int:
        """Bits behind the point; may be negative. [b]"""
        return self.width_bits - self.integer_bits

    @property
    def lowest_code(self) -> int:
        """Smallest code."""
        return -(1 << (self.width_bits - 1)) if self.signed else 0

    @property
    def highest_code(self) -> int:
        """Largest code."""
        return (1 << (self.width_bits - int(self.signed))) - 1

    @property
    def largest_magnitude(self) -> int:
        """Largest magnitude of a code."""
        return max(-self.lowest_code, self.highest_code)

    @property
    def largest(self) -> float:
        """Largest value, at exponent 0."""
        return float(np.ldexp(float(self.highest_code), -self.fraction_bits))

    @property
    def smallest(self) -> float:
        """Smallest value above zero, at exponent 0: one step of the grid."""
        return float(np.ldexp(1.0, -self.fraction_bits))

    def as_signed(self) -> "FixedPoint":
        """Return the format of the same width with a sign: ``uint8`` -> ``int8``."""
        return self._with_sign(is_signed=True)

    def as_unsigned(self) -> "FixedPoint":
        """Return the format of the same width without a sign: ``int8`` -> ``uint8``."""
        return self._with_sign(is_signed=False)

    def encode(self, values: FloatArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the codes of ``values / 2**exponents``; exponents broadcast against the values.

        Exact for every float64: the significand is an integer, and is requantised as one.
        """
        significands, powers = np.frexp(require_finite(values, self.name))
        integers = np.ldexp(significands, _SIGNIFICAND_BITS).astype(np.int64)
        shifts = _SIGNIFICAND_BITS - self.fraction_bits - powers.astype(np.int64) + exponents
        # 53 bits shifted by 62 lie within 2**-9 of a code already: no deeper shift rounds otherwise
        return self.requantise(integers, np.minimum(shifts, _DEEPEST_SHIFT))

    def decode(self, codes: IntArray) -> FloatArray:
        """Return ``codes * 2**-fraction_bits``."""
        self._require_codes()
        return np.ldexp(np.asarray(codes).astype(np.float64), -self.fraction_bits)

    def requantise(self, sums: IntArray, shifts: IntArray | int) -> IntArray:
        """Return the codes of ``sums / 2**shifts``: right shifts round, left ones (negative) are exact; then overflow.

        Integers only: no float is made.

        Parameters
        ----------
        sums
            Any int64, any shape.
        shifts
            Any integers, broadcast against the sums: one per channel is reshaped by the caller. [b]
        """
        self._require_codes()
        spread = np.asarray(shifts, dtype=np.int64)
        given = np.asarray(sums, dtype=np.int64)
        to_left = spread < 0
        if not to_left.any():
            codes = self._round(given, spread)
            return self._overflow(codes, codes > self.highest_code, codes < self.lowest_code)
        left = np.clip(-spread, 0, 63)
        codes = np.where(to_left, given << left, self._round(given, np.maximum(spread, 0)))
        too_high = np.where(to_left, given > self.highest_code >> left, codes > self.highest_code)
        too_low = np.where(to_left, given < -(-self.lowest_code >> left), codes < self.lowest_code)
        return self._overflow(codes, too_high, too_low)

    def _round(self, sums: IntArray, shifts: IntArray) -> IntArray:
        """Shift right by 0 or more, rounding."""
        if shifts.size and int(shifts.max()) > _DEEPEST_SHIFT:
            sums, shifts = _shallower(sums, shifts)
        floors = sums >> shifts
        if self.rounding is RoundingMode.TRN:
            return floors
        rests = sums - (floors << shifts)
        halves = np.left_shift(1, np.maximum(shifts - 1, 0))  # a shift of 0 leaves no rest: 1 is never reached
        return floors + _ROUNDS_UP[self.rounding](sums, floors, rests, halves)

    def _overflow(self, codes: IntArray, too_high: BoolArray, too_low: BoolArray) -> IntArray:
        if self.overflow is OverflowMode.WRAP:
            return self._wrap(codes)
        if self.overflow is OverflowMode.SAT_ZERO:
            return np.where(too_high | too_low, 0, codes)
        lowest = self.lowest_code
        if self.overflow is OverflowMode.SAT_SYM and self.signed:
            lowest = -self.highest_code
            too_low = too_low | (codes < lowest)
        return np.where(too_high, self.highest_code, np.where(too_low, lowest, codes))

    def _wrap(self, codes: IntArray) -> IntArray:
        if not self.signed:
            return codes & self.highest_code
        unused = 64 - self.width_bits
        return (codes << unused) >> unused

    def _require_codes(self) -> None:
        if self.width_bits > WIDEST_CODE_BITS:
            raise ValueError(f"{self.name} has no codes: they take at most {WIDEST_CODE_BITS} bits")

    def _with_sign(self, *, is_signed: bool) -> "FixedPoint":
        if is_signed == self.signed:
            return self
        if self.kind is NumberKind.INTEGER:
            return integer_type(self.width_bits, signed=is_signed)
        return fixed_point_type(
            self.width_bits, self.integer_bits, signed=is_signed, rounding=self.rounding, overflow=self.overflow
        )


def integer_type(width_bits: int, *, signed: bool = True) -> FixedPoint:
    """Return ``intN`` or ``uintN``: rounded to the nearest, saturating. [b]"""
    return FixedPoint(
        name=f"{'' if signed else 'u'}int{width_bits}",
        kind=NumberKind.INTEGER,
        width_bits=width_bits,
        integer_bits=width_bits,
        signed=signed,
    )


def fixed_point_type(
    width_bits: int,
    integer_bits: int,
    *,
    signed: bool = True,
    rounding: RoundingMode = RoundingMode.RND,
    overflow: OverflowMode = OverflowMode.SAT,
) -> FixedPoint:
    """Return a fixed-point type under its shortest name: what is RND and SAT need not be said. [b]"""
    modes = "" if (rounding, overflow) == (RoundingMode.RND, OverflowMode.SAT) else f",{rounding},{overflow}"
    sign = "" if signed and not modes else f",{int(signed)}"
    return FixedPoint(
        name=f"fx<{width_bits},{integer_bits}{sign}{modes}>",
        kind=NumberKind.FIXED_POINT,
        width_bits=width_bits,
        integer_bits=integer_bits,
        signed=signed,
        rounding=rounding,
        overflow=overflow,
    )


def _shallower(sums: IntArray, shifts: IntArray) -> tuple[IntArray, IntArray]:
    """Bring shifts beyond 62 into an int64's reach: three bits are shifted out first, and remembered in the lowest."""
    is_deep = shifts > _DEEPEST_SHIFT
    lost = (sums & ((1 << _STICKY_BITS) - 1)) != 0
    sticky = (sums >> _STICKY_BITS) | lost
    return np.where(is_deep, sticky, sums), np.where(is_deep, np.minimum(shifts - _STICKY_BITS, _DEEPEST_SHIFT), shifts)


_ROUNDS_UP: dict[RoundingMode, Callable[[IntArray, IntArray, IntArray, IntArray], BoolArray]] = {
    RoundingMode.TRN_ZERO: lambda sums, _floors, rests, _halves: (rests > 0) & (sums < 0),
    RoundingMode.RND: lambda _sums, _floors, rests, halves: rests >= halves,
    RoundingMode.RND_ZERO: lambda sums, _floors, rests, halves: (rests > halves) | ((rests == halves) & (sums < 0)),
    RoundingMode.RND_INF: lambda sums, _floors, rests, halves: (rests > halves) | ((rests == halves) & (sums >= 0)),
    RoundingMode.RND_MIN_INF: lambda _sums, _floors, rests, halves: rests > halves,
    RoundingMode.RND_CONV: lambda _sums, floors, rests, halves: (
        (rests > halves) | ((rests == halves) & (floors & 1 == 1))
    ),
    RoundingMode.RND_CONV_ODD: lambda _sums, floors, rests, halves: (
        (rests > halves) | ((rests == halves) & (floors & 1 == 0))
    ),
}
"""Whether the upper neighbour is taken: of the sum, its floor, the rest above the floor and one half, scaled alike."""

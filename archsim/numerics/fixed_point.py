"""Fixed point and integers: W bits, I of them before the point, eight ways to round, four to overflow.

Called by `convert/` (float to codes) and by the bit-true layers (sums to codes). The semantics are those of
Siemens' ``ac_fixed``; integers (``int8``, ``uint8``, ``sx<8>``) are the case of I = W whose scale, a power of two,
is chosen per tensor or channel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.number_format import NumberFormat
from archsim.numerics.rounding import OverflowMode, RoundingMode

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


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
    """

    integer_bits: int
    signed: bool = True
    rounding: RoundingMode = RoundingMode.RND
    overflow: OverflowMode = OverflowMode.SAT

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

    def encode(self, values: FloatArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the codes of ``values / 2**exponents``; exponents broadcast against the values."""
        raise NotImplementedError

    def decode(self, codes: IntArray) -> FloatArray:
        """Return ``codes * 2**-fraction_bits``."""
        raise NotImplementedError

    def requantise(self, sums: IntArray, shifts: IntArray | int) -> IntArray:
        """Return the codes of ``sums / 2**shifts``: right shifts round, left ones (negative) are exact; then overflow.

        Integers only: no float is made.
        """
        raise NotImplementedError

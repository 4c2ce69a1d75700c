"""Logarithmic numbers: a sign and the base-2 logarithm of the magnitude, in fixed point.

Called by `convert/` and by the bit-true layers. What a code is follows from integer comparisons alone, so that
hardware and software agree bit for bit.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.number_format import FloatArray, IntArray, NumberFormat, NumberKind, require_finite

ExponentArray = NDArray[np.int32]
SignArray = NDArray[np.int8]

THRESHOLD_BITS = 16
"""Fraction bits of the thresholds that a significand is compared with. [b]"""
WIDEST_LOG_BITS = 16
"""Of a code: the table of thresholds grows with it. [b]"""
FARTHEST_OCTAVES = 512
"""A logarithm reaches at most so far, so that every value and product is a float64. [octaves]"""
_SIGNIFICAND_BITS = 53


@dataclass(frozen=True, slots=True, kw_only=True)
class Logarithmic(NumberFormat):
    """A logarithmic type: the value of logarithm ``e`` is ``2**(e / 2**fraction_bits)``, with a sign.

    The code is the sign bit above ``e`` in two's complement; the most negative ``e`` means zero.

    Parameters
    ----------
    fraction_bits
        Of the logarithm; 2**fraction_bits steps make an octave. [b]
    signed
        False = no sign bit, one more bit of logarithm; negative values become zero.

    Notes
    -----
    Rounded to the nearest logarithm by thresholds of 16 fraction bits: of random values, fewer than 1 in 10,000
    becomes the neighbour of the nearest code (``fraction_bits`` 3). Magnitudes beyond the largest saturate, those
    that round below the smallest become zero.
    """

    fraction_bits: int
    signed: bool = True

    def __post_init__(self) -> None:
        NumberFormat.__post_init__(self)
        if not 2 <= self.width_bits <= WIDEST_LOG_BITS:
            raise ValueError(
                f"a logarithmic code takes 2 to {WIDEST_LOG_BITS} bits, {self.name!r} takes {self.width_bits}"
            )
        most = self.width_bits - 1
        if not 0 <= self.fraction_bits <= most:
            raise ValueError(f"{self.name!r} has 0 to {most} fraction bits, not {self.fraction_bits}")
        if self.largest_exponent >> self.fraction_bits >= FARTHEST_OCTAVES:
            raise ValueError(f"{self.name!r} reaches beyond {FARTHEST_OCTAVES} octaves: it takes more fraction bits")

    @property
    def is_signed(self) -> bool:
        """Whether it can write negative values."""
        return self.signed

    @property
    def largest_exponent(self) -> int:
        """Largest logarithm, in steps: E; the smallest is -E."""
        return (1 << (self._field_bits - 1)) - 1

    @property
    def largest(self) -> float:
        """Largest value, at exponent 0."""
        return float(powers_of_two(np.asarray(self.largest_exponent), self.fraction_bits))

    @property
    def smallest(self) -> float:
        """Smallest value above zero, at exponent 0."""
        return float(powers_of_two(np.asarray(-self.largest_exponent), self.fraction_bits))

    @property
    def zero_code(self) -> int:
        """The code that `encode` gives a zero."""
        return 1 << (self._field_bits - 1)

    def exponent_for(self, max_abs: float) -> int:
        """Return the least exponent (the bias ``b``) at which a magnitude does not lie beyond the largest value.

        Exact: ``ceil(log2(max_abs) - E / 2**fraction_bits)``, compared in integers. 0 for a magnitude of 0.
        """
        if not max_abs:
            return 0
        significand, power = np.frexp(max_abs)
        octaves, steps = divmod(self.largest_exponent, 1 << self.fraction_bits)
        root = 1 << self.fraction_bits
        # significand * 2 <= 2**(steps / root), both to the power of root
        integer = int(np.ldexp(significand, _SIGNIFICAND_BITS))
        is_within = integer**root <= 1 << (steps + (_SIGNIFICAND_BITS - 1) * root)
        return int(power) - 1 - octaves + (0 if is_within else 1)

    def encode(self, values: FloatArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the codes of ``values / 2**exponents``; exponents broadcast against the values."""
        given = require_finite(values, self.name)
        significands, powers = np.frexp(np.abs(given))
        leading = np.ldexp(significands, THRESHOLD_BITS + 1).astype(np.int64)
        octaves = powers.astype(np.int64) - 1 - exponents
        return self.join(self._logarithms(leading, octaves), np.sign(given).astype(np.int8))

    def encode_sums(self, sums: IntArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the codes of ``sums * 2**exponents``, integers of up to 63 bits and a sign; no float decides.

        Parameters
        ----------
        sums
            Int64, any shape; above -2**63.
        exponents
            Broadcast against the sums.
        """
        magnitudes = np.abs(np.asarray(sums, dtype=np.int64))
        # where the float was rounded up to a power of two, the step is the same: 0 of the octave above, not all of its own
        octaves = np.clip(np.frexp(magnitudes.astype(np.float64))[1].astype(np.int64) - 1, 0, 62)
        drop = octaves - THRESHOLD_BITS
        leading = np.where(drop >= 0, magnitudes >> np.maximum(drop, 0), magnitudes << np.maximum(-drop, 0))
        return self.join(self._logarithms(leading, octaves + exponents), np.sign(sums).astype(np.int8))

    def decode(self, codes: IntArray) -> FloatArray:
        """Return the values of codes."""
        exponents, signs = self.split(codes)
        return powers_of_two(exponents, self.fraction_bits) * signs

    def split(self, codes: IntArray) -> tuple[ExponentArray, SignArray]:
        """Return the logarithm of every code, in steps (0 for zero), and its sign: -1, 0 or 1."""
        given = np.asarray(codes, dtype=np.int64)
        unused = 64 - self._field_bits
        exponents = (given << unused) >> unused
        signs = 1 - 2 * (given >> self._field_bits & 1) if self.signed else np.ones_like(given)
        is_zero = exponents < -self.largest_exponent
        return np.where(is_zero, 0, exponents).astype(np.int32), np.where(is_zero, 0, signs).astype(np.int8)

    def join(self, exponents: IntArray | ExponentArray, signs: SignArray) -> IntArray:
        """Return the codes of logarithms, in steps, and signs; saturating above, zero below and where the sign is 0."""
        steps = np.asarray(exponents, dtype=np.int64)
        is_zero = (signs == 0) | (steps < -self.largest_exponent)
        if not self.signed:
            is_zero |= signs < 0
        field = np.minimum(steps, self.largest_exponent) & ((1 << self._field_bits) - 1)
        sign_bit = (signs < 0).astype(np.int64) << self._field_bits
        return np.where(is_zero, self.zero_code, sign_bit | field)

    def _logarithms(self, leading: IntArray, octaves: IntArray) -> IntArray:
        """Of significands with 16 fraction bits, 1 to 2, times ``2**octaves``."""
        thresholds = rounding_thresholds(self.fraction_bits)
        return (octaves << self.fraction_bits) + np.searchsorted(thresholds, leading, side="right")

    @property
    def _field_bits(self) -> int:
        """Of the logarithm. [b]"""
        return self.width_bits - int(self.signed)


def logarithmic_type(width_bits: int, fraction_bits: int | None = None, *, signed: bool = True) -> Logarithmic:
    """Return a logarithmic type under its shortest name.

    Parameters
    ----------
    width_bits
        Of a code, the sign included. [b]
    fraction_bits
        None = ``max(0, width_bits - 5)``: 3 at 8 bits, and a span of some 16 octaves at every width above 5. [b]
    signed
        False = ``ulns``.
    """
    natural = max(0, width_bits - 5)
    fraction = natural if fraction_bits is None else fraction_bits
    short = f"lns{width_bits}" if fraction == natural else f"lns<{width_bits},{fraction}>"
    return Logarithmic(
        name=short if signed else f"u{short}",
        kind=NumberKind.LOGARITHMIC,
        width_bits=width_bits,
        fraction_bits=fraction,
        signed=signed,
    )


def powers_of_two(
    logarithms: NDArray[np.signedinteger], fraction_bits: int, exponents: IntArray | int = 0
) -> FloatArray:
    """Return ``2**(logarithms / 2**fraction_bits + exponents)``; exponents broadcast against the logarithms."""
    steps = 1 << fraction_bits
    roots = np.exp2(np.arange(steps) / steps)
    powers: FloatArray = np.ldexp(roots[logarithms & (steps - 1)], (logarithms >> fraction_bits) + exponents)
    return powers


@lru_cache(maxsize=32)
def rounding_thresholds(fraction_bits: int) -> IntArray:
    """Return the significands, with 16 fraction bits, from which on a logarithm rounds to the next step.

    Returns
    -------
    int64 array, shape (2**fraction_bits,)
        ``ceil(2**((j - 1/2) / 2**fraction_bits) * 2**16)`` for j = 1, 2, ..., proven in integers.
    """
    steps = 1 << fraction_bits
    thresholds = np.array([_threshold(2 * step - 1, 2 * steps) for step in range(1, steps + 1)], dtype=np.int64)
    thresholds.setflags(write=False)
    return thresholds


def _threshold(numerator: int, root: int) -> int:
    """Return the least integer t with ``t >= 2**(numerator / root + 16)``."""
    power = 1 << (numerator + THRESHOLD_BITS * root)
    guess = int(np.exp2(numerator / root) * (1 << THRESHOLD_BITS))
    while guess**root >= power:
        guess -= 1
    while guess**root < power:
        guess += 1
    return guess

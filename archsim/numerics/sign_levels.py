"""Binary and ternary weights: a sign, or a sign and zero, times one factor per output channel.

Called by `convert/weight_codes.py`. A MAC adds, subtracts or skips the other operand.
"""

import math
from dataclasses import dataclass

import numpy as np

from archsim.numerics.number_format import FloatArray, IntArray, NumberFormat, NumberKind, require_finite

TERNARY_THRESHOLD = 0.7
"""Of the mean magnitude of a channel: weights beyond it are kept (Li and Liu, Ternary weight networks, 2016)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignLevels(NumberFormat):
    """Codes -1 and +1, and 0 where ``has_zero``; the factor of a channel stands beside them.

    Parameters
    ----------
    has_zero
        Ternary (2 bits) or binary (1 bit; a weight of 0 becomes +1).
    scale_is_power_of_two
        The factor of a channel is rounded to the nearest power of two (in the logarithm), or kept as it is.
    """

    has_zero: bool
    scale_is_power_of_two: bool = True

    @property
    def largest(self) -> float:
        """Largest value, at exponent 0."""
        return 1.0

    @property
    def smallest(self) -> float:
        """Smallest value above zero, at exponent 0."""
        return 1.0

    def encode(self, values: FloatArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the level nearest to ``values / 2**exponents``; a tie with zero is zero.

        For weights, `encode_rows` chooses the factor and the threshold of every channel.
        """
        given = require_finite(values, self.name)
        signs = np.where(given >= 0, 1, -1)
        halves = np.ldexp(0.5, np.asarray(exponents))
        return (np.where(np.abs(given) > halves, signs, 0) if self.has_zero else signs + 0 * halves).astype(np.int64)

    def decode(self, codes: IntArray) -> FloatArray:
        """Return the codes as floats: the factor of the channel is not part of the format."""
        return np.asarray(codes).astype(np.float64)

    def encode_rows(self, weights: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the codes of weights and the factor of every output channel.

        Binary: the signs, and the mean magnitude. Ternary: the signs of the weights whose magnitude exceeds
        0.7 of the channel's mean, and the mean magnitude of those.

        Parameters
        ----------
        weights
            Shape (K, ...), one channel per entry of axis 0.

        Returns
        -------
        tuple
            Codes, same shape, and factors, shape (K,). A channel of zeros has the factor 0.
        """
        given = require_finite(weights, self.name)
        magnitudes = np.abs(given).reshape(len(given), -1)
        kept = np.ones(magnitudes.shape, dtype=np.bool_)
        if self.has_zero:
            kept = magnitudes > TERNARY_THRESHOLD * magnitudes.mean(axis=1, keepdims=True)
        scales = [self._scale(row[keep]) for row, keep in zip(magnitudes, kept, strict=True)]
        codes = np.where(kept.reshape(given.shape), np.where(given >= 0, 1, -1), 0)
        return codes.astype(np.int64), np.array(scales, dtype=np.float64)

    def _scale(self, magnitudes: FloatArray) -> float:
        mean = float(magnitudes.mean()) if magnitudes.size else 0.0
        return nearest_power_of_two(mean) if self.scale_is_power_of_two else mean


def nearest_power_of_two(value: float) -> float:
    """Return ``2**round(log2(value))`` of a value above 0; 0 of 0."""
    if value == 0:
        return 0.0
    significand, power = math.frexp(value)
    return math.ldexp(1.0, power - (0 if 2 * significand >= math.sqrt(2) else 1))


def sign_type(name: str) -> SignLevels:
    """Return ``binary``, ``ternary``, ``binary_exact`` or ``ternary_exact``.

    Raises
    ------
    ValueError
        The name is none of these.
    """
    if name not in SIGN_NAMES:
        raise ValueError(f"{name!r} is none of {', '.join(SIGN_NAMES)}")
    has_zero = name.startswith("ternary")
    return SignLevels(
        name=name,
        kind=NumberKind.SIGN,
        width_bits=2 if has_zero else 1,
        has_zero=has_zero,
        scale_is_power_of_two=not name.endswith("_exact"),
    )


SIGN_NAMES = ("binary", "ternary", "binary_exact", "ternary_exact")
"""Names that `sign_type` knows."""

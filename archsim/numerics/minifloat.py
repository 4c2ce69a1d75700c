"""Floating point from 4 to 64 bits: the codes are bit patterns, the casts saturate.

Called by `convert/` and by the bit-true layers. ``ml_dtypes`` knows the bits of the small ones; it is not asked to
round or to clamp, because it goes through float32 and turns 500 into NaN.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from archsim.numerics.number_format import FloatArray, IntArray, NumberFormat, NumberKind, require_finite

_DTYPES: dict[str, np.dtype[Any]] = {
    "fp4_e2m1": np.dtype(ml_dtypes.float4_e2m1fn),
    "fp8_e4m3": np.dtype(ml_dtypes.float8_e4m3fn),
    "fp8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "fp8_e3m4": np.dtype(ml_dtypes.float8_e3m4),
    "float8_e4m3": np.dtype(ml_dtypes.float8_e4m3),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "fp16": np.dtype(np.float16),
    "fp32": np.dtype(np.float32),
    "fp64": np.dtype(np.float64),
}
_ALIASES = {
    "float4_e2m1fn": "fp4_e2m1",
    "float8_e4m3fn": "fp8_e4m3",
    "float8_e5m2": "fp8_e5m2",
    "float8_e3m4": "fp8_e3m4",
}
FLOAT_NAMES = (*_DTYPES, *_ALIASES)
"""Names that `float_type` knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minifloat(NumberFormat):
    """A floating-point type; codes are its bit patterns, those of ``fp64`` as two's complement.

    Parameters
    ----------
    name
        ``fp8_e4m3`` is the OCP type without infinities (largest value 448), ``float8_e4m3`` the one that follows
        IEEE 754 (240); see `FLOAT_NAMES`.

    Notes
    -----
    Rounded to the nearest, a tie to the even significand; values beyond the largest become the largest. Subnormals
    are kept. No code of an infinity or NaN is made, and none of a negative zero: zero is code 0.

    References
    ----------
    .. [1] P. Micikevicius et al., FP8 formats for deep learning, arXiv 2209.05433, 2022, table 1.
    """

    def __post_init__(self) -> None:
        NumberFormat.__post_init__(self)
        if self.name not in _DTYPES:
            raise ValueError(f"{self.name!r} is no float; known: {', '.join(_DTYPES)}")

    @property
    def largest(self) -> float:
        """Largest value, at exponent 0."""
        return _limits(self._dtype).largest

    @property
    def smallest(self) -> float:
        """Smallest value above zero, at exponent 0: a subnormal."""
        return _limits(self._dtype).smallest

    @property
    def significand_bits(self) -> int:
        """Bits of the significand, the hidden one included. [b]"""
        return _limits(self._dtype).significand_bits

    def encode(self, values: FloatArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the bit patterns of ``values / 2**exponents``; exponents broadcast against the values."""
        given = require_finite(values, self.name)
        with np.errstate(over="ignore", under="ignore"):  # an infinity is clamped like any other large value
            scaled = np.ldexp(given, -np.asarray(exponents))
        rounded = self._round(np.clip(scaled, -self.largest, self.largest)) + 0.0  # -0.0 becomes 0.0
        return rounded.astype(self._dtype).view(self._bits).astype(np.int64)

    def decode(self, codes: IntArray) -> FloatArray:
        """Return the values of bit patterns; NaN and infinities where a pattern means one."""
        patterns = np.asarray(codes, dtype=np.int64).astype(self._bits).view(self._dtype)
        with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
            return patterns.astype(np.float64)

    def _round(self, values: FloatArray) -> FloatArray:
        """Bring values, none beyond the largest, onto the grid of the type: a tie to even."""
        if self.width_bits >= 64:
            return values
        powers = np.frexp(values)[1] - self.significand_bits
        lowest = int(np.frexp(self.smallest)[1]) - 1
        steps = np.maximum(powers, lowest)
        rounded: FloatArray = np.ldexp(np.rint(np.ldexp(values, -steps)), steps)
        return rounded

    @property
    def _dtype(self) -> np.dtype[Any]:
        return _DTYPES[self.name]

    @property
    def _bits(self) -> np.dtype[Any]:
        return np.dtype(f"u{self._dtype.itemsize}")


def float_type(name: str) -> Minifloat:
    """Return the floating-point type of a name, its ml_dtypes name included.

    Raises
    ------
    ValueError
        The name is not in `FLOAT_NAMES`.
    """
    own = _ALIASES.get(name, name)
    width = 4 if own.startswith("fp4") else 8 * _DTYPES[own].itemsize if own in _DTYPES else 1
    return Minifloat(name=own, kind=NumberKind.FLOAT, width_bits=width)


class _Limits(NamedTuple):
    largest: float
    smallest: float
    significand_bits: int


@cache
def _limits(dtype: np.dtype[Any]) -> _Limits:
    info: Any = ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]
    return _Limits(float(info.max), float(info.smallest_subnormal), int(info.nmant) + 1)

"""A tensor as the hardware holds it: integer codes, the format that reads them, and their scale.

The value of a code is ``format.decode(code) * 2**exponent``, per tensor or per output channel (axis 0 of a
weight tensor). Made by `convert/`, stored by `workload/coded_arrays.py`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.number_format import NumberFormat, NumberKind

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
INTEGER_KINDS = frozenset({NumberKind.INTEGER, NumberKind.FIXED_POINT, NumberKind.SIGN})
"""Kinds whose codes are integers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedTensor:
    """Codes, format, scale.

    Parameters
    ----------
    codes
        Integer codes of the format, any shape; int64.
    format
        What the codes mean.
    exponents
        Power of two that multiplies the decoded value: shape () for the whole tensor, (channels,) for one
        per entry of axis 0.
    scales
        Where a format needs more than a power of two (binary and ternary weights with exact scales): a factor
        per entry of axis 0, beside the exponents; None = 1.
    """

    codes: IntArray
    format: NumberFormat
    exponents: IntArray
    scales: FloatArray | None = None

    def __post_init__(self) -> None:
        if self.exponents.shape not in ((), self.codes.shape[:1]):
            raise ValueError(f"exponents of shape {self.exponents.shape} do not fit codes of {self.codes.shape}")

    @property
    def has_integer_scale(self) -> bool:
        """Whether the codes are integers whose value is ``code * 2**exponent``: sums of products stay integers."""
        return self.scales is None and self.format.kind in INTEGER_KINDS

    @property
    def values(self) -> FloatArray:
        """What the codes stand for, same shape."""
        spread = (-1,) + (1,) * (self.codes.ndim - 1) if self.exponents.ndim else ()
        exponents = self.exponents.reshape(spread)
        values = np.ldexp(self.format.decode(self.codes), exponents)
        return values if self.scales is None else values * self.scales.reshape((-1,) + (1,) * (self.codes.ndim - 1))

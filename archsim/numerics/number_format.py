"""What every number format can say of itself: its name, kind and width, and what its codes mean.

`arch` and `cost` ask for the width and the kind; `convert/` and the bit-true layers encode and decode. Formats that
are only stored (``tf32``, very wide logarithms) are plain `NumberFormat`; those with codes are `FixedPoint`,
`Minifloat`, `Logarithmic` and `SignLevels`. Names are read in `format_grammar.py`.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

WIDEST_FORMAT_BITS = 128
"""Of a stored value. [b]"""


class NumberKind(StrEnum):
    """The arithmetic that a format needs."""

    INTEGER = "integer"
    FIXED_POINT = "fixed_point"
    FLOAT = "float"
    LOGARITHMIC = "logarithmic"
    SIGN = "sign"
    """Of binary and ternary weights: the other operand is added, subtracted or skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """How a value is written: its name, kind and width.

    Parameters
    ----------
    name
        As written in YAML, e.g. ``int8``, ``fx<16,8>``, ``fp8_e4m3``, ``lns8``; two formats that mean the same have
        the same name.
    kind
        The arithmetic it needs.
    width_bits
        Bits of one stored value. [b]
    """

    name: str
    kind: NumberKind
    width_bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.width_bits <= WIDEST_FORMAT_BITS:
            raise ValueError(f"a format takes 1 to 128 bits, {self.name!r} takes {self.width_bits}")

    @property
    def is_signed(self) -> bool:
        """Whether it can write negative values."""
        return True

    @property
    def largest(self) -> float:
        """Largest value, at exponent 0."""
        raise self._without_codes()

    @property
    def smallest(self) -> float:
        """Smallest value above zero, at exponent 0."""
        raise self._without_codes()

    @property
    def zero_code(self) -> int:
        """The code that `encode` gives a zero."""
        return 0

    def bytes_of(self, words: int) -> int:
        """Bytes of ``words`` packed values, rounded up to a whole byte. [B]"""
        return -(-int(words) * self.width_bits // 8)

    def encode(self, values: FloatArray, exponents: IntArray | int = 0) -> IntArray:
        """Return the codes of ``values / 2**exponents``.

        Parameters
        ----------
        values
            Any shape, float64.
        exponents
            Broadcast against the values; a scale per channel is reshaped by the caller.

        Returns
        -------
        int64 array
            Of the shape of the two, broadcast.

        Raises
        ------
        ValueError
            A value is not finite, or the format is storage only.
        """
        raise self._without_codes()

    def decode(self, codes: IntArray) -> FloatArray:
        """Return the values of codes at exponent 0, same shape.

        Raises
        ------
        ValueError
            The format is storage only.
        """
        raise self._without_codes()

    def _without_codes(self) -> ValueError:
        return ValueError(f"{self.name} has no codes: archsim knows its width, values are not converted to it")


def require_finite(values: FloatArray, name: str) -> FloatArray:
    """Return the values as float64.

    Raises
    ------
    ValueError
        One is NaN or infinite; the first is told with its index.
    """
    given = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(given)
    if not finite.all():
        place = tuple(int(axis) for axis in np.argwhere(~finite)[0])
        raise ValueError(f"{given[place]} at index {place} has no code in {name}: values must be finite")
    return given

"""Results written as codes, and codes with what they mean: what the bit-true layers hand to each other.

Called by `bit_true_products.py` and `bit_true_vector.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import WorkloadError
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.logarithmic import Logarithmic
from archsim.numerics.number_format import NumberFormat
from archsim.workload.coded_network import CodedOutput

CodeArray = NDArray[Any]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
SUM_BITS = 63
"""Of a magnitude that an int64 holds. [b]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """A tensor of codes.

    Parameters
    ----------
    codes
        Shape (N, ...).
    format, exponent
        The value of a code is ``format.decode(code) * 2**exponent``.
    """

    codes: IntArray
    format: NumberFormat
    exponent: int

    @classmethod
    def of(cls, codes: CodeArray, output: CodedOutput, reader: str) -> "Written":
        """Put codes beside how they were written. Raises WorkloadError for sums that no format was given."""
        if output.format is None:
            raise WorkloadError(f"layer {reader!r} reads sums: only the last layer may leave its sums as they are")
        return cls(codes=codes, format=output.format, exponent=output.exponent)

    @property
    def last_bit(self) -> int:
        """Exponent of a fixed-point code's last bit: its value is ``code * 2**last_bit``."""
        assert isinstance(self.format, FixedPoint), "others have no last bit"
        return self.exponent - self.format.fraction_bits

    @property
    def values(self) -> FloatArray:
        """What the codes stand for."""
        return np.ldexp(self.format.decode(self.codes), self.exponent)


def write_sums(sums: IntArray, exponents: IntArray | int, output: CodedOutput, name: str) -> CodeArray:
    """Write integer sums, of exponents that broadcast against them, as a layer's output says; relu comes last.

    Raises
    ------
    WorkloadError
        Sums without a format cannot be aligned to the output's exponent in 64 bits.
    """
    fmt = output.format
    if fmt is None:
        return _rectified(align(sums, np.asarray(exponents) - output.exponent, name), output)
    if isinstance(fmt, FixedPoint):
        return _rectified(fmt.requantise(sums, output.exponent - fmt.fraction_bits - np.asarray(exponents)), output)
    sums = _rectified(sums, output)
    if isinstance(fmt, Logarithmic):
        return fmt.encode_sums(sums, np.asarray(exponents) - output.exponent)
    return fmt.encode(np.ldexp(sums.astype(np.float64), exponents), output.exponent)


def write_values(values: FloatArray, output: CodedOutput) -> CodeArray:
    """Write floating-point results as a layer's output says; without a format they leave as they are."""
    if isinstance(output.format, FixedPoint):
        return _rectified(output.format.encode(values, output.exponent), output)
    rectified = _rectified(values, output)
    return rectified if output.format is None else output.format.encode(rectified, output.exponent)


def align(sums: IntArray, shifts: IntArray | int, name: str) -> IntArray:
    """Shift integers left by 0 or more, to a finer exponent.

    Raises
    ------
    WorkloadError
        The exponent is not finer, or 64 bits do not hold the result.
    """
    spread = np.asarray(shifts, dtype=np.int64)
    if (spread < 0).any():
        raise WorkloadError(f"layer {name!r}: its exponent is {-int(spread.min())} bits coarser than that of its sums")
    reached = np.minimum(spread, SUM_BITS)
    aligned: IntArray = sums << reached
    if (aligned >> reached != sums).any():
        raise WorkloadError(f"layer {name!r}: its scales lie too far apart to align its sums in 64 bits")
    return aligned


def _rectified(values: CodeArray, output: CodedOutput) -> CodeArray:
    """Make negative results zero where the layer has a relu; fixed-point codes only once a wrap has had its say."""
    return np.maximum(values, 0) if output.relu else values

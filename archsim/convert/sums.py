"""How the products of one layer add up: the register, its scale, and the bias that it starts from.

Called by `quantise.py`. The bias of an integer layer is stored finer than the product's scale by the bits that the
sums leave free in the register (guard bits): at few bits a product's scale is coarse, and the published counts of
networks with biases are met only so. ``exact<W>`` chooses the register; it has 32 bits where nothing is said.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.convert.arithmetic import sum_fault
from archsim.convert.float_network import FloatConv, FloatDense
from archsim.convert.recipe import Recipe
from archsim.errors import WorkloadError
from archsim.numerics.accumulator import WIDEST_SUM_BITS, Accumulator, ExactSum, LinearSum, LogSum
from archsim.numerics.accumulator_grammar import default_accumulator
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.sum_width import required_width
from archsim.workload.coded_network import CodedOutput
from archsim.workload.psum_format import product_exponents

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
REGISTER_BITS = 32
"""Of the accumulator whose free bits hold the bias, where the recipe names no width. [b]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductScale:
    """What the products of a layer are: both operands with their scales, and how large the sums were.

    Parameters
    ----------
    ifmap
        Format and exponent of the operand that comes in.
    weight
        Codes and exponents.
    largest_sum
        Largest magnitude before the relu, over the calibration images.
    """

    ifmap: CodedOutput
    weight: CodedTensor
    largest_sum: float

    @property
    def exponents(self) -> IntArray:
        """Of the product of two codes, per output channel, shape (K,)."""
        assert self.ifmap.format is not None, "codes come in"
        return product_exponents(self.weight, self.ifmap.format, self.ifmap.exponent)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SumPlan:
    """Register, scale and start: the fields of `CodedProduct` of the same names; ``exponent`` is the register's."""

    accumulator: Accumulator
    exponent: int
    bias: IntArray | None = None
    bias_exponents: IntArray | None = None
    bias_values: FloatArray | None = None


def plan_sums(node: FloatConv | FloatDense, scale: ProductScale, recipe: Recipe) -> SumPlan:
    """Choose the register of one layer and write its bias.

    Raises
    ------
    WorkloadError
        The recipe's accumulator does not go with the formats, or is too narrow to be exact.
    """
    assert scale.ifmap.format is not None, "codes come in"
    if fault := sum_fault(scale.ifmap.format, scale.weight.format, recipe.accumulator):
        raise WorkloadError(f"layer {node.name!r}: {fault}")
    accumulator = recipe.accumulator or default_accumulator(scale.ifmap.format, scale.weight.format)
    if isinstance(accumulator, LinearSum):
        return _linear(node, scale, accumulator)
    if isinstance(accumulator, LogSum):
        exponent = int(scale.ifmap.exponent + scale.weight.exponents)
        return SumPlan(accumulator=accumulator, exponent=exponent, bias_values=node.bias)
    if _are_integers(scale):
        return _integer(node, scale, accumulator)
    return SumPlan(accumulator=accumulator, exponent=0, bias_values=node.bias)


def exact_width(ifmap: NumberFormat | None, weight_codes: IntArray, bias: IntArray | None, guard: int = 0) -> int:
    """Return the bits that the sums of these codes can need: bound A of the specification. [b]"""
    assert isinstance(ifmap, FixedPoint), "only integers have exact sums"
    return required_width(weight_codes, ifmap.largest_magnitude, bias, guard)


def _are_integers(scale: ProductScale) -> bool:
    return isinstance(scale.ifmap.format, FixedPoint) and scale.weight.has_integer_scale


def _integer(node: FloatConv | FloatDense, scale: ProductScale, accumulator: Accumulator) -> SumPlan:
    guard = 0
    if isinstance(accumulator, ExactSum):
        guard = _guard_bits(node, scale, accumulator)
    exponents = scale.exponents - guard
    bias = _rounded(node, exponents)
    return SumPlan(accumulator=accumulator, exponent=int(exponents.min()), bias=bias,
                   bias_exponents=None if bias is None else exponents)  # fmt: skip


def _guard_bits(node: FloatConv | FloatDense, scale: ProductScale, accumulator: ExactSum) -> int:
    """Return the bits below the product's last one that the register has left for the bias. [b]"""
    fmt, codes = scale.ifmap.format, scale.weight.codes
    needed = exact_width(fmt, codes, _rounded(node, scale.exponents))
    width = accumulator.width_bits
    if needed > WIDEST_SUM_BITS:
        raise WorkloadError(
            f"layer {node.name!r}: these weights can make sums of {needed} bits, {WIDEST_SUM_BITS} are computed. "
            "Convert to fewer bits"
        )
    if width and needed > width:
        raise WorkloadError(
            f"layer {node.name!r}: accumulator exact<{width}> is too narrow to be exact: these weights can make sums "
            f"of {needed} bits. Use exact<{needed}> or more, wrap<W> or sat<W,F>"
        )
    if node.bias is None:
        return 0
    guard = max(0, (width or REGISTER_BITS) - needed)
    while guard and exact_width(fmt, codes, _rounded(node, scale.exponents - guard), guard) > (width or REGISTER_BITS):
        guard -= 1
    return guard


def _rounded(node: FloatConv | FloatDense, exponents: IntArray) -> IntArray | None:
    """Return the bias as integers of these exponents, to the nearest, a tie up."""
    if node.bias is None:
        return None
    codes = np.floor(np.ldexp(node.bias, -exponents) + 0.5)
    needed = math.frexp(float(np.abs(codes).max(initial=0.0)))[1] + 1
    if needed > WIDEST_SUM_BITS:
        raise WorkloadError(
            f"layer {node.name!r}: its bias takes {needed} bits in steps of its products, {WIDEST_SUM_BITS} are "
            "computed. Convert to fewer bits"
        )
    return codes.astype(np.int64)


def _linear(node: FloatConv | FloatDense, scale: ProductScale, accumulator: LinearSum) -> SumPlan:
    """One bit of headroom above the largest sum of the calibration, one for the sign; the rest below it."""
    octaves = math.frexp(scale.largest_sum)[1] if scale.largest_sum else 0
    if scale.largest_sum and math.frexp(scale.largest_sum)[0] == 0.5:
        octaves -= 1
    exponent = -(accumulator.width_bits - 2 - octaves)
    exponents = np.full(len(scale.weight.codes), exponent, dtype=np.int64)
    bias = _rounded(node, exponents)
    return SumPlan(accumulator=accumulator, exponent=exponent, bias=bias,
                   bias_exponents=None if bias is None else exponents)  # fmt: skip

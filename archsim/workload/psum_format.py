"""The register that the sums of a converted layer need: the psum format of a workload file.

Called by `coded_yaml.py` to write it and by `coded_product_read.py` to check that a file's is wide enough.
"""

from math import log2

import numpy as np

from archsim.numerics.accumulator import (
    Accumulator,
    CastSum,
    ExactSum,
    FloatSumKind,
    LinearSum,
    LogSum,
    WrappedSum,
)  # fmt: skip
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.fixed_point import FixedPoint, integer_type
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.logarithmic import Logarithmic
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.sum_width import required_width
from archsim.workload.coded_network import CodedProduct, IntArray


def psum_format(layer: CodedProduct, ifmap: NumberFormat, ifmap_exponent: int) -> NumberFormat:
    """Return the format of a layer's sums on their way.

    Parameters
    ----------
    layer
        Its accumulator, weights and bias decide.
    ifmap, ifmap_exponent
        Of the codes that it reads.

    Returns
    -------
    NumberFormat
        ``exact`` sums of integers: ``intW``, W the bits that these weights can need at most; ``linear<A>`` and
        ``wrap<A>``: ``intA``; a cast sum: its type; ``log``: ``lnsW`` that holds the largest logarithm;
        ``kulisch``: ``intW`` that holds every product; other floats: their register.
    """
    accumulator: Accumulator = layer.accumulator
    if isinstance(accumulator, CastSum):
        return accumulator.format
    if isinstance(accumulator, WrappedSum | LinearSum):
        return integer_type(accumulator.width_bits)
    if isinstance(accumulator, LogSum):
        return parse_format(f"lns{_log_width(layer, ifmap, accumulator.fraction_bits)}")
    if isinstance(accumulator, ExactSum):
        return _exact(layer, accumulator, ifmap, ifmap_exponent)
    if accumulator.kind is FloatSumKind.KULISCH:
        return integer_type(_kulisch_width(layer.weight, ifmap))
    return parse_format("fp32" if accumulator.kind is FloatSumKind.FP32 else "fp64")


def _exact(layer: CodedProduct, accumulator: ExactSum, ifmap: NumberFormat, ifmap_exponent: int) -> NumberFormat:
    if not isinstance(ifmap, FixedPoint) or not layer.weight.has_integer_scale:
        return parse_format("fp64")
    guard = guard_bits(layer, ifmap, ifmap_exponent)
    width = required_width(layer.weight.codes, ifmap.largest_magnitude, layer.bias, guard)
    return integer_type(max(width, accumulator.width_bits))


def needed_width(layer: CodedProduct, ifmap: NumberFormat, ifmap_exponent: int) -> int:
    """Return the bits that exact sums need at the scale of their products, guard bits left out; 0 for other sums. [b]"""
    if (
        not isinstance(layer.accumulator, ExactSum)
        or not layer.weight.has_integer_scale
        or not isinstance(ifmap, FixedPoint)
    ):
        return 0
    guard = guard_bits(layer, ifmap, ifmap_exponent)
    bias = None if layer.bias is None else -((-np.abs(layer.bias)) >> guard)
    return required_width(layer.weight.codes, ifmap.largest_magnitude, bias)


def product_exponents(weight: CodedTensor, ifmap: NumberFormat, ifmap_exponent: int) -> IntArray:
    """Return the power of two of the product of two integer codes, per output channel, shape (K,)."""
    fraction = sum(fmt.fraction_bits for fmt in (ifmap, weight.format) if isinstance(fmt, FixedPoint))
    channels = np.zeros(len(weight.codes), dtype=np.int64)
    return channels + weight.exponents + ifmap_exponent - fraction


def guard_bits(layer: CodedProduct, ifmap: NumberFormat, ifmap_exponent: int) -> IntArray:
    """Return the bits by which an integer layer's register is finer than its products, per channel, shape (K,)."""
    exponents = product_exponents(layer.weight, ifmap, ifmap_exponent)
    return exponents - (exponents if layer.bias_exponents is None else layer.bias_exponents)


def _terms(weight: CodedTensor) -> int:
    return max(1, int(weight.codes[0].size))


def _log_width(layer: CodedProduct, ifmap: NumberFormat, fraction_bits: int) -> int:
    """Sign, sign of the logarithm, and the logarithm of all terms at their largest."""
    operands = [fmt for fmt in (ifmap, layer.weight.format) if isinstance(fmt, Logarithmic)]
    steps = sum(fmt.largest_exponent << max(0, fraction_bits - fmt.fraction_bits) for fmt in operands)
    largest = steps + (_terms(layer.weight).bit_length() << fraction_bits)
    return largest.bit_length() + 2


def _kulisch_width(weight: CodedTensor, ifmap: NumberFormat) -> int:
    """Sign, carries, and every bit from the smallest product to the largest."""
    octaves = sum(log2(fmt.largest) - log2(fmt.smallest) for fmt in (ifmap, weight.format))
    return min(128, 2 + int(octaves) + _terms(weight).bit_length())

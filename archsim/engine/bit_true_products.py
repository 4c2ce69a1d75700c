"""One convolution or dense layer, bit for bit: which arithmetic its formats and accumulator ask for.

Called by `bit_true.py`; the sums themselves are made in `numerics/products.py`.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.engine.written import CodeArray, FloatArray, IntArray, Written, write_sums, write_values
from archsim.numerics.accumulator import CastSum, ExactSum, FloatSum, FloatSumKind, LinearSum, LogSum, WrappedSum
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.logarithmic import Logarithmic, logarithmic_type, powers_of_two
from archsim.numerics.patches import Substitute
from archsim.numerics.products import float_sums, integer_sums, linear_log_sums, log_sums
from archsim.workload.coded_network import CodedOutput, CodedProduct
from archsim.workload.psum_format import product_exponents

SignArray = NDArray[np.int8]
LOG_OPERAND_BITS = 16
"""Of the logarithmic type in which a bias enters a log-domain sum. [b]"""


def run_product(layer: CodedProduct, ifmap: Written, substitute: Substitute | None = None) -> CodeArray:
    """Return the codes of a layer's ofmap, its products added up by the kernel or by its substitute.

    Raises
    ------
    ValueError
        Formats and accumulator do not go together, or a sum takes more bits than are computed.
    """
    accumulator, weight = layer.accumulator, layer.weight
    if isinstance(accumulator, LinearSum):
        return _linear(layer, accumulator, ifmap, substitute)
    if isinstance(accumulator, LogSum):
        return _log(layer, accumulator, ifmap, substitute)
    if isinstance(accumulator, FloatSum):
        return _float(layer, accumulator.kind, ifmap, substitute)
    if isinstance(ifmap.format, FixedPoint) and weight.has_integer_scale:
        return _integer(layer, accumulator, ifmap, substitute)
    if isinstance(accumulator, ExactSum):
        return _float(layer, FloatSumKind.FP64, ifmap, substitute)
    raise ValueError(f"{ifmap.format.name} and {weight.format.name} do not add up in {accumulator}")


def _integer(
    layer: CodedProduct, accumulator: ExactSum | WrappedSum | CastSum, ifmap: Written, substitute: Substitute | None
) -> CodeArray:
    """Let sums of integers start from the bias, in the register's scale; then shift each channel."""
    if layer.bias_values is not None:
        raise ValueError("integer sums start from an integer bias")
    products = product_exponents(layer.weight, ifmap.format, ifmap.exponent)
    given = products if layer.bias_exponents is None else layer.bias_exponents
    bias, exponents, fraction, guards = layer.bias, given, 0, products - given
    if isinstance(accumulator, CastSum):
        fraction = sum(fmt.fraction_bits for fmt in (ifmap.format, layer.weight.format) if isinstance(fmt, FixedPoint))
        exponents = products + fraction - accumulator.format.fraction_bits
        guards = np.zeros_like(products)
        bias = None if bias is None else accumulator.format.requantise(bias, exponents - given)
    if (guards < 0).any():
        raise ValueError(f"its bias is up to {-int(guards.min())} bits coarser than its products")
    sums = integer_sums(
        ifmap.codes, layer.weight.codes, bias, layer.window,
        accumulator=accumulator, product_fraction_bits=fraction, guard_shifts=guards, substitute=substitute,
    )  # fmt: skip
    return write_sums(sums, _spread(exponents, sums), layer.output, layer.name)


def _linear(layer: CodedProduct, accumulator: LinearSum, ifmap: Written, substitute: Substitute | None) -> CodeArray:
    """Add logarithmic products in a linear register whose last bit is worth ``2**accumulator_exponent``."""
    ifmap_format, weight_format = _logarithms(layer, ifmap)
    exponent = layer.accumulator_exponent
    if layer.bias_values is not None or (layer.bias_exponents is not None and (layer.bias_exponents != exponent).any()):
        raise ValueError(f"a linear sum starts from an integer bias of its own exponent ({exponent})")
    sums = linear_log_sums(
        _split(ifmap_format, ifmap.codes), _split(weight_format, layer.weight.codes), layer.bias, layer.window,
        accumulator=accumulator, fraction_bits=ifmap_format.fraction_bits,
        lsb=_scales(layer.weight, ifmap) - exponent, substitute=substitute,
    )  # fmt: skip
    return write_sums(sums, exponent, layer.output, layer.name)


def _log(layer: CodedProduct, accumulator: LogSum, ifmap: Written, substitute: Substitute | None) -> CodeArray:
    """Add logarithmic products in a logarithmic register, relative to the product of the operands' scales."""
    ifmap_format, weight_format = _logarithms(layer, ifmap)
    scales = _scales(layer.weight, ifmap)
    if layer.bias is not None:
        raise ValueError("a log-domain sum starts from the values of its bias")
    bias = None if layer.bias_values is None else _bias_logarithms(layer.bias_values, scales, accumulator.fraction_bits)
    logarithms, signs = log_sums(
        _split(ifmap_format, ifmap.codes), _split(weight_format, layer.weight.codes), bias, layer.window,
        accumulator=accumulator, fraction_bits=ifmap_format.fraction_bits, substitute=substitute,
    )  # fmt: skip
    return _write_logarithms(logarithms, signs, _spread(scales, logarithms), (accumulator.fraction_bits, layer.output))


def _float(layer: CodedProduct, kind: FloatSumKind, ifmap: Written, substitute: Substitute | None) -> CodeArray:
    """Sum decoded values; the operands' scales are powers of two, so they round nothing.

    A fixed-point register has the last bit of the smallest product: a bias is rounded to it, a tie up.
    """
    bias = layer.bias_values
    if layer.bias is not None:
        if layer.bias_exponents is None:
            raise ValueError("the integer bias of a float sum needs its exponents")
        bias = np.ldexp(layer.bias.astype(np.float64), layer.bias_exponents)
    if bias is not None and kind is FloatSumKind.KULISCH:
        last_bits = np.ldexp(ifmap.format.smallest * layer.weight.format.smallest, _scales(layer.weight, ifmap))
        bias = np.floor(bias / last_bits + 0.5) * last_bits
    sums = float_sums(ifmap.values, layer.weight.values, bias, layer.window, kind=kind, substitute=substitute)
    return write_values(sums, layer.output)


def _logarithms(layer: CodedProduct, ifmap: Written) -> tuple[Logarithmic, Logarithmic]:
    """Return both operands' formats, which must have one fraction."""
    first, second = ifmap.format, layer.weight.format
    if not isinstance(first, Logarithmic) or not isinstance(second, Logarithmic):
        raise ValueError(f"{first.name} and {second.name} are not both logarithmic, as its accumulator needs them")  # noqa: TRY004
    if first.fraction_bits != second.fraction_bits:
        raise ValueError(f"{first.name} and {second.name} have different fraction bits: their logarithms do not add")
    return first, second


def _split(fmt: Logarithmic, codes: IntArray) -> tuple[IntArray, IntArray]:
    """Return logarithms and signs as the sums take them."""
    steps, signs = fmt.split(codes)
    return steps.astype(np.int64), signs.astype(np.int64)


def _scales(weight: CodedTensor, ifmap: Written) -> IntArray:
    """Return the exponent of the product of both scales, per output channel."""
    return np.zeros(len(weight.codes), dtype=np.int64) + weight.exponents + ifmap.exponent


def _spread(values: IntArray, sums: IntArray) -> IntArray:
    """Give an array over output channels the axes of the sums."""
    return values.reshape((-1,) + (1,) * (sums.ndim - 2))


def _bias_logarithms(bias: FloatArray, scales: IntArray, fraction_bits: int) -> tuple[IntArray, IntArray]:
    """Return logarithms relative to the scales, rounded by the thresholds of the codec, and signs."""
    fmt = logarithmic_type(LOG_OPERAND_BITS, fraction_bits)
    octaves = np.frexp(bias)[1].astype(np.int64)
    steps, signs = _split(fmt, fmt.encode(bias, octaves))
    return steps + ((octaves - scales) << fraction_bits), signs


def _write_logarithms(
    logarithms: IntArray, signs: SignArray, scales: IntArray, written: tuple[int, CodedOutput]
) -> CodeArray:
    """Round logarithms of so many fraction bits to the output's."""
    fraction_bits, output = written
    signs = np.maximum(signs, 0) if output.relu else signs
    fmt = output.format
    if not isinstance(fmt, Logarithmic):
        return write_values(powers_of_two(logarithms, fraction_bits, scales) * signs, output)
    relative = logarithms + ((scales - output.exponent) << fraction_bits)
    finer = fraction_bits - fmt.fraction_bits
    steps = (relative + ((1 << finer) >> 1)) >> finer if finer >= 0 else relative << -finer
    return fmt.join(steps, signs)

"""The codes of one layer's weights: scale per channel, per tensor or per codebook. Called by `quantise.py`."""

import numpy as np

from archsim.convert.calibrate import best_exponent
from archsim.convert.float_network import FloatArray, FloatConv, FloatDense
from archsim.convert.recipe import Recipe
from archsim.errors import WorkloadError
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.sign_levels import SignLevels
from archsim.terms import WeightScales


def code_weights(
    node: FloatConv | FloatDense, fmt: NumberFormat, recipe: Recipe, codebook: FloatArray | None
) -> CodedTensor:
    """Write a layer's weights as codes.

    Parameters
    ----------
    node
        Its weights, (K, C/groups, R, S) or (K, C).
    fmt
        Of the codes.
    recipe
        Calibration method and what shares a scale.
    codebook
        (entries, R, S) where the kernels come from one: all of it shares a scale, so that equal kernels stay equal
        in every layer that uses it.

    Raises
    ------
    WorkloadError
        Binary weights are asked for, and all weights of a channel are zero.

    Notes
    -----
    Integers may have a scale per output channel; fixed point has none; floats and logarithms have one per tensor;
    binary and ternary weights one per output channel, a power of two unless the format is the exact one.
    """
    weight = node.weight
    if isinstance(fmt, SignLevels):
        return _sign_levels(node, fmt)
    method = recipe.method_for(fmt)
    per_channel = fmt.kind is NumberKind.INTEGER and recipe.weight_scales is WeightScales.CHANNEL and codebook is None
    if not per_channel:
        exponent = best_exponent(weight if codebook is None else codebook, fmt, method)
        return CodedTensor(codes=fmt.encode(weight, exponent), format=fmt, exponents=np.array(exponent))
    exponents = np.array([best_exponent(channel, fmt, method) for channel in weight], dtype=np.int64)
    is_used = weight.reshape(len(weight), -1).any(axis=1)
    if is_used.any():  # a channel of zeros takes a scale of its neighbours: its bias must not become coarse
        exponents[~is_used] = exponents[is_used].min()
    codes = fmt.encode(weight, exponents.reshape((-1,) + (1,) * (weight.ndim - 1)))
    return CodedTensor(codes=codes, format=fmt, exponents=exponents)


def _sign_levels(node: FloatConv | FloatDense, fmt: SignLevels) -> CodedTensor:
    codes, scales = fmt.encode_rows(node.weight)
    if not fmt.has_zero and not scales.all():
        raise WorkloadError(
            f"layer {node.name!r}: all weights of output channel {int(np.argmin(scales))} are zero, which "
            f"{fmt.name} cannot write. Use ternary, or prune no whole channels"
        )
    if not fmt.scale_is_power_of_two:
        return CodedTensor(codes=codes, format=fmt, exponents=np.zeros(len(codes), dtype=np.int64), scales=scales)
    return CodedTensor(codes=codes, format=fmt, exponents=np.frexp(scales)[1].astype(np.int64) - 1)

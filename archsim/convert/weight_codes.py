"""The codes of one layer's weights: scale per channel, per tensor or per codebook. Called by `quantise.py`."""

import numpy as np
from numpy.typing import NDArray

from archsim.convert.calibrate import best_exponent
from archsim.convert.recipe import Recipe
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.number_format import NumberFormat, NumberKind
from archsim.numerics.sign_levels import SignLevels
from archsim.terms import WeightScales

FloatArray = NDArray[np.float64]


def code_weights(weight: FloatArray, fmt: NumberFormat, recipe: Recipe, codebook: FloatArray | None) -> CodedTensor:
    """Write weights as codes.

    Parameters
    ----------
    weight
        (K, C/groups, R, S) or (K, C).
    fmt
        Of the codes.
    recipe
        Calibration method and what shares a scale.
    codebook
        (entries, R, S) where the kernels come from one: all of it shares a scale, so that equal kernels stay equal
        in every layer that uses it.

    Notes
    -----
    Integers may have a scale per output channel; fixed point has none; floats and logarithms have one per tensor;
    binary and ternary weights one per output channel, a power of two unless the format is the exact one.
    """
    if isinstance(fmt, SignLevels):
        return _sign_levels(weight, fmt)
    method = recipe.method_for(fmt)
    per_channel = fmt.kind is NumberKind.INTEGER and recipe.weight_scales is WeightScales.CHANNEL and codebook is None
    if not per_channel:
        exponent = best_exponent(weight if codebook is None else codebook, fmt, method)
        return CodedTensor(codes=fmt.encode(weight, exponent), format=fmt, exponents=np.array(exponent))
    exponents = np.array([best_exponent(channel, fmt, method) for channel in weight], dtype=np.int64)
    codes = fmt.encode(weight, exponents.reshape((-1,) + (1,) * (weight.ndim - 1)))
    return CodedTensor(codes=codes, format=fmt, exponents=exponents)


def _sign_levels(weight: FloatArray, fmt: SignLevels) -> CodedTensor:
    codes, scales = fmt.encode_rows(weight)
    if not fmt.has_exact_scale:
        exponents = np.frexp(scales)[1].astype(np.int64) - 1
        return CodedTensor(codes=codes, format=fmt, exponents=exponents)
    return CodedTensor(codes=codes, format=fmt, exponents=np.zeros(len(codes), dtype=np.int64), scales=scales)

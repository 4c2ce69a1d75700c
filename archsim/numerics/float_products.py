"""Convolutions and dense layers on floating-point values: sequential sums in float32 or float64, or exact ones.

Called through `products.py`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.product_sum import add_products
from archsim.numerics.accumulator import FloatSumKind
from archsim.numerics.patches import Adder, Substitute, run_windows
from archsim.numerics.sum_width import largest_sum
from archsim.numerics.window import Window

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
REGISTER_BITS = 64
"""Of the integers that exact sums are computed in. [b]"""


def float_sums(
    ifmap: FloatArray,
    weight: FloatArray,
    bias: FloatArray | None,
    window: Window | None,
    *,
    kind: FloatSumKind,
    substitute: Substitute | None = None,
) -> FloatArray:
    """Add products of floating-point values.

    Parameters
    ----------
    ifmap, weight
        Values, finite; shapes as of `integer_sums`.
    bias
        Start, shape (K,); None = 0.
    window, substitute
        As of `integer_sums`.
    kind
        ``fp32``: operands, products and sums are each rounded to float32, one term after the other; so with
        ``fp64``. ``kulisch``: the exact sum, rounded once to float64.

    Returns
    -------
    float64 array, shape (N, K, P, Q) or (N, K)

    Raises
    ------
    ValueError
        A value is not finite, shapes do not fit, or an exact sum needs too wide a register.
    """
    starts = np.zeros(len(weight)) if bias is None else bias
    if not all(np.isfinite(values).all() for values in (ifmap, weight, starts)):
        raise ValueError("only finite values are added: clamp them on conversion")
    if kind is FloatSumKind.KULISCH:
        return _exact_sums(ifmap, weight, (starts, substitute), window)
    float_type = np.float32 if kind is FloatSumKind.FP32 else np.float64
    adder = Adder(kernel=add_products, per_channel=(starts.astype(float_type),), sums_type=float_type)
    words, weights = ifmap.astype(float_type), weight.astype(float_type)
    return run_windows(adder, words, weights, window, substitute=substitute).astype(np.float64)


def _exact_sums(
    ifmap: FloatArray, weight: FloatArray, added: tuple[FloatArray, Substitute | None], window: Window | None
) -> FloatArray:
    """Write operands as integers of a common last bit and add those; ``added``: the bias, and what adds."""
    starts, substitute = added
    (words, word_bit), (weights, weight_bit) = _integers(ifmap, "ifmap"), _integers(weight, "weight")
    (biases, bias_bit) = _integers(starts, "bias")
    last_bit = min(word_bit + weight_bit, bias_bit) if biases.any() else word_bit + weight_bit
    guard, bias_shift = word_bit + weight_bit - last_bit, max(bias_bit - last_bit, 0)
    largest = largest_sum(weights, int(np.abs(words).max(initial=0)), None, guard)
    largest += int(np.abs(biases).max(initial=0)) << bias_shift
    width = largest.bit_length() + 1
    if width > REGISTER_BITS:
        raise ValueError(
            f"the exact sum of these products needs a register of {width} bits, {REGISTER_BITS} are computed. "
            "Use fp32 or fp64, or a format of less range"
        )
    adder = Adder(kernel=add_products, per_channel=(biases << bias_shift,))
    sums = run_windows(adder, words, weights << guard, window, substitute=substitute)
    return np.ldexp(sums.astype(np.float64), last_bit)


def _integers(values: FloatArray, name: str) -> tuple[IntArray, int]:
    """Return ``codes, e`` with ``values == codes * 2**e`` and e as large as it can be."""
    significands, powers = np.frexp(values)
    exponents = powers.astype(np.int64)
    whole: Any = np.ldexp(significands, 53).astype(np.int64)
    if not whole.any():
        return np.zeros(values.shape, dtype=np.int64), 0
    trailing = np.where(whole != 0, np.frexp((whole & -whole).astype(np.float64))[1] - 1, 0)
    last_bits = np.where(whole != 0, exponents - 53 + trailing, np.iinfo(np.int64).max)
    last_bit = int(last_bits.min())
    span = int(exponents[whole != 0].max()) - last_bit
    if span > REGISTER_BITS - 2:
        raise ValueError(f"{name} values span {span} bits, an exact sum is computed in {REGISTER_BITS}")
    return np.ldexp(values, -last_bit).astype(np.int64), last_bit

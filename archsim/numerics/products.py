"""Convolutions and dense layers bit for bit: operands in, the sums as the register holds them out.

Called by the bit-true layers of a converted network. Each function is one kind of operand; it checks shapes and
widths, then `patches.py` hands windows to a kernel. Terms are added in the canonical order (channel, row, column)
unless one is given; a term outside of the image is skipped.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.linear_log_sum import add_antilogs
from archsim.kernels.log_sum import ZERO_EXPONENT, add_in_log_domain
from archsim.kernels.product_sum import add_products
from archsim.numerics.accumulator import CastSum, ExactSum, LinearSum, LogSum, WrappedSum
from archsim.numerics.antilog import antilog_table
from archsim.numerics.cast_rule import cast_adder
from archsim.numerics.float_products import float_sums
from archsim.numerics.log_adder import adder_tables
from archsim.numerics.patches import Adder, Substitute, run_windows
from archsim.numerics.sum_width import largest_magnitude, largest_sum
from archsim.numerics.window import Window

__all__ = ["float_sums", "integer_sums", "linear_log_sums", "log_sums"]

IntArray = NDArray[np.int64]
WIDEST_SATURATING_BITS = 62
"""Of a register whose sums with one term more fit 64 bits. [b]"""
INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)


def integer_sums(
    ifmap_codes: IntArray,
    weight_codes: IntArray,
    bias: IntArray | None,
    window: Window | None,
    *,
    accumulator: ExactSum | WrappedSum | CastSum,
    product_fraction_bits: IntArray | int = 0,
    guard_shifts: IntArray | None = None,
    order: IntArray | None = None,
    substitute: Substitute | None = None,
) -> IntArray:
    """Add products of integer codes.

    Parameters
    ----------
    ifmap_codes, weight_codes
        Shapes (N, C, H, W) and (K, C / groups, R, S); without a window (N, C) and (K, C).
    bias
        Codes that the sums start from, in the register's own scale, shape (K,); None = 0. A `CastSum` brings
        them into range first.
    window
        None = a dense layer.
    accumulator
        The register.
    product_fraction_bits
        Fraction bits of a product behind its guard shift, one for all or shape (K,); `CastSum` alone reads it. [b]
    guard_shifts
        By which products are shifted left before they are added, shape (K,). [b]
    order
        In which a window's places are added: a permutation of their canonical numbers; None = canonical.
    substitute
        Adds in the place of a kernel: see `patches.py`.

    Returns
    -------
    int64 array, shape (N, K, P, Q) or (N, K)
        Of `CastSum`, codes of its type.

    Raises
    ------
    ValueError
        Shapes do not fit, or sums do not fit the register or 64 bits.
    """
    guards = np.zeros(len(weight_codes), dtype=np.int64) if guard_shifts is None else guard_shifts
    weights = weight_codes.astype(np.int64) << _per_channel(guards, weight_codes)
    starts = np.zeros(len(weights), dtype=np.int64) if bias is None else bias.astype(np.int64)
    largest_code = largest_magnitude(ifmap_codes)
    if isinstance(accumulator, CastSum):
        adder, weights = cast_adder(accumulator, weights, starts, (largest_code, product_fraction_bits))
    else:
        bound = largest_sum(weight_codes, largest_code, bias, guards)
        adder = _plain_adder(accumulator, starts, bound)
    operand_type = INT32 if adder.sums_type is np.int32 else INT64
    ifmap, weight = ifmap_codes.astype(operand_type), weights.astype(operand_type)
    sums = run_windows(adder, ifmap, weight, window, order=order, substitute=substitute)
    if isinstance(accumulator, WrappedSum):
        return _wrap(sums.astype(np.int64), accumulator.width_bits)
    return sums.astype(np.int64, copy=False)


def linear_log_sums(
    ifmap: tuple[IntArray, IntArray],
    weight: tuple[IntArray, IntArray],
    bias: IntArray | None,
    window: Window | None,
    *,
    accumulator: LinearSum,
    fraction_bits: int,
    lsb: IntArray | int,
    order: IntArray | None = None,
    substitute: Substitute | None = None,
) -> IntArray:
    """Add products of logarithms in a saturating integer.

    Parameters
    ----------
    ifmap, weight
        Exponents in units of 2**-fraction_bits, and signs (-1, 0 = the value is zero, 1) of one shape:
        as `integer_sums`.
    bias
        Start, in units of the register's last bit, shape (K,).
    accumulator
        Width and antilog.
    fraction_bits
        Of the exponents: f. [b]
    lsb
        The register's last bit stands for 2**-lsb of the product of the operands' scales; one for all, or shape (K,).

    Returns
    -------
    int64 array, shape (N, K, P, Q) or (N, K)
        In units of the last bit.
    """
    lsbs = np.broadcast_to(np.asarray(lsb, dtype=np.int64), len(weight[0]))
    steps = (lsbs - int(lsbs.min())) << fraction_bits  # a finer last bit is a larger exponent
    weight_exponents = np.where(weight[1] == 0, 0, weight[0] + _per_channel(steps, weight[0]))
    ifmap_exponents = np.where(ifmap[1] == 0, 0, ifmap[0])
    lowest = (int(ifmap_exponents.min(initial=0)), int(weight_exponents.min(initial=0)))
    highest = (int(ifmap_exponents.max(initial=0)), int(weight_exponents.max(initial=0)))
    exponents = range(sum(lowest), sum(highest) + 1)
    terms = _shifted_antilogs(accumulator, fraction_bits, int(lsbs.min()), exponents)
    table = np.concatenate([np.zeros_like(terms), terms, -terms])  # by sign 0, 1, -1 (modulo 3)
    places = ifmap_exponents - lowest[0] + len(terms) * (ifmap[1] % 3).astype(np.int32)
    limits = _limits(accumulator.width_bits)
    starts = np.zeros(len(weight[0]), dtype=np.int64) if bias is None else np.clip(bias, *limits)
    signs = weight[1].reshape(len(starts), -1)
    if order is not None:
        signs = signs[:, order]
    adder = Adder(
        kernel=add_antilogs,
        per_channel=(starts.astype(np.int64), np.ascontiguousarray(signs, dtype=np.int64)),
        shared=(table, limits),
    )
    weights = weight_exponents - lowest[1]
    return run_windows(adder, places.astype(np.int32), weights, window, order=order, substitute=substitute)


def log_sums(
    ifmap: tuple[IntArray, IntArray],
    weight: tuple[IntArray, IntArray],
    bias: tuple[IntArray, IntArray] | None,
    window: Window | None,
    *,
    accumulator: LogSum,
    fraction_bits: int,
    order: IntArray | None = None,
    substitute: Substitute | None = None,
) -> tuple[IntArray, NDArray[np.int8]]:
    """Add products of logarithms without leaving the log domain.

    Parameters
    ----------
    ifmap, weight, fraction_bits, order, substitute
        As `linear_log_sums`.
    bias
        Start: logarithms in units of 2**-fa of the product's scale and signs, shape (K,) each; None = zero.
    accumulator
        Fraction bits fa, and how two logarithms are added.

    Returns
    -------
    int64 array, int8 array, shape (N, K, P, Q) or (N, K)
        Logarithms in units of 2**-fa (0 where the sum is zero), and signs (-1, 0, 1).

    Raises
    ------
    ValueError
        The register has fewer fraction bits than the operands.
    """
    finer = accumulator.fraction_bits - fraction_bits
    if finer < 0:
        raise ValueError(
            f"a register of {accumulator.fraction_bits} fraction bits cannot hold products of {fraction_bits}"
        )
    plus, minus = adder_tables(accumulator)
    minus[0] = 2 * ZERO_EXPONENT
    channels = len(weight[0])
    starts = _signed_logs(np.zeros(channels), np.zeros(channels)) if bias is None else _signed_logs(*bias)
    adder = Adder(
        kernel=add_in_log_domain,
        per_channel=(starts,),
        shared=(2 * np.concatenate([plus, minus]),),
        blank=2 * ZERO_EXPONENT,
    )
    words, weights = (_signed_logs(exponents << finer, signs) for exponents, signs in (ifmap, weight))
    sums = run_windows(adder, words, weights, window, order=order, substitute=substitute)
    is_zero = sums < ZERO_EXPONENT
    signs = np.where(is_zero, 0, 1 - 2 * (sums & 1)).astype(np.int8)
    return np.where(is_zero, 0, sums >> 1), signs


def _wrap(codes: IntArray, width_bits: int) -> IntArray:
    """Return the low bits, two's complement."""
    unused = 64 - width_bits
    wrapped: IntArray = (codes << unused) >> unused
    return wrapped


def _plain_adder(accumulator: ExactSum | WrappedSum, starts: IntArray, bound: int) -> Adder:
    """Choose the narrowest arithmetic that is proven; modulo 2**64 is good enough for any narrower modulo."""
    width = bound.bit_length() + 1
    if isinstance(accumulator, ExactSum) and accumulator.width_bits and width > accumulator.width_bits:
        raise ValueError(f"an exact sum in {accumulator.width_bits} bits: these codes can need {width}")
    if width > 64 and isinstance(accumulator, ExactSum):
        raise ValueError(f"sums are computed in 64 bits, these codes can need {width}")
    sums_type: type[np.generic] = np.int32 if width <= 32 else np.int64
    return Adder(kernel=add_products, per_channel=(starts.astype(sums_type),), sums_type=sums_type)


def _shifted_antilogs(accumulator: LinearSum, fraction_bits: int, lsb: int, exponents: range) -> IntArray:
    """Return the linear term of every exponent of a product, cut at the register's span: more saturates it alike."""
    significands = antilog_table(accumulator.antilog, fraction_bits).tolist()
    most = 1 << accumulator.width_bits
    terms = []
    for exponent in exponents:
        significand = significands[exponent & ((1 << fraction_bits) - 1)]
        shift = (exponent >> fraction_bits) + lsb - accumulator.antilog.fraction_bits
        if shift >= 0:
            terms.append(min(significand << min(shift, accumulator.width_bits), most))
        else:
            terms.append((significand + (1 << (-shift - 1))) >> -shift)
    return np.array(terms, dtype=np.int64)


def _limits(width_bits: int) -> IntArray:
    if width_bits > WIDEST_SATURATING_BITS:
        raise ValueError(f"a saturating sum of {width_bits} bits; up to {WIDEST_SATURATING_BITS} are computed")
    return np.array([-(1 << (width_bits - 1)), (1 << (width_bits - 1)) - 1], dtype=np.int64)


def _signed_logs(exponents: NDArray[Any], signs: NDArray[Any]) -> IntArray:
    """Pack logarithm and sign as `kernels/log_sum.py` takes them."""
    packed = 2 * exponents.astype(np.int64) + (signs < 0)
    return np.where(signs == 0, 2 * ZERO_EXPONENT, packed)


def _per_channel(values: IntArray, weights: NDArray[Any]) -> IntArray:
    return np.asarray(values, dtype=np.int64).reshape((-1,) + (1,) * (weights.ndim - 1))

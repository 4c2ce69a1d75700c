"""Sums of products one by one: nested loops over every output, Python integers and fractions only."""

import math
from fractions import Fraction

import numpy as np


def window_terms(ifmap_shape, weight_shape, window, order=None):
    """Yield every output's place and the places of the operands of its terms, in the order in which they add up."""
    images, _, height, width = ifmap_shape
    filters, channels, filter_rows, filter_columns = weight_shape
    (top, bottom), (left, right) = window.padding
    rows = (height + top + bottom - window.dilation[0] * (filter_rows - 1) - 1) // window.stride[0] + 1
    columns = (width + left + right - window.dilation[1] * (filter_columns - 1) - 1) // window.stride[1] + 1
    canonical = [(c, u, v) for c in range(channels) for u in range(filter_rows) for v in range(filter_columns)]
    places = canonical if order is None else [canonical[t] for t in order]
    for n, k, i, j in np.ndindex(images, filters, rows, columns):
        first_channel = k // (filters // window.groups) * channels
        terms = []
        for c, u, v in places:
            ii = i * window.stride[0] + u * window.dilation[0] - top
            jj = j * window.stride[1] + v * window.dilation[1] - left
            if 0 <= ii < height and 0 <= jj < width:
                terms.append(((n, first_channel + c, ii, jj), (k, c, u, v)))
        yield (n, k, i, j), terms


def each_sum(ifmap, weight, window, add, start, *, order=None):
    """Fold ``add(total, x, w)`` over the terms of every output; returns a dict by place."""
    sums = {}
    for place, terms in window_terms(ifmap.shape, weight.shape, window, order):
        total = start(place[1])
        for x, w in terms:
            total = add(total, ifmap[x], weight[w])
        sums[place] = total
    return sums


def as_array(sums, dtype):
    """Lay the sums of `each_sum` out as (N, K, P, Q)."""
    shape = tuple(1 + max(place[axis] for place in sums) for axis in range(4))
    laid = np.empty(shape, dtype=dtype)
    for place, total in sums.items():
        laid[place] = total
    return laid


def cast(value, width, fraction_bits, *, signed, rounding, overflow):
    """Bring an exact value onto the grid of a fixed-point type, by the table of the specification."""
    t = Fraction(value) * Fraction(2) ** fraction_bits
    f = math.floor(t)
    d, half = t - f, Fraction(1, 2)
    code = (
        f
        + {
            "TRN": False,
            "TRN_ZERO": d > 0 and t < 0,
            "RND": d >= half,
            "RND_ZERO": d > half or (d == half and t < 0),
            "RND_INF": d > half or (d == half and t >= 0),
            "RND_MIN_INF": d > half,
            "RND_CONV": d > half or (d == half and f % 2 == 1),
            "RND_CONV_ODD": d > half or (d == half and f % 2 == 0),
        }[rounding]
    )
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    if overflow == "WRAP":
        return (code - low) % (1 << width) + low
    if overflow == "SAT_ZERO":
        return code if low <= code <= high else 0
    if overflow == "SAT_SYM" and signed:
        low = -high
    return min(max(code, low), high)


def antilog_term(exponent, significands, fraction_bits, lsb, antilog_bits):
    """Return the linear term of a product of logarithms, rounded half up."""
    octaves, place = divmod(exponent, 1 << fraction_bits)
    return math.floor(significands[place] * Fraction(2) ** (octaves + lsb - antilog_bits) + Fraction(1, 2))


def add_logs(total, term, plus, minus):
    """Add two (logarithm, sign) pairs; ``plus`` and ``minus`` are functions of the difference."""
    if term[1] == 0:
        return total
    if total[1] == 0:
        return term
    larger = total if total[0] >= term[0] else term
    difference = abs(total[0] - term[0])
    if total[1] == term[1]:
        return larger[0] + plus(difference), larger[1]
    return (0, 0) if difference == 0 else (larger[0] + minus(difference), larger[1])

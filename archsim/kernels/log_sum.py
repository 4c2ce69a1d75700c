"""Logarithmic products added without leaving the log domain.

`numerics/products.py` calls it on the patches of `window_patches.py`. A signed logarithm is one integer: the exponent
times two, plus one where the value is negative. Zero is an exponent so far below any other that the difference
to it lies beyond the tables and nothing is added.
"""

import numpy as np

from archsim.kernels.compiled import compiled

ZERO_EXPONENT = -(1 << 40)
"""The exponent of zero; whatever lies below half of it is zero."""


@compiled
def add_in_log_domain(patches, weights, starts, corrections, sums):
    """Add products of logarithms over t, in this order.

    Of two terms the larger stands, corrected by the Gaussian logarithm of their difference: log2(1 + 2^-D)
    for like signs, log2(1 - 2^-D) for unlike ones; equal terms of unlike sign leave zero.

    Parameters
    ----------
    patches, weights : int64 arrays, shape (terms, lanes), (K, terms)
        Signed logarithms, exponents in units of the register's last bit.
    starts : int64 array, shape (K,)
    corrections : int64 array
        Twice the two functions by difference, one behind the other, each with a 0 at its end for all differences
        beyond; where unlike terms are equal, `ZERO_EXPONENT` times four.
    sums : int64 array, shape (K, lanes)
        Is written.
    """
    lanes = patches.shape[1]
    places = np.empty(lanes, dtype=np.int64)
    for k in range(len(weights)):
        for lane in range(lanes):
            sums[k, lane] = starts[k]
        for t in range(len(patches)):
            if weights[k, t] > ZERO_EXPONENT:
                _add_term(patches[t], weights[k, t], corrections, places, sums[k])


@compiled
def _add_term(lanes, weight, corrections, places, sums):
    """Three loops, so that only the look-up is done lane by lane: ten times as fast as one."""
    beyond, zero = len(corrections) // 2 - 1, 2 * ZERO_EXPONENT
    exponent, is_negative = weight >> 1 << 1, weight & 1
    for lane in range(len(lanes)):
        total, term = sums[lane], (lanes[lane] + exponent) ^ is_negative
        larger = max(total, term)
        difference = (larger >> 1) - (min(total, term) >> 1)
        unlike = (total ^ term) & 1
        places[lane] = min(difference, beyond) + unlike * (beyond + 1)
        sums[lane] = larger
    for lane in range(len(lanes)):
        sums[lane] += corrections[np.uint64(places[lane])]  # numba would ask of a signed index whether it is negative
    for lane in range(len(lanes)):
        sums[lane] = max(sums[lane], zero)

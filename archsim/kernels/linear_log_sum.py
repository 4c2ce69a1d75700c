"""Logarithmic products, made linear by a table and added in a saturating integer.

`numerics/products.py` calls it on the patches of `window_patches.py`. A product of two logarithms is the sum of their
exponents: few enough to hold every shifted antilog, signs included, in one table.
"""

import numpy as np

from archsim.kernels.compiled import compiled


@compiled
def add_antilogs(patches, weights, starts, signs, antilogs, limits, sums):
    """Add ``signs[k, t] * antilogs[patches[t] + weights[k, t]]`` over t, in this order, saturating every time.

    Parameters
    ----------
    patches, weights : int32 array, shape (terms, lanes), and int64 array, shape (K, terms)
        Places in the table: that of a product is the sum of its operands'.
    starts : int64 array, shape (K,)
    signs : int64 array, shape (K, terms)
        Of the weights: -1, 0, 1.
    antilogs : int64 array
        Signed terms by place; 0 where the ifmap is.
    limits : int64 array, shape (2,)
        Lowest and highest sum.
    sums : int64 array, shape (K, lanes)
        Is written.
    """
    lanes = patches.shape[1]
    for k in range(len(weights)):
        for lane in range(lanes):
            sums[k, lane] = starts[k]
        for t in range(len(patches)):
            if signs[k, t] != 0:
                _add_term(patches[t], antilogs[weights[k, t] :], signs[k, t], limits[0], limits[1], sums[k])


@compiled
def _add_term(lanes, antilogs, sign, low, high, sums):
    for lane in range(len(lanes)):
        term = antilogs[np.uint64(lanes[lane])]  # numba would ask of a signed index whether it is negative
        sums[lane] = min(max(sums[lane] + sign * term, low), high)

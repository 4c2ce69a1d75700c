"""Products added as they come: exact in integers that are wide enough, rounded term by term in floats.

`numerics/products.py` calls it on the patches of `window_patches.py`, in types that it proves wide enough. The
types of the arrays choose the arithmetic: nothing else differs between int8 codes and float32.
"""

from archsim.kernels.compiled import compiled


@compiled
def add_products(patches, weights, starts, sums):
    """Add ``patches[t] * weights[k, t]`` over t, in this order, to ``starts[k]``.

    Four outputs are computed side by side, two terms a pass, so that a lane is read once for eight products.

    Parameters
    ----------
    patches : array, shape (terms, lanes)
    weights : array, shape (K, terms)
    starts : array, shape (K,)
    sums : array, shape (K, lanes)
        Is written; its type is that of the sums.
    """
    terms, lanes = patches.shape
    for k in range(len(weights)):
        for lane in range(lanes):
            sums[k, lane] = starts[k]
    blocked, paired = len(weights) - len(weights) % 4, terms - terms % 2
    for k in range(0, blocked, 4):
        for t in range(0, paired, 2):
            w00, w10, w20, w30 = weights[k, t], weights[k + 1, t], weights[k + 2, t], weights[k + 3, t]
            w01, w11, w21, w31 = weights[k, t + 1], weights[k + 1, t + 1], weights[k + 2, t + 1], weights[k + 3, t + 1]
            for lane in range(lanes):
                x, y = patches[t, lane], patches[t + 1, lane]
                sums[k, lane] = (sums[k, lane] + w00 * x) + w01 * y
                sums[k + 1, lane] = (sums[k + 1, lane] + w10 * x) + w11 * y
                sums[k + 2, lane] = (sums[k + 2, lane] + w20 * x) + w21 * y
                sums[k + 3, lane] = (sums[k + 3, lane] + w30 * x) + w31 * y
        for t in range(paired, terms):
            for one in range(k, k + 4):
                _add_term(patches[t], weights[one, t], sums[one])
    for k in range(blocked, len(weights)):
        for t in range(terms):
            _add_term(patches[t], weights[k, t], sums[k])


@compiled
def _add_term(lanes, weight, sums):
    for lane in range(len(lanes)):
        sums[lane] = sums[lane] + weight * lanes[lane]

"""Products added in a fixed-point register: every sum is rounded and then brought into range.

`numerics/cast_rule.py` has it called on the patches of `window_patches.py`, `pe_arithmetic.py` calls its cast. All
eight roundings are one formula, ``(v + base + below * (v < 0) + odd * (f & 1)) >> shift`` with ``f = v >> shift``: see
`numerics/cast_rule.py` for the three numbers of each.
"""

from archsim.kernels.compiled import compiled, compiled_inline

CLAMP, WRAP, CLEAR = range(3)
"""What becomes of a sum out of range: the nearest end, its low bits, zero."""


@compiled
def add_cast_products(patches, weights, starts, shifts, bases, below, odd, limits, overflow, sums):
    """Add ``patches[t] * weights[k, t]`` over t, in this order; each sum is cast before the next term.

    Parameters
    ----------
    patches : int64 array, shape (terms, lanes)
    weights : int64 array, shape (K, terms)
    starts, shifts : int64 arrays, shape (K,)
        Start codes; the product's fraction bits beyond the register's, at least 0.
    bases, below, odd : int64 arrays, shape (K,)
        What rounding adds: to every sum, to one below zero, to one whose floor is odd.
    limits : int64 array, shape (2,)
        Lowest and highest code.
    overflow : int
        `CLAMP`, `WRAP` or `CLEAR`.
    sums : int64 array, shape (K, lanes)
        Is written.
    """
    lanes = patches.shape[1]
    for k in range(len(weights)):
        for lane in range(lanes):
            sums[k, lane] = starts[k]
        for t in range(len(patches)):
            _add_term(
                patches[t],
                weights[k, t],
                shifts[k],
                bases[k],
                below[k],
                odd[k],
                limits[0],
                limits[1],
                overflow,
                sums[k],
            )


@compiled
def _add_term(lanes, weight, shift, base, below, odd, low, high, overflow, sums):
    for lane in range(len(lanes)):
        total = (sums[lane] << shift) + weight * lanes[lane]
        sums[lane] = cast(total, shift, base, below, odd, low, high, overflow)


@compiled_inline
def cast(total, shift, base, below, odd, low, high, overflow):
    """Return the code of one sum that has ``shift`` fraction bits more than the register."""
    code = (total + base + (below if total < 0 else 0) + odd * ((total >> shift) & 1)) >> shift
    if overflow == WRAP:  # the period less 1 is all ones
        return ((code - low) & (high - low)) + low
    if overflow == CLAMP:
        return min(max(code, low), high)
    return code if low <= code <= high else 0

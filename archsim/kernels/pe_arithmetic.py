"""One MAC of a clocked PE: what its multiplier makes of two words, and what its adder makes of a psum and a term.

`weight_stationary.py` and `output_stationary.py` call it for every PE and cycle; `engine/pe_rules.py` says which
arithmetic. Without one (None, which numba decides as it compiles) a MAC is a product and a sum of int64.

Registers are int64 throughout. Two zeros, as idle PEs and padding hold them, must make a term that changes no sum.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.cast_sum import cast
from archsim.kernels.compiled import compiled_inline
from archsim.kernels.log_sum import ZERO_EXPONENT

Arithmetic = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None
"""A rule, its table, and the psums that enter, shape (lines, columns); None = int64 from 0."""

KIND, SHIFT, BASE, BELOW, ODD, LOW, HIGH, OVERFLOW = range(RULE_WORDS := 8)
"""Entries of a rule: which arithmetic; for a cast the numbers of `cast_sum.py`, LOW and HIGH for a table too."""

CAST, TABLE, LOGARITHM, FLOAT32, FLOAT64 = range(5)
"""Values of KIND: a product, cast after each addition; a term looked up at the sum of both words, saturating;
signed logarithms as `log_sum.py` has them, words less that of zero; bits of float64, rounded to float32 or not."""

ZERO = 2 * ZERO_EXPONENT
"""The signed logarithm of zero."""


@compiled_inline
def enter_psum(arithmetic, line, column):
    """Return the psum that enters: 0, or what another arithmetic starts from; ``line`` < 0 = none does."""
    if arithmetic is None:
        return 0
    _, _, psums = arithmetic
    return psums[line, column] if line >= 0 else np.int64(0)


@compiled_inline
def multiply(word, weight, arithmetic):
    """Return the term of two words; which of them is the weight makes no difference."""
    if arithmetic is None:
        return word * weight
    rule, table, _ = arithmetic
    if rule[KIND] == CAST:
        return word * weight
    if rule[KIND] == TABLE:
        return table[word + weight]
    if rule[KIND] == LOGARITHM:
        if word == 0 or weight == 0:
            return np.int64(ZERO)
        first, second = word + ZERO, weight + ZERO
        return (first + (second >> 1 << 1)) ^ (second & 1)
    product = np.int64(word).view(np.float64) * np.int64(weight).view(np.float64)
    if rule[KIND] == FLOAT32:  # exact in float64, so rounded once
        product = np.float64(np.float32(product))
    return np.float64(product).view(np.int64)


@compiled_inline
def accumulate(psum, term, arithmetic):
    """Return the psum with the term added."""
    if arithmetic is None:
        return psum + term
    rule, table, _ = arithmetic
    if rule[KIND] == CAST:
        shift, base, below, odd = rule[SHIFT], rule[BASE], rule[BELOW], rule[ODD]
        return cast((psum << shift) + term, shift, base, below, odd, rule[LOW], rule[HIGH], rule[OVERFLOW])
    if rule[KIND] == TABLE:
        return min(max(psum + term, rule[LOW]), rule[HIGH])
    if rule[KIND] == LOGARITHM:
        beyond, larger = len(table) // 2 - 1, max(psum, term)
        difference = min((larger >> 1) - (min(psum, term) >> 1), beyond)
        return max(larger + table[difference + ((psum ^ term) & 1) * (beyond + 1)], ZERO)
    total = np.int64(psum).view(np.float64) + np.int64(term).view(np.float64)
    if rule[KIND] == FLOAT32:  # the float64 sum of two float32 rounds to the same float32 as the exact one
        total = np.float64(np.float32(total))
    return np.float64(total).view(np.int64)

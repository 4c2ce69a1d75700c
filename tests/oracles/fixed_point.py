"""Slow reference of fixed point: one exact fraction at a time, the table of rounding modes written out."""

from fractions import Fraction
from math import floor

HALF = Fraction(1, 2)


def quantise(value, *, width, integer, signed, rounding, overflow):
    """Return the code of a Fraction."""
    exact = value * Fraction(2) ** (width - integer)
    low, rest = floor(exact), exact - floor(exact)
    is_odd = low % 2 == 1
    up = {
        "TRN": False,
        "TRN_ZERO": rest > 0 and exact < 0,
        "RND": rest >= HALF,
        "RND_ZERO": rest > HALF or (rest == HALF and exact < 0),
        "RND_INF": rest > HALF or (rest == HALF and exact >= 0),
        "RND_MIN_INF": rest > HALF,
        "RND_CONV": rest > HALF or (rest == HALF and is_odd),
        "RND_CONV_ODD": rest > HALF or (rest == HALF and not is_odd),
    }[rounding]
    return fit(low + up, width=width, signed=signed, overflow=overflow)


def fit(code, *, width, signed, overflow):
    """Bring a code into range."""
    lowest, highest = (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)
    if overflow == "WRAP":
        return (code - lowest) % 2**width + lowest
    if overflow == "SAT_ZERO":
        return code if lowest <= code <= highest else 0
    if overflow == "SAT_SYM" and signed:
        lowest = -highest
    return min(max(code, lowest), highest)

"""The words of fixed point: how a value is brought onto the grid, and what happens beyond its ends.

The eight rounding and four overflow modes have the semantics of Siemens' ``ac_fixed`` (AC datatypes
reference, hlslibs/ac_types); ``fixed_point.py`` computes them.
"""

from enum import StrEnum


class RoundingMode(StrEnum):
    """Which of the two neighbours on the grid a value becomes."""

    TRN = "TRN"
    """Down, towards minus infinity."""
    TRN_ZERO = "TRN_ZERO"
    """Towards zero."""
    RND = "RND"
    """To the nearest; a tie up."""
    RND_ZERO = "RND_ZERO"
    """To the nearest; a tie towards zero."""
    RND_INF = "RND_INF"
    """To the nearest; a tie away from zero."""
    RND_MIN_INF = "RND_MIN_INF"
    """To the nearest; a tie down."""
    RND_CONV = "RND_CONV"
    """To the nearest; a tie to the even code."""
    RND_CONV_ODD = "RND_CONV_ODD"
    """To the nearest; a tie to the odd code."""


class OverflowMode(StrEnum):
    """What becomes of a code that the width cannot hold, after rounding."""

    WRAP = "WRAP"
    """The low bits stay."""
    SAT = "SAT"
    """The nearest end of the range."""
    SAT_ZERO = "SAT_ZERO"
    """Zero."""
    SAT_SYM = "SAT_SYM"
    """The nearest end of a range without the most negative code; as SAT where there is no sign."""

"""Slow reference of logarithmic codes: exact comparisons of fractions with powers of two, no float logarithm."""

from fractions import Fraction


def nearest_step(magnitude, fraction_bits):
    """Return floor(2**f * log2(x) + 1/2) of a Fraction above 0: the greatest e with x >= 2**((e - 1/2) / 2**f)."""
    root = 2 ** (fraction_bits + 1)
    power = Fraction(magnitude) ** root  # x >= 2**((2e - 1) / root) says power >= 2**(2e - 1)
    log_floor = power.numerator.bit_length() - power.denominator.bit_length()
    if Fraction(2) ** log_floor > power:
        log_floor -= 1
    return (log_floor + 1) // 2


def threshold_step(magnitude, thresholds, fraction_bits, bits=16):
    """Return the step by the hardware's rule: the octave, and how many thresholds the significand reaches.

    magnitude: a positive Python int.
    """
    octave = magnitude.bit_length() - 1
    reached = sum(magnitude << bits >= int(threshold) << octave for threshold in thresholds)
    return (octave << fraction_bits) + reached


def least_exponent(magnitude, largest_step, fraction_bits):
    """Return the least b with x <= 2**(E / 2**f + b), found by going down from one that is too large."""
    root = 2**fraction_bits
    power = Fraction(magnitude) ** root
    exponent = Fraction(magnitude).numerator.bit_length() - Fraction(magnitude).denominator.bit_length() + 2
    while power <= Fraction(2) ** (largest_step + (exponent - 1) * root):
        exponent -= 1
    return exponent

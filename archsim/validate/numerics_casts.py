"""Casts: Siemens' ac_fixed vectors, every code of the small floats and logarithms. Called by `numerics.py`."""

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.fixed_point import FixedPoint, fixed_point_type
from archsim.numerics.logarithmic import Logarithmic, logarithmic_type
from archsim.numerics.minifloat import Minifloat, float_type
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.validate.suite import EQUAL, Row, Tier

VECTORS = Path(__file__).parent / "golden" / "acfixed_vectors.npz"
FLOATS = ("fp8_e4m3", "fp8_e5m2", "fp8_e3m4", "float8_e4m3", "fp4_e2m1", "fp16", "bf16")
LOGARITHMS = tuple((width, fraction, signed) for width, fraction in
                   ((4, 0), (5, 0), (5, 1), (6, 1), (6, 2), (7, 2), (7, 3), (8, 1), (8, 2), (8, 3), (8, 4), (8, 5))
                   for signed in (True, False))  # fmt: skip
"""(width, fraction bits, whether there is a sign); those of the accuracy tables and between."""
LEADING_BITS = 16
"""Fraction bits of a significand that a logarithm is told from. [b]"""
_SIGNIFICAND_BITS = 53


def ac_fixed_tiers(path: Path = VECTORS) -> list[Tier]:
    """Cast every value of the vectors by both paths: as a float, and as an integer that is requantised.

    Parameters
    ----------
    path
        An .npz of ``types`` ("W I S Q O"), ``type_idx``, ``x`` and ``code``.
    """
    with np.load(path) as vectors:
        types, places, values, codes = (vectors[name] for name in ("types", "type_idx", "x", "code"))
    floats, integers = [], []
    significands, shifts = _as_integers(values)
    for index, words in enumerate(types.tolist()):
        fmt, mine = _fixed_point(words), places == index
        by_float = fmt.encode(values[mine])
        by_integer = fmt.requantise(significands[mine], shifts[mine] - fmt.fraction_bits)
        group, _, modes = words.rpartition(" " + words.split()[-2])
        case = words.split()[-2] + modes
        floats.append(_counted(group, case, by_float == codes[mine]))
        integers.append(_counted(group, case, by_integer == codes[mine]))
    claim = f"{len(values):,} casts of {len(types)} types = Siemens' ac_fixed; a row is a type, its number that of its casts"
    return [
        _tier("1 ac_fixed, floats", claim, "casts", floats),
        _tier("1 ac_fixed, integers", claim, "casts", integers),
    ]


def float_tier() -> Tier:
    """Cast the value of every code of the small floats back to its code."""
    rows = []
    for name in FLOATS:
        fmt = float_type(name)
        codes, values = _finite(fmt)
        own = np.where(values == 0, fmt.zero_code, codes)
        rows.append(_counted(name, "every finite code", fmt.encode(values) == own))
    return _tier("2 floats", "the value of every finite code has that code (negative zero: zero)", "codes", rows)


def logarithm_tiers() -> list[Tier]:
    """Encode every logarithm, and both neighbours of every boundary between two of them."""
    trips, edges = [], []
    for width, fraction, signed in LOGARITHMS:
        fmt = logarithmic_type(width, fraction, signed=signed)
        codes = np.arange(1 << width)
        own = np.where(fmt.split(codes)[1] == 0, fmt.zero_code, codes)
        trips.append(_counted(fmt.name, "every code", fmt.encode(fmt.decode(codes)) == own))
        edges.append(_counted(fmt.name, "both sides of every midpoint", np.array(list(_edges(fmt)), dtype=np.bool_)))
    claim = (
        "the last significand of 16 bits below every midpoint of two codes and the next: codes of integer arithmetic"
    )
    return [
        _tier("2 logarithms", "the value of every code has that code", "codes", trips),
        _tier("2 midpoints of logarithms", claim, "codes", edges),
    ]


def nearest_logarithm(magnitude: Fraction, fraction_bits: int) -> int:
    """Return floor(2**f * log2(magnitude) + 1/2) in integers alone: the largest e with magnitude >= 2**((e - 1/2) / 2**f)."""
    power = magnitude ** (2 << fraction_bits)
    octaves = power.numerator.bit_length() - power.denominator.bit_length()
    octaves -= Fraction(2) ** octaves > power
    return (octaves + 1) // 2


def _edges(fmt: Logarithmic) -> Iterator[bool]:
    """Yield whether each neighbour of each midpoint has its code, as a float and as an integer sum."""
    for step in range(-fmt.largest_exponent, fmt.largest_exponent):
        octave, below = _below_midpoint(step, fmt.fraction_bits)
        for leading in (below, below + 1):
            exact = Fraction(leading) * Fraction(2) ** (octave - LEADING_BITS)
            code = fmt.join(np.array([nearest_logarithm(exact, fmt.fraction_bits)]), np.ones(1, np.int8))
            by_float = fmt.encode(np.array([float(exact)]))
            by_sum = fmt.encode_sums(np.array([leading]), octave - LEADING_BITS)
            yield bool((by_float == code).all() and (by_sum == code).all())


def _below_midpoint(step: int, fraction_bits: int) -> tuple[int, int]:
    """Return the octave of the midpoint above a logarithm, and floor(midpoint / 2**octave * 2**16)."""
    octave, place = divmod(2 * step + 1, 2 << fraction_bits)
    # 2**(place / 2**(f + 1) + 16): as many square roots of 2**(place + 16 * 2**(f + 1)) as f + 1, each floored
    root = 1 << (place + (LEADING_BITS << fraction_bits + 1))
    for _ in range(fraction_bits + 1):
        root = isqrt(root)
    return octave, root


def _finite(fmt: Minifloat) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    codes = np.arange(1 << fmt.width_bits, dtype=np.int64)
    values = fmt.decode(codes)
    keeps = np.isfinite(values)
    return codes[keeps], values[keeps]


def _as_integers(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return integers and the fraction bits that they have."""
    significands, powers = np.frexp(values)
    return np.ldexp(significands, _SIGNIFICAND_BITS).astype(np.int64), _SIGNIFICAND_BITS - powers.astype(np.int64)


def _fixed_point(words: str) -> FixedPoint:
    width, integer, signed, rounding, overflow = words.split()
    return fixed_point_type(
        int(width), int(integer), signed=signed == "1", rounding=RoundingMode(rounding), overflow=OverflowMode(overflow)
    )


def _counted(group: str, case: str, is_equal: NDArray[np.bool_]) -> Row:
    return Row(group=group, case=case, published=is_equal.size, simulated=int(is_equal.sum()))


def _tier(name: str, claim: str, quantity: str, rows: list[Row]) -> Tier:
    return Tier(name=name, claim=claim, quantity=f"equal {quantity}", unit=quantity, rows=tuple(rows), bounds=EQUAL)

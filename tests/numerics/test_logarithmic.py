"""Logarithmic numbers: layout, thresholds and codes against exact powers of two."""

import csv
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.logarithmic import Logarithmic, logarithmic_type, rounding_thresholds
from archsim.numerics.number_format import NumberKind
from tests.oracles.logarithm import least_exponent, nearest_step, threshold_step

GOLDEN = Path(__file__).parents[1] / "golden" / "numerics" / "lns_tables.csv"
FRACTIONS = range(8)
SMALL_TYPES = [
    (8, 3, True),
    (8, 3, False),
    (8, 1, True),
    (8, 5, True),
    (6, 2, True),
    (4, 0, True),
    (2, 0, True),
    (5, 4, False),
]


def of(width, fraction_bits, signed):
    return logarithmic_type(width, fraction_bits, signed=signed)


@pytest.mark.parametrize("fraction_bits", FRACTIONS)
def test_thresholds_are_powers_of_two_rounded_up(fraction_bits):
    with mpmath.workdps(60):
        steps = range(1, 2**fraction_bits + 1)
        powers = [mpmath.power(2, (mpmath.mpf(step) - mpmath.mpf("0.5")) / 2**fraction_bits) for step in steps]
        expected = [int(mpmath.ceil(power * 2**16)) for power in powers]
    assert rounding_thresholds(fraction_bits).tolist() == expected


def test_thresholds_of_lns8_are_those_of_a_hand():
    # 2**(1/16) = 1.0442738 -> 68437.5 -> 68438; 2**(15/16) = 1.9152065 -> 125515.0 (.97) -> 125515
    assert rounding_thresholds(3)[[0, -1]].tolist() == [68438, 125515]
    # 2**(1/2) = 1.4142136 -> 92681.9 -> 92682
    assert rounding_thresholds(0).tolist() == [92682]


def test_the_code_of_lns8_is_a_sign_above_a_logarithm():
    lns8 = of(8, 3, signed=True)
    codes = lns8.encode(np.array([1.0, -1.0, 2.0, 0.5, -0.5, 0.0, 1e9, -1e9, 1e-9]))
    assert codes.tolist() == [0x00, 0x80, 0x08, 0x78, 0xF8, 0x40, 0x3F, 0xBF, 0x40]
    assert (lns8.largest_exponent, lns8.zero_code, lns8.is_signed) == (63, 0x40, True)
    assert (lns8.largest, lns8.smallest) == (2 ** (63 / 8), 2 ** (-63 / 8))


def test_the_code_without_a_sign_has_one_more_bit_of_logarithm():
    ulns8 = of(8, 3, signed=False)
    codes = ulns8.encode(np.array([1.0, 2.0**15, 2.0**-15, 0.0, -3.0, 1e9]))
    assert codes.tolist() == [0x00, 0x78, 0x88, 0x80, 0x80, 0x7F]
    assert (ulns8.largest_exponent, ulns8.zero_code, ulns8.is_signed) == (127, 0x80, False)


@pytest.mark.parametrize("kind", SMALL_TYPES)
def test_every_code_is_the_code_of_its_value(kind):
    fmt = of(*kind)
    codes = np.arange(1 << fmt.width_bits)
    own = np.where(fmt.decode(codes) == 0, fmt.zero_code, codes)  # a zero with a sign is the zero code
    assert np.array_equal(fmt.encode(fmt.decode(codes)), own)
    assert len(np.unique(own)) == (2 if fmt.signed else 1) * (2 * fmt.largest_exponent + 1) + 1


@pytest.mark.parametrize("kind", SMALL_TYPES)
def test_split_and_join_undo_each_other(kind):
    fmt = of(*kind)
    codes = np.arange(1 << fmt.width_bits)
    exponents, signs = fmt.split(codes)
    assert (exponents.dtype, signs.dtype) == (np.int32, np.int8)
    assert np.array_equal(fmt.join(exponents, signs), np.where(signs == 0, fmt.zero_code, codes))
    assert np.array_equal(np.sign(fmt.decode(codes)), signs)


def test_join_saturates_above_and_flushes_below():
    lns8 = of(8, 3, signed=True)
    codes = lns8.join(np.array([64, 1000, -63, -64, 5]), np.array([1, -1, -1, 1, 0], dtype=np.int8))
    assert codes.tolist() == [0x3F, 0xBF, 0xC1, 0x40, 0x40]


@pytest.mark.parametrize("kind", SMALL_TYPES)
def test_the_boundary_between_two_codes_is_exact_to_a_unit_of_the_thresholds(kind):
    fmt = of(*kind)
    root = 2 << fmt.fraction_bits
    for step in range(-fmt.largest_exponent, fmt.largest_exponent):
        octave, place = divmod(2 * step + 1, root)
        with mpmath.workdps(60):
            boundary = int(mpmath.floor(mpmath.power(2, mpmath.mpf(place) / root + 16)))
        below, above = (np.ldexp(float(units), octave - 16) for units in (boundary, boundary + 1))
        assert [nearest_step(Fraction(value), fmt.fraction_bits) for value in (below, above)] == [step, step + 1]
        assert fmt.split(fmt.encode(np.array([below, above])))[0].tolist() == [step, step + 1]


def test_a_unit_below_the_smallest_boundary_is_zero():
    lns8 = of(8, 3, signed=True)
    edge = 2.0 ** (-63.5 / 8)
    assert lns8.encode(np.array([edge * 0.9999, edge * 1.0001])).tolist() == [0x40, 0x41]


@given(value=st.floats(1e-3, 1e3), exponent=st.integers(-3, 3), kind=st.sampled_from(SMALL_TYPES))
def test_a_code_is_the_exact_one_or_lies_within_a_threshold_unit_of_it(value, exponent, kind):
    fmt = of(*kind)
    steps, signs = fmt.split(fmt.encode(np.array([value]), exponent))
    exact = Fraction(value) / Fraction(2) ** exponent
    near = {nearest_step(exact * (1 + Fraction(sign, 2**15)), fmt.fraction_bits) for sign in (-1, 0, 1)}
    held = {min(step, fmt.largest_exponent) if step >= -fmt.largest_exponent else None for step in near}
    assert (int(steps[0]) if signs[0] else None) in held


def test_fewer_than_100_of_a_million_random_integers_differ_from_exact_rounding():
    integers = np.random.default_rng(3).integers(1, 1 << 24, 1_000_000)
    fmt = of(12, 3, signed=True)  # reaches all of them: 1023 / 8 octaves
    steps = fmt.split(fmt.encode(integers.astype(np.float64)))[0]
    exact = np.floor(8 * np.log2(integers.astype(np.float64)) + 0.5)
    different = np.flatnonzero(steps != exact)
    assert 0 < len(different) <= 100
    assert np.abs(steps[different] - exact[different]).max() == 1
    # what differs does so because of the thresholds' 16 bits, not of the float logarithm above
    assert all(nearest_step(Fraction(int(integers[place])), 3) == exact[place] for place in different)


@given(total=st.integers(-(2**63) + 1, 2**63 - 1), exponent=st.integers(-70, 10), kind=st.sampled_from(SMALL_TYPES))
def test_sums_are_encoded_by_their_integers(total, exponent, kind):
    fmt = of(*kind)
    code = fmt.encode_sums(np.array([total]), exponent)
    assert code.dtype == np.int64
    if total == 0 or (total < 0 and not fmt.signed):
        assert code[0] == fmt.zero_code
        return
    step = threshold_step(abs(total), rounding_thresholds(fmt.fraction_bits), fmt.fraction_bits)
    step += exponent << fmt.fraction_bits
    assert code[0] == fmt.join(np.array([step]), np.array([np.sign(total)], dtype=np.int8))[0]


@pytest.mark.parametrize("total", [2**63 - 1, 2**62 - 1, 2**54 - 1, 2**53 + 1, 1, 2])
def test_a_sum_just_below_a_power_of_two_does_not_reach_the_next_octave_early(total):
    # float64 rounds 2**63 - 1 up to 2**63
    fmt = of(12, 3, signed=True)
    step = threshold_step(total, rounding_thresholds(3), 3)
    assert fmt.split(fmt.encode_sums(np.array([total, -total])))[0].tolist() == [step, step]


def test_floats_and_sums_of_one_value_have_one_code():
    sums = np.random.default_rng(5).integers(-(2**40), 2**40, 20_000)
    lns8 = of(8, 3, signed=True)
    assert np.array_equal(lns8.encode_sums(sums, -30), lns8.encode(np.ldexp(sums.astype(np.float64), -30)))


@given(max_abs=st.floats(1e-290, 1e290), kind=st.sampled_from(SMALL_TYPES))
def test_the_exponent_is_the_least_that_holds_the_largest_magnitude(max_abs, kind):
    fmt = of(*kind)
    assert fmt.exponent_for(max_abs) == least_exponent(max_abs, fmt.largest_exponent, fmt.fraction_bits)


@pytest.mark.parametrize("kind", SMALL_TYPES)
def test_the_exponent_changes_at_the_largest_value_to_the_last_bit(kind):
    fmt = of(*kind)
    for value in (fmt.largest, np.nextafter(fmt.largest, 0), np.nextafter(fmt.largest, np.inf)):
        assert fmt.exponent_for(value) == least_exponent(float(value), fmt.largest_exponent, fmt.fraction_bits)


def test_the_exponent_of_an_exact_end_is_not_one_too_large():
    # lns<5,0>: E = 7, largest 128
    lns = of(5, 0, signed=True)
    assert [lns.exponent_for(value) for value in (128.0, np.nextafter(128.0, 256), 64.0, 1.0)] == [0, 1, -1, -7]
    assert lns.exponent_for(0.0) == 0
    # lns8: ceil(log2(1) - 63/8) = ceil(-7.875) = -7
    assert of(8, 3, signed=True).exponent_for(1.0) == -7


@given(max_abs=st.floats(1e-6, 1e6))
def test_no_value_saturates_at_its_own_exponent(max_abs):
    lns8 = of(8, 3, signed=True)
    exponent = lns8.exponent_for(max_abs)
    held = float(np.ldexp(lns8.decode(lns8.encode(np.array([max_abs]), exponent))[0], exponent))
    assert held == pytest.approx(max_abs, rel=2 ** (1 / 16) - 1 + 1e-4)


def test_the_worst_relative_error_is_the_published_one():
    with GOLDEN.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["object"].startswith("LNS quantise")]
    assert len(rows) == 5
    for row in rows:
        fmt = of(10, int(row["parameters"].removeprefix("f=")), signed=True)
        values = np.linspace(0.25, 4, 200_001)
        error = np.abs(fmt.decode(fmt.encode(values)) / values - 1).max()
        assert error == pytest.approx(float(row["max_rel_err_or_max_abs_log2_err"]), rel=5e-4)


def test_names_are_the_shortest_and_the_natural_fraction_keeps_the_span():
    assert [logarithmic_type(width).fraction_bits for width in (2, 4, 5, 6, 8, 16)] == [0, 0, 0, 1, 3, 11]
    assert (of(8, 3, signed=True).name, of(8, 4, signed=False).name) == ("lns8", "ulns<8,4>")
    for width in range(6, 17):
        assert 7.5 <= np.log2(logarithmic_type(width).largest) <= 8


@pytest.mark.parametrize(
    ("width", "fraction_bits", "sentence"),
    [
        (17, 3, r"^a logarithmic code takes 2 to 16 bits, 'x' takes 17$"),
        (1, 0, r"^a logarithmic code takes 2 to 16 bits, 'x' takes 1$"),
        (8, 8, r"^'x' has 0 to 7 fraction bits, not 8$"),
        (16, 2, r"^'x' reaches beyond 512 octaves: it takes more fraction bits$"),
    ],
)
def test_what_cannot_be_computed_with_is_refused(width, fraction_bits, sentence):
    with pytest.raises(ValueError, match=sentence):
        Logarithmic(name="x", kind=NumberKind.LOGARITHMIC, width_bits=width, fraction_bits=fraction_bits)


def test_what_is_no_number_has_no_code():
    with pytest.raises(ValueError, match=r"^nan at index \(1,\) has no code in lns8: values must be finite$"):
        logarithmic_type(8).encode(np.array([1.0, np.nan]))

"""Fixed point: float and integer paths against Siemens' ac_fixed (golden), exact fractions and apytypes."""

from fractions import Fraction
from pathlib import Path

import apytypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.fixed_point import fixed_point_type, integer_type
from archsim.numerics.rounding import OverflowMode, RoundingMode
from tests.oracles.fixed_point import quantise

GOLDEN = Path(__file__).parents[1] / "golden" / "numerics" / "acfixed_vectors.npz"
IN_APYTYPES = {
    RoundingMode.TRN: "TO_NEG",
    RoundingMode.TRN_ZERO: "TO_ZERO",
    RoundingMode.RND: "TIES_POS",
    RoundingMode.RND_ZERO: "TIES_ZERO",
    RoundingMode.RND_INF: "TIES_AWAY",
    RoundingMode.RND_MIN_INF: "TIES_NEG",
    RoundingMode.RND_CONV: "TIES_EVEN",
    RoundingMode.RND_CONV_ODD: "TIES_ODD",
}
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def of_words(words):
    width, integer, signed, rounding, overflow = words.split()
    return fixed_point_type(
        int(width), int(integer), signed=signed == "1", rounding=RoundingMode(rounding), overflow=OverflowMode(overflow)
    )


@st.composite
def types(draw, widest=63):
    return fixed_point_type(
        draw(st.integers(1, widest)),
        draw(st.integers(-70, 70)),
        signed=draw(st.booleans()),
        rounding=draw(st.sampled_from(RoundingMode)),
        overflow=draw(st.sampled_from(OverflowMode)),
    )


def expected(fmt, value):
    return quantise(
        value, width=fmt.width_bits, integer=fmt.integer_bits, signed=fmt.signed,
        rounding=str(fmt.rounding), overflow=str(fmt.overflow),
    )  # fmt: skip


@pytest.fixture(scope="module")
def vectors():
    with np.load(GOLDEN) as golden:
        return golden["types"], golden["type_idx"], golden["x"], golden["code"]


def test_every_vector_of_ac_fixed_is_encoded_as_there(vectors):
    types_, index, values, codes = vectors
    assert (len(types_), len(values)) == (192, 334_656)
    for place, words in enumerate(types_):
        mine = index == place
        assert np.array_equal(of_words(words).encode(values[mine]), codes[mine]), words


def test_every_vector_of_ac_fixed_is_requantised_as_there(vectors):
    types_, index, values, codes = vectors
    sums = np.ldexp(values, 20)
    assert np.array_equal(sums, np.rint(sums))
    for place, words in enumerate(types_):
        mine = index == place
        fmt = of_words(words)
        got = fmt.requantise(sums[mine].astype(np.int64), 20 - fmt.fraction_bits)
        assert np.array_equal(got, codes[mine]), words


@given(fmt=types(), value=FINITE, exponent=st.integers(-300, 300))
def test_any_float_is_encoded_as_its_exact_fraction(fmt, value, exponent):
    code = fmt.encode(np.array([value]), exponent)
    assert code.dtype == np.int64
    assert code[0] == expected(fmt, Fraction(value) / Fraction(2) ** exponent)


@given(fmt=types(widest=12), eighths=st.integers(-(2**14), 2**14))
def test_a_float_near_the_grid_is_encoded_as_its_exact_fraction(fmt, eighths):
    # eighths of a step: every tie and every neighbour of one, on both sides of the range
    value = np.ldexp(float(eighths), -3 - fmt.fraction_bits)
    assert fmt.encode(np.array(value)) == expected(fmt, Fraction(float(value)))


SUMS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-600, 600), st.sampled_from([-(2**63), 2**63 - 1]))


@given(fmt=types(), total=SUMS, shift=st.integers(-80, 80))
def test_any_sum_is_requantised_as_its_exact_fraction(fmt, total, shift):
    # the code counts steps of 2**-fraction_bits, so that the sum's value is total / 2**(shift + fraction_bits)
    value = Fraction(total) / Fraction(2) ** (shift + fmt.fraction_bits)
    assert fmt.requantise(np.array([total], dtype=np.int64), shift)[0] == expected(fmt, value)


@given(fmt=types(), total=st.integers(-(2**53), 2**53), shift=st.integers(-20, 90))
def test_integer_and_float_path_agree(fmt, total, shift):
    as_float = np.array([float(total)])
    assert fmt.requantise(np.array([total]), shift) == fmt.encode(as_float, shift + fmt.fraction_bits)


@pytest.mark.parametrize("rounding", RoundingMode)
@pytest.mark.parametrize("shift", [62, 63, 64, 65, 66, 1000])
def test_a_shift_as_deep_as_the_sum_still_sees_its_last_bit(rounding, shift):
    fmt = fixed_point_type(8, 8, rounding=rounding)
    ends = [2**61, 2**62, 2**63 - 1, -(2**61), -(2**62), -(2**63)]
    sums = [end + step for end in ends for step in (-1, 0, 1) if -(2**63) <= end + step < 2**63]
    codes = fmt.requantise(np.array(sums, dtype=np.int64), shift)
    assert codes.tolist() == [expected(fmt, Fraction(total, 2**shift)) for total in sums]


def test_every_channel_has_its_own_shift():
    fmt = integer_type(8)
    sums = np.arange(-3000, 3000, 7).reshape(2, 3, -1, 1)[:, :, :140]
    shifts = np.array([5, 0, -2]).reshape(1, 3, 1, 1)
    together = fmt.requantise(sums, shifts)
    for channel, shift in enumerate([5, 0, -2]):
        assert np.array_equal(together[:, channel], fmt.requantise(sums[:, channel], shift))


def test_every_channel_has_its_own_exponent():
    codes = integer_type(8).encode(np.array([[1.0, 3.0], [1.0, 3.0]]), np.array([[0], [-3]]))
    assert codes.tolist() == [[1, 3], [8, 24]]


@pytest.mark.parametrize(("overflow", "code"), [("SAT", 127), ("SAT_SYM", 127), ("SAT_ZERO", 0), ("WRAP", 0)])
def test_a_value_beyond_every_integer_overflows_like_any_other(overflow, code):
    # 1e300 is a multiple of 2**944: its low 8 bits are zero
    fmt = fixed_point_type(8, 4, overflow=OverflowMode(overflow))
    assert fmt.encode(np.array([1e300])) == code
    assert fmt.encode(np.array([-1e300])) == {"SAT": -128, "SAT_SYM": -127}.get(overflow, 0)


@pytest.mark.parametrize(
    ("overflow", "codes"),
    [("SAT", [127, -128]), ("SAT_SYM", [127, -127]), ("SAT_ZERO", [0, 0]), ("WRAP", [0, 0])],
)
def test_a_left_shift_out_of_an_int64_still_overflows(overflow, codes):
    # 3 << 62 leaves 64 bits and would come back as -2**62, 2 << 63 as 0
    fmt = fixed_point_type(8, 8, overflow=OverflowMode(overflow))
    assert fmt.requantise(np.array([3, -3]), -62).tolist() == codes
    assert fmt.requantise(np.array([2, -2]), -63).tolist() == codes
    assert fmt.requantise(np.array([1, -1]), -200).tolist() == codes


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_has_no_code(value):
    with pytest.raises(ValueError, match=rf"^{value} at index \(1, 0\) has no code in int8: values must be finite$"):
        integer_type(8).encode(np.array([[1.0], [value]]))


@pytest.mark.parametrize("rounding", RoundingMode)
@pytest.mark.parametrize("overflow", ["WRAP", "SAT"])
def test_casts_are_those_of_apytypes(rounding, overflow):
    values = np.arange(-(2**13), 2**13) / 64
    wide = apytypes.APyFixedArray.from_float(values, int_bits=8, frac_bits=6)
    cast = wide.cast(
        int_bits=4, frac_bits=3,
        quantization=getattr(apytypes.QuantizationMode, IN_APYTYPES[rounding]),
        overflow=getattr(apytypes.OverflowMode, overflow),
    )  # fmt: skip
    fmt = fixed_point_type(7, 4, rounding=rounding, overflow=OverflowMode(overflow))
    assert np.array_equal(fmt.decode(fmt.encode(values)), cast.to_numpy())


@given(fmt=types(widest=10))
def test_every_code_is_the_code_of_its_value(fmt):
    codes = np.arange(fmt.lowest_code, fmt.highest_code + 1)
    values = fmt.decode(codes)
    first = 1 if fmt.signed and fmt.overflow is OverflowMode.SAT_SYM else 0
    assert np.array_equal(fmt.encode(values)[first:], codes[first:])
    assert fmt.largest == values[-1]
    assert fmt.smallest == np.ldexp(1.0, -fmt.fraction_bits)


def test_a_sibling_has_the_other_sign_and_its_own_name():
    int8, fx = integer_type(8), fixed_point_type(8, 3, rounding=RoundingMode.TRN, overflow=OverflowMode.WRAP)
    assert (int8.as_unsigned().name, int8.as_unsigned().highest_code) == ("uint8", 255)
    assert int8.as_unsigned().as_signed() == int8
    assert int8.as_signed() is int8
    assert fx.as_unsigned().name == "fx<8,3,0,TRN,WRAP>"
    assert (int8.is_signed, int8.as_unsigned().is_signed) == (True, False)


def test_a_type_wider_than_an_int64_is_named_but_not_computed_with():
    wide = integer_type(64)
    assert wide.bytes_of(3) == 24
    for compute in (lambda: wide.encode(np.ones(1)), lambda: wide.decode(np.ones(1, np.int64))):
        with pytest.raises(ValueError, match=r"^int64 has no codes: they take at most 63 bits$"):
            compute()


def test_a_point_too_far_off_is_refused():
    with pytest.raises(ValueError, match=r"^a format has -512 to 512 bits before the point, 'fx<8,513>' has 513$"):
        fixed_point_type(8, 513)

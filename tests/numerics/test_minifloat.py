"""Floats: every code against ml_dtypes, and rounding against a search among all values of the type."""

from bisect import bisect_left
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.minifloat import FLOAT_NAMES, Minifloat, float_type
from archsim.numerics.number_format import NumberKind

DTYPES = {
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
    "fp8_e4m3": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "fp8_e3m4": ml_dtypes.float8_e3m4,
    "float8_e4m3": ml_dtypes.float8_e4m3,
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
}
LARGEST = {  # arXiv 2209.05433 table 1, OCP MX 1.0, IEEE 754
    "fp4_e2m1": 6.0, "fp8_e4m3": 448.0, "fp8_e5m2": 57344.0, "fp8_e3m4": 15.5, "float8_e4m3": 240.0,
    "bf16": 2.0**127 * (2 - 2**-7), "fp16": 65504.0, "fp32": 2.0**127 * (2 - 2**-23), "fp64": np.finfo(float).max,
}  # fmt: skip
SMALLEST = {
    "fp4_e2m1": 0.5, "fp8_e4m3": 2.0**-9, "fp8_e5m2": 2.0**-16, "fp8_e3m4": 2.0**-6, "float8_e4m3": 2.0**-9,
    "bf16": 2.0**-133, "fp16": 2.0**-24, "fp32": 2.0**-149, "fp64": 2.0**-1074,
}  # fmt: skip


def all_codes(fmt):
    return np.arange(1 << fmt.width_bits)


def finite_codes(fmt):
    """Codes with a value of their own, negative zero left out, from the most negative value up."""
    codes = all_codes(fmt)
    values = fmt.decode(codes)
    codes = codes[np.isfinite(values) & ~((values == 0) & (codes != 0))]
    return codes[np.argsort(fmt.decode(codes))]


@pytest.mark.parametrize("name", DTYPES)
def test_every_code_means_what_ml_dtypes_says(name):
    fmt = float_type(name)
    bits = np.uint8 if fmt.width_bits <= 8 else np.uint16
    with np.errstate(invalid="ignore"):
        expected = all_codes(fmt).astype(bits).view(DTYPES[name]).astype(np.float64)
    assert np.array_equal(fmt.decode(all_codes(fmt)), expected, equal_nan=True)


@pytest.mark.parametrize("name", DTYPES)
def test_every_finite_code_is_the_code_of_its_value(name):
    fmt = float_type(name)
    codes = finite_codes(fmt)
    assert np.array_equal(fmt.encode(fmt.decode(codes)), codes)


@pytest.mark.parametrize("name", DTYPES)
def test_floats_are_cast_as_by_ml_dtypes_after_a_clamp(name):
    fmt = float_type(name)
    rng = np.random.default_rng(4)
    spread = np.exp2(rng.uniform(np.log2(fmt.smallest) - 2, min(127, np.log2(fmt.largest) + 2), 200_000))
    values = (spread * rng.choice([-1, 1], len(spread))).astype(np.float32)
    clamped = np.clip(values, -np.float32(fmt.largest), np.float32(fmt.largest))
    expected = clamped.astype(DTYPES[name]).astype(np.float64)
    assert np.array_equal(fmt.decode(fmt.encode(values.astype(np.float64))), expected)


@pytest.mark.parametrize("name", DTYPES)
def test_a_tie_goes_to_the_even_code_and_its_neighbours_to_theirs(name):
    fmt = float_type(name)
    codes = finite_codes(fmt)
    values = fmt.decode(codes)
    middles = (values[:-1] + values[1:]) / 2  # exact in float64
    is_even = codes % 2 == 0
    assert np.array_equal(fmt.encode(middles), np.where(is_even[:-1], codes[:-1], codes[1:]))
    assert np.array_equal(fmt.encode(np.nextafter(middles, -np.inf)), codes[:-1])
    assert np.array_equal(fmt.encode(np.nextafter(middles, np.inf)), codes[1:])


@given(
    value=st.floats(allow_nan=False, allow_infinity=False), name=st.sampled_from(["fp8_e4m3", "fp8_e5m2", "fp4_e2m1"])
)
def test_any_float_becomes_the_nearest_value(value, name):
    fmt = float_type(name)
    codes = finite_codes(fmt)
    values = fmt.decode(codes)
    place = bisect_left(values.tolist(), value)
    near = codes[max(0, place - 1) : place + 1]
    best = min(near, key=lambda code: (abs(Fraction(value) - Fraction(float(fmt.decode(code)))), code % 2))
    assert fmt.encode(np.array([value])) == best


@pytest.mark.parametrize("name", LARGEST)
def test_every_type_knows_its_ends_and_saturates_there(name):
    fmt = float_type(name)
    assert (fmt.largest, fmt.smallest) == (LARGEST[name], SMALLEST[name])
    beyond = np.array([np.finfo(float).max, -np.finfo(float).max])
    assert fmt.decode(fmt.encode(beyond)).tolist() == [fmt.largest, -fmt.largest]
    assert fmt.decode(fmt.encode(np.array([fmt.smallest]))) == fmt.smallest


def test_fp32_and_fp64_are_the_machines_own():
    values = np.random.default_rng(1).normal(size=10_000) * np.exp2(np.arange(10_000) % 260 - 150)
    fp32, fp64 = float_type("fp32"), float_type("fp64")
    assert np.array_equal(fp32.decode(fp32.encode(values)), values.astype(np.float32).astype(np.float64))
    assert np.array_equal(fp64.decode(fp64.encode(values)), values)
    assert fp64.encode(np.array([-1.0])) == np.array([-1.0]).view(np.int64)


def test_a_negative_zero_is_the_zero_code():
    fmt = float_type("fp8_e4m3")
    assert fmt.encode(np.array([0.0, -0.0, -1e-9, 1e-9])).tolist() == [0, 0, 0, 0]
    assert fmt.zero_code == 0


def test_an_exponent_divides_by_a_power_of_two():
    fmt = float_type("fp8_e4m3")
    codes = fmt.encode(np.array([[3.0, 3.0]]), np.array([[0, -2]]))
    assert fmt.decode(codes).tolist() == [[3.0, 12.0]]
    assert fmt.decode(fmt.encode(np.array([1e300]), -1000)) == 448
    assert fmt.encode(np.array([1e-300]), 1000) == 0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_has_no_code(value):
    with pytest.raises(ValueError, match=rf"^{value} at index \(0,\) has no code in bf16: values must be finite$"):
        float_type("bf16").encode(np.array([value]))


def test_names_of_ml_dtypes_are_the_same_types():
    assert float_type("float8_e4m3fn") == float_type("fp8_e4m3")
    assert float_type("float8_e4m3") != float_type("fp8_e4m3")
    assert {float_type(name).kind for name in FLOAT_NAMES} == {NumberKind.FLOAT}
    with pytest.raises(ValueError, match=r"^'fp7' is no float; known: fp4_e2m1, fp8_e4m3, "):
        Minifloat(name="fp7", kind=NumberKind.FLOAT, width_bits=7)

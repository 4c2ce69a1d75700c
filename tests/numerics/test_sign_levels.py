"""Binary and ternary weights: signs, thresholds and factors worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.numerics.number_format import NumberKind
from archsim.numerics.sign_levels import SIGN_NAMES, nearest_power_of_two, sign_type

ROWS = np.array([[[0.5, -1.0], [0.0, 0.1]], [[-2.0, 2.0], [6.0, -6.0]]])  # mean magnitudes 0.4 and 4


def test_binary_weights_are_signs_times_the_mean_magnitude():
    codes, scales = sign_type("binary_exact").encode_rows(ROWS)
    assert codes.tolist() == [[[1, -1], [1, 1]], [[-1, 1], [1, -1]]]
    assert codes.dtype == np.int64
    assert scales == pytest.approx([0.4, 4.0])


def test_ternary_weights_keep_what_exceeds_seven_tenths_of_the_mean():
    # thresholds 0.28 and 2.8: kept 0.5, 1.0 and 6, 6
    codes, scales = sign_type("ternary_exact").encode_rows(ROWS)
    assert codes.tolist() == [[[1, -1], [0, 0]], [[0, 0], [1, -1]]]
    assert scales == pytest.approx([0.75, 6.0])


def test_a_weight_at_the_threshold_is_not_kept():
    # mean 1, threshold 0.7 exactly as 0.7 * 1.0
    codes, _ = sign_type("ternary").encode_rows(np.array([[0.7, 1.3, 0.7, 1.3], [0.71, 1.3, 0.69, 1.3]]))
    assert codes.tolist() == [[0, 1, 0, 1], [1, 1, 0, 1]]


def test_scales_become_the_nearest_power_of_two_in_the_logarithm():
    assert sign_type("binary").encode_rows(ROWS)[1].tolist() == [0.5, 4.0]  # log2 0.4 = -1.32
    assert sign_type("ternary").encode_rows(ROWS)[1].tolist() == [1.0, 8.0]  # log2 0.75 = -0.42, log2 6 = 2.58


@given(value=st.floats(1e-30, 1e30))
def test_a_power_of_two_is_nearest_where_no_other_is_nearer(value):
    power = nearest_power_of_two(value)
    assert np.frexp(power)[0] == 0.5
    assert power / np.sqrt(2) <= value * (1 + 1e-15)
    assert value <= power * np.sqrt(2) * (1 + 1e-15)


def test_a_channel_of_zeros_has_the_factor_zero():
    for name in SIGN_NAMES:
        codes, scales = sign_type(name).encode_rows(np.zeros((2, 3)))
        assert scales.tolist() == [0.0, 0.0]
        assert (codes == (1 if name.startswith("binary") else 0)).all()


def test_a_value_becomes_the_nearest_level():
    values = np.array([-3.0, -0.5, -0.4, 0.0, 0.5, 0.6])
    assert sign_type("binary").encode(values).tolist() == [-1, -1, -1, 1, 1, 1]
    assert sign_type("ternary").encode(values).tolist() == [-1, 0, 0, 0, 0, 1]
    assert sign_type("ternary").encode(values, -1).tolist() == [-1, -1, -1, 0, 1, 1]
    assert sign_type("binary").encode(np.array([[2.0], [-2.0]]), np.array([0, 1, 2])).shape == (2, 3)


def test_levels_are_their_own_values():
    codes = np.array([-1, 0, 1])
    assert sign_type("ternary").decode(codes).tolist() == [-1.0, 0.0, 1.0]
    assert [sign_type(name).width_bits for name in SIGN_NAMES] == [1, 2, 1, 2]
    assert {sign_type(name).kind for name in SIGN_NAMES} == {NumberKind.SIGN}
    assert (sign_type("binary").largest, sign_type("binary").smallest) == (1.0, 1.0)


def test_an_unknown_name_and_what_is_no_number_are_refused():
    with pytest.raises(ValueError, match=r"^'quaternary' is none of binary, ternary, binary_exact, ternary_exact$"):
        sign_type("quaternary")
    with pytest.raises(ValueError, match=r"^inf at index \(0, 1\) has no code in ternary: values must be finite$"):
        sign_type("ternary").encode_rows(np.array([[1.0, np.inf]]))

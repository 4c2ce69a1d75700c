"""Ranges and scales, against numpy over all values at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archsim.convert.calibrate import BINS, best_exponent, choose_exponents, measure_ranges, scale_for
from archsim.convert.float_run import run_float
from archsim.numerics.format_grammar import parse_format
from archsim.terms import CalibrationMethod
from tests.convert.small_networks import residual_network

IMAGES = np.random.default_rng(0).random((230, 1, 6, 6))
INTEGER = st.builds(lambda bits, sign: parse_format(f"{sign}int{bits}"), st.integers(2, 16), st.sampled_from(["", "u"]))
SCALED = st.one_of(
    INTEGER, st.sampled_from([parse_format(name) for name in ("fp8_e4m3", "fp4_e2m1", "lns8", "lns<6,1>")])
)


def squared_error(values: np.ndarray, fmt: object, exponent: int) -> float:
    held = fmt.decode(fmt.encode(values, exponent)) * 2.0**exponent
    return float(((held - values) ** 2).sum())


def test_ranges_are_those_of_all_values_at_once() -> None:
    network = residual_network()
    found = measure_ranges(network, IMAGES)
    for name, values in run_float(network, IMAGES).items():
        magnitudes = np.abs(values).ravel()
        assert (found[name].lowest, found[name].highest) == (values.min(), values.max())
        assert found[name].zero_fraction == np.mean(values == 0)
        for share, magnitude in ((0.999, found[name].p999), (0.9999, found[name].p9999)):
            exact = np.quantile(magnitudes, share, method="inverted_cdf")
            assert exact <= magnitude <= exact + magnitudes.max() / BINS * 1.001


@given(fmt=SCALED, magnitude=st.floats(1e-30, 1e30))
def test_a_scale_is_the_least_that_holds_the_magnitude(fmt: object, magnitude: float) -> None:
    exponent = scale_for(fmt, magnitude)
    assert fmt.largest * 2.0**exponent >= magnitude * (1 - 1e-12)
    assert fmt.largest * 2.0 ** (exponent - 1) < magnitude


def test_a_tensor_of_zeros_has_the_scale_one() -> None:
    for name in ("int8", "fp8_e4m3", "lns8"):
        assert scale_for(parse_format(name), 0.0) == 0
        for method in CalibrationMethod:
            assert best_exponent(np.zeros((3, 3)), parse_format(name), method) == 0


@given(fmt=SCALED, values=arrays(np.float64, 30, elements=st.floats(-100, 100)))
def test_mse_is_never_worse_than_max(fmt: object, values: np.ndarray) -> None:
    chosen = [best_exponent(values, fmt, method) for method in (CalibrationMethod.MSE, CalibrationMethod.MAX)]
    assert squared_error(values, fmt, chosen[0]) <= squared_error(values, fmt, chosen[1])


@pytest.mark.parametrize("name", ["uint4", "int3", "fp8_e4m3"])
def test_activations_take_the_scale_of_all_their_values_at_once(name: str) -> None:
    network, fmt = residual_network(), parse_format(name)
    ranges = measure_ranges(network, IMAGES)
    wanted = [(tensor, fmt, CalibrationMethod.MSE) for tensor in ("", "relu", "add")]
    wanted += [("second", fmt, CalibrationMethod.NONE), ("third", fmt, CalibrationMethod.MAX)]
    found = choose_exponents(network, IMAGES, ranges, wanted)
    values = run_float(network, IMAGES)
    for tensor, _, method in wanted:
        assert found[tensor, fmt] == best_exponent(values[tensor], fmt, method)

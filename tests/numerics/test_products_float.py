from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.numerics.accumulator import FloatSumKind
from archsim.numerics.products import float_sums
from tests.numerics.product_cases import layers
from tests.oracles.products import as_array, each_sum

seeds = st.integers(0, 2**32 - 1)


def values(seed, shape, octaves=12):
    random = np.random.default_rng(seed)
    return random.integers(-15, 16, shape) * 2.0 ** random.integers(-octaves, octaves, shape)


@pytest.mark.parametrize(("kind", "scalar"), [(FloatSumKind.FP32, np.float32), (FloatSumKind.FP64, np.float64)])
@settings(max_examples=25)
@given(layer=layers(), seed=seeds)
def test_sequential_sums_round_after_every_term(kind, scalar, layer, seed):
    ifmap_shape, weight_shape, window = layer
    random = np.random.default_rng(seed)
    ifmap, weight, bias = (random.normal(size=shape) for shape in (ifmap_shape, weight_shape, weight_shape[:1]))
    add = lambda a, x, w: scalar(a + scalar(scalar(x) * scalar(w)))  # noqa: E731
    loop = each_sum(ifmap, weight, window, add, lambda k: scalar(bias[k]))
    sums = float_sums(ifmap, weight, bias, window, kind=kind)
    np.testing.assert_array_equal(sums, as_array(loop, np.float64))


@settings(max_examples=25)
@given(layer=layers(), seed=seeds)
def test_a_kulisch_register_is_exact_and_rounds_once(layer, seed):
    ifmap_shape, weight_shape, window = layer
    ifmap, weight, bias = (
        values(seed, ifmap_shape),
        values(seed + 1, weight_shape, 3),
        values(seed + 2, weight_shape[:1]),
    )
    loop = each_sum(ifmap, weight, window, lambda a, x, w: a + Fraction(x) * Fraction(w), lambda k: Fraction(bias[k]))
    sums = float_sums(ifmap, weight, bias, window, kind=FloatSumKind.KULISCH)
    np.testing.assert_array_equal(sums, as_array({place: float(a) for place, a in loop.items()}, np.float64))


def test_float32_loses_what_the_kulisch_register_keeps():
    ifmap, weight = np.array([[2.0**24, 1.0, -(2.0**24)]]), np.ones((1, 3))
    assert float_sums(ifmap, weight, None, None, kind=FloatSumKind.FP32).item() == 0.0
    assert float_sums(ifmap, weight, None, None, kind=FloatSumKind.KULISCH).item() == 1.0


def test_a_kulisch_register_that_is_too_wide_names_its_width():
    ifmap, weight = np.array([[2.0**30, 2.0**-10]]), np.array([[2.0**20, 2.0**-10]])
    # 2^50 beside a last bit of 2^-20: products up to 2^50 each by magnitudes, sum of both weights 2^20 + 2^-10
    with pytest.raises(ValueError, match="needs a register of 72 bits, 64 are computed"):
        float_sums(ifmap, weight, None, None, kind=FloatSumKind.KULISCH)
    with pytest.raises(ValueError, match="ifmap values span 101 bits"):
        float_sums(np.array([[2.0**50, 2.0**-50]]), weight, None, None, kind=FloatSumKind.KULISCH)


def test_values_without_end_are_refused():
    with pytest.raises(ValueError, match="only finite values"):
        float_sums(np.array([[np.inf]]), np.ones((1, 1)), None, None, kind=FloatSumKind.FP32)

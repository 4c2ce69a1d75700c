from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.numerics.accumulator import CastSum, ExactSum, WrappedSum
from archsim.numerics.products import integer_sums
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.numerics.sum_width import largest_sum, required_width
from archsim.numerics.window import Window
from tests.numerics.product_cases import fixed, layers
from tests.oracles.products import as_array, cast, each_sum

seeds = st.integers(0, 2**32 - 1)


def codes(seed, ifmap_shape, weight_shape, largest=127):
    random = np.random.default_rng(seed)
    draw = lambda shape: random.integers(-largest - 1, largest + 1, shape)  # noqa: E731
    return draw(ifmap_shape), draw(weight_shape), draw(weight_shape[:1])


@settings(max_examples=40)
@given(layer=layers(), seed=seeds, largest=st.sampled_from([127, 2**20]))
def test_exact_sums_are_those_of_a_direct_loop(layer, seed, largest):
    ifmap_shape, weight_shape, window = layer
    ifmap, weight, bias = codes(seed, ifmap_shape, weight_shape, largest)
    sums = integer_sums(ifmap, weight, bias, window, accumulator=ExactSum())
    loop = each_sum(ifmap, weight, window, lambda a, x, w: a + int(x) * int(w), lambda k: int(bias[k]))
    np.testing.assert_array_equal(sums, as_array(loop, np.int64))


@settings(max_examples=60)
@given(
    layer=layers(), seed=seeds, rounding=st.sampled_from(RoundingMode), overflow=st.sampled_from(OverflowMode),
    rest=st.tuples(st.booleans(), st.integers(-1, 9), st.integers(0, 2)),
)  # fmt: skip
def test_every_mac_casts_as_the_exact_fraction_would_be_cast(layer, seed, rounding, overflow, rest):
    ifmap_shape, weight_shape, window = layer
    ifmap, weight, bias = codes(seed, ifmap_shape, weight_shape, 15)
    signed, fraction_bits, guard = rest
    last_bit = 2.0**-fraction_bits
    to_code = partial(cast, width=9, fraction_bits=fraction_bits, signed=signed, rounding=rounding, overflow=overflow)
    sums = integer_sums(
        ifmap, weight, bias, window, product_fraction_bits=6, guard_shifts=np.full(len(weight), guard),
        accumulator=CastSum(format=fixed(9, 9 - fraction_bits, rounding, overflow, signed=signed)),
    )  # fmt: skip
    mac = lambda code, x, w: to_code(code * last_bit + float(x * w) * 2.0 ** (guard - 6))  # noqa: E731
    loop = each_sum(ifmap, weight, window, mac, lambda k: to_code(bias[k] * last_bit))
    np.testing.assert_array_equal(sums, as_array(loop, np.int64))


@settings(max_examples=20)
@given(layer=layers(), seed=seeds)
def test_an_order_given_is_the_order_of_the_casts(layer, seed):
    ifmap_shape, weight_shape, window = layer
    ifmap, weight, _ = codes(seed, ifmap_shape, weight_shape, 15)
    order = np.random.default_rng(seed).permutation(int(np.prod(weight_shape[1:])))
    add = lambda a, x, w: cast(a / 4 + x * w / 16, 7, 2, signed=True, rounding="RND", overflow="SAT")  # noqa: E731
    sums = integer_sums(
        ifmap, weight, None, window, accumulator=CastSum(format=fixed(7, 5)), product_fraction_bits=4, order=order
    )
    loop = each_sum(ifmap, weight, window, lambda a, x, w: add(a, int(x), int(w)), lambda _: 0, order=order)
    np.testing.assert_array_equal(sums, as_array(loop, np.int64))


def test_saturation_depends_on_the_order_and_exact_sums_do_not():
    ifmap, weight = np.array([[7, 7, -7, -7]]), np.ones((1, 4), dtype=np.int64)
    order = np.array([0, 2, 1, 3])
    four_bits = CastSum(format=fixed(4, 4))
    # 7, 7 (14), 0, -7 in canonical order; 7, 0, 7, 0 in the other
    assert integer_sums(ifmap, weight, None, None, accumulator=four_bits).item() == -7
    assert integer_sums(ifmap, weight, None, None, accumulator=four_bits, order=order).item() == 0
    assert integer_sums(ifmap, weight, None, None, accumulator=ExactSum(), order=order).item() == 0


@settings(max_examples=30)
@given(layer=layers(), seed=seeds, width=st.integers(2, 24))
def test_a_wrapped_sum_is_the_exact_one_modulo_its_width_and_wraps_at_every_step_alike(layer, seed, width):
    ifmap_shape, weight_shape, window = layer
    ifmap, weight, bias = codes(seed, ifmap_shape, weight_shape)
    wrapped = integer_sums(ifmap, weight, bias, window, accumulator=WrappedSum(width_bits=width))
    exact = integer_sums(ifmap, weight, bias, window, accumulator=ExactSum())
    assert not ((wrapped - exact) % 2**width).any()
    fmt = fixed(width, width, "TRN", "WRAP")
    np.testing.assert_array_equal(wrapped, integer_sums(ifmap, weight, bias, window, accumulator=CastSum(format=fmt)))


def test_a_wrapped_sum_of_wide_codes_is_right_beyond_64_bits():
    ifmap, weight = np.full((1, 8), 2**31 - 1), np.full((1, 8), -(2**31))
    exact = 8 * (2**31 - 1) * -(2**31)
    for width in (32, 48, 63):
        half = 1 << (width - 1)
        with np.errstate(over="ignore"):  # uncompiled, numpy warns of the very overflow that is wanted
            wrapped = integer_sums(ifmap, weight, None, None, accumulator=WrappedSum(width_bits=width))
        assert wrapped.item() == (exact + half) % (2 * half) - half
    with pytest.raises(ValueError, match="computed in 64 bits, these codes can need 66"):
        integer_sums(ifmap, weight, None, None, accumulator=ExactSum())


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_exact_sums_equal_a_float64_product_of_unfolded_windows(groups):
    random = np.random.default_rng(7)
    ifmap, weight = random.integers(-128, 128, (3, 8, 33, 40)), random.integers(-128, 128, (16, 8 // groups, 3, 3))
    window = Window(padding=((1, 1), (1, 1)), groups=groups)
    padded = np.pad(ifmap, ((0, 0), (0, 0), (1, 1), (1, 1))).astype(np.float64)
    unfolded = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))  # N, C, P, Q, R, S
    parts = [
        np.einsum("ncpqrs,kcrs->nkpq", channels, filters, optimize=True)
        for channels, filters in zip(np.split(unfolded, groups, 1), np.split(weight * 1.0, groups), strict=True)
    ]
    np.testing.assert_array_equal(
        integer_sums(ifmap, weight, None, window, accumulator=ExactSum()), np.concatenate(parts, axis=1)
    )


@given(seed=seeds, images=st.sampled_from([1, 7, 200]))
@settings(max_examples=10)
def test_a_dense_layer_is_a_matrix_product(seed, images):
    ifmap, weight, bias = codes(seed, (images, 37), (5, 37))
    sums = integer_sums(ifmap, weight, bias, None, accumulator=ExactSum())
    np.testing.assert_array_equal(sums, ifmap @ weight.T + bias)


def test_guard_shifts_move_products_and_not_the_bias():
    ifmap, weight = np.array([[3]]), np.array([[5], [5]])
    sums = integer_sums(ifmap, weight, np.array([1, 1]), None, accumulator=ExactSum(), guard_shifts=np.array([0, 4]))
    assert sums.tolist() == [[16, 241]]  # 15 + 1, 15 * 16 + 1


@settings(max_examples=100)
@given(weights=st.lists(st.integers(-9, 9), min_size=1, max_size=6), bias=st.integers(-9, 9), largest=st.integers(0, 9))
def test_the_required_width_holds_the_largest_sum_and_one_bit_less_does_not(weights, bias, largest):
    weight = np.array([weights])
    reached = sum(abs(w) * largest for w in weights) + abs(bias)
    width = required_width(weight, largest, np.array([bias]))
    assert largest_sum(weight, largest, np.array([bias])) == reached <= (1 << (width - 1)) - 1
    assert reached > (1 << (width - 2)) - 1 if width > 1 else reached == 0


def test_an_exact_register_that_is_too_narrow_is_refused():
    ifmap, weight = np.array([[127, 127]]), np.array([[127, 127]])
    with pytest.raises(ValueError, match="exact sum in 15 bits: these codes can need 16"):
        integer_sums(ifmap, weight, None, None, accumulator=ExactSum(width_bits=15))
    assert integer_sums(ifmap, weight, None, None, accumulator=ExactSum(width_bits=16)).item() == 2 * 127 * 127


@pytest.mark.parametrize(
    ("ifmap", "weight", "window", "order", "message"),
    [
        ((1, 3), (2, 4), None, None, r"are not \(N, C\) and \(K, C\)"),
        ((1, 3, 4, 4), (2, 2, 1, 1), Window(), None, "with K a multiple of 1"),
        ((1, 4, 4, 4), (3, 2, 1, 1), Window(groups=2), None, "with K a multiple of 2"),
        ((1, 1, 2, 2), (1, 1, 3, 1), Window(), None, "reaches over 3 does not fit 2 padded by"),
        ((1, 3), (2, 3), None, [0, 1, 1], "not a permutation of the window's 3"),
    ],
)
def test_shapes_that_do_not_fit_are_named(ifmap, weight, window, order, message):
    ones = lambda shape: np.ones(shape, dtype=np.int64)  # noqa: E731
    given_order = None if order is None else np.array(order)
    with pytest.raises(ValueError, match=message):
        integer_sums(ones(ifmap), ones(weight), None, window, accumulator=ExactSum(), order=given_order)


def test_a_sum_before_its_cast_that_is_too_wide_is_refused():
    wide = np.array([[2**40]])
    with pytest.raises(ValueError, match="takes 82 bits; 63 are computed"):
        integer_sums(wide, wide, None, None, accumulator=CastSum(format=fixed(8, 8)))

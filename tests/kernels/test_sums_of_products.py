import numpy as np
import pytest

from archsim.kernels import cast_sum, linear_log_sum, log_sum, product_sum, window_patches

RANDOM = np.random.default_rng(3)
TERMS, LANES, FILTERS = 5, 6, 7
STARTS = RANDOM.integers(-9, 9, FILTERS)


def draw(low, high, *shape):
    return RANDOM.integers(low, high, shape)


def small(dtype):
    return draw(-9, 9, TERMS, LANES).astype(dtype), draw(-9, 9, FILTERS, TERMS).astype(dtype), STARTS.astype(dtype)


def cast_case(overflow):
    per_channel = (np.full(FILTERS, 3), np.full(FILTERS, 3), np.full(FILTERS, 1), np.full(FILTERS, 1))
    return (*small(np.int64), *per_channel, np.array([-8, 7]), overflow)


CORRECTIONS = np.array([8, 6, 4, 2, 0, 4 * log_sum.ZERO_EXPONENT, -6, -4, -2, 0])
CASES = {
    "int32": (product_sum, "add_products", small(np.int32)),
    "int64": (product_sum, "add_products", small(np.int64)),
    "float32": (product_sum, "add_products", small(np.float32)),
    "clamp": (cast_sum, "add_cast_products", cast_case(cast_sum.CLAMP)),
    "wrap": (cast_sum, "add_cast_products", cast_case(cast_sum.WRAP)),
    "clear": (cast_sum, "add_cast_products", cast_case(cast_sum.CLEAR)),
    "antilogs": (
        linear_log_sum, "add_antilogs",
        (draw(0, 20, TERMS, LANES).astype(np.int32), draw(0, 9, FILTERS, TERMS), STARTS, draw(-1, 2, FILTERS, TERMS),
         draw(-40, 40, 30), np.array([-64, 63])),
    ),
    "logs": (
        log_sum, "add_in_log_domain",
        (draw(-4, 4, TERMS, LANES), draw(-4, 4, FILTERS, TERMS), np.full(FILTERS, 2 * log_sum.ZERO_EXPONENT),
         CORRECTIONS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_compiled_and_plain_source_give_the_same(case, uncompiled):
    module, name, arguments = CASES[case]
    sums_type = arguments[0].dtype if module is product_sum else np.int64
    compiled, plain = (np.empty((FILTERS, LANES), dtype=sums_type) for _ in range(2))
    getattr(module, name)(*arguments, compiled)
    getattr(uncompiled(module), name)(*arguments, plain)
    np.testing.assert_array_equal(compiled, plain)
    assert len(np.unique(compiled)) > 3


def test_patches_are_the_same_from_compiled_and_plain_source(uncompiled):
    ifmap = draw(1, 99, 3, 2, 4, 5)
    places = np.array([[0, -1, -2], [1, 0, 3], [0, 9, 0], [1, 1, -9]])
    tile = np.array([1, 2, 1, 2, 3])
    compiled, plain = (np.empty((4, 2 * 2 * 3), dtype=np.int64) for _ in range(2))
    window_patches.gather_patches(ifmap, places, np.array([1, 2]), tile, -1, compiled)
    uncompiled(window_patches).gather_patches(ifmap, places, np.array([1, 2]), tile, -1, plain)
    np.testing.assert_array_equal(compiled, plain)
    # image 1, ofmap row 1: ifmap row 0, columns -2, 0, 2
    assert compiled[0, :3].tolist() == [-1, ifmap[1, 0, 0, 0], ifmap[1, 0, 0, 2]]
    assert (compiled[2:] == -1).all()


@pytest.mark.parametrize("filters", [1, 4, 5, 8])
def test_sums_do_not_depend_on_how_many_filters_share_a_pass(filters):
    patches, weights, starts = draw(-9, 9, 3, 4), draw(-9, 9, filters, 3), draw(-9, 9, filters)
    sums = np.empty((filters, 4), dtype=np.int64)
    product_sum.add_products(patches, weights, starts, sums)
    np.testing.assert_array_equal(sums, weights @ patches + starts[:, None])

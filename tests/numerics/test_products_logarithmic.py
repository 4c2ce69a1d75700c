import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.numerics.accumulator import Antilog, LinearSum, LogAdderKind, LogSum
from archsim.numerics.antilog import antilog_table
from archsim.numerics.log_adder import adder_tables
from archsim.numerics.products import linear_log_sums, log_sums
from tests.numerics.product_cases import layers
from tests.oracles.products import add_logs, antilog_term, as_array, each_sum

seeds = st.integers(0, 2**32 - 1)
F = 3
ADDERS = {
    "full": LogSum(fraction_bits=6),
    "as fine as the operands": LogSum(fraction_bits=3),
    "8 entries": LogSum(fraction_bits=8, entries=8, reach_octaves=10),
    "mitchell": LogSum(fraction_bits=8, kind=LogAdderKind.MITCHELL),
    "bitshift": LogSum(fraction_bits=8, kind=LogAdderKind.BIT_SHIFT),
}


def logarithms(seed, shape):
    random = np.random.default_rng(seed)
    signs = random.integers(-1, 2, shape)
    return np.where(signs == 0, 0, random.integers(-63, 64, shape)).astype(np.int32), signs.astype(np.int8)


def pairs(operand):
    """An array of (logarithm, sign), for the oracle's loops."""
    packed = np.empty(operand[0].shape, dtype=object)
    for place in np.ndindex(packed.shape):
        packed[place] = (int(operand[0][place]), int(operand[1][place]))
    return packed


@settings(max_examples=40)
@given(layer=layers(), seed=seeds, width=st.sampled_from([8, 16, 32]), lsb=st.integers(-6, 30))
def test_linear_sums_saturate_at_every_mac_as_a_direct_loop_does(layer, seed, width, lsb):
    ifmap_shape, weight_shape, window = layer
    ifmap, weight = logarithms(seed, ifmap_shape), logarithms(seed + 1, weight_shape)
    antilog = Antilog(fraction_bits=5)
    significands = antilog_table(antilog, F).tolist()
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    bias = np.random.default_rng(seed).integers(low, high, len(weight[0]))
    lsbs = lsb + np.arange(len(weight[0])) % 3

    def add(total, x, w):
        k, a = total
        term = x[1] * w[1] * antilog_term(x[0] + w[0], significands, F, int(lsbs[k]), 5)
        return k, min(max(a + term, low), high)

    sums = linear_log_sums(
        ifmap, weight, bias, window,
        accumulator=LinearSum(width_bits=width, antilog=antilog), fraction_bits=F, lsb=lsbs,
    )  # fmt: skip
    loop = each_sum(pairs(ifmap), pairs(weight), window, add, lambda k: (k, int(bias[k])))
    np.testing.assert_array_equal(sums, as_array({place: a for place, (_, a) in loop.items()}, np.int64))


@pytest.mark.parametrize("name", ADDERS)
@settings(max_examples=15)
@given(layer=layers(), seed=seeds)
def test_log_domain_sums_are_those_of_a_direct_loop(name, layer, seed):
    ifmap_shape, weight_shape, window = layer
    adder = ADDERS[name]
    finer = adder.fraction_bits - F
    ifmap, weight, bias = (
        logarithms(seed + i, shape) for i, shape in enumerate((ifmap_shape, weight_shape, weight_shape[:1]))
    )
    plus, minus = (lambda d, table=table: int(table[min(d, len(table) - 1)]) for table in adder_tables(adder))

    def add(total, x, w):
        return add_logs(total, ((x[0] + w[0]) << finer, x[1] * w[1]), plus, minus)

    logs, signs = log_sums(ifmap, weight, bias, window, accumulator=adder, fraction_bits=F)
    start = pairs(bias)
    loop = each_sum(pairs(ifmap), pairs(weight), window, add, lambda k: start[k])
    np.testing.assert_array_equal(signs, as_array({place: s for place, (_, s) in loop.items()}, np.int8))
    np.testing.assert_array_equal(logs, as_array({p: e if s else 0 for p, (e, s) in loop.items()}, np.int64))


def test_equal_terms_of_unlike_sign_leave_zero_and_the_sum_goes_on():
    ifmap = (np.zeros((1, 3), np.int64), np.array([[1, 1, 1]]))
    weight = (np.array([[5, 5, -7]]), np.array([[1, -1, -1]]))
    logs, signs = log_sums(ifmap, weight, None, None, accumulator=LogSum(fraction_bits=6), fraction_bits=F)
    assert (logs.item(), signs.item()) == (-7 << 3, -1)
    cut = tuple(part[:, :2] for part in ifmap), tuple(part[:, :2] for part in weight)
    logs, signs = log_sums(*cut, None, None, accumulator=LogSum(fraction_bits=6), fraction_bits=F)
    assert (logs.item(), signs.item()) == (0, 0)


def test_the_order_matters_in_the_log_domain():
    ifmap = (np.zeros((1, 3), np.int64), np.array([[1, 1, 1]]))
    weight = (np.array([[56, 56, -16]]), np.array([[1, -1, 1]]))  # 2^7 - 2^7 + 2^-2; 2^-2 drowns beside 2^7
    adder = LogSum(fraction_bits=3)
    first, _ = log_sums(ifmap, weight, None, None, accumulator=adder, fraction_bits=F)
    _, sign = log_sums(ifmap, weight, None, None, accumulator=adder, fraction_bits=F, order=np.array([0, 2, 1]))
    assert (first.item(), sign.item()) == (-16, 0)


def test_a_log_register_coarser_than_its_operands_is_refused():
    one = (np.zeros((1, 1), np.int64), np.ones((1, 1), np.int64))
    with pytest.raises(ValueError, match="register of 2 fraction bits cannot hold products of 3"):
        log_sums(one, one, None, None, accumulator=LogSum(fraction_bits=2), fraction_bits=F)


def test_an_order_given_to_a_linear_sum_is_that_of_its_saturation():
    ifmap = (np.zeros((1, 3), np.int64), np.array([[1, 1, 1]]))
    weight = (np.full((1, 3), 2 << F), np.array([[1, 1, -1]]))  # 4 + 4 - 4 in a register of -4 .. 3
    three_bits = LinearSum(width_bits=3)
    one_by_one = [
        linear_log_sums(ifmap, weight, None, None, accumulator=three_bits, fraction_bits=F, lsb=0, order=order).item()
        for order in (None, np.array([0, 2, 1]))
    ]
    assert one_by_one == [-1, 3]  # 3, 3, -1 and 3, -1, 3

"""Registers and biases: the proof of exactness, guard bits, and where a bias has no place."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.convert.float_network import FloatDense
from archsim.convert.recipe import Recipe
from archsim.convert.sums import ProductScale, SumPlan, exact_width, plan_sums
from archsim.convert.weight_codes import code_weights
from archsim.errors import WorkloadError
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.format_grammar import parse_format
from archsim.workload.coded_network import CodedOutput
from tests.convert.fake_quant import recipe


def dense(weight: np.ndarray, bias: np.ndarray | None) -> FloatDense:
    return FloatDense(name="d", sources=("",), weight=weight, bias=bias)


def planned(
    node: FloatDense, asked: Recipe, *, ifmap: str = "uint8", exponent: int = -8, largest: float = 5.0
) -> tuple[SumPlan, ProductScale]:
    weight = code_weights(node, asked.weight_format, asked, None)
    scale = ProductScale(
        ifmap=CodedOutput(format=parse_format(ifmap), exponent=exponent), weight=weight, largest_sum=largest
    )
    return plan_sums(node, scale, asked), scale


WEIGHT = np.random.default_rng(0).normal(size=(4, 30))
BIAS = np.array([0.1, -3.0, 0.0, 7.7])


@settings(max_examples=60)
@given(
    bits=st.integers(2, 12), ifmap=st.sampled_from(["uint4", "int8", "uint12"]), size=st.floats(-12, 12),
    channels=st.integers(1, 4), register=st.integers(0, 40), seed=st.integers(0, 99),
)  # fmt: skip
def test_no_input_overflows_a_register_that_is_called_exact(
    *, bits: int, ifmap: str, size: float, channels: int, register: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    node = dense(rng.normal(size=(channels, 9)), rng.normal(size=channels) * 2.0**size)
    asked = recipe(f"int{bits}", accumulator=parse_accumulator(f"exact<{register}>") if register > 1 else None)
    try:
        found, scale = planned(node, asked, ifmap=ifmap)
    except WorkloadError as problem:
        assert register > 1
        assert "too narrow to be exact" in str(problem)  # noqa: PT017
        return
    guards = scale.exponents - found.bias_exponents
    assert len(set(guards)) == 1
    guard, fmt = int(guards[0]), parse_format(ifmap)
    worst = max(-fmt.lowest_code, fmt.highest_code)
    bound = max(worst * int(np.abs(row).sum()) * 2**guard + abs(int(start))
                for row, start in zip(scale.weight.codes, found.bias, strict=True))  # fmt: skip
    width = bound.bit_length() + 1
    limit = register if register > 1 else 32
    assert width == exact_width(fmt, scale.weight.codes, found.bias, guard)
    assert guard >= 0
    assert width <= limit or (guard == 0 and register <= 1)
    wider = exact_width(
        fmt, scale.weight.codes, np.floor(np.ldexp(node.bias, guard + 1 - scale.exponents) + 0.5).astype(int), guard + 1
    )
    assert wider > limit  # no guard bit is left unused
    assert np.abs(found.bias * 2.0**found.bias_exponents - node.bias).max() <= 2.0 ** (found.bias_exponents.max() - 1)


def test_without_a_bias_there_are_no_guard_bits() -> None:
    found, scale = planned(dense(WEIGHT, None), recipe("int8"))
    assert (found.bias, found.bias_exponents) == (None, None)
    assert found.exponent == scale.exponents.min()


@pytest.mark.parametrize("accumulator", ["wrap<20>", "sat<20,8>", "fx<20,12,1,TRN,WRAP>"])
def test_registers_that_overflow_start_at_the_scale_of_the_products(accumulator: str) -> None:
    found, scale = planned(dense(WEIGHT, BIAS), recipe("int8", accumulator=parse_accumulator(accumulator)))
    assert np.array_equal(found.bias_exponents, scale.exponents)


@pytest.mark.parametrize(("largest", "octaves"), [(5.0, 3), (4.0, 2), (0.3, -1), (0.25, -2), (0.0, 0)])
def test_a_linear_register_leaves_one_bit_above_the_largest_sum(largest: float, octaves: int) -> None:
    found, _ = planned(dense(WEIGHT, BIAS), recipe("lns8"), ifmap="lns8", largest=largest)
    assert found.exponent == octaves - 30
    assert 2.0 ** (32 - 1 + found.exponent) == 2 * 2.0**octaves >= 2 * largest
    assert np.abs(found.bias * 2.0**found.exponent - BIAS).max() <= 2.0 ** (found.exponent - 1)


@pytest.mark.parametrize(
    ("fmt", "ifmap", "accumulator"), [("fp8_e4m3", "fp8_e4m3", "fp32"), ("ternary_exact", "uint8", None), ("lns8", "lns8", "log<8>")]
)  # fmt: skip
def test_sums_that_are_no_integers_keep_their_bias_as_it_is(fmt: str, ifmap: str, accumulator: str | None) -> None:
    asked = recipe(fmt, accumulator=accumulator and parse_accumulator(accumulator))
    found, _ = planned(dense(WEIGHT, BIAS), asked, ifmap=ifmap)
    assert found.bias is None
    assert np.array_equal(found.bias_values, BIAS)


def test_too_narrow_too_wide_and_misplaced() -> None:
    asked = recipe("int8", accumulator=parse_accumulator("exact<12>"))
    with pytest.raises(
        WorkloadError, match=r"'d': accumulator exact<12> is too narrow .* sums of (\d+) bits. Use exact<\1>"
    ):
        planned(dense(WEIGHT, None), asked)
    with pytest.raises(WorkloadError, match=r"'d': its bias takes 82 bits in steps of its products, 63 are computed"):
        planned(dense(WEIGHT, BIAS * 2.0**65), recipe("int8"))
    with pytest.raises(WorkloadError, match=r"'d': these weights can make sums of 68 bits, 63 are computed"):
        planned(dense(WEIGHT, None), recipe("int32"), ifmap="uint32")
    with pytest.raises(WorkloadError, match=r"'d': log<8> does not add up products of uint8 and int8"):
        planned(dense(WEIGHT, None), replace(asked, accumulator=parse_accumulator("log<8>")))


def test_biases_far_larger_than_the_products_keep_their_value() -> None:
    found, _ = planned(dense(1e-3 * WEIGHT, 1e3 * BIAS), recipe("int8"))
    assert np.abs(found.bias * 2.0**found.bias_exponents - 1e3 * BIAS).max() < 1e-2

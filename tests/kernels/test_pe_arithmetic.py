"""One MAC of a clocked PE, kind by kind."""

import numpy as np
import pytest

from archsim.arch.pe_array import PeArray
from archsim.engine.clocked import run_clocked
from archsim.engine.pe_rules import PeArithmetic
from archsim.errors import SimulationError
from archsim.kernels import output_stationary, weight_stationary
from archsim.kernels import pe_arithmetic as pe
from archsim.terms import Dataflow

NO_PSUMS = np.zeros((1, 1), dtype=np.int64)


def arithmetic(kind, table=(0,), **entries):
    rule = np.zeros(pe.RULE_WORDS, dtype=np.int64)
    rule[pe.KIND] = kind
    for name, value in entries.items():
        rule[getattr(pe, name)] = value
    return rule, np.array(table, dtype=np.int64), NO_PSUMS


def bits(value):
    return np.float64(value).view(np.int64)


KINDS = {
    "cast": (arithmetic(pe.CAST, SHIFT=3, BASE=4, LOW=-128, HIGH=127), [-128, -1, 0, 5, 127]),
    "cast to even": (arithmetic(pe.CAST, SHIFT=3, BASE=3, ODD=1, LOW=-128, HIGH=127), [-128, -7, 0, 5, 127]),
    "table": (arithmetic(pe.TABLE, [0, 0, 5, -5], LOW=-9, HIGH=8), [-9, 0, 8]),
    "logarithm": (arithmetic(pe.LOGARITHM, [4, 2, 0, 4 * pe.ZERO, -6, 0]), [7, -6, -5, 200]),
    "float32": (arithmetic(pe.FLOAT32), [bits(0.0), bits(np.float32(0.1)), bits(-3.5)]),
    "float64": (arithmetic(pe.FLOAT64), [bits(0.1), bits(-1e300)]),
}


@pytest.mark.parametrize(("rule", "psums"), KINDS.values(), ids=KINDS)
def test_idle_registers_change_no_psum(rule, psums):
    term = pe.multiply(np.int64(0), np.int64(0), rule)
    for psum in psums:
        assert pe.accumulate(np.int64(psum), np.int64(term), rule) == psum


def test_a_cast_rounds_and_saturates():
    rule = arithmetic(pe.CAST, SHIFT=3, BASE=4, LOW=-8, HIGH=7)
    assert pe.accumulate(np.int64(1), pe.multiply(np.int64(2), np.int64(-3), rule), rule) == 0  # (8 - 6 + 4) / 8 = 0.75
    assert pe.accumulate(np.int64(7), pe.multiply(np.int64(4), np.int64(1), rule), rule) == 7  # (56 + 4 + 4) / 8 = 8


def test_a_float32_psum_is_rounded_at_every_step():
    rule = arithmetic(pe.FLOAT32)
    product = pe.multiply(bits(np.float32(0.1)), bits(np.float32(0.3)), rule)
    assert np.int64(product).view(np.float64) == np.float32(0.1) * np.float32(0.3)
    total = pe.accumulate(bits(2.0**24), bits(1.0), rule)
    assert np.int64(total).view(np.float64) == 2.0**24  # float64 would hold the 1


def test_two_logarithms_multiply_by_their_sum_and_signs():
    rule = arithmetic(pe.LOGARITHM, [0, 0])
    minus_8, plus_4 = 2 * 3 + 1 - pe.ZERO, 2 * 2 - pe.ZERO  # as registers hold them
    assert pe.multiply(np.int64(minus_8), np.int64(plus_4), rule) == 2 * 5 + 1
    assert pe.multiply(np.int64(plus_4), np.int64(minus_8), rule) == 2 * 5 + 1
    assert pe.multiply(np.int64(minus_8), np.int64(minus_8), rule) == 2 * 6
    assert pe.multiply(np.int64(minus_8), np.int64(0), rule) == pe.ZERO


@pytest.mark.parametrize("kind", ["cast", "float32"])
def test_compiled_arrays_equal_their_python_source_in_another_arithmetic(uncompiled, kind):
    rng = np.random.default_rng(1)
    rule, table, _ = KINDS[kind][0]
    words, weights, psums = (rng.integers(-9, 9, size) for size in ((1, 4, 3), (1, 3, 2), (4, 2)))
    if kind == "float32":
        words, weights, psums = (each.astype(float).view(np.int64) for each in (words, weights, psums))
    ws, os = np.zeros(weight_stationary.SETTINGS, dtype=np.int64), np.zeros(output_stationary.SETTINGS, dtype=np.int64)
    ws[
        [
            weight_stationary.PSUM_HOP,
            weight_stationary.ACT_HOP,
            weight_stationary.PE_LATENCY,
            weight_stationary.WEIGHT_REGS,
        ]
    ] = 1
    os[[output_stationary.ACT_HOP, output_stationary.PE_LATENCY]] = 1
    cases = (
        (weight_stationary, "step_weight_stationary_array", (weights, words, np.array([[3, 2, 3, 2, 3]]), ws)),
        (output_stationary, "step_output_stationary_array",
         (words.swapaxes(1, 2).copy(), weights, np.array([[4, 2, 4, 2, 3, 1, 1]]), os)),
    )  # fmt: skip
    for module, name, given in cases:
        found = [getattr(each, name)(*given, (rule, table, psums)) for each in (module, uncompiled(module))]
        for left, right in zip(*found, strict=True):
            assert np.array_equal(left, right)
        assert found[0][0].any()


def test_psums_of_another_arithmetic_are_not_added_outside():
    rule, table, _ = KINDS["cast"][0]
    other = PeArithmetic(rule=rule, table=table, psums=np.zeros((2, 1), dtype=np.int64))
    ones = np.ones((2, 3), dtype=np.int64), np.ones((3, 1), dtype=np.int64)
    for array in (PeArray(rows=2, columns=2, dataflow=Dataflow.WEIGHT_STATIONARY),
                  PeArray(rows=2, columns=2, dataflow=Dataflow.OUTPUT_STATIONARY, k_tile=2, k_tile_keeps_psum=False)):  # fmt: skip
        with pytest.raises(SimulationError, match="one row fold at a time"):
            run_clocked(*ones, array, other)

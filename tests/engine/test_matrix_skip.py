"""Arrays that leave out wavefronts of zeros: plan, event engine and clocked registers agree, and no value changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.pe_array import OsDrain, OsFold, PeArray
from archsim.engine.clocked import run_clocked
from archsim.engine.measure import measure_plan
from archsim.engine.pe_rules import PeArithmetic
from archsim.kernels import pe_arithmetic as pe
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Dataflow, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.engine.test_three_fidelities import SETTINGS, boundless, label, matmuls, small_convs
from tests.masks import GivenMask
from tests.oracles.wavefront_zeros import matrices, units
from tests.strategies import log_adder_arrays, pe_arrays

WS, IS, OS = Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY
seeds = st.integers(0, 2**32 - 1)


def skipping(array: PeArray) -> PeArray:
    return replace(array, zero_skip=ZeroSkip.SKIP)


def sparse(layer: ConvLayer | MatmulLayer, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ifmap and weights of few or many zeros, some of them in whole lines and columns."""
    draw = np.random.default_rng(seed)
    made = []
    for operand in (Operand.IFMAP, Operand.WEIGHT):
        shape = mask_shape(layer, operand)
        values = draw.integers(-9, 10, shape) * (draw.random(shape) < draw.choice([0.0, 0.1, 0.5, 1.0]))
        for axis in range(values.ndim):
            keeps = draw.random((shape[axis], *(1 for _ in shape[axis + 1 :]))) < draw.choice([0.4, 1.0])
            values = values * keeps
        made.append(values)
    return made[0], made[1]


def plan_of(layer: ConvLayer | MatmulLayer, array: PeArray, operands: tuple[np.ndarray, np.ndarray]) -> FoldPlan:
    masks = LayerMasks(ifmap=GivenMask.of(operands[0]), weight=GivenMask.of(operands[1]))
    zeros = replace(zeros_by_itself(layer), masks=masks)
    return next(plan_array_layer(layer, boundless(array), zeros=zeros))


def assert_agree(layer: ConvLayer | MatmulLayer, array: PeArray, operands: tuple[np.ndarray, np.ndarray]) -> None:
    """One product, its folds back to back, on the array that skips; and on the one that does not."""
    ((ifmap, weight),) = matrices(layer, *operands)
    plan, clocked = plan_of(layer, skipping(array), operands), run_clocked(ifmap, weight, skipping(array))
    np.testing.assert_array_equal(clocked.ofmap, ifmap @ weight)
    assert plan.compute_cycles == clocked.total_cycles
    assert measure_plan(plan, boundless(array).dram).onchip_stall_cycles == 0
    assert plan.array_macs == clocked.counts.macs
    dense = run_clocked(ifmap, weight, array)
    assert plan.skip is not None
    assert plan.skip.dense_cycles == dense.total_cycles >= clocked.total_cycles
    assert dense.counts.macs == layer.macs >= clocked.counts.macs


@settings(max_examples=250, deadline=None)
@given(layer=matmuls, array=pe_arrays(largest=7, os_folds=(OsFold.PIXELS,)), seed=seeds)
def test_plan_event_and_clocked_array_agree_on_sparse_matrix_products(layer, array: PeArray, seed: int) -> None:
    assert_agree(layer, array, sparse(layer, seed))


@settings(max_examples=150, deadline=None)
@given(layer=small_convs(), array=pe_arrays(largest=7, os_folds=(OsFold.PIXELS,)), seed=seeds)
def test_plan_event_and_clocked_array_agree_on_sparse_convolutions(layer, array: PeArray, seed: int) -> None:
    assert_agree(layer, array, sparse(layer, seed))


@settings(max_examples=80, deadline=None)
@given(layer=matmuls, array=log_adder_arrays(), seed=seeds)
def test_they_agree_where_sums_take_several_cycles(layer, array: PeArray, seed: int) -> None:
    assert_agree(layer, array, sparse(layer, seed))


@pytest.mark.parametrize("case", SETTINGS, ids=label)
@pytest.mark.parametrize("shape", [(9, 7, 8), (5, 11, 9)])
def test_they_agree_on_every_setting_by_name(case, shape) -> None:
    layer = MatmulLayer(name="fc", rows=shape[0], inner=shape[1], columns=shape[2])
    for seed in range(4):
        assert_agree(layer, PeArray(rows=4, columns=3, dataflow=case[0], **case[1]), sparse(layer, seed))


@settings(max_examples=60, deadline=None)
@given(layer=small_convs(), array=pe_arrays(largest=5, os_folds=(OsFold.PIXELS,)), groups=st.integers(2, 3), seed=seeds)
def test_groups_take_what_each_takes_by_itself(layer: ConvLayer, array: PeArray, groups: int, seed: int) -> None:
    """Group by group against the registers; on an array that runs its passes one by one, their cycles add up."""
    grouped = replace(layer, groups=groups, in_channels=groups * layer.in_channels,
                      out_channels=groups * layer.out_channels)  # fmt: skip
    operands, array = sparse(grouped, seed), skipping(array)
    plan = plan_of(grouped, array, operands)
    runs = []
    for group in range(groups):
        channels = slice(group * layer.in_channels, (group + 1) * layer.in_channels)
        filters = slice(group * layer.out_channels, (group + 1) * layer.out_channels)
        own = operands[0][:, channels], operands[1][filters]
        runs.append(run_clocked(*matrices(grouped, *operands)[group], array))
        assert plan_of(layer, array, own).compute_cycles == runs[-1].total_cycles
    if array.drain_overlap and array.os_drain is not OsDrain.NONE:
        return  # the first pass of a group may fill the time of the drain before it with zeros
    assert plan.array_macs == sum(run.counts.macs for run in runs)
    if array.dataflow is OS and not array.drain_overlap:
        assert plan.compute_cycles == sum(run.total_cycles for run in runs)


def without_zeros(dataflow: Dataflow, ifmap: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple]:
    """Operands of one fold without its wavefronts of zeros (but a last one if there is no other), and their place in the ofmap."""
    wavefronts = {WS: ifmap, OS: ifmap.T, IS: weight.T}[dataflow]
    kept = [place for place, words in enumerate(wavefronts) if any(words)] or [len(wavefronts) - 1]
    if dataflow is WS:
        return ifmap[kept], weight, np.ix_(kept, range(weight.shape[1]))
    if dataflow is IS:
        return ifmap, weight[:, kept], np.ix_(range(len(ifmap)), kept)
    return ifmap[:, kept], weight[kept], (slice(None), slice(None))


@st.composite
def plain_arrays(draw: st.DrawFn) -> PeArray:
    """Arrays whose drains do not overlap: passes take whatever is left."""
    array = draw(pe_arrays(largest=6, os_folds=(OsFold.PIXELS,)))
    return replace(array, drain_overlap=False, k_tile=0, k_tile_keeps_psum=True)


@settings(max_examples=150, deadline=None)
@given(layer=matmuls, array=plain_arrays(), seed=seeds)
def test_every_fold_takes_what_a_dense_array_takes_without_its_wavefronts_of_zeros(layer, array, seed: int) -> None:
    """Zeros taken out of the operands here, by hand, fold by fold, and run on an array that takes every value."""
    ifmap, weight = (values[0] for values in sparse(layer, seed))
    ofmap = np.zeros((len(ifmap), weight.shape[1]), dtype=np.int64)
    is_os = array.dataflow is OS
    for along in units(len(ifmap) if is_os else len(weight), array.rows):
        part = slice(along.start, along.stop)
        mine, other = (ifmap[part], weight) if is_os else (ifmap[:, part], weight[part])
        *left, place = without_zeros(array.dataflow, mine, other)
        run = run_clocked(*left, array)
        (ofmap[part] if is_os else ofmap)[place] += run.ofmap
        fold = MatmulLayer(name="fold", rows=len(mine), inner=len(other), columns=other.shape[1])
        plan = plan_of(fold, skipping(array), (mine[None], other[None]))
        assert (plan.compute_cycles, plan.array_macs) == (run.total_cycles, run.counts.macs)
    np.testing.assert_array_equal(ofmap, ifmap @ weight)


def test_cycles_of_the_last_value_leave_out_what_was_never_streamed() -> None:
    # 2 x 2 PEs, 3 pixels of which the first and last have values: load 2, words 2, 2 + 2 - 2 hops: 6. Pixel 1: none.
    ifmap = np.array([[1, 2], [0, 0], [0, 3]])
    run = run_clocked(ifmap, np.array([[1, 2], [3, 4]]), skipping(PeArray(rows=2, columns=2, dataflow=WS)))
    assert run.output_cycles.tolist() == [[4, 5], [0, 0], [5, 6]]
    assert run.total_cycles == 6
    assert run.ofmap.tolist() == [[7, 10], [0, 0], [9, 12]]


@pytest.mark.parametrize("dataflow", [WS, OS, IS])
def test_sums_that_are_no_integers_take_every_word_as_a_zero_may_be_no_empty_word(dataflow: Dataflow) -> None:
    rng = np.random.default_rng(2)
    array = PeArray(rows=4, columns=3, dataflow=dataflow)
    words, psums = (rng.integers(0, 2, (5, 4)), rng.integers(0, 2, (4, 3))), rng.integers(0, 9, (5, 3))
    rule = np.zeros(pe.RULE_WORDS, dtype=np.int64)
    rule[pe.KIND] = pe.FLOAT64
    bits = [np.ascontiguousarray(values, dtype=np.float64).view(np.int64) for values in (*words, psums)]
    arithmetic = PeArithmetic(rule=rule, table=np.zeros(1, dtype=np.int64), psums=bits[2])
    runs = [run_clocked(bits[0], bits[1], each, arithmetic) for each in (array, skipping(array))]
    assert runs[0].total_cycles == runs[1].total_cycles
    np.testing.assert_array_equal(runs[0].ofmap, runs[1].ofmap)
    np.testing.assert_array_equal(runs[1].ofmap.view(np.float64), words[0] @ words[1] + psums)

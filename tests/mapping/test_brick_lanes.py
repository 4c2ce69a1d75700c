"""Brick lanes: cycles and what they are made of by hand, what the memories see, and laws over many layers and chips."""

from dataclasses import replace
from math import ceil, comb, prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.brick_lanes import LaneSync
from archsim.catalog import load_arch, load_workload
from archsim.engine.measure import fastest_plan, measure_plan
from archsim.engine.simulate import run_layer, run_network
from archsim.errors import ConfigError, MappingError
from archsim.mapping.effectual_macs import effectual_macs, issued_macs
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.zero_pattern import ZeroFractions
from tests.mapping.brick_chips import (
    IFMAP,
    OFMAP,
    WEIGHT,
    chip,
    chips,
    make_array,
    moved_bytes,
    plans_of,
    values_of,
    zeros_of,
)  # fmt: skip
from tests.mapping.hand_made import conv, matmul
from tests.strategies import conv_layers, matmul_layers

layers = st.one_of(conv_layers(), matmul_layers())
fractions = st.sampled_from([0.0, 0.3, 0.6, 0.95, 1.0])
PRESETS = ("dadiannao", "cnvlutin", "lnpu")


def dense(arch):
    return replace(arch, pe_array=arch.pe_array.dense)


@settings(deadline=None, max_examples=60)
@given(layer=layers, arch=chips(ZeroSkip.NONE))
def test_lock_step_takes_the_published_equation(layer, arch) -> None:
    gemm, array = layer.gemm, arch.pe_array
    taps = prod(layer.kernel) if isinstance(layer, ConvLayer) else 1
    channels = gemm.window // taps
    cycles = ceil(channels / array.rows) * taps * gemm.pixels * ceil(gemm.filters / array.columns) * gemm.groups
    for plan in _plans(layer, arch):
        assert plan.compute_cycles == cycles + array.pipeline_cycles
        assert plan.skip is None
        assert plan.effectual_macs is None
        assert plan.array_macs == layer.macs


@settings(deadline=None, max_examples=80)
@given(layer=layers, arch=chips(), seed=st.integers(0, 99), zeros=fractions)
def test_skipping_never_costs_a_cycle_and_says_where_they_went(layer, arch, seed, zeros) -> None:
    ifmap, weight = values_of(layer, seed, zeros, 0.4)
    known = zeros_of(layer, ifmap, weight)
    plans, plain = _plans(layer, arch, known), _plans(layer, dense(arch), known)
    for plan in plans:
        assert plan.compute_cycles <= plain[0].compute_cycles
        assert plan.compute_cycles in (plans[0].compute_cycles, plain[0].compute_cycles)
        assert plan.skip is not None
        assert plan.skip.dense_cycles == plain[0].compute_cycles
        assert plan.skip.compute_cycles == plan.compute_cycles
        assert plan.steps.ideal_end_cycles == plan.compute_cycles
        assert plan.effectual_macs == effectual_macs(layer, ifmap != 0, weight != 0)
        assert plan.array_macs in (layer.macs, issued_macs(layer, ifmap != 0))
        if plan.skip.sync_cycles:
            assert arch.pe_array.require_bricks().sync is LaneSync.WINDOW
    times = [measure_plan(fastest_plan(each, arch.dram), arch.dram) for each in (plans, plain)]
    skipping, lock_step = (each.compute_cycles + each.onchip_stall_cycles + each.dram_stall_cycles for each in times)
    assert skipping <= lock_step


@settings(deadline=None, max_examples=40)
@given(layer=layers, arch=chips(), zeros=fractions)
def test_every_tensor_crosses_the_channel_as_without_skipping(layer, arch, zeros) -> None:
    ifmap, weight = values_of(layer, 3, zeros)
    for plan in _plans(layer, arch, zeros_of(layer, ifmap, weight)):
        assert moved_bytes(plan, "dram", IFMAP) >= layer.ifmap_words or layer.gemm.pixels == 0
        assert moved_bytes(plan, "dram", WEIGHT) >= layer.weight_words
        assert moved_bytes(plan, "dram", OFMAP) == layer.ofmap_words
        assert moved_bytes(plan, "dram", Operand.METADATA) == 0


@settings(deadline=None, max_examples=40)
@given(layer=layers, seed=st.integers(0, 99), share=st.sampled_from([0.2, 0.5, 0.8]))
def test_more_zeros_never_cost_a_cycle(layer, seed, share) -> None:
    """The zeros of the second mask are those of the first and more."""
    assume(layer.macs < 10**6)
    ifmap, weight = values_of(layer, seed, share)
    more = np.where(np.random.default_rng(seed + 1).random(ifmap.shape) < 0.5, 0, ifmap)
    arch = chip(make_array(brick_values=4))
    first, second = (plans_of(layer, arch, zeros_of(layer, each, weight))[0] for each in (ifmap, more))
    assert second.compute_cycles <= first.compute_cycles


def test_a_layer_by_hand_loses_what_the_waterfall_says() -> None:
    """Two windows of two bricks of 3 on 2 lanes, one filter pass: (3, 1) and (1, 2) nonzero values.

    Lock step: 2 channels a cycle, 3 cycles a window, 6. Of 12 values 7 are not zero: ideal 3.5, so 4 cycles. The lanes take 7
    cycles together, 4 each on average: nothing lost. Free lanes: 3 + 1 and 1 + 2, the busier one 4. Windows: 3 + 2 = 5.
    """
    layer = matmul(2, 6, 1)
    ifmap = np.array([[[1, 1, 1, 1, 0, 0], [1, 0, 0, 1, 1, 0]]])
    weight = np.ones((1, 6, 1), dtype=int)
    plan, *_ = plans_of(layer, chip(make_array(rows=2, columns=1, brick_values=3)), zeros_of(layer, ifmap, weight))
    skip = plan.skip
    assert (skip.dense_cycles, skip.ideal_cycles, skip.fragmentation_cycles) == (6, 4, 0)
    assert (skip.imbalance_cycles, skip.sync_cycles, skip.compute_cycles) == (0, 1, 5)
    free = make_array(rows=2, columns=1, brick_values=3, sync=LaneSync.LAYER)
    plan, *_ = plans_of(layer, chip(free), zeros_of(layer, ifmap, weight))
    assert (plan.skip.sync_cycles, plan.compute_cycles) == (0, 4)


def test_a_window_of_few_bricks_is_not_encoded_where_lock_step_is_faster() -> None:
    """64 channels of one tap, half of them zero: 4 bricks of 16 keep 4 lanes busy for 8 cycles; lock step takes 4."""
    layer = conv(64, 16, 4, 1)
    ifmap, weight = values_of(layer, 0, 0.0)
    ifmap[:, ::2] = 0
    arch = chip(make_array(rows=16, columns=16))
    plan = plans_of(layer, arch, zeros_of(layer, ifmap, weight))[0]
    assert (plan.compute_cycles, plan.array_macs) == (16 * 4, layer.macs)
    assert plan.effectual_macs == layer.macs // 2
    assert plan.skip.fragmentation_cycles == 16 * 2
    assert any("not encoded: skipping zeros would take 128 cycles, lock step takes 64" in line for line in plan.mapping)
    ifmap[:, :60] = 0  # one brick of 2 values and three empty ones
    plan = plans_of(layer, arch, zeros_of(layer, ifmap, weight))[0]
    assert (plan.compute_cycles, plan.array_macs) == (16 * 2, layer.macs // 32)


def test_short_bricks_fill_lanes_that_lock_step_leaves_idle() -> None:
    """Depthwise: 9 taps of one channel are 9 bricks for 9 of 16 lanes, one cycle a window instead of nine."""
    layer = conv(4, 4, 6, 3, groups=4)
    ifmap, weight = values_of(layer, 0, 0.0)
    plan = plans_of(layer, chip(make_array(rows=16)), zeros_of(layer, ifmap, weight))[0]
    assert (plan.skip.dense_cycles, plan.compute_cycles) == (4 * 16 * 9, 4 * 16)
    assert plan.skip.fragmentation_cycles < 0


def test_zeros_save_weights_and_offsets_are_read_with_whole_bricks() -> None:
    layer = conv(64, 8, 6, 3)
    ifmap, weight = values_of(layer, 0, 0.6)
    known = zeros_of(layer, ifmap, weight)
    arch = chip(make_array(rows=16))
    plan, plain = (plans_of(layer, each, known)[0] for each in (arch, dense(arch)))
    issued = issued_macs(layer, ifmap != 0)
    assert plan.words("sb", WEIGHT, Direction.READ) == issued
    assert plain.words("sb", WEIGHT, Direction.READ) == layer.macs
    read = layer.macs // 8  # every value of every window once for 8 filters
    assert plan.words("nm", IFMAP, Direction.READ) == plain.words("nm", IFMAP, Direction.READ) == read
    offsets = [row for row in plan.traffic if row.operand is Operand.METADATA]
    assert {row.level for row in offsets} == {"nm"}
    assert sum(row.words for row in offsets if row.direction is Direction.READ) == read + layer.ofmap_words
    assert all(row.bytes == ceil(row.words * 4 / 8) for row in offsets)
    assert not any(row.operand is Operand.METADATA for row in plain.traffic)
    assert plan.words("spad", Operand.PSUM, Direction.WRITE) == plan.compute_cycles * 8


def test_a_gate_saves_multiplications_and_no_cycle() -> None:
    layer = replace(conv(16, 8, 6, 3), zero_fractions=ZeroFractions(ifmap=0.5))
    gates, plain = (plans_of(layer, chip(make_array(rows=16, skip=skip)))[0] for skip in (ZeroSkip.GATE, ZeroSkip.NONE))
    assert gates.compute_cycles == plain.compute_cycles
    assert (gates.gated_macs, plain.gated_macs) == (layer.macs // 2, 0)
    assert gates.words("spad", WEIGHT, Direction.READ) == layer.macs // 2


@pytest.mark.parametrize("zeros", [0.37, 0.44, 0.5, 0.9])
def test_independent_zeros_gain_what_their_distribution_says(zeros) -> None:
    """A lane's 9 bricks take 9 times max(1, B(16, 1 - z)); a window the largest of 16 such sums."""
    chances = [comb(16, count) * (1 - zeros) ** count * zeros ** (16 - count) for count in range(17)]
    brick = np.array([0.0, chances[0] + chances[1], *chances[2:]])
    lane = np.ones(1)
    for _ in range(9):
        lane = np.convolve(lane, brick)
    below = np.cumsum(lane) ** 16
    window_cycles = np.sum(1 - below)  # the mean of a count is the sum of its chances to exceed 0, 1, 2...
    layer = ConvLayer(name="windows", in_channels=256, out_channels=256, ifmap=(120, 120), kernel=(3, 3), stride=(3, 3),
                      padding=((0, 0), (0, 0)), dilation=(1, 1), zero_fractions=ZeroFractions(ifmap=zeros))  # fmt: skip
    run = run_layer(layer, load_arch("cnvlutin"))
    assert run.compute_cycles / 1600 == pytest.approx(window_cycles, rel=0.004)
    assert run.skip is not None
    assert run.skip.dense_cycles == 1600 * 144


def test_the_first_layer_runs_dense_though_it_is_cut_from_its_network() -> None:
    arch, network = load_arch("cnvlutin"), load_workload("alexnet")
    runs = {run.layer: run for run in run_network(arch, network)}
    plain = {run.layer: run for run in run_network(load_arch("dadiannao"), network)}
    assert runs["conv1"].compute_cycles == plain["conv1"].compute_cycles == 11 * 11 * 55 * 55
    assert runs["conv1"].skip is None
    (cut,) = run_network(arch, network.only("conv3"))
    assert cut.skip is not None
    assert cut.compute_cycles < plain["conv3"].compute_cycles / 2
    every = load_arch("cnvlutin", ["pe_array.bricks.first_layer_dense=false"])
    assert run_network(every, network)[0].compute_cycles < runs["conv1"].compute_cycles / 3


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("network", ["alexnet", "googlenet", "mobilenet_v1", "lenet5", "bert_base", "nin"])
def test_a_preset_runs_a_network(preset, network) -> None:
    arch, workload = load_arch(preset), load_workload(network)
    runs = run_network(arch, workload)
    plain = run_network(dense(arch), workload)
    assert sum(run.macs for run in runs) == workload.macs
    for run, other in zip(runs, plain, strict=True):
        assert run.compute_cycles <= other.compute_cycles, run.layer
        assert run.total_cycles <= other.total_cycles, run.layer


@pytest.mark.parametrize("key", ["brick_values", "empty_brick_cycles", "sync", "first_layer_dense"])
def test_settings_of_lanes_that_skip_are_refused_where_none_does(key) -> None:
    changed = {"brick_values": 8, "empty_brick_cycles": 2, "sync": LaneSync.LAYER, "first_layer_dense": True}
    for skip in (ZeroSkip.NONE, ZeroSkip.GATE):
        with pytest.raises(ConfigError, match=rf"pe_array\.bricks\.{key} .*needs zero_skip = skip"):
            make_array(skip=skip, **{key: changed[key]})


def test_what_is_too_small_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pe_array\.bricks\.brick_values \(=0\) must be at least 1"):
        make_array(brick_values=0)
    with pytest.raises(MappingError, match="does not fit 'random'"):
        plans_of(conv(64, 8, 4, 1), chip(make_array(rows=16, columns=16), capacity_bytes=16))


def _plans(layer, arch, zeros=None):
    try:
        return list(plan_array_layer(layer, arch, zeros=zeros))
    except MappingError:
        assume(False)
        return []

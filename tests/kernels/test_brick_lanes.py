"""The clocked brick lanes: against numpy, against a slow reference, against the plan; what each lane has in each cycle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.brick_lanes import LaneSync
from archsim.engine.clocked_bricks import encode_bricks, run_clocked_bricks
from archsim.engine.event import run_events
from archsim.engine.timeline import channel_clock
from archsim.kernels import brick_counts, brick_lanes
from archsim.mapping.effectual_macs import issued_macs
from archsim.mapping.fold_plan import Transfers
from archsim.terms import ZeroSkip
from archsim.workload.layer import ConvLayer
from tests.mapping.brick_chips import arrays, chip, expected_cycles, make_array, plans_of, values_of, zeros_of
from tests.mapping.hand_made import conv, matmul
from tests.oracles.brick_lanes import windows
from tests.strategies import conv_layers, matmul_layers

MOST_MACS = 60_000
NO_WORDS = np.zeros(0, dtype=np.int64)
NO_TRANSFERS = Transfers(step=NO_WORDS, after_step=NO_WORDS, lead_cycles=NO_WORDS, length_bytes=NO_WORDS, operand=NO_WORDS,
                         is_write=np.zeros(0, dtype=np.bool_))  # fmt: skip
layers = st.one_of(conv_layers(), matmul_layers())
fractions = st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])


def product_of(layer, ifmap, weight):
    """The layer by numpy, window by window."""
    if not isinstance(layer, ConvLayer):
        return ifmap @ weight
    rows = np.array(
        [np.array(window).T.ravel() for window in windows(layer, ifmap)]
    )  # (group image window, channel tap)
    rows = rows.reshape(layer.groups, layer.batch, -1, rows.shape[1])
    filters = weight.reshape(layer.groups, layer.out_channels // layer.groups, -1)
    sums = np.einsum("gnwc,gfc->ngfw", rows, filters)
    return sums.reshape(layer.batch, layer.out_channels, *layer.ofmap)


@settings(deadline=None, max_examples=220)
@given(layer=layers, array=arrays(), seed=st.integers(0, 99), zeros=fractions)
def test_plan_clocked_lanes_and_event_engine_agree_on_every_layer(layer, array, seed, zeros) -> None:
    if layer.macs > MOST_MACS:
        return
    ifmap, weight = values_of(layer, seed, zeros, 0.3)
    skipping, lock_step = expected_cycles(layer, ifmap, array)
    expected = product_of(layer, ifmap, weight)
    clocked = {}
    for encoded, cycles in ((True, skipping), (False, lock_step)):
        clocked[encoded] = run_clocked_bricks(layer, ifmap, weight, array, encoded=encoded)
        np.testing.assert_array_equal(clocked[encoded].ofmap, expected)
        assert clocked[encoded].total_cycles == cycles + array.pipeline_cycles
    plan = plans_of(layer, chip(array), zeros_of(layer, ifmap, weight))[0]
    assert plan.compute_cycles == min(run.total_cycles for run in clocked.values())
    steps = replace(plan.steps, hold_transfer=np.full_like(plan.steps.hold_transfer, -1))
    clock = channel_clock(NO_TRANSFERS, chip(array).dram)
    assert run_events(steps, NO_TRANSFERS, clock).end == plan.steps.ideal_end_cycles == plan.compute_cycles
    taken = clocked[skipping <= lock_step]
    assert clocked[True].zero_products == 0
    assert clocked[True].products == issued_macs(layer, ifmap != 0)
    assert clocked[False].products == layer.macs
    assert plan.array_macs == taken.products
    assert taken.products <= array.multipliers * taken.total_cycles or not taken.products


@settings(deadline=None, max_examples=60)
@given(layer=layers, skip=st.sampled_from([ZeroSkip.NONE, ZeroSkip.GATE]), seed=st.integers(0, 99))
def test_lock_step_gates_the_zeros_it_does_not_skip(layer, skip, seed) -> None:
    if layer.macs > MOST_MACS:
        return
    array = make_array(rows=3, columns=4, skip=skip)
    ifmap, weight = values_of(layer, seed, 0.5)
    clocked = run_clocked_bricks(layer, ifmap, weight, array, encoded=False)
    plan = plans_of(layer, chip(array), zeros_of(layer, ifmap, weight))[0]
    assert plan.compute_cycles == clocked.total_cycles
    assert plan.array_macs == clocked.products == layer.macs
    assert clocked.products - clocked.zero_products == issued_macs(layer, ifmap != 0)


def test_each_cycle_says_what_each_lane_has() -> None:
    """Three bricks of 2 on 2 lanes: (5 0) to lane 0, (0 0) to lane 1, (6 7) to lane 0 again, behind the 5."""
    layer = matmul(1, 6, 3)
    ifmap, weight = np.array([[[5, 0, 0, 0, 6, 7]]]), np.arange(18).reshape(1, 6, 3)
    array = make_array(rows=2, columns=3, brick_values=2)
    run = run_clocked_bricks(layer, ifmap, weight, array, encoded=True, traced_cycles=4)
    assert run.total_cycles == 3
    assert run.trace[:, 0].tolist() == [[0, 0, 0, 5], [0, 2, 0, 6], [0, 2, 1, 7], [0, 0, 0, 0]]
    idle = [0, -1, brick_lanes.IDLE_LANE, 0]
    assert run.trace[:, 1].tolist() == [[0, 1, brick_lanes.EMPTY_BRICK, 0], idle, idle, [0, 0, 0, 0]]
    assert (run.products, run.zero_products, run.empty_cycles) == (9, 0, 1)
    dense = run_clocked_bricks(layer, ifmap, weight, array, encoded=False, traced_cycles=3)
    assert dense.trace[..., brick_lanes.VALUE].tolist() == [[5, 0], [0, 0], [6, 7]]
    np.testing.assert_array_equal(dense.ofmap, run.ofmap)


def test_lanes_wait_at_the_end_of_a_window_or_of_the_layer_only() -> None:
    """Two windows of 2 bricks: (3 values, 1) and (1, 3): 3 + 3 cycles with the wait, 4 for either lane without."""
    ifmap = np.array([[[1, 1, 1, 1, 0, 0], [1, 0, 0, 1, 1, 1]]])
    weight = np.ones((1, 6, 1), dtype=np.int64)
    for sync, cycles in ((LaneSync.WINDOW, 6), (LaneSync.LAYER, 4)):
        array = make_array(rows=2, columns=1, brick_values=3, sync=sync)
        run = run_clocked_bricks(matmul(2, 6, 1), ifmap, weight, array, encoded=True)
        assert run.total_cycles == cycles
        assert run.ofmap.ravel().tolist() == [4, 4]


@pytest.mark.parametrize(("empty", "cycles"), [(0, 0), (1, 9), (4, 36)])
def test_a_layer_of_zeros_takes_what_its_empty_bricks_cost(empty, cycles) -> None:
    layer = conv(4, 3, 5, 3)  # 9 windows of 9 bricks of 4, dealt to 9 lanes
    ifmap, weight = values_of(layer, 0, 1.0)
    array = make_array(rows=9, columns=3, brick_values=4, empty_brick_cycles=empty)
    run = run_clocked_bricks(layer, ifmap, weight, array, encoded=True)
    assert (run.total_cycles, run.products) == (cycles, 0)
    assert not run.ofmap.any()
    plan = plans_of(layer, chip(array), zeros_of(layer, ifmap, weight))[0]
    assert plan.compute_cycles == min(cycles, 81)


def test_bricks_keep_their_nonzero_values_in_order_and_their_places() -> None:
    values, offsets, counts = encode_bricks(np.array([0, 4, 0, 6, 7]).reshape(1, 1, 5, 1), 3)
    assert values.ravel().tolist() == [4, 0, 0, 6, 7, 0]
    assert offsets.ravel().tolist() == [1, 0, 0, 0, 1, 0]
    assert counts.ravel().tolist() == [1, 2]


@pytest.mark.parametrize(("channels", "brick_values", "places"), [(5, 16, 3), (600, 300, 5), (33, 16, 9000), (1, 1, 1)])
def test_counts_of_bricks_are_those_of_numpy(channels, brick_values, places) -> None:
    mask = np.random.default_rng(0).random((2, channels, places)) < 0.9
    counts = np.empty((2, places, -(-channels // brick_values)), dtype=np.int32)
    brick_counts.count_bricks(mask.view(np.uint8), brick_values, counts)
    for brick in range(counts.shape[2]):
        part = mask[:, brick * brick_values : (brick + 1) * brick_values]
        np.testing.assert_array_equal(counts[..., brick], part.sum(axis=1))


def test_the_plain_python_sources_say_the_same(uncompiled) -> None:
    random = np.random.default_rng(1)
    mask = (random.random((1, 1, 5, 9)) < 0.5).view(np.uint8)
    places = np.array([[0, 1, -1], [3, -1, 8]], dtype=np.int32)
    results = []
    for module in (brick_counts, uncompiled(brick_counts)):
        counts = np.empty((1, 9, 3), dtype=np.int32)
        module.count_bricks(mask[0], 2, counts)
        sums = tuple(np.zeros(shape, dtype=np.int64) for shape in ((1, 2), (1, 2, 4), (1, 2)))
        module.sum_lanes(counts[None], places, np.array([1, 1]), sums)
        results.append([counts, *sums])
    values, weight = random.integers(-4, 5, (1, 1, 5, 9)) * mask, random.integers(-4, 5, (1, 3, 5, 3))
    taken = np.array([4, 2, 1, 0, 3, 2, 2])
    for at, module in enumerate((brick_lanes, uncompiled(brick_lanes))):
        for run, given_values in (
            (module.step_brick_lanes, encode_bricks(values, 2)),
            (module.step_lock_step_lanes, values),
        ):
            ofmap, trace = np.zeros((1, 1, 3, 2), dtype=np.int64), np.zeros((9, 4, 4), dtype=np.int64)
            results[at] += [run(given_values, weight, places, taken, (ofmap, trace)), ofmap, trace]
    for plain, fast in zip(*results, strict=True):
        np.testing.assert_array_equal(plain, fast)

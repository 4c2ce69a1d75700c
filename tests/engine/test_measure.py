"""The three cycle columns of a plan, and what its stalls are put down to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from archsim.arch.memory_level import DramLevel
from archsim.engine import measure
from archsim.engine.layer_run import mapping_loss_cycles
from archsim.engine.measure import LayerTimes, fastest_plan, measure_plan
from archsim.errors import MappingError, SimulationError
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan, Steps, Transfers
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Bottleneck, Operand
from tests.strategies import architectures, array_layers

IFMAP, WEIGHT, PSUM, OFMAP = (OPERAND_CODES.index(operand) for operand in OPERAND_CODES)
CHANNEL = DramLevel(name="dram", bandwidth_bytes_per_cycle=2.0)


def ints(values) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def plan(
    advance, tail, transfers=(), *, ports=None, hold=None, compute=None, origin=0, first_start=0, estimate=0.0
) -> FoldPlan:
    """A plan of hand-made steps; transfers are (step, after, bytes, operand, is_write) rows."""
    count = len(advance)
    steps = Steps(
        advance_cycles=ints(advance), tail_cycles=ints(tail), port_cycles=ints(ports or [0] * count),
        hold_transfer=ints(hold or [-1] * count), first_start_cycles=first_start, origin_cycles=origin,
    )  # fmt: skip
    rows = list(zip(*transfers, strict=True)) or [()] * 5
    moves = Transfers(
        step=ints(rows[0]), after_step=ints(rows[1]), lead_cycles=ints([0] * len(rows[0])), length_bytes=ints(rows[2]),
        operand=ints(rows[3]), is_write=np.array(rows[4], dtype=bool),
    )  # fmt: skip
    ideal = int((first_start + np.cumsum([0, *advance[:-1]]) + ints(tail)).max()) - origin
    return FoldPlan(
        kind="hand-made", folds=count, mapping_efficiency=1.0, array_macs=0,
        compute_cycles=ideal if compute is None else compute, steps=steps, transfers=moves, traffic=(), nest=None,
        estimated_cycles=estimate,
    )  # fmt: skip


def columns(times: LayerTimes) -> tuple[int, int, int]:
    return times.compute_cycles, times.onchip_stall_cycles, times.dram_stall_cycles


def test_ports_stretch_the_steps_that_they_cannot_feed() -> None:
    # Steps of 10 (results 14): a busiest port of 13 adds 3 to the first step, 8 adds nothing to the second.
    times = measure_plan(plan([10, 10], [14, 14], ports=[13, 8]), replace(CHANNEL, is_ideal=True))
    assert columns(times) == (24, 3, 0)


def test_a_read_that_comes_late_is_a_stall_for_its_operand() -> None:
    # Step 0 waits for 8 B = 4 cycles; step 1's 40 B are there at 24, the array at 14: 10 more.
    made = plan([10, 10], [10, 10], [(0, -1, 8, WEIGHT, False), (1, -1, 40, IFMAP, False)])
    times = measure_plan(made, CHANNEL)
    assert columns(times) == (20, 0, 14)
    assert dict(times.waits) == {"weight": 4, "ifmap": 10}


def test_what_is_written_behind_the_last_step_is_the_last_drain() -> None:
    # Results at 10 and 20; 30 B each: 10..25, 25..40.
    times = measure_plan(plan([10, 10], [10, 10], [(0, 0, 30, OFMAP, True), (1, 1, 30, OFMAP, True)]), CHANNEL)
    assert columns(times) == (20, 0, 20)
    assert dict(times.waits) == {"last_drain": 20}


def test_a_full_output_buffer_is_a_wait_for_the_write_back() -> None:
    # Step 1 needs write 0 done: results at 10, 30 B: at 25; it ends at 35, its own write at 50.
    made = plan([10, 10], [10, 10], [(0, 0, 30, OFMAP, True), (1, 1, 30, OFMAP, True)], hold=[-1, 0])
    times = measure_plan(made, CHANNEL)
    assert columns(times) == (20, 0, 30)
    assert dict(times.waits) == {"write_back": 15, "last_drain": 15}


def test_a_wait_hidden_behind_the_tail_of_an_earlier_step_is_no_stall() -> None:
    # Step 0's last result is out at 100 anyway; step 1 waits 30 cycles (80 B = 40) and ends at 50.
    times = measure_plan(plan([10, 10], [100, 10], [(1, -1, 80, IFMAP, False)]), CHANNEL)
    assert columns(times) == (100, 0, 0)
    assert times.waits == ()


def test_the_share_of_the_latency_is_what_a_latency_of_0_saves() -> None:
    # 8 B = 4 cycles and 50 of latency before step 0: 54 of stall, 50 of them latency.
    times = measure_plan(plan([10], [10], [(0, -1, 8, WEIGHT, False)]), replace(CHANNEL, latency_cycles=50))
    assert (times.dram_stall_cycles, times.dram_latency_stall_cycles) == (54, 50)


def test_cycles_before_the_counted_edge_are_not_counted() -> None:
    # The load of 6 comes before cycle 1; the read of 8 B hides in it.
    made = plan([10], [10], [(0, -1, 8, WEIGHT, False)], origin=6, first_start=6)
    assert columns(measure_plan(made, CHANNEL)) == (10, 0, 0)


def test_a_tiling_that_ends_on_a_smaller_fold_stalls_0_cycles_not_fewer() -> None:
    assert columns(measure_plan(plan([10], [10], compute=12), CHANNEL)) == (12, 0, 0)


def test_an_ideal_channel_never_stalls() -> None:
    made = plan([10], [10], [(0, -1, 10**9, WEIGHT, False), (0, 0, 10**9, OFMAP, True)])
    assert columns(measure_plan(made, replace(CHANNEL, is_ideal=True, latency_cycles=9))) == (10, 0, 0)


@pytest.mark.parametrize(
    ("times", "ideal", "name"),
    [
        ((100, 0, 0, 0), 80, Bottleneck.COMPUTE),
        ((100, 0, 0, 0), 40, Bottleneck.MAPPING),
        ((100, 120, 90, 90), 40, Bottleneck.ON_CHIP),
        ((100, 20, 300, 100), 80, Bottleneck.DRAM_BANDWIDTH),
        ((100, 20, 300, 200), 80, Bottleneck.DRAM_LATENCY),
    ],
)
def test_the_bottleneck_is_the_largest_share(times, ideal, name) -> None:
    compute, onchip, dram, latency = times
    made = LayerTimes(compute_cycles=compute, onchip_stall_cycles=onchip, dram_stall_cycles=dram,
                      dram_latency_stall_cycles=latency, waits=())  # fmt: skip
    assert made.bottleneck(mapping_loss=compute - ideal) is name


def test_the_fastest_of_several_plans_is_kept() -> None:
    slow, fast, late = plan([30], [30], estimate=1.0), plan([10], [10], estimate=1.0), plan([20], [20], estimate=1.0)
    assert fastest_plan([slow, fast, late], CHANNEL) is fast


def test_a_plan_that_keeps_its_promise_ends_the_search() -> None:
    # 10 cycles where 10 were estimated: the faster plan behind it is never asked for.
    asked = []

    def plans():
        for name, cycles, estimate in (("first", 40, 20.0), ("second", 10, 10.0), ("third", 5, 5.0)):
            asked.append(name)
            yield plan([cycles], [cycles], estimate=estimate)

    assert fastest_plan(plans(), CHANNEL).compute_cycles == 10
    assert asked == ["first", "second"]


def test_a_layer_without_plans_is_our_own_fault() -> None:
    with pytest.raises(SimulationError, match="without plans"):
        fastest_plan([], CHANNEL)


def chosen(layer, arch) -> FoldPlan | None:
    try:
        return fastest_plan(plan_array_layer(layer, arch), arch.dram)
    except MappingError:
        return None


@settings(max_examples=60)
@given(layer=array_layers, arch=architectures())
def test_long_layers_take_the_kernel_and_get_the_same_times(layer, arch) -> None:
    made = chosen(layer, arch)
    if made is None:
        return
    by_events = measure_plan(made, arch.dram)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "EVENT_STEPS", 0)
        assert measure_plan(made, arch.dram) == by_events


@settings(max_examples=60)
@given(layer=array_layers, arch=architectures())
def test_waits_name_real_causes_and_add_up(layer, arch) -> None:
    made = chosen(layer, arch)
    if made is None:
        return
    times = measure_plan(made, arch.dram)
    assert sum(cycles for _, cycles in times.waits) == times.dram_stall_cycles
    fetched = {OPERAND_CODES[code].value for code in made.transfers.operand[~made.transfers.is_write]}
    assert {cause for cause, _ in times.waits} <= fetched | {"write_back", "last_drain"}
    assert Operand.OFMAP.value not in fetched


def test_mapping_loss_is_what_macs_on_every_multiplier_would_not_need() -> None:
    # 1000 MACs on 64 multipliers need 16 cycles; the other 84 of 100 are lost. Without MACs nothing is.
    assert mapping_loss_cycles(100, 1000, 64) == 84
    assert mapping_loss_cycles(100, 0, 64) == 0

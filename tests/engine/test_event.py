import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.memory_level import DramLevel
from archsim.engine.event import run_events
from archsim.engine.measure import schedule_timeline
from archsim.engine.timeline import WRITE_BACK, channel_clock, with_ports
from archsim.mapping.fold_plan import OPERAND_CODES, Steps, Transfers
from archsim.terms import Operand
from tests.strategies import architectures, array_layers, drawn_plan


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=architectures(), data=st.data())
def test_simpy_and_the_kernel_give_the_same_times(layer, arch, data) -> None:
    plan = drawn_plan(data, layer, arch)
    steps, clock = with_ports(plan.steps), channel_clock(plan.transfers, arch.dram)
    event, kernel = run_events(steps, plan.transfers, clock), schedule_timeline(steps, plan.transfers, clock)
    for field in ("start", "wait", "cause"):
        assert np.array_equal(getattr(event, field), getattr(kernel, field)), field
    assert (event.array_end, event.channel_end) == (kernel.array_end, kernel.channel_end)


def test_a_hand_worked_timeline_with_a_slow_channel() -> None:
    # Two steps of 10 cycles, results 12 cycles after their start. The channel moves 2 B/cycle after a latency of 5.
    # Read 0: 20 B, 0..10, arrives 15; step 0 runs 15..25, result 27.
    # Read 1: 40 B, free from the start, 10..30, arrives 35; step 1 runs 35..45, result 47; it waited 10.
    # Write 0: 10 B after 27, channel free 30: 30..35, done 40. Write 1: 10 B after 47: 47..52, done 57.
    steps = Steps(
        advance_cycles=ints(10, 10), tail_cycles=ints(12, 12), port_cycles=ints(0, 0), hold_transfer=ints(-1, -1)
    )
    weight, ofmap = OPERAND_CODES.index(Operand.WEIGHT), OPERAND_CODES.index(Operand.OFMAP)
    transfers = Transfers(
        step=ints(0, 1, 0, 1), after_step=ints(-1, -1, 0, 1), lead_cycles=ints(0, 0, 0, 0),
        length_bytes=ints(20, 40, 10, 10), operand=ints(weight, weight, ofmap, ofmap),
        is_write=np.array([False, False, True, True]),
    )  # fmt: skip
    clock = channel_clock(transfers, DramLevel(name="dram", bandwidth_bytes_per_cycle=2, latency_cycles=5))
    timeline = run_events(steps, transfers, clock)
    assert timeline.start.tolist() == [15, 35]
    assert timeline.wait.tolist() == [15, 10]
    assert timeline.cause.tolist() == [weight, weight]
    assert (timeline.array_end, timeline.channel_end, timeline.end) == (47, 57, 57)


def test_a_full_output_buffer_holds_the_next_step() -> None:
    # Step 1 needs write 0 done: 100 B at 10 B/cycle after the result at 10 = 20.
    steps = Steps(
        advance_cycles=ints(10, 10), tail_cycles=ints(10, 10), port_cycles=ints(0, 0), hold_transfer=ints(-1, 0)
    )
    transfers = Transfers(step=ints(0), after_step=ints(0), lead_cycles=ints(0), length_bytes=ints(100), operand=ints(3),
                          is_write=np.array([True]))  # fmt: skip
    clock = channel_clock(transfers, DramLevel(name="dram", bandwidth_bytes_per_cycle=10))
    timeline = run_events(steps, transfers, clock)
    assert timeline.start.tolist() == [0, 20]
    assert timeline.cause.tolist() == [-1, WRITE_BACK]


def test_a_fractional_bandwidth_is_exact_over_many_transfers() -> None:
    # 3000 transfers of 1 B at 2.4 B/cycle take 1250 cycles, not 3000 rounded up one by one.
    count = 3000
    steps = Steps(advance_cycles=ints(1), tail_cycles=ints(1), port_cycles=ints(0), hold_transfer=ints(-1))
    zeros = np.zeros(count, dtype=np.int64)
    transfers = Transfers(step=zeros, after_step=zeros - 1, lead_cycles=zeros, length_bytes=zeros + 1, operand=zeros,
                          is_write=zeros.astype(bool))  # fmt: skip
    clock = channel_clock(transfers, DramLevel(name="dram", bandwidth_bytes_per_cycle=2.4))
    assert run_events(steps, transfers, clock).start.tolist() == [1250]

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archsim.kernels import step_schedule as kernel
from tests.oracles.step_schedule import run_two_queues

IFMAP, WEIGHT, PSUM, OFMAP, WRITE_BACK = range(5)


def step(advance, tail, hold=-1):
    return {"advance": advance, "tail": tail, "hold": hold}


def read(of_step, ticks, after=-1, lead=0, operand=IFMAP):
    return {"step": of_step, "after": after, "lead": lead, "ticks": ticks, "operand": operand, "is_write": False}


def write(of_step, ticks, operand=OFMAP):
    return {"step": of_step, "after": of_step, "lead": 0, "ticks": ticks, "operand": operand, "is_write": True}


def schedule(steps, transfers, run=kernel.schedule_steps, *, first_start=0, latency_ticks=0, ticks_per_cycle=1):
    """Run the kernel on rows of plain numbers; lists come back."""
    column = lambda rows, key: np.array([row[key] for row in rows], dtype=np.int64)  # noqa: E731
    start, wait, cause, array_end, channel_end = run(
        column(steps, "advance"), column(steps, "tail"), column(steps, "hold"), first_start,
        *(column(transfers, key) for key in ("step", "after", "lead", "ticks", "operand")),
        column(transfers, "is_write").astype(bool), latency_ticks, ticks_per_cycle,
    )  # fmt: skip
    return start.tolist(), wait.tolist(), cause.tolist(), int(array_end), int(channel_end)


@st.composite
def programs(draw):
    """Steps and transfers that cannot deadlock: what stands in the queue before a step's last need waits for earlier steps."""
    steps, transfers = [], []
    count = draw(st.integers(1, 8))
    for index in range(count):
        for _ in range(draw(st.integers(0, 3))):
            if index and draw(st.booleans()):
                done = draw(st.integers(0, index - 1))
                transfers.append(write(done, draw(st.integers(0, 9)), draw(st.sampled_from([PSUM, OFMAP]))))
            else:
                needed_by = min(index + draw(st.integers(0, 1)), count - 1)
                transfers.append(
                    read(needed_by, draw(st.integers(0, 9)), after=draw(st.integers(-1, index - 1)),
                         lead=draw(st.integers(0, 3)), operand=draw(st.sampled_from([IFMAP, WEIGHT, PSUM])))
                )  # fmt: skip
        writes = [i for i, transfer in enumerate(transfers) if transfer["is_write"]]
        steps.append(step(draw(st.integers(0, 9)), draw(st.integers(0, 15)), draw(st.sampled_from([-1, *writes]))))
    return steps, transfers


channels = st.fixed_dictionaries(
    {"first_start": st.integers(0, 5), "latency_ticks": st.integers(0, 12), "ticks_per_cycle": st.integers(1, 4)}
)


@settings(max_examples=300)
@given(program=programs(), channel=channels)
def test_times_are_those_of_two_queues_and_a_ticking_clock(program, channel):
    assert schedule(*program, **channel) == run_two_queues(*program, **channel)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=programs(), channel=channels)
def test_compiled_and_plain_source_give_the_same(program, channel):
    source = getattr(kernel.schedule_steps, "py_func", kernel.schedule_steps)
    assert schedule(*program, **channel) == schedule(*program, run=source, **channel)


@settings(max_examples=200)
@given(program=programs(), channel=channels)
def test_the_array_is_either_working_or_waiting(program, channel):
    start, wait, cause, array_end, _ = schedule(*program, **channel)
    advance = [one["advance"] for one in program[0]]
    assert start[-1] == channel["first_start"] + sum(advance[:-1]) + sum(wait)
    assert min(wait) >= 0
    assert [cycles > 0 for cycles in wait] == [reason >= 0 for reason in cause]
    assert array_end >= start[-1]


@settings(max_examples=200)
@given(program=programs(), channel=channels, more=st.integers(1, 20))
def test_more_latency_never_starts_a_step_earlier(program, channel, more):
    soon = schedule(*program, **channel)
    late = schedule(*program, **channel | {"latency_ticks": channel["latency_ticks"] + more})
    assert all(a <= b for a, b in zip(soon[0], late[0], strict=True))
    assert soon[3] <= late[3]
    assert soon[4] <= late[4]


@settings(max_examples=200)
@given(program=programs(), channel=channels, data=st.data())
def test_a_longer_transfer_never_starts_a_step_earlier(program, channel, data):
    steps, transfers = program
    if not transfers:
        return
    index = data.draw(st.integers(0, len(transfers) - 1))
    longer = [one | {"ticks": one["ticks"] + 5} if i == index else one for i, one in enumerate(transfers)]
    soon, late = schedule(steps, transfers, **channel), schedule(steps, longer, **channel)
    assert all(a <= b for a, b in zip(soon[0], late[0], strict=True))


def test_without_transfers_steps_follow_each_other_from_the_first_start():
    # Starts 4, 4 + 10, 14 + 6; results at 4 + 30, 14 + 9, 20 + 9: the first step's are last.
    steps = [step(10, 30), step(6, 9), step(6, 9)]
    assert schedule(steps, [], first_start=4) == ([4, 14, 20], [0, 0, 0], [-1, -1, -1], 34, 0)


def test_a_read_waits_for_the_results_of_the_step_that_frees_its_buffer():
    # Read 0: 0..3, step 0 at 3, its results at 3 + 12 = 15. Read 1 waits for them: 15..18; the array is free at 8.
    steps = [step(5, 12), step(5, 12)]
    start, wait, cause, *_ = schedule(steps, [read(0, 3), read(1, 3, after=0, operand=WEIGHT)])
    assert (start, wait, cause) == ([3, 18], [3, 10], [IFMAP, WEIGHT])


def test_a_hidden_load_lies_between_arrival_and_start():
    # Arrives at 3 + latency 4 = 7; 6 cycles of load.
    assert schedule([step(5, 5)], [read(0, 3, lead=6)], latency_ticks=4)[0] == [13]


def test_latency_overlaps_between_transfers():
    # Both reads leave the channel at 10 and 20 and arrive 100 later: not 110 and 220.
    assert schedule([step(1, 1), step(1, 1)], [read(0, 10), read(1, 10)], latency_ticks=100)[0] == [110, 120]


def test_arrivals_round_up_to_whole_cycles_but_the_channel_does_not():
    # 3 ticks to the cycle: reads end at ticks 4 and 8, that is cycles 2 and 3, not 2 and 4.
    start, *_ = schedule([step(0, 0), step(0, 0)], [read(0, 4), read(1, 4)], ticks_per_cycle=3)
    assert start == [2, 3]


@pytest.mark.parametrize(("lead", "start", "reason"), [(14, 20, WRITE_BACK), (15, 20, IFMAP), (16, 21, IFMAP)])
def test_the_cause_of_a_wait_is_what_came_last(lead, start, reason):
    # Step 1 waits for a read, 0..5 and its lead, and for the write of step 0's results, 10..20; the read wins a tie.
    steps = [step(10, 10), step(5, 5, hold=1)]
    starts, _, causes, *_ = schedule(steps, [read(1, 5, lead=lead), write(0, 10)])
    assert (starts[1], causes[1]) == (start, reason)


def test_what_is_left_to_write_ends_the_channel():
    # Writes of 8 after results at 5 and 10: 5..13, 13..21; with latency 2 the last byte is there at 23.
    *_, array_end, channel_end = schedule([step(5, 5), step(5, 5)], [write(0, 8), write(1, 8)], latency_ticks=2)
    assert (array_end, channel_end) == (10, 23)

"""The order of the DRAM channel: due times by hand, and on random orders that it can always be served."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.kernels.step_schedule import schedule_steps
from archsim.mapping.dram_queue import Fetch, IdealTimes, WriteBack, ideal_times, queue_transfers
from archsim.mapping.fold_plan import OPERAND_CODES, Transfers
from archsim.terms import Operand

CODE = {operand: code for code, operand in enumerate(OPERAND_CODES)}


def ints(values) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def fetch(operand: Operand, lengths, release, lead: int = 0) -> Fetch:
    return Fetch(
        operand=operand, length_bytes=ints(lengths), release=ints(release), lead_cycles=ints([lead] * len(lengths))
    )


def write_back(ofmap, psum=None) -> WriteBack:
    return WriteBack(psum_bytes=ints(psum or [0] * len(ofmap)), ofmap_bytes=ints(ofmap))


def listed(transfers: Transfers) -> list[str]:
    """``r ifmap 2`` = read of ifmap for step 2, in the channel's order."""
    return [f"{'w' if write else 'r'} {OPERAND_CODES[code]} {step}"
            for write, code, step in zip(transfers.is_write, transfers.operand, transfers.step, strict=True)]  # fmt: skip


def test_ideal_times_put_steps_back_to_back_and_ends_in_order() -> None:
    times = ideal_times(ints([10, 10, 10]), ints([30, 5, 12]))
    assert times.start.tolist() == [0, 10, 20]
    assert times.end.tolist() == [30, 30, 32]  # step 1 is out at 15, but is not done before step 0


def test_reads_of_one_release_are_spread_between_release_and_need() -> None:
    # All free from the start, steps at 0, 10, 20, 30: due at 0/8, 10*3/8, 20*5/8, 30*7/8 = 0, 3.75, 12.5, 26.25.
    # Steps take 12: writes due at 12, 22, 32, 42.
    times = ideal_times(ints([10] * 4), ints([12] * 4))
    transfers, last_write = queue_transfers([fetch(Operand.IFMAP, [4] * 4, [-1] * 4)], write_back([2] * 4), times)
    assert listed(transfers) == [
        "r ifmap 0", "r ifmap 1", "w ofmap 0", "r ifmap 2", "w ofmap 1", "r ifmap 3", "w ofmap 2", "w ofmap 3",
    ]  # fmt: skip
    assert last_write.tolist() == [2, 4, 6, 7]


def test_a_read_is_not_due_before_its_buffer_is_free() -> None:
    # Step 2's read waits for step 0's end at 12; half way to its start at 20 = 16. Step 0's write at 12 comes first.
    times = ideal_times(ints([10] * 3), ints([12] * 3))
    transfers, _ = queue_transfers([fetch(Operand.WEIGHT, [4, 0, 4], [-1, -1, 0])], write_back([1, 0, 1]), times)
    assert listed(transfers) == ["r weight 0", "w ofmap 0", "r weight 2", "w ofmap 2"]
    assert transfers.after_step.tolist() == [-1, 0, 0, 2]


def test_steps_without_words_make_no_transfer() -> None:
    times = ideal_times(ints([10] * 2), ints([12] * 2))
    transfers, last_write = queue_transfers([fetch(Operand.IFMAP, [0, 0], [-1, -1])], write_back([0, 0]), times)
    assert len(transfers) == 0
    assert last_write.tolist() == [-1, -1]


def test_a_psum_is_read_back_after_it_was_written_even_at_the_same_time() -> None:
    # Written when step 0 ends at 20; step 1 starts at 20 and needs it: both are due at 20.
    times = ideal_times(ints([20, 20]), ints([20, 20]))
    transfers, _ = queue_transfers([fetch(Operand.PSUM, [0, 8], [-1, 0])], write_back([0, 4], psum=[8, 0]), times)
    assert listed(transfers) == ["w psum 0", "r psum 1", "w ofmap 1"]


def test_lengths_and_leads_go_with_their_transfers() -> None:
    times = ideal_times(ints([10, 10]), ints([10, 10]))
    transfers, _ = queue_transfers([fetch(Operand.WEIGHT, [5, 6], [-1, -1], lead=4)], write_back([7, 8]), times)
    assert dict(zip(listed(transfers), zip(transfers.length_bytes.tolist(), transfers.lead_cycles.tolist(), strict=True), strict=True)) == {
        "r weight 0": (5, 4), "r weight 1": (6, 4), "w ofmap 0": (7, 0), "w ofmap 1": (8, 0),
    }  # fmt: skip


@st.composite
def queues(draw: st.DrawFn):
    """Random steps; reads whose releases never go back, psums read after they were written, holds on earlier writes."""
    count = draw(st.integers(1, 10))
    each = lambda low, high: [draw(st.integers(low, high)) for _ in range(count)]  # noqa: E731
    advance, tail = each(1, 9), each(1, 20)
    fetches = []
    for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM):
        release = [min(step - 1, value) for step, value in enumerate(sorted(each(-1, count)))]
        fetches.append(fetch(operand, each(0, 4), release, lead=draw(st.integers(0, 3))))
    backs = write_back(each(0, 4), psum=each(0, 4))
    back = draw(st.integers(1, 3))
    return ideal_times(ints(advance), ints(tail)), fetches, backs, back, (advance, tail)


@settings(max_examples=400)
@given(case=queues())
def test_no_order_deadlocks(case) -> None:
    times, fetches, backs, back, (advance, tail) = case
    transfers, last_write = queue_transfers(fetches, backs, times)
    running = np.maximum.accumulate(last_write)
    hold = np.concatenate([np.full(min(back, len(advance)), -1), running[:-back]])[: len(advance)].astype(np.int64)
    needed = hold.copy()
    reads = np.flatnonzero(~transfers.is_write)
    np.maximum.at(needed, transfers.step[reads], reads)
    for step, last in enumerate(needed):
        # Whatever the channel serves up to the last transfer that a step needs waits for earlier steps only.
        assert (transfers.after_step[: last + 1] < step).all()
    start, *_ = schedule_steps(
        ints(advance), ints(tail), hold, 0, transfers.step, transfers.after_step, transfers.lead_cycles,
        transfers.length_bytes, transfers.operand, transfers.is_write, 0, 1,
    )  # fmt: skip
    assert (np.diff(start) >= ints(advance)[:-1]).all()


@settings(max_examples=200)
@given(case=queues())
def test_every_word_is_moved_once_and_the_reads_of_one_release_in_the_order_of_their_steps(case) -> None:
    times, fetches, backs, *_ = case
    transfers, last_write = queue_transfers(fetches, backs, times)
    for one in fetches:
        mine = ~transfers.is_write & (transfers.operand == CODE[one.operand])
        steps = np.flatnonzero(one.length_bytes)
        rows = zip(
            transfers.after_step[mine].tolist(),
            transfers.step[mine].tolist(),
            transfers.length_bytes[mine].tolist(),
            strict=True,
        )
        by_release = sorted(rows, key=lambda row: row[0])
        assert by_release == list(
            zip(one.release[steps].tolist(), steps.tolist(), one.length_bytes[steps].tolist(), strict=True)
        )
    for operand, lengths in ((Operand.PSUM, backs.psum_bytes), (Operand.OFMAP, backs.ofmap_bytes)):
        mine = transfers.is_write & (transfers.operand == CODE[operand])
        assert transfers.step[mine].tolist() == np.flatnonzero(lengths).tolist()
        assert (transfers.after_step[mine] == transfers.step[mine]).all()
    for step, index in enumerate(last_write):
        of_step = [i for i in range(len(transfers)) if transfers.is_write[i] and transfers.step[i] == step]
        assert index == (of_step[-1] if of_step else -1)


@settings(max_examples=200)
@given(case=queues())
def test_the_order_is_sorted_by_due(case) -> None:
    times, fetches, backs, *_ = case
    transfers, _ = queue_transfers(fetches, backs, times)
    due = [_due(transfers, index, times) for index in range(len(transfers))]
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise(due))


def _due(transfers: Transfers, index: int, times: IdealTimes) -> float:
    """A write's time is its step's end; a read's lies between release and need, by its place among its release's reads."""
    step, after = transfers.step[index], transfers.after_step[index]
    if transfers.is_write[index]:
        return float(times.end[step])
    same = [i for i in range(len(transfers)) if not transfers.is_write[i]
            and transfers.operand[i] == transfers.operand[index] and transfers.after_step[i] == after]  # fmt: skip
    free = float(times.end[after]) if after >= 0 else 0.0
    needed = max(float(times.start[step]), free)
    return free + (needed - free) * (same.index(index) + 0.5) / len(same)

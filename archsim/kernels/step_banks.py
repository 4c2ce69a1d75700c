"""When every step starts, the DRAM behind it simulated command by command.

The array and the DRAM wait for each other as in `step_schedule.py`, but a transfer takes as long as its
bursts take in the banks. Four streams offer bursts side by side: reads of ifmap, weights and psums, and
write-backs; each serves its transfers in the plan's order, and where several could go, the one that the
plan needs first goes first. `engine/bank_timeline.py` calls it; `engine/bank_event.py` gives the same times.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled, compiled_in_place
from archsim.kernels.dram_frfcfs import NOTHING_LEFT, SLOT_EMPTY, TAG_ENDED, advance, take_ended
from archsim.kernels.dram_queues import CLOCK, REMAINING
from archsim.kernels.dram_rules import NEVER
from archsim.kernels.dram_streams import END, ORDER, POSITION, load_slot
from archsim.kernels.transfer_bursts import list_bursts

STREAMS = 4
WRITE_STREAM = 3
WRITE_BACK_CAUSE = 4


class StepArrays(NamedTuple):
    """`Steps` as arrays of shape (steps,). [cycles, transfer index]"""

    advance: NDArray[np.int64]
    tail: NDArray[np.int64]
    hold: NDArray[np.int64]


class TransferArrays(NamedTuple):
    """`Transfers` as arrays of shape (transfers,); `runs` of shape (transfers, 7), in the order of `DramRuns`.

    ``next_in_stream`` is the next transfer of the same stream; ``behind`` the write that must have left the chip
    before: what spilled psums come back behind. -1 = none.
    """

    step: NDArray[np.int64]
    after: NDArray[np.int64]
    lead: NDArray[np.int64]
    operand: NDArray[np.int64]
    is_write: NDArray[np.bool_]
    runs: NDArray[np.int64]
    next_in_stream: NDArray[np.int64]
    behind: NDArray[np.int64]


class Clocks(NamedTuple):
    """The two clock domains: one cycle of the array is ``cycle_ticks``, one clock of the DRAM ``clock_ticks``.

    ``path_cycles`` lie between the DRAM's controller and the buffers.
    """

    cycle_ticks: int
    clock_ticks: int
    path_cycles: int


@compiled_in_place
def clock_of(clocks, cycle):
    """Return the first DRAM clock that does not begin before a cycle of the array. [tCK]"""
    return -((-cycle * clocks.cycle_ticks) // clocks.clock_ticks)


@compiled_in_place
def cycle_of(clocks, clock):
    """Return the first cycle of the array that does not begin before a DRAM clock. [cycles]"""
    return -((-clock * clocks.clock_ticks) // clocks.cycle_ticks)


@compiled_in_place
def order_streams(state, slot_tag):
    """Let the stream go first whose transfer comes first in the plan."""
    streams = state.streams
    for place in range(1, STREAMS):
        stream, at = streams[place, ORDER], place
        while at > 0 and slot_tag[streams[at - 1, ORDER]] > slot_tag[stream]:
            streams[at, ORDER] = streams[at - 1, ORDER]
            at -= 1
        streams[at, ORDER] = stream


@compiled_in_place
def offer_transfer(state, stream, transfer, runs, is_write, burst_bytes, arrival):
    """Put a transfer into a stream's empty slot, to be offered from clock `arrival` on."""
    bursts = list_bursts(state.blocks[stream], is_write, burst_bytes, runs)
    state.tags[transfer, REMAINING] = bursts
    load_slot(state, stream, bursts, arrival, transfer)


class Progress(NamedTuple):
    """How far a layer has come; int64 arrays of shape (steps,), (transfers,) for `done` and (STREAMS,) for `slot_tag`.

    Parameters
    ----------
    start, wait, cause
        Of the steps that have started. [cycles]
    ready, ready_cause, missing
        When the last read that a step waits for has come, whose it was, and how many are still to come.
    done
        When the last burst of a write has left the chip; -1 = not yet. [cycles]
    slot_tag
        Transfer in each stream's slot; `NEVER` = none.
    next_transfer
        Of each stream; -1 = no more.
    ends
        Earliest start of the next step, last result, last byte written. [cycles]
    """

    start: NDArray[np.int64]
    wait: NDArray[np.int64]
    cause: NDArray[np.int64]
    ready: NDArray[np.int64]
    ready_cause: NDArray[np.int64]
    missing: NDArray[np.int64]
    done: NDArray[np.int64]
    slot_tag: NDArray[np.int64]
    next_transfer: NDArray[np.int64]
    ends: NDArray[np.int64]


ARRAY_FREE, ARRAY_END, CHANNEL_END = range(3)


@compiled
def run_steps_on_banks(state, steps, transfers, first_start, clocks, burst_bytes, next_transfer):
    """Run the steps in order against the DRAM channels.

    Parameters
    ----------
    state : DramState
        Fresh, with `STREAMS` streams and a tag per transfer; holds the counts afterwards.
    steps : StepArrays
    transfers : TransferArrays
    first_start : int
        Earliest start of step 0. [cycles]
    clocks : Clocks
    burst_bytes : int
    next_transfer : int64 array, shape (STREAMS,)
        First transfer of each stream, -1 = none; used up.

    Returns
    -------
    progress : Progress
        ``start, wait, cause`` as `schedule_steps` returns them, and the ends.
    started : int
        Steps that could start: all of them, unless plan or kernel is wrong.
    """
    count = len(steps.advance)
    progress = Progress(
        np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, -1, np.int64), np.zeros(count, np.int64),
        np.full(count, -1, np.int64), np.zeros(count, np.int64), np.full(len(transfers.step), -1, np.int64),
        np.full(STREAMS, NEVER, np.int64), next_transfer, np.zeros(3, np.int64),
    )  # fmt: skip
    progress.ends[ARRAY_FREE] = first_start
    for t in range(len(transfers.step)):
        if not transfers.is_write[t]:
            progress.missing[transfers.step[t]] += 1
    started = 0
    while True:
        started = start_steps(progress, steps, started)
        offer_transfers(state, progress, steps, transfers, started, clocks, burst_bytes)
        reason = advance(state, NEVER)
        if reason == SLOT_EMPTY:
            free_slots(state, progress, clocks)
        elif reason == TAG_ENDED:
            collect_ended(state, progress, transfers, clocks)
        elif reason == NOTHING_LEFT:
            return progress, started


@compiled_in_place
def start_steps(progress, steps, started):
    """Start every step whose words are there, and return how many have started."""
    done, ends = progress.done, progress.ends
    while started < len(steps.advance) and progress.missing[started] == 0:
        hold, begin, cause = steps.hold[started], ends[ARRAY_FREE], -1
        if hold >= 0 and done[hold] < 0:
            break
        if progress.ready[started] > begin:
            begin, cause = progress.ready[started], progress.ready_cause[started]
        if hold >= 0 and done[hold] > begin:
            begin, cause = done[hold], WRITE_BACK_CAUSE
        progress.start[started], progress.cause[started] = begin, cause
        progress.wait[started] = begin - ends[ARRAY_FREE]
        ends[ARRAY_FREE] = begin + steps.advance[started]
        ends[ARRAY_END] = max(ends[ARRAY_END], begin + steps.tail[started])
        started += 1
    return started


@compiled_in_place
def offer_transfers(state, progress, steps, transfers, started, clocks, burst_bytes):
    """Fill the empty slots with transfers that a step which has started allows."""
    for stream in range(STREAMS):
        t = progress.next_transfer[stream]
        if t < 0 or progress.slot_tag[stream] != NEVER:
            continue
        after, behind = transfers.after[t], transfers.behind[t]
        if after >= started or (behind >= 0 and progress.done[behind] < 0):
            continue
        arrival = clock_of(clocks, progress.start[after] + steps.tail[after]) if after >= 0 else 0
        offer_transfer(state, stream, t, transfers.runs[t], int(transfers.is_write[t]), burst_bytes, arrival)
        progress.slot_tag[stream] = t
        progress.next_transfer[stream] = transfers.next_in_stream[t]
        order_streams(state, progress.slot_tag)


@compiled_in_place
def free_slots(state, progress, clocks):
    """Note whose last burst has been accepted: a write then frees its buffer."""
    streams, slot_tag = state.streams, progress.slot_tag
    for stream in range(STREAMS):
        if slot_tag[stream] != NEVER and streams[stream, POSITION] == streams[stream, END]:
            if stream == WRITE_STREAM:
                progress.done[slot_tag[stream]] = cycle_of(clocks, state.scalars[CLOCK] + 1)
            slot_tag[stream] = NEVER


@compiled_in_place
def collect_ended(state, progress, transfers, clocks):
    """Note whose last data has moved: a read then no longer holds its step up."""
    t = take_ended(state)
    while t >= 0:
        moved = cycle_of(clocks, state.scalars[CLOCK]) + clocks.path_cycles
        if transfers.is_write[t]:
            progress.ends[CHANNEL_END] = max(progress.ends[CHANNEL_END], moved)
        else:
            step, there = transfers.step[t], moved + transfers.lead[t]
            progress.missing[step] -= 1
            if there > progress.ready[step]:
                progress.ready[step], progress.ready_cause[step] = there, transfers.operand[t]
        t = take_ended(state)

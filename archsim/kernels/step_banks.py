"""When every step starts, the DRAM behind it simulated command by command.

The array and the DRAM wait for each other as in `step_schedule.py`, but a transfer takes as long as its
bursts take in the banks. Four streams offer bursts side by side: reads of ifmap, weights and psums, and
write-backs; each serves its transfers in the plan's order, and where several could go, the one that the
plan needs first goes first. `engine/bank_timeline.py` calls it; `engine/bank_event.py` gives the same times.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
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


@compiled
def clock_of(clocks, cycle):
    """Return the first DRAM clock that does not begin before a cycle of the array. [tCK]"""
    return -((-cycle * clocks.cycle_ticks) // clocks.clock_ticks)


@compiled
def cycle_of(clocks, clock):
    """Return the first cycle of the array that does not begin before a DRAM clock. [cycles]"""
    return -((-clock * clocks.clock_ticks) // clocks.cycle_ticks)


@compiled
def order_streams(state, slot_tag):
    """Let the stream go first whose transfer comes first in the plan."""
    streams = state.streams
    for place in range(1, STREAMS):
        stream, at = streams[place, ORDER], place
        while at > 0 and slot_tag[streams[at - 1, ORDER]] > slot_tag[stream]:
            streams[at, ORDER] = streams[at - 1, ORDER]
            at -= 1
        streams[at, ORDER] = stream


@compiled
def offer_transfer(state, stream, transfer, runs, is_write, burst_bytes, arrival):
    """Put a transfer into a stream's empty slot, to be offered from clock `arrival` on."""
    bursts = list_bursts(state.blocks[stream], is_write, burst_bytes, runs)
    state.tags[transfer, REMAINING] = bursts
    load_slot(state, stream, bursts, arrival, transfer)
    return bursts


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
    start, wait, cause : int64 arrays, shape (steps,)
        As `schedule_steps` returns them.
    array_end, channel_end : int
        Last result, and last byte written. [cycles]
    started : int
        Steps that could start: all of them, unless plan or kernel is wrong.
    """
    count = len(steps.advance)
    start, wait, cause = np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, -1, np.int64)
    ready, ready_cause = np.zeros(count, np.int64), np.full(count, -1, np.int64)
    missing, done = np.zeros(count, np.int64), np.full(len(transfers.step), -1, np.int64)
    slot_tag = np.full(STREAMS, NEVER, np.int64)
    for t in range(len(transfers.step)):
        if not transfers.is_write[t]:
            missing[transfers.step[t]] += 1
    array_free, array_end, channel_end, s = first_start, 0, 0, 0
    while True:
        while s < count and missing[s] == 0 and (steps.hold[s] < 0 or done[steps.hold[s]] >= 0):
            begin = max(array_free, ready[s])
            if begin > array_free:
                cause[s] = ready_cause[s]
            if steps.hold[s] >= 0 and done[steps.hold[s]] > begin:
                begin, cause[s] = done[steps.hold[s]], WRITE_BACK_CAUSE
            start[s], wait[s] = begin, begin - array_free
            array_free = begin + steps.advance[s]
            array_end = max(array_end, begin + steps.tail[s])
            s += 1
        for stream in range(STREAMS):
            t = next_transfer[stream]
            if t < 0 or slot_tag[stream] != NEVER:
                continue
            if transfers.after[t] < s and (transfers.behind[t] < 0 or done[transfers.behind[t]] >= 0):
                after = transfers.after[t]
                arrival = clock_of(clocks, start[after] + steps.tail[after]) if after >= 0 else 0
                offer_transfer(state, stream, t, transfers.runs[t], int(transfers.is_write[t]), burst_bytes, arrival)
                slot_tag[stream] = t
                next_transfer[stream] = transfers.next_in_stream[t]
                order_streams(state, slot_tag)
        reason = advance(state, NEVER)
        if reason == SLOT_EMPTY:
            for stream in range(STREAMS):
                if slot_tag[stream] != NEVER and state.streams[stream, POSITION] == state.streams[stream, END]:
                    if stream == WRITE_STREAM:
                        done[slot_tag[stream]] = cycle_of(clocks, state.scalars[CLOCK] + 1)
                    slot_tag[stream] = NEVER
        elif reason == TAG_ENDED:
            t = take_ended(state)
            while t >= 0:
                moved = cycle_of(clocks, state.scalars[CLOCK]) + clocks.path_cycles
                if transfers.is_write[t]:
                    channel_end = max(channel_end, moved)
                else:
                    step = transfers.step[t]
                    missing[step] -= 1
                    if moved + transfers.lead[t] > ready[step]:
                        ready[step], ready_cause[step] = moved + transfers.lead[t], transfers.operand[t]
                t = take_ended(state)
        elif reason == NOTHING_LEFT:
            return start, wait, cause, array_end, channel_end, s

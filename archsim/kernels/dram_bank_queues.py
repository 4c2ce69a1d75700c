"""The requests of policy ``bank_rr``: lists of reads and of writes per channel, a queue per bank behind them.

Accepted requests wait in their channel's list; one a clock moves on into the queue of its bank, from where
`dram_bank_rr.py` serves it. Writes move only in drains. The whole state is arrays that the caller makes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled_inline
from archsim.kernels.dram_record import OWN, note_latency
from archsim.kernels.dram_rules import DramTimes

LIST_ENTRIES, QUEUE_ENTRIES, KEPT_WRITES = 32, 8, 8
"""Reads, and writes, that wait per channel; requests in a bank's queue; writes that wait while nothing else does."""

# Columns of a channel; WAITING + is_write
WAITING, QUEUED, DRAINING, TURN, DUE, DUE_RANK, OWING, SERVED, SINCE = 0, 2, 3, 4, 5, 6, 7, 8, 9
"""Requests in the lists, in bank queues; writes still to drain; bank last visited; next refresh and its rank; ranks
that owe one, the first of them; clock since when requests wait."""
CHANNEL_COLUMNS = 10

# Columns of a request
BANK, ROW, COLUMN, IS_WRITE, ARRIVAL, BLOCK, ACCEPTED, MERGED = range(8)
"""Where to, what, when, number of its burst; clock of acceptance, next read that the same burst serves (-1 = none)."""
REQUEST_COLUMNS = 8

# Places in the vector of scalars
CLOCK, OFFERED, IN_FLIGHT, RETURNED, ISSUED_READS, FORWARDED, FRESH = range(OWN, OWN + 7)
"""Now; requests accepted; reads out; of the ring; reads that a waiting write serves, those of them accepted in this
clock."""
SCALARS = 12


class BankQueues(NamedTuple):
    """Channels and their requests; int64 arrays, columns as named above.

    Parameters
    ----------
    times
        Timing and the state of banks, groups and ranks.
    scalars, channels, buses
        Shape (SCALARS,), (channels, CHANNEL_COLUMNS), (channels, *) for `use_bus`.
    requests
        Shape (requests, REQUEST_COLUMNS); `ACCEPTED` and `MERGED` are written.
    lists, queues
        Shape (2 * channels, LIST_ENTRIES), (banks, QUEUE_ENTRIES): requests, the oldest first.
    counts, wakes
        Shape (banks,): requests in a bank's queue, the clock before which none of them can be served.
    ring
        Shape (reads,): when reads return, in the order of their commands.
    log
        Shape (capacity, `LOG_COLUMNS`); 0 lines = none kept.
    """

    times: DramTimes
    scalars: NDArray[np.int64]
    channels: NDArray[np.int64]
    buses: NDArray[np.int64]
    requests: NDArray[np.int64]
    lists: NDArray[np.int64]
    queues: NDArray[np.int64]
    counts: NDArray[np.int64]
    wakes: NDArray[np.int64]
    ring: NDArray[np.int64]
    log: NDArray[np.int64]


@compiled_inline
def offer(state, outstanding, clock):
    """Accept requests in their order, at most one a channel in all; stop at the first that cannot go."""
    scalars, requests, channels, lists = state.scalars, state.requests, state.channels, state.lists
    per_channel = len(state.counts) // len(channels)
    scalars[FRESH] = 0
    for accepted in range(len(channels)):
        one = scalars[OFFERED]
        if one == len(requests) or requests[one, ARRIVAL] > clock:
            return accepted > 0
        is_write, channel = requests[one, IS_WRITE], requests[one, BANK] // per_channel
        if channels[channel, WAITING + is_write] == LIST_ENTRIES:
            return accepted > 0
        if not is_write and scalars[IN_FLIGHT] == outstanding:
            return accepted > 0
        scalars[OFFERED] = one + 1
        requests[one, ACCEPTED] = clock
        requests[one, MERGED] = -1
        same_write = _find(state, channel, one, 1)
        joins = same_write >= 0 if is_write else _join_read(state, channel, one, same_write)
        if not joins:
            lists[2 * channel + is_write, channels[channel, WAITING + is_write]] = one
            if channels[channel, WAITING] + channels[channel, QUEUED] == 0:
                channels[channel, SINCE] = clock + 1
            channels[channel, WAITING + is_write] += 1
    return True


@compiled_inline
def take_back(state, clock):
    """Let the reads whose data has come free their places."""
    scalars, ring = state.scalars, state.ring
    before = scalars[IN_FLIGHT]
    while scalars[RETURNED] < scalars[ISSUED_READS] and ring[scalars[RETURNED]] <= clock:
        scalars[RETURNED] += 1
        scalars[IN_FLIGHT] -= 1
    scalars[IN_FLIGHT] -= scalars[FORWARDED] - scalars[FRESH]
    scalars[FORWARDED] = scalars[FRESH]
    return scalars[IN_FLIGHT] < before


@compiled_inline
def return_later(state, one, end):
    """Note when a read, and those merged with it, come back."""
    scalars, requests = state.scalars, state.requests
    while one >= 0:
        state.ring[scalars[ISSUED_READS]] = end
        scalars[ISSUED_READS] += 1
        note_latency(scalars, end - requests[one, ACCEPTED])
        one = requests[one, MERGED]


@compiled_inline
def move_on(state, channel, clock):
    """Move one request from a list into the queue of its bank; return whether anything changed."""
    channels = state.channels
    writes, queued = channels[channel, WAITING + 1], channels[channel, QUEUED]
    if channels[channel, DRAINING] == 0 and (writes == LIST_ENTRIES or (writes > KEPT_WRITES and queued == 0)):
        channels[channel, DRAINING] = writes
    if channels[channel, DRAINING] == 0:
        return _move_first(state, channel, clock, 0)
    place = _first_with_room(state, channel, 1)
    if place < 0:
        return False
    awaited = _find(state, channel, state.lists[2 * channel + 1, place], 0)
    if awaited >= 0:  # the burst is still to be read
        channels[channel, DRAINING] = 0
        if (writes == LIST_ENTRIES or queued == 0) and _is_listed(state, channel, awaited):  # or it would never be
            _move_first(state, channel, clock, 0)
        return True
    channels[channel, DRAINING] -= 1
    return _move_first(state, channel, clock, 1)


@compiled_inline
def leave(entries, place, count):
    """Close the gap that an entry leaves."""
    for i in range(place, count - 1):
        entries[i] = entries[i + 1]


@compiled_inline
def _join_read(state, channel, one, same_write):
    """Serve a read by a waiting write, or along with a waiting read of the same burst; return whether it was."""
    scalars, requests = state.scalars, state.requests
    scalars[IN_FLIGHT] += 1
    if same_write >= 0:
        scalars[FORWARDED] += 1
        scalars[FRESH] += 1
        note_latency(scalars, 1)
        return True
    same_read = _find(state, channel, one, 0)
    if same_read < 0:
        return False
    requests[one, MERGED] = requests[same_read, MERGED]
    requests[same_read, MERGED] = one
    return True


@compiled_inline
def _find(state, channel, one, is_write):
    """Return the waiting read or write of the same burst as a request's; -1 = none."""
    requests = state.requests
    block, bank, which = requests[one, BLOCK], requests[one, BANK], 2 * channel + is_write
    for i in range(state.channels[channel, WAITING + is_write]):
        if requests[state.lists[which, i], BLOCK] == block:
            return state.lists[which, i]
    for i in range(state.counts[bank]):
        other = state.queues[bank, i]
        if requests[other, BLOCK] == block and requests[other, IS_WRITE] == is_write:
            return other
    return -1


@compiled_inline
def _is_listed(state, channel, read):
    """Whether a read still waits in its channel's list."""
    found = False
    for place in range(state.channels[channel, WAITING]):
        found |= state.lists[2 * channel, place] == read
    return found


@compiled_inline
def _move_first(state, channel, clock, is_write):
    """Move the first request of a list whose bank has room; return whether there was one."""
    channels, counts = state.channels, state.counts
    place = _first_with_room(state, channel, is_write)
    if place < 0:
        return False
    one = state.lists[2 * channel + is_write, place]
    bank = state.requests[one, BANK]
    if channels[channel, WAITING] + channels[channel, QUEUED] == 0:
        channels[channel, SINCE] = clock + 1
    leave(state.lists[2 * channel + is_write], place, channels[channel, WAITING + is_write])
    channels[channel, WAITING + is_write] -= 1
    state.queues[bank, counts[bank]] = one
    counts[bank] += 1
    channels[channel, QUEUED] += 1
    state.wakes[bank] = 0
    return True


@compiled_inline
def _first_with_room(state, channel, is_write):
    """Return the place in a list of the first request whose bank has room; -1 = none."""
    for place in range(state.channels[channel, WAITING + is_write]):
        if state.counts[state.requests[state.lists[2 * channel + is_write, place], BANK]] < QUEUE_ENTRIES:
            return place
    return -1

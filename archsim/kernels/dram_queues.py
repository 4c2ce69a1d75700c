"""The waiting requests of policy ``frfcfs``: a list per bank and direction, over a pool of places.

A bank knows its oldest read and write and, of each, the oldest that hits its open row. So the scheduler looks
at the banks that have work, not at the requests. A request whose row has been opened for it, the *opener*,
leaves its list and its queue and is served even after the bus has turned to the other direction, as the
"active buffer" of Ramulator 2 has it. The whole state is arrays that the caller keeps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled_inline
from archsim.kernels.dram_record import OWN
from archsim.kernels.dram_rules import OPEN_ROW, DramTimes

# Columns of a bank beyond the rules'; + is_write
HEAD, TAIL, HIT = 8, 10, 12
"""Oldest and youngest request, oldest that hits the open row; -1 = none."""
OPENER, OPENER_WRITES = 14, 15
"""The request that the row was opened for, until it is served (-1 = none); its direction."""
OPENERS = 2
"""After reads and writes, the third list of banks in `busy`: those with an opener."""
LISTS = 3

# Columns of a place in the pool
PLACE_BANK, PLACE_ROW, PLACE_COLUMN, ACCEPTED, TAG, NEXT, PREVIOUS, AGE = range(8)
PLACE_COLUMNS = 8

# Columns of a channel
WAITING, BUSY_BANKS, WRITE_MODE, FREE, PLAN_AT, PLAN_CLASS, PLAN_BANK = 0, 2, 5, 6, 7, 8, 9
"""Requests waiting and banks listed in `busy` (+ is_write); mode; first free place; the next command."""
WAKE, WAITING_SINCE, COLUMN_FREE, ROW_FREE, DUE, OWING, STALE, HELD = range(10, 18)
"""Earliest clock of a change; see `use_bus`; command buses; next refresh, ranks that owe one; the plan is
void; requests not served yet, openers included."""
CHANNEL_COLUMNS = 20

# Places in the vector of scalars
CLOCK, TICKED, STOP_AT, INJECT_AT, INJECTED, IN_FLIGHT, READS_BLOCKED, ROOM_WANTED, OFFERING = range(OWN, OWN + 9)
"""Now, its commands done; when a tag ends; the injector: next clock, requests this clock, reads out, why it waits."""
RING_FIRST, RING_COUNT, FINISHING, NEXT_AGE, PENDING = range(OWN + 9, OWN + 14)
SCALARS = 20

# Places in the vector of settings
QUEUE_ENTRIES, WRITE_HIGH, WRITE_LOW, IDLE_DRAIN, HIT_CAP, RETURN_CYCLES, OUTSTANDING, PER_CYCLE, EVERY_CLOCK = range(9)
FIELD_SHIFTS = 10
"""Shift and mask of row, channel, rank, bank, bank group, column, in turn; then the bits of the flat bank number."""
CHANNEL_STEP, RANK_STEP, GROUP_STEP = range(22, 25)
SETTINGS = 28

# Columns of a tag, and of an end still to come
REMAINING, TAG_DATA = 0, 1
END_TAG, END_AT = 0, 1


class DramState(NamedTuple):
    """Channels, their queues and their injector between two calls; int64 arrays, columns as named in the kernels.

    Parameters
    ----------
    times
        Timing and the state of banks, groups and ranks.
    settings, scalars
        Vectors; settings are never written.
    channels, buses, busy, places
        Shape (channels, *), (channels, *), (LISTS * channels, banks of a channel) and, per channel, a place for
        each entry of its two queues and an opener of each bank.
    ring, endings
        When reads in flight return; tags that wait for their last data.
    streams, blocks, arrivals
        See `dram_streams.py`; shape (streams, *), (streams, capacity), (streams, capacity or 0).
    tags
        Shape (tags, 2): bursts that have not been issued, and the end of the last one's data.
    log
        Shape (capacity, `LOG_COLUMNS`); 0 lines = none kept.
    """

    times: DramTimes
    settings: NDArray[np.int64]
    scalars: NDArray[np.int64]
    channels: NDArray[np.int64]
    buses: NDArray[np.int64]
    busy: NDArray[np.int64]
    places: NDArray[np.int64]
    ring: NDArray[np.int64]
    endings: NDArray[np.int64]
    streams: NDArray[np.int64]
    blocks: NDArray[np.int64]
    arrivals: NDArray[np.int64]
    tags: NDArray[np.int64]
    log: NDArray[np.int64]


@compiled_inline
def enqueue(state, channel, bank, is_write):
    """Append a free place to a bank's list and return it; the caller fills in the rest."""
    banks, places, channels = state.times.banks, state.places, state.channels
    place = channels[channel, FREE]
    channels[channel, FREE] = places[place, NEXT]
    tail = banks[bank, TAIL + is_write]
    if tail < 0:
        banks[bank, HEAD + is_write] = place
        state.busy[LISTS * channel + is_write, channels[channel, BUSY_BANKS + is_write]] = bank
        channels[channel, BUSY_BANKS + is_write] += 1
    else:
        places[tail, NEXT] = place
    banks[bank, TAIL + is_write] = place
    places[place, PREVIOUS] = tail
    places[place, NEXT] = -1
    places[place, PLACE_BANK] = bank
    channels[channel, WAITING + is_write] += 1
    return place


@compiled_inline
def unlink(state, channel, place, is_write):
    """Take a request out of its bank's list; an emptied bank stays in `busy` until the next scan."""
    banks, places, channels = state.times.banks, state.places, state.channels
    bank, before, after = places[place, PLACE_BANK], places[place, PREVIOUS], places[place, NEXT]
    if before < 0:
        banks[bank, HEAD + is_write] = after
    else:
        places[before, NEXT] = after
    if after < 0:
        banks[bank, TAIL + is_write] = before
    else:
        places[after, PREVIOUS] = before
    channels[channel, WAITING + is_write] -= 1


@compiled_inline
def free(state, channel, place):
    """Give a place back to the pool."""
    state.places[place, NEXT] = state.channels[channel, FREE]
    state.channels[channel, FREE] = place


@compiled_inline
def first_hit(state, bank, place):
    """Return the first request that hits the bank's open row, from a place of its list on; -1 = none."""
    places, row = state.places, state.times.banks[bank, OPEN_ROW]
    while place >= 0 and places[place, PLACE_ROW] != row:
        place = places[place, NEXT]
    return place


@compiled_inline
def take_back(state, clock):
    """Free the places of reads whose data is back."""
    scalars, ring = state.scalars, state.ring
    first, count = scalars[RING_FIRST], scalars[RING_COUNT]
    while count and ring[first] <= clock:
        first = (first + 1) & (len(ring) - 1)
        count -= 1
    scalars[IN_FLIGHT] -= scalars[RING_COUNT] - count
    scalars[RING_FIRST] = first
    scalars[RING_COUNT] = count

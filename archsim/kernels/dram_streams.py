"""Where requests come from: streams of bursts, offered side by side to the channels' queues.

A stream holds one slot, the bursts of one transfer. The caller loads a slot, and may load it anew as soon as
its last request has been accepted; `dram_frfcfs.py` returns at that clock.
"""

from archsim.kernels.compiled import compiled_in_place, compiled_inline
from archsim.kernels.dram_plan import consider, goes_to_writes
from archsim.kernels.dram_queues import (
    ACCEPTED,
    AGE,
    CHANNEL_STEP,
    CLOCK,
    FIELD_SHIFTS,
    GROUP_STEP,
    HELD,
    HIT,
    IN_FLIGHT,
    INJECT_AT,
    INJECTED,
    NEXT_AGE,
    OFFERING,
    OUTSTANDING,
    PENDING,
    PER_CYCLE,
    PLACE_COLUMN,
    PLACE_ROW,
    PLAN_AT,
    QUEUE_ENTRIES,
    RANK_STEP,
    READS_BLOCKED,
    RING_COUNT,
    RING_FIRST,
    ROOM_WANTED,
    STALE,
    TAG,
    WAITING,
    WAITING_SINCE,
    WAKE,
    WRITE_MODE,
    enqueue,
    take_back,
)  # fmt: skip
from archsim.kernels.dram_rules import NEVER, OPEN_ROW

# Columns of a stream
POSITION, END, ARRIVAL, STREAM_TAG, IS_PACED, ORDER = range(6)
"""Next request and end of the slot; clock of offer (or one each, in `arrivals`, where paced); whose requests;
and, at the i-th stream, which stream is asked i-th: the caller keeps the order."""
STREAM_COLUMNS = 8


@compiled_in_place
def load_slot(state, stream, requests, arrival, tag):
    """Offer what the caller has written to the first places of `state.blocks[stream]`.

    Parameters
    ----------
    state : DramState
        The stream's slot is empty.
    stream, requests, tag : int
        The caller has added the requests to the tag's `REMAINING`.
    arrival : int
        Clock of the offer, or -1: each has its own, in `state.arrivals`. [tCK]

    Notes
    -----
    A place holds ``2 * block + is_write``; block = address // bytes of a burst.
    """
    streams, scalars = state.streams, state.scalars
    streams[stream, POSITION] = 0
    streams[stream, END] = requests
    streams[stream, STREAM_TAG] = tag
    streams[stream, IS_PACED] = 1 if arrival < 0 else 0
    streams[stream, ARRIVAL] = arrival
    if requests:
        scalars[OFFERING] += 1
        first = state.arrivals[stream, 0] if arrival < 0 else arrival
        scalars[INJECT_AT] = min(scalars[INJECT_AT], max(scalars[CLOCK], first))


@compiled_inline
def inject(state, clock):
    """Offer requests until nothing more is taken in this clock; 1 = a slot has become empty, ask again."""
    scalars, settings, streams = state.scalars, state.settings, state.streams
    take_back(state, clock)
    scalars[READS_BLOCKED] = 0
    scalars[ROOM_WANTED] = 0
    again = NEVER
    for i in range(len(streams)):
        stream = streams[i, ORDER]
        while streams[stream, POSITION] < streams[stream, END]:
            position = streams[stream, POSITION]
            arrival = state.arrivals[stream, position] if streams[stream, IS_PACED] else streams[stream, ARRIVAL]
            if arrival > clock:
                again = min(again, arrival)
                break
            word = state.blocks[stream, position]
            if not word & 1 and scalars[IN_FLIGHT] >= settings[OUTSTANDING]:
                scalars[READS_BLOCKED] = 1
                if scalars[RING_COUNT]:
                    again = min(again, state.ring[scalars[RING_FIRST]])
                break
            channel = (word >> 1 >> settings[FIELD_SHIFTS + 2]) & settings[FIELD_SHIFTS + 3]
            if state.channels[channel, WAITING + (word & 1)] >= settings[QUEUE_ENTRIES]:
                scalars[ROOM_WANTED] = 1
                break
            if scalars[INJECTED] == settings[PER_CYCLE]:
                scalars[INJECT_AT] = clock + 1
                return 0
            _accept(state, channel, (word >> 1, word & 1, streams[stream, STREAM_TAG]), clock)
            scalars[INJECTED] += 1
            streams[stream, POSITION] = position + 1
            if position + 1 == streams[stream, END]:
                scalars[OFFERING] -= 1
                return 1
    scalars[INJECT_AT] = again
    return 0


@compiled_inline
def _accept(state, channel, request, clock):
    """Put a request into its channel's queue; its first command may go in the next clock."""
    block, is_write, tag = request
    settings, scalars, places, channels = state.settings, state.scalars, state.places, state.channels
    row = (block >> settings[FIELD_SHIFTS]) & settings[FIELD_SHIFTS + 1]
    rank = (block >> settings[FIELD_SHIFTS + 4]) & settings[FIELD_SHIFTS + 5]
    in_group = (block >> settings[FIELD_SHIFTS + 6]) & settings[FIELD_SHIFTS + 7]
    group = (block >> settings[FIELD_SHIFTS + 8]) & settings[FIELD_SHIFTS + 9]
    bank = channel * settings[CHANNEL_STEP] + rank * settings[RANK_STEP] + group * settings[GROUP_STEP] + in_group
    if channels[channel, HELD] == 0:
        channels[channel, WAITING_SINCE] = clock + 1
    channels[channel, HELD] += 1
    place = enqueue(state, channel, bank, is_write)
    places[place, PLACE_ROW] = row
    places[place, PLACE_COLUMN] = (block >> settings[FIELD_SHIFTS + 10]) & settings[FIELD_SHIFTS + 11]
    places[place, ACCEPTED] = clock
    places[place, TAG] = tag
    places[place, AGE] = scalars[NEXT_AGE]
    scalars[NEXT_AGE] += 1
    scalars[PENDING] += 1
    if not is_write:
        scalars[IN_FLIGHT] += 1
    banks = state.times.banks
    if banks[bank, OPEN_ROW] == row and banks[bank, HIT + is_write] < 0:
        banks[bank, HIT + is_write] = place
    if is_write == channels[channel, WRITE_MODE]:
        consider(state, channel, (place, bank, is_write), clock + 1)
    if goes_to_writes(state, channel) != channels[channel, WRITE_MODE]:
        channels[channel, STALE] = 1
    wake = clock + 1 if channels[channel, STALE] else channels[channel, PLAN_AT]
    channels[channel, WAKE] = min(channels[channel, WAKE], wake)

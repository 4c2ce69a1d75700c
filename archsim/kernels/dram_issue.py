"""Issuing the planned command of a channel: rules, queues, counts, and what the requester learns of it."""

from archsim.kernels.compiled import compiled_inline
from archsim.kernels.dram_bus_use import use_bus
from archsim.kernels.dram_plan import CLASS_ACTIVATE, CLASS_COLUMN, CLASS_OPENER, CLASS_REFRESH, goes_to_writes, plan
from archsim.kernels.dram_queues import (
    ACCEPTED,
    BUSY_BANKS,
    COLUMN_FREE,
    DUE,
    END_AT,
    END_TAG,
    EVERY_CLOCK,
    FINISHING,
    HEAD,
    HELD,
    HIT,
    INJECT_AT,
    LISTS,
    NEXT,
    OPENER,
    OPENER_WRITES,
    OPENERS,
    OWING,
    PENDING,
    PLACE_COLUMN,
    PLACE_ROW,
    PLAN_AT,
    PLAN_BANK,
    PLAN_CLASS,
    READS_BLOCKED,
    REMAINING,
    RETURN_CYCLES,
    RING_COUNT,
    RING_FIRST,
    ROOM_WANTED,
    ROW_FREE,
    STALE,
    STOP_AT,
    TAG,
    TAG_DATA,
    WAITING_SINCE,
    WAKE,
    WRITE_MODE,
    first_hit,
    free,
    take_back,
    unlink,
)  # fmt: skip
from archsim.kernels.dram_record import LAST_DATA, note_command, note_latency
from archsim.kernels.dram_rules import (
    ACTIVATE,
    CLOSED_PAGE,
    NEVER,
    NEXT_DUE,
    OPEN_ROW,
    OWED,
    PRECHARGE,
    RANKS,
    READ,
    READ_PRECHARGE,
    REFRESH,
    SPLIT_BUS,
    WRITE,
    WRITE_PRECHARGE,
    activate,
    fall_due,
    precharge,
    read,
    refresh,
    write,
)  # fmt: skip


@compiled_inline
def tick(state, channel, clock):
    """Do what a channel does in a clock, and note when it next can do something."""
    channels = state.channels
    if clock >= channels[channel, DUE]:
        _let_fall_due(state, channel, clock)
    if channels[channel, STALE] or state.settings[EVERY_CLOCK]:
        channels[channel, STALE] = 0
        channels[channel, WRITE_MODE] = goes_to_writes(state, channel)
        plan(state, channel, clock)
    while channels[channel, PLAN_AT] <= clock:
        _issue(state, channel, clock)
        plan(state, channel, clock)
    wake = min(channels[channel, PLAN_AT], channels[channel, DUE])
    if goes_to_writes(state, channel) != channels[channel, WRITE_MODE]:
        channels[channel, STALE] = 1
        wake = clock + 1
    channels[channel, WAKE] = wake


@compiled_inline
def _let_fall_due(state, channel, clock):
    """Owe what is due; the plan is void."""
    channels, times = state.channels, state.times
    first = channel * times.timing[RANKS]
    due = NEVER
    for rank in range(first, first + times.timing[RANKS]):
        fall_due(times, rank, clock)
        due = min(due, times.ranks[rank, NEXT_DUE])
    channels[channel, DUE] = due
    channels[channel, STALE] = 1
    _count_owing(state, channel)


@compiled_inline
def _count_owing(state, channel):
    """Note how many ranks owe a refresh."""
    first, owing = channel * state.times.timing[RANKS], 0
    for rank in range(first, first + state.times.timing[RANKS]):
        if state.times.ranks[rank, OWED]:
            owing += 1
    state.channels[channel, OWING] = owing


@compiled_inline
def _issue(state, channel, clock):
    """Issue the planned command and take its command bus for this clock."""
    channels, times = state.channels, state.times
    bank, kind = channels[channel, PLAN_BANK], channels[channel, PLAN_CLASS]
    is_column = kind in (CLASS_COLUMN, CLASS_OPENER)
    if is_column:
        _serve(state, channel, bank, clock)
    elif kind == CLASS_ACTIVATE:
        is_write = channels[channel, WRITE_MODE]
        place = times.banks[bank, HEAD + is_write]
        row = state.places[place, PLACE_ROW]
        activate(times, bank, row, clock)
        unlink(state, channel, place, is_write)
        times.banks[bank, OPENER] = place
        times.banks[bank, OPENER_WRITES] = is_write
        state.busy[LISTS * channel + OPENERS, channels[channel, BUSY_BANKS + OPENERS]] = bank
        channels[channel, BUSY_BANKS + OPENERS] += 1
        if state.scalars[ROOM_WANTED]:
            state.scalars[INJECT_AT] = min(state.scalars[INJECT_AT], clock)
        times.banks[bank, HIT] = first_hit(state, bank, times.banks[bank, HEAD])
        times.banks[bank, HIT + 1] = first_hit(state, bank, times.banks[bank, HEAD + 1])
        note_command(state, (clock, ACTIVATE, bank, row, -1))
    elif kind == CLASS_REFRESH:
        refresh(times, bank, clock)
        _count_owing(state, channel)
        note_command(state, (clock, REFRESH, bank, -1, -1))
    else:
        note_command(state, (clock, PRECHARGE, bank, times.banks[bank, OPEN_ROW], -1))
        precharge(times, bank, clock)
        times.banks[bank, HIT] = -1
        times.banks[bank, HIT + 1] = -1
    if is_column or not times.timing[SPLIT_BUS]:
        channels[channel, COLUMN_FREE] = clock + 1
    if not is_column or not times.timing[SPLIT_BUS]:
        channels[channel, ROW_FREE] = clock + 1


@compiled_inline
def _serve(state, channel, bank, clock):
    """Issue the column command of the bank's oldest hit."""
    times, places, scalars, channels = state.times, state.places, state.scalars, state.channels
    is_opener = channels[channel, PLAN_CLASS] == CLASS_OPENER
    is_write = channels[channel, WRITE_MODE]
    if is_opener:
        is_write = times.banks[bank, OPENER_WRITES]
        place = times.banks[bank, OPENER]
        times.banks[bank, OPENER] = -1
    else:
        place = times.banks[bank, HIT + is_write]
    data = use_bus(times, state.buses[channel], bank, is_write, (clock, channels[channel, WAITING_SINCE]))
    closes = times.timing[CLOSED_PAGE]
    row = times.banks[bank, OPEN_ROW]
    if is_write:
        write(times, bank, clock)
        kind = WRITE_PRECHARGE if closes else WRITE
    else:
        read(times, bank, clock)
        kind = READ_PRECHARGE if closes else READ
        _await(state, clock, data, places[place, ACCEPTED])
    note_command(state, (clock, kind, bank, row, places[place, PLACE_COLUMN]))
    if not is_opener:
        times.banks[bank, HIT + is_write] = first_hit(state, bank, places[place, NEXT])
        unlink(state, channel, place, is_write)
    if closes:
        times.banks[bank, HIT] = -1
        times.banks[bank, HIT + 1] = -1
    free(state, channel, place)
    scalars[PENDING] -= 1
    channels[channel, HELD] -= 1
    scalars[LAST_DATA] = max(scalars[LAST_DATA], data)
    if scalars[ROOM_WANTED]:
        scalars[INJECT_AT] = min(scalars[INJECT_AT], clock)
    _count_down(state, places[place, TAG], data)


@compiled_inline
def _await(state, clock, data, accepted):
    """Let a read's data be on its way: it frees its place among the outstanding ones when it is back."""
    scalars, ring = state.scalars, state.ring
    if scalars[RING_COUNT] == len(ring):
        take_back(state, clock)
    back = data + state.settings[RETURN_CYCLES]
    ring[(scalars[RING_FIRST] + scalars[RING_COUNT]) & (len(ring) - 1)] = back
    scalars[RING_COUNT] += 1
    note_latency(scalars, back - accepted - 1)
    if scalars[READS_BLOCKED]:
        scalars[INJECT_AT] = min(scalars[INJECT_AT], back)


@compiled_inline
def _count_down(state, tag, data):
    """Note that a burst of a tag has been issued, and when the last of them ends."""
    tags, scalars, endings = state.tags, state.scalars, state.endings
    tags[tag, REMAINING] -= 1
    tags[tag, TAG_DATA] = max(tags[tag, TAG_DATA], data)
    if tags[tag, REMAINING] == 0:
        endings[scalars[FINISHING], END_TAG] = tag
        endings[scalars[FINISHING], END_AT] = tags[tag, TAG_DATA]
        scalars[FINISHING] += 1
        scalars[STOP_AT] = min(scalars[STOP_AT], tags[tag, TAG_DATA])

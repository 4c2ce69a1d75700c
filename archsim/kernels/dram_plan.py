"""Which command a channel issues next, and when: first ready, first come, first served (FR-FCFS).

The next command is planned ahead: until something new happens it is the earliest that any bank can take, so
nothing in between need be looked at. At equal clocks the order is: the column command of an opener (see
`dram_queues.py`), refresh, another column command, a row command; of two alike, the older request's.
A row is closed only when no waiting request of the direction hits it, or its hits have reached the cap.
"""

from archsim.kernels.compiled import compiled_inline
from archsim.kernels.dram_queues import (
    AGE,
    BUSY_BANKS,
    COLUMN_FREE,
    HEAD,
    HIT,
    HIT_CAP,
    IDLE_DRAIN,
    LISTS,
    OFFERING,
    OPENER,
    OPENER_WRITES,
    OPENERS,
    OWING,
    PLAN_AT,
    PLAN_BANK,
    PLAN_CLASS,
    ROW_FREE,
    STALE,
    WAITING,
    WRITE_HIGH,
    WRITE_LOW,
    WRITE_MODE,
)  # fmt: skip
from archsim.kernels.dram_rules import (
    BANKS,
    FIRST_BANK,
    HITS,
    NEVER,
    OPEN_BANKS,
    OPEN_ROW,
    OWED,
    RANK,
    RANKS,
    when_activate,
    when_precharge,
    when_read,
    when_refresh,
    when_write,
)  # fmt: skip

CLASS_OPENER, CLASS_REFRESH, CLASS_REFRESH_CLOSE, CLASS_COLUMN, CLASS_CLOSE, CLASS_ACTIVATE = range(6)
"""Read or write of an opener; refresh, and precharge for its sake; other read or write; precharge; activate."""


@compiled_inline
def goes_to_writes(state, channel):
    """Return 1 where the counts of waiting requests ask for write mode, else 0."""
    channels, settings = state.channels, state.settings
    reads, writes = channels[channel, WAITING], channels[channel, WAITING + 1]
    if channels[channel, WRITE_MODE]:
        stays = writes > settings[WRITE_LOW] or (reads == 0 and writes > 0)
        return 1 if stays else 0
    drains = reads == 0 and (writes > settings[IDLE_DRAIN] or (writes > 0 and state.scalars[OFFERING] == 0))
    return 1 if writes >= settings[WRITE_HIGH] or drains else 0


@compiled_inline
def plan(state, channel, now):
    """Find the channel's next command, not before `now`."""
    channels, busy, places, settings = state.channels, state.busy, state.places, state.settings
    times = state.times
    banks, ranks = times.banks, times.ranks
    is_write, owing, cap = channels[channel, WRITE_MODE], channels[channel, OWING], settings[HIT_CAP]
    column_floor, row_floor = max(now, channels[channel, COLUMN_FREE]), max(now, channels[channel, ROW_FREE])
    column_at, column_age, column_bank = NEVER, NEVER, -1
    row_at, row_age, row_bank, row_class = NEVER, NEVER, -1, CLASS_CLOSE
    which = LISTS * channel + is_write
    count, i = channels[channel, BUSY_BANKS + is_write], 0
    while i < count:
        bank = busy[which, i]
        head = banks[bank, HEAD + is_write]
        if head < 0:  # emptied since the last scan
            count -= 1
            busy[which, i] = busy[which, count]
            continue
        i += 1
        if owing and ranks[banks[bank, RANK], OWED]:
            continue
        kind = CLASS_CLOSE
        if banks[bank, OPEN_ROW] < 0:
            kind = CLASS_ACTIVATE
            at = max(row_floor, when_activate(times, bank))
        else:
            hit = banks[bank, HIT + is_write]
            if hit >= 0:
                at = max(column_floor, when_write(times, bank) if is_write else when_read(times, bank))
                if at < column_at or (at == column_at and places[hit, AGE] < column_age):
                    column_at, column_age, column_bank = at, places[hit, AGE], bank
                if cap == 0 or hit == head or banks[bank, HITS] < cap:
                    continue
            if banks[bank, OPENER] >= 0:
                continue
            at = max(row_floor, when_precharge(times, bank))
        if at < row_at or (at == row_at and places[head, AGE] < row_age):
            row_at, row_age, row_bank, row_class = at, places[head, AGE], bank, kind
    channels[channel, BUSY_BANKS + is_write] = count
    if column_at <= row_at:
        row_at, row_bank, row_class = column_at, column_bank, CLASS_COLUMN
    if owing:
        row_at, row_bank, row_class = _plan_refresh(times, channel, row_floor, (row_at, row_bank, row_class))
    best = _plan_opener(state, channel, column_floor, (row_at, row_bank, row_class))
    channels[channel, PLAN_AT], channels[channel, PLAN_BANK], channels[channel, PLAN_CLASS] = best


@compiled_inline
def _plan_opener(state, channel, floor, best):
    """Return the better of the best plan so far and the column commands that rows were opened for."""
    busy, places, channels, banks = state.busy, state.places, state.channels, state.times.banks
    which, count, i = LISTS * channel + OPENERS, channels[channel, BUSY_BANKS + OPENERS], 0
    best_at, best_age, best_bank = NEVER, NEVER, -1
    while i < count:
        bank = busy[which, i]
        place = banks[bank, OPENER]
        if place < 0:  # served since the last scan
            count -= 1
            busy[which, i] = busy[which, count]
            continue
        i += 1
        times, is_write = state.times, banks[bank, OPENER_WRITES]
        at = max(floor, when_write(times, bank) if is_write else when_read(times, bank))
        if at < best_at or (at == best_at and places[place, AGE] < best_age):
            best_at, best_age, best_bank = at, places[place, AGE], bank
    channels[channel, BUSY_BANKS + OPENERS] = count
    if best_at < NEVER and best_at <= best[0]:
        return best_at, best_bank, CLASS_OPENER
    return best


@compiled_inline
def _plan_refresh(times, channel, floor, best):
    """Return the better of the best plan so far and what the ranks that owe a refresh can do."""
    best_at, best_bank, best_class = best
    timing, ranks = times.timing, times.ranks
    for rank in range((channel + 1) * timing[RANKS] - 1, channel * timing[RANKS] - 1, -1):
        if ranks[rank, OWED] == 0:
            continue
        if ranks[rank, OPEN_BANKS] == 0:
            at = max(floor, when_refresh(times, rank))
            if at <= best_at:
                best_at, best_bank, best_class = at, rank, CLASS_REFRESH
            continue
        first = ranks[rank, FIRST_BANK]
        for bank in range(first + timing[BANKS] - 1, first - 1, -1):
            if times.banks[bank, OPEN_ROW] >= 0 and times.banks[bank, OPENER] < 0:
                at = max(floor, when_precharge(times, bank))
                if at <= best_at:
                    best_at, best_bank, best_class = at, bank, CLASS_REFRESH_CLOSE
    return best_at, best_bank, best_class


@compiled_inline
def consider(state, channel, place_in, now):
    """Let a request that has just joined a bank's list of the mode's direction change the plan, from `now` on."""
    place, bank, is_write = place_in
    times, channels = state.times, state.channels
    banks = times.banks
    alone = banks[bank, HEAD + is_write] == place
    kind, at = CLASS_CLOSE, NEVER
    if channels[channel, OWING]:
        channels[channel, STALE] = 1
    elif banks[bank, OPEN_ROW] >= 0 and banks[bank, HIT + is_write] == place:
        if not alone:  # it may keep open a row that was to be closed
            channels[channel, STALE] = 1
        kind = CLASS_COLUMN
        at = when_write(times, bank) if is_write else when_read(times, bank)
        at = max(now, channels[channel, COLUMN_FREE], at)
    elif alone and banks[bank, OPENER] < 0:
        if banks[bank, OPEN_ROW] < 0:
            kind = CLASS_ACTIVATE
            at = when_activate(times, bank)
        else:
            at = when_precharge(times, bank)
        at = max(now, channels[channel, ROW_FREE], at)
    planned = channels[channel, PLAN_AT]
    if at < planned or (at == planned and kind == CLASS_COLUMN and channels[channel, PLAN_CLASS] > CLASS_COLUMN):
        channels[channel, PLAN_AT] = at
        channels[channel, PLAN_BANK] = bank
        channels[channel, PLAN_CLASS] = kind

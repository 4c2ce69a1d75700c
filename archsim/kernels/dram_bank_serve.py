"""The command of a clock, policy ``bank_rr``: the banks in turn, and the first ready entry of a bank's queue.

Called by `dram_bank_rr.py`.
"""

from archsim.kernels.compiled import compiled_inline
from archsim.kernels.dram_bank_queues import (
    COLUMN,
    IS_WRITE,
    OWING,
    QUEUED,
    ROW,
    SERVED,
    SINCE,
    TURN,
    leave,
    return_later,
)
from archsim.kernels.dram_bus_use import use_bus
from archsim.kernels.dram_record import LAST_DATA, note_command
from archsim.kernels.dram_rules import (
    ACTIVATE,
    BANK_ACT,
    BANKS,
    BURST,
    CLOSED_PAGE,
    HITS,
    NEVER,
    OPEN_ROW,
    PRECHARGE,
    RANKS,
    READ,
    READ_PRECHARGE,
    RP,
    RTP,
    WRITE,
    WRITE_PRECHARGE,
    activate,
    precharge,
    read,
    when_activate,
    when_precharge,
    when_read,
    when_write,
    write,
)

HIT_CAP = 4
"""Column commands after which waiting hits no longer keep a row open."""


@compiled_inline
def serve(state, channel, clock, first):
    """Visit the banks in turn and issue the first command that is ready; return its code, -1 = none.

    ``first`` is the command that went in this clock already (-1 = none): another of its kind, row or column, is
    dropped, though the turn has moved on to its bank.
    """
    times, channels, counts = state.times, state.channels, state.counts
    per_channel = len(counts) // len(channels)
    refreshing = refreshing_rank(state, channel)
    for _ in range(per_channel):
        channels[channel, TURN] = (channels[channel, TURN] + 1) % per_channel
        bank = channel * per_channel + channels[channel, TURN]
        if counts[bank] == 0 or state.wakes[bank] > clock or bank // times.timing[BANKS] == refreshing:
            continue
        entry, command = _first_ready(state, bank, clock)
        if command < 0:
            continue
        if first < 0 or _is_column(first) != _is_column(command):
            _apply(state, channel, clock, (bank, entry, command))
            return command
        return -1
    return -1


@compiled_inline
def refreshing_rank(state, channel):
    """Return the rank that owes the oldest refresh, -1 = none; its requests wait."""
    if state.channels[channel, OWING] == 0:
        return -1
    return channel * state.times.timing[RANKS] + state.channels[channel, SERVED]


@compiled_inline
def _first_ready(state, bank, clock):
    """Return the first entry of a bank's queue whose next command is ready, and that command; (0, -1) = none.

    Without one, the bank's wake says when there may be.
    """
    times, requests, queues = state.times, state.requests, state.queues
    open_row = times.banks[bank, OPEN_ROW]
    if open_row < 0:
        state.wakes[bank] = when_activate(times, bank)
        return 0, ACTIVATE if state.wakes[bank] <= clock else -1
    wake, hits = NEVER, 0
    first_hits = requests[queues[bank, 0], ROW] == open_row
    for entry in range(state.counts[bank]):
        if requests[queues[bank, entry], ROW] == open_row:
            hits += 1
    if not first_hits and (hits == 0 or times.banks[bank, HITS] >= HIT_CAP):
        wake = when_precharge(times, bank)
        if wake <= clock:
            return 0, PRECHARGE
    for entry in range(state.counts[bank] if hits else 0):
        one = queues[bank, entry]
        if requests[one, ROW] == open_row:
            at = when_write(times, bank) if requests[one, IS_WRITE] else when_read(times, bank)
            if at <= clock:
                return entry, WRITE if requests[one, IS_WRITE] else READ
            wake = min(wake, at)
    state.wakes[bank] = wake
    return 0, -1


@compiled_inline
def _apply(state, channel, clock, what):
    """Carry out a command for an entry of a bank's queue; a column command ends the entry."""
    bank, entry, command = what
    times, requests = state.times, state.requests
    one = state.queues[bank, entry]
    state.wakes[bank] = 0
    if command == ACTIVATE:
        activate(times, bank, requests[one, ROW], clock)
        note_command(state, (clock, ACTIVATE, bank, requests[one, ROW], -1))
        return
    if command == PRECHARGE:
        precharge(times, bank, clock)
        note_command(state, (clock, PRECHARGE, bank, -1, -1))
        return
    is_write, closes = requests[one, IS_WRITE], times.timing[CLOSED_PAGE]
    when = (clock, state.channels[channel, SINCE])
    end = use_bus(times, state.buses[channel], bank, is_write, when)
    if is_write:
        write(times, bank, clock)
        command = WRITE_PRECHARGE if closes else WRITE
    else:
        if closes:
            _read_closed(times, bank, clock)
        else:
            read(times, bank, clock)
        command = READ_PRECHARGE if closes else READ
        return_later(state, one, end)
    state.scalars[LAST_DATA] = max(state.scalars[LAST_DATA], end)
    note_command(state, (clock, command, bank, requests[one, ROW], requests[one, COLUMN]))
    leave(state.queues[bank], entry, state.counts[bank])
    state.counts[bank] -= 1
    state.channels[channel, QUEUED] -= 1


@compiled_inline
def _read_closed(times, bank, clock):
    """Read with auto-precharge; as in DRAMsim3 an activate waits a burst longer than tRTP + tRP.

    A refresh waits for tRAS + tRP too, as JEDEC demands; DRAMsim3 lets it go tRTP + tRP after the read.
    """
    closed_at = clock + times.timing[RTP] + times.timing[RP]
    read(times, bank, clock)
    times.banks[bank, BANK_ACT] = max(times.banks[bank, BANK_ACT], closed_at + times.timing[BURST])


@compiled_inline
def _is_column(command):
    return command in (READ, WRITE)

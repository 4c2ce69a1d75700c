"""Policy ``bank_rr``: the controller of DRAMsim3, clock by clock, so that its cycles can be told from ours exactly.

Accepted requests wait in a list of reads and a list of writes per channel. One a clock moves on into the queue
of its bank; the command of a clock is the first ready one of the first bank, in turn, that has any. Whole
traces only: `engine/dram_channel.py` hands one in and reads the counts from the arrays.

Clocks in which nothing can happen are skipped: a bank is looked at again no earlier than its first entry can
become ready, as waiting times only ever grow.

References
----------
.. [1] S. Li, Z. Yang, D. Reddy, A. Srivastava, B. Jacob, "DRAMsim3: a cycle-accurate, thermal-capable DRAM
   simulator", IEEE CAL 19(2), 2020; behaviour of the program at commit 29817593.
"""

from archsim.kernels.compiled import compiled_in_place, compiled_inline
from archsim.kernels.dram_bank_queues import (
    ARRIVAL,
    CLOCK,
    DRAINING,
    DUE,
    DUE_RANK,
    IN_FLIGHT,
    ISSUED_READS,
    KEPT_WRITES,
    OFFERED,
    OWING,
    QUEUED,
    RETURNED,
    SERVED,
    WAITING,
    move_on,
    offer,
    take_back,
)
from archsim.kernels.dram_bank_serve import refreshing_rank, serve
from archsim.kernels.dram_record import note_command
from archsim.kernels.dram_rules import (
    BANKS,
    MISSED,
    NEVER,
    OPEN_ROW,
    OWED,
    PRECHARGE,
    RANKS,
    REFI,
    REFRESH,
    SPLIT_BUS,
    precharge,
    refresh,
    when_precharge,
    when_refresh,
)


@compiled_in_place
def run_bank_rr(state, outstanding):
    """Serve a whole trace.

    Parameters
    ----------
    state : BankQueues
        As it is before the first clock: see `engine/dram_bank_queues.py`.
    outstanding : int
        Reads in flight, at most, over all channels.

    Notes
    -----
    Up to `KEPT_WRITES` writes of each channel stay in its list at the end: nothing ever drains them. A write to a burst
    whose write still waits is dropped into that one, and a read of such a burst is served by it in one clock;
    reads of a burst that is already asked for share its command. DRAMsim3 hangs where a full list of writes
    waits for a read that cannot leave its own list; here the read goes first. On closed pages it waits longer than it
    must before it opens a bank again: see `dram_bank_serve._read_closed`.
    """
    scalars, channels = state.scalars, state.channels
    while not _is_done(state):
        clock = scalars[CLOCK]
        busy = offer(state, outstanding, clock)
        busy |= take_back(state, clock)
        for channel in range(len(channels)):
            busy |= _fall_due(state, channel, clock)
            busy |= _issue(state, channel, clock)
            busy |= move_on(state, channel, clock)
        scalars[CLOCK] = clock + 1 if busy else _next_event(state, clock)


@compiled_inline
def _is_done(state):
    scalars, channels = state.scalars, state.channels
    if scalars[OFFERED] < len(state.requests) or scalars[IN_FLIGHT]:
        return False
    for channel in range(len(channels)):
        if channels[channel, QUEUED] or channels[channel, DRAINING] or channels[channel, WAITING + 1] > KEPT_WRITES:
            return False
    return True


@compiled_inline
def _fall_due(state, channel, clock):
    """Owe a refresh of the ranks in turn, one every tREFI / ranks."""
    channels, timing, ranks = state.channels, state.times.timing, state.times.ranks
    if channels[channel, DUE] > clock:
        return False
    rank = channel * timing[RANKS] + channels[channel, DUE_RANK]
    if ranks[rank, OWED]:
        ranks[rank, MISSED] += 1
    ranks[rank, OWED] += 1
    channels[channel, OWING] += 1
    channels[channel, DUE_RANK] = (channels[channel, DUE_RANK] + 1) % timing[RANKS]
    channels[channel, DUE] += timing[REFI] // timing[RANKS]
    return True


@compiled_inline
def _issue(state, channel, clock):
    """Issue the command of this clock; where the command bus is split, one of the other kind too."""
    first = _refresh_or_close(state, channel, clock) if state.channels[channel, OWING] else -1
    if first < 0:
        first = serve(state, channel, clock, -1)
    if first >= 0 and state.times.timing[SPLIT_BUS]:
        serve(state, channel, clock, first)
    return first >= 0


@compiled_inline
def _refresh_or_close(state, channel, clock):
    """Refresh the rank that is due, or close one of its banks for it; return the command's code, -1 = none yet."""
    times, channels = state.times, state.channels
    rank = refreshing_rank(state, channel)
    first = rank * times.timing[BANKS]
    is_open = False
    for bank in range(first, first + times.timing[BANKS]):
        if times.banks[bank, OPEN_ROW] >= 0:
            is_open = True
            if when_precharge(times, bank) <= clock:
                precharge(times, bank, clock)
                state.wakes[bank] = 0
                note_command(state, (clock, PRECHARGE, bank, -1, -1))
                return PRECHARGE
    if is_open or when_refresh(times, rank) > clock:
        return -1
    refresh(times, rank, clock)
    channels[channel, OWING] -= 1
    channels[channel, SERVED] = (channels[channel, SERVED] + 1) % times.timing[RANKS]
    note_command(state, (clock, REFRESH, rank, -1, -1))
    return REFRESH


@compiled_inline
def _next_event(state, clock):
    """Return the next clock at which anything can change, nothing having changed in this one."""
    scalars, requests, channels, times = state.scalars, state.requests, state.channels, state.times
    at = NEVER
    if scalars[RETURNED] < scalars[ISSUED_READS]:
        at = state.ring[scalars[RETURNED]]
    if scalars[OFFERED] < len(requests) and requests[scalars[OFFERED], ARRIVAL] > clock:
        at = min(at, requests[scalars[OFFERED], ARRIVAL])
    for channel in range(len(channels)):
        at = min(at, channels[channel, DUE])
        refreshing = refreshing_rank(state, channel)
        if refreshing >= 0:
            at = min(at, _when_refresh_or_close(times, refreshing, clock))
    for bank in range(len(state.counts)):
        rank = bank // times.timing[BANKS]
        if state.counts[bank] and refreshing_rank(state, rank // times.timing[RANKS]) != rank:
            at = min(at, state.wakes[bank])
    return max(at, clock + 1)


@compiled_inline
def _when_refresh_or_close(times, rank, clock):
    first, at = rank * times.timing[BANKS], NEVER
    for bank in range(first, first + times.timing[BANKS]):
        if times.banks[bank, OPEN_ROW] >= 0:
            at = min(at, when_precharge(times, bank))
    return at if at < NEVER else when_refresh(times, rank)

"""What each clock of a channel's data bus went to: one cause per clock, for both scheduling policies.

A burst could at best have followed the previous one at once. The clocks in between are dealt out when its
column command goes, each to the first of these that still held the command back at that clock:

1. idle: nothing was waiting in the channel yet;
2. refresh: the burst's rank had not ended its last refresh;
3. row: its bank was not yet open long enough (precharge, tRRD, tFAW, activate, tRCD all show up here);
4. turnaround: the previous burst went the other way, or to another rank, too short a time ago;
5. bank group: the previous column command of its own group was too short a time ago (tCCD_L);
6. other: the command bus was taken, or older requests held their banks until this one came.

So the clocks of the bus are the sum of its uses, exactly. Not seen: a cause hidden behind an earlier one of
the list, and what held back requests other than the one that went.
"""

from archsim.kernels.compiled import compiled_inline
from archsim.kernels.dram_rules import (
    BANK_RD,
    BANK_WR,
    BURST,
    CL,
    CWL,
    GROUP,
    GROUP_RD,
    GROUP_WR,
    RANK,
    RANK_RD,
    RANK_WR,
    REFRESHED,
)  # fmt: skip

# Columns of a channel's data bus
DATA_END, LAST_KIND, USE = range(3)
"""End of the last burst; its 2 * rank + is_write; first of the uses, in the order of `BusUse`."""
USE_DATA, USE_ROW, USE_TURNAROUND, USE_BANK_GROUP, USE_REFRESH, USE_IDLE, USE_OTHER = range(USE, USE + 7)
BUS_COLUMNS = 12


@compiled_inline
def use_bus(times, bus, bank, is_write, when):
    """Give the clocks since the last burst their causes; call it before the command is applied.

    Parameters
    ----------
    times : DramTimes
    bus : int64 array, shape (BUS_COLUMNS,)
        Of the channel.
    bank : int
    is_write : int
    when : (int, int)
        Clock of the column command; clock from which on, without a break, a request could have gone.

    Returns
    -------
    int
        End of the burst. [tCK]
    """
    clock, waiting_since = when
    timing, banks, groups, ranks = times
    delay = timing[CWL] if is_write else timing[CL]
    kind = 2 * banks[bank, RANK] + is_write
    at = bus[DATA_END] - delay
    if at < clock:
        rank, group = banks[bank, RANK], banks[bank, GROUP]
        group_at = groups[group, GROUP_WR] if is_write else groups[group, GROUP_RD]
        rank_at = ranks[rank, RANK_WR] if is_write else ranks[rank, RANK_RD]
        row_at = banks[bank, BANK_WR] if is_write else banks[bank, BANK_RD]
        at = _until(bus, USE_IDLE, at, min(waiting_since, clock))
        at = _until(bus, USE_REFRESH, at, min(ranks[rank, REFRESHED], clock))
        at = _until(bus, USE_ROW, at, min(row_at, clock))
        if kind != bus[LAST_KIND]:
            at = _until(bus, USE_TURNAROUND, at, min(max(group_at, rank_at), clock))
        at = _until(bus, USE_BANK_GROUP, at, min(group_at, clock))
        _until(bus, USE_OTHER, at, clock)
    bus[USE_DATA] += timing[BURST]
    bus[LAST_KIND] = kind
    bus[DATA_END] = clock + delay + timing[BURST]
    return bus[DATA_END]


@compiled_inline
def _until(bus, use, at, end):
    """Give the clocks from `at` to `end`, if any, to a use; return where the next one begins."""
    if end > at:
        bus[use] += end - at
        at = end
    return at

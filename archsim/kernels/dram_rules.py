"""What each DRAM command makes the next ones wait for; shared by both scheduling policies.

A bank, a bank group and a rank each keep the earliest clock of every command for its own reason; a command
may go when all three (and the command bus, which the policy watches) allow it. So a command changes a
handful of numbers instead of one per bank. Banks, groups and ranks are numbered through all channels:
``bank = ((channel * ranks + rank) * bankgroups + group) * banks_per_group + bank within the group``.

`dram_frfcfs.py` and `dram_bank_rr.py` call it; `engine/dram_state.py` makes the arrays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled_inline

# Places in the vector of timing [tCK]
CL, CWL, BURST, RCD_RD, RCD_WR, RP, RAS, RC, RTP, RRD_S, RRD_L, FAW, RFC, REFI, PPD = range(15)
READ_TO_READ_S, READ_TO_READ_L, READ_TO_READ_RANK, READ_TO_WRITE, WRITE_TO_PRE = range(15, 20)
WRITE_TO_WRITE_S, WRITE_TO_WRITE_L, WRITE_TO_WRITE_RANK = range(20, 23)
WRITE_TO_READ_S, WRITE_TO_READ_L, WRITE_TO_READ_RANK = range(23, 26)
RANKS, BANKS, SPLIT_BUS, CLOSED_PAGE = range(26, 30)
"""Ranks of a channel, banks of a rank; 1 = row and column commands in one clock; 1 = auto-precharge."""
TIMING_WORDS = 32

# Columns of a bank; the policy may use the rest
OPEN_ROW, HITS, BANK_ACT, BANK_PRE, BANK_RD, BANK_WR, GROUP, RANK = range(8)
"""Open row (-1 = closed), column commands since its activate, four earliest clocks, where the bank is."""
BANK_COLUMNS = 16

# Columns of a bank group
GROUP_ACT, GROUP_RD, GROUP_WR = range(3)
GROUP_COLUMNS = 4

# Columns of a rank
RANK_ACT, RANK_RD, RANK_WR, RANK_PRE, RANK_REF, FAW_TURN, FAW_RING = range(7)
"""Five earliest clocks; next place in, and first of, the ring of the last four activates."""
NEXT_DUE, OWED, FIRST_BANK, FIRST_RANK, OPEN_BANKS, OPEN_SINCE = range(10, 16)
"""Clock of the next refresh, refreshes owed; first bank here, first rank of the channel; the background state."""
OPEN_CYCLES, ACTIVATES, PRECHARGES, READS, WRITES, REFRESHES, MISSED, REFRESHED = range(16, 24)
"""What is counted; the clock at which the last refresh ends."""
RANK_COLUMNS = 24

NEVER = 1 << 60
LONG_AGO = -(1 << 40)
ACTIVATE, READ, WRITE, PRECHARGE, REFRESH, READ_PRECHARGE, WRITE_PRECHARGE = range(7)
"""Codes of the commands, as `engine/dram_run.py` lists them."""


class DramTimes(NamedTuple):
    """Everything the rules read and write: int64 arrays, columns as named above.

    Parameters
    ----------
    timing
        Shape (TIMING_WORDS,); never written.
    banks, groups, ranks
        Shape (of all channels, *_COLUMNS).
    """

    timing: NDArray[np.int64]
    banks: NDArray[np.int64]
    groups: NDArray[np.int64]
    ranks: NDArray[np.int64]


@compiled_inline
def when_activate(times, bank):
    """Return the earliest clock of an activate, the bank being closed (tRC, tRP, tRRD, tFAW, tRFC). [tCK]"""
    banks, group, rank = times.banks, times.banks[bank, GROUP], times.banks[bank, RANK]
    return max(banks[bank, BANK_ACT], times.groups[group, GROUP_ACT], times.ranks[rank, RANK_ACT])


@compiled_inline
def when_read(times, bank):
    """Return the earliest clock of a read of the open row (tRCD, tCCD, tWTR, tRTRS). [tCK]"""
    banks, group, rank = times.banks, times.banks[bank, GROUP], times.banks[bank, RANK]
    return max(banks[bank, BANK_RD], times.groups[group, GROUP_RD], times.ranks[rank, RANK_RD])


@compiled_inline
def when_write(times, bank):
    """Return the earliest clock of a write to the open row (tRCD, tCCD, read to write, tRTRS). [tCK]"""
    banks, group, rank = times.banks, times.banks[bank, GROUP], times.banks[bank, RANK]
    return max(banks[bank, BANK_WR], times.groups[group, GROUP_WR], times.ranks[rank, RANK_WR])


@compiled_inline
def when_precharge(times, bank):
    """Return the earliest clock of a precharge, the bank being open (tRAS, tRTP, tWR, tPPD). [tCK]"""
    return max(times.banks[bank, BANK_PRE], times.ranks[times.banks[bank, RANK], RANK_PRE])


@compiled_inline
def when_refresh(times, rank):
    """Return the earliest clock of a refresh, all banks of the rank being closed (tRP, tRFC). [tCK]"""
    return times.ranks[rank, RANK_REF]


@compiled_inline
def activate(times, bank, row, clock):
    """Open a row."""
    timing, banks, groups, ranks = times
    rank, group = banks[bank, RANK], banks[bank, GROUP]
    banks[bank, OPEN_ROW] = row
    banks[bank, HITS] = 0
    banks[bank, BANK_ACT] = clock + timing[RC]
    banks[bank, BANK_PRE] = clock + timing[RAS]
    banks[bank, BANK_RD] = clock + timing[RCD_RD]
    banks[bank, BANK_WR] = clock + timing[RCD_WR]
    groups[group, GROUP_ACT] = max(groups[group, GROUP_ACT], clock + timing[RRD_L])
    turn = ranks[rank, FAW_TURN]
    ranks[rank, FAW_RING + turn] = clock
    turn = (turn + 1) & 3
    ranks[rank, FAW_TURN] = turn
    fifth = ranks[rank, FAW_RING + turn] + timing[FAW]
    ranks[rank, RANK_ACT] = max(ranks[rank, RANK_ACT], clock + timing[RRD_S], fifth)
    ranks[rank, ACTIVATES] += 1
    if ranks[rank, OPEN_BANKS] == 0:
        ranks[rank, OPEN_SINCE] = clock
    ranks[rank, OPEN_BANKS] += 1


@compiled_inline
def read(times, bank, clock):
    """Read a burst of the open row; on closed pages the bank precharges itself behind it."""
    timing, banks, groups, ranks = times
    rank, group = banks[bank, RANK], banks[bank, GROUP]
    banks[bank, HITS] += 1
    banks[bank, BANK_PRE] = max(banks[bank, BANK_PRE], clock + timing[RTP])
    groups[group, GROUP_RD] = max(groups[group, GROUP_RD], clock + timing[READ_TO_READ_L])
    first = ranks[rank, FIRST_RANK]
    for other in range(first, first + timing[RANKS]):
        gap = timing[READ_TO_READ_S] if other == rank else timing[READ_TO_READ_RANK]
        ranks[other, RANK_RD] = max(ranks[other, RANK_RD], clock + gap)
        ranks[other, RANK_WR] = max(ranks[other, RANK_WR], clock + timing[READ_TO_WRITE])
    ranks[rank, READS] += 1
    if timing[CLOSED_PAGE]:
        _close(times, bank, banks[bank, BANK_PRE], clock)


@compiled_inline
def write(times, bank, clock):
    """Write a burst to the open row; on closed pages the bank precharges itself behind it."""
    timing, banks, groups, ranks = times
    rank, group = banks[bank, RANK], banks[bank, GROUP]
    banks[bank, HITS] += 1
    banks[bank, BANK_PRE] = max(banks[bank, BANK_PRE], clock + timing[WRITE_TO_PRE])
    groups[group, GROUP_WR] = max(groups[group, GROUP_WR], clock + timing[WRITE_TO_WRITE_L])
    groups[group, GROUP_RD] = max(groups[group, GROUP_RD], clock + timing[WRITE_TO_READ_L])
    first = ranks[rank, FIRST_RANK]
    for other in range(first, first + timing[RANKS]):
        same = other == rank
        to_write = timing[WRITE_TO_WRITE_S] if same else timing[WRITE_TO_WRITE_RANK]
        to_read = timing[WRITE_TO_READ_S] if same else timing[WRITE_TO_READ_RANK]
        ranks[other, RANK_WR] = max(ranks[other, RANK_WR], clock + to_write)
        ranks[other, RANK_RD] = max(ranks[other, RANK_RD], clock + to_read)
    ranks[rank, WRITES] += 1
    if timing[CLOSED_PAGE]:
        _close(times, bank, banks[bank, BANK_PRE], clock)


@compiled_inline
def precharge(times, bank, clock):
    """Close the open row."""
    rank = times.banks[bank, RANK]
    if times.timing[PPD]:
        times.ranks[rank, RANK_PRE] = clock + times.timing[PPD]
    _close(times, bank, clock, clock)


@compiled_inline
def refresh(times, rank, clock):
    """Refresh all banks of a rank, which are closed; one refresh less is owed."""
    timing, ranks = times.timing, times.ranks
    done = clock + timing[RFC]
    ranks[rank, RANK_ACT] = max(ranks[rank, RANK_ACT], done)
    ranks[rank, RANK_REF] = max(ranks[rank, RANK_REF], done)
    ranks[rank, REFRESHED] = done
    ranks[rank, REFRESHES] += 1
    ranks[rank, OWED] -= 1


@compiled_inline
def fall_due(times, rank, clock):
    """Owe the refreshes that are due by this clock; count those that found another still owed."""
    ranks = times.ranks
    while ranks[rank, NEXT_DUE] <= clock:
        if ranks[rank, OWED]:
            ranks[rank, MISSED] += 1
        ranks[rank, OWED] += 1
        ranks[rank, NEXT_DUE] += times.timing[REFI]


@compiled_inline
def _close(times, bank, starts, clock):
    """Precharge from clock `starts` on (tRP); the bank counts as closed from `clock`, the command's, on."""
    timing, banks, ranks = times.timing, times.banks, times.ranks
    rank = banks[bank, RANK]
    closed = starts + timing[RP]
    banks[bank, OPEN_ROW] = -1
    banks[bank, BANK_ACT] = max(banks[bank, BANK_ACT], closed)
    ranks[rank, RANK_REF] = max(ranks[rank, RANK_REF], closed)
    ranks[rank, PRECHARGES] += 1
    ranks[rank, OPEN_BANKS] -= 1
    if ranks[rank, OPEN_BANKS] == 0:
        ranks[rank, OPEN_CYCLES] += clock - ranks[rank, OPEN_SINCE]

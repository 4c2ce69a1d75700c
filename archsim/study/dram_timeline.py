"""A stretch of a DRAM run's command log as a picture needs it: lanes, open rows, bursts, refreshes.

Called by `report/dram_timeline_plot.py`; knows nothing of drawing.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.engine.dram_run import COMMANDS, CommandLog, DramRun
from archsim.errors import ConfigError

ACTIVATE, READ, WRITE, PRECHARGE, REFRESH, READ_PRECHARGE, WRITE_PRECHARGE = range(len(COMMANDS))
READS = (READ, READ_PRECHARGE)
WRITES = (WRITE, WRITE_PRECHARGE)
CLOSING = (PRECHARGE, READ_PRECHARGE, WRITE_PRECHARGE)

IntArray = NDArray[np.int64]


class BankPlace(NamedTuple):
    """Which bank of a channel."""

    rank: int
    bankgroup: int
    bank: int


class OpenRow(NamedTuple):
    """A row that a bank held open, from its activate to what closed it. [tCK]"""

    bank: BankPlace
    row: int
    start: int
    end: int


class Burst(NamedTuple):
    """Data on the bus of the channel. [tCK]"""

    start: int
    end: int
    is_write: bool


class Mark(NamedTuple):
    """A command at a bank; ``kind`` is an index into `COMMANDS`. [tCK]"""

    bank: BankPlace
    kind: int
    cycle: int


class Refresh(NamedTuple):
    """A rank that refreshes. [tCK]"""

    rank: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DramTimeline:
    """What one channel did from ``start`` to ``end``. [tCK]

    Parameters
    ----------
    run
        Whose stretch it is.
    channel, start, end
        Which stretch; ``end`` is behind it.
    banks
        Those that have something to show, by rank, bank group and bank.
    open_rows, bursts, marks, refreshes
        What overlaps the stretch, in order of time.
    """

    run: DramRun
    channel: int
    start: int
    end: int
    banks: tuple[BankPlace, ...]
    open_rows: tuple[OpenRow, ...]
    bursts: tuple[Burst, ...]
    marks: tuple[Mark, ...]
    refreshes: tuple[Refresh, ...]

    @property
    def turnarounds(self) -> tuple[tuple[int, int], ...]:
        """(from, to) of the gaps on the data bus between bursts of opposite direction. [tCK]"""
        pairs = zip(self.bursts, self.bursts[1:], strict=False)
        return tuple(
            (one.end, other.start) for one, other in pairs if one.is_write != other.is_write and other.start > one.end
        )


def dram_timeline(run: DramRun, *, start: int, end: int, channel: int = 0) -> DramTimeline:
    """Return a stretch of a run.

    Parameters
    ----------
    run
        Its log must have been kept.
    start, end
        First clock, and the one behind the last. [tCK]
    channel
        Whose banks and bus.

    Raises
    ------
    ConfigError
        The run kept no log.
    """
    log = _of_channel(_log_of(run), channel)
    rows = tuple(each for each in _open_rows(log, run) if each.start < end and each.end > start)
    bursts = tuple(each for each in _bursts(log, run) if each.start < end and each.end > start)
    marks = _marks(log, start, end)
    refreshes = tuple(each for each in _refreshes(log, run) if each.start < end and each.end > start)
    return DramTimeline(
        run=run, channel=channel, start=start, end=end,
        banks=tuple(sorted({row.bank for row in rows} | {mark.bank for mark in marks})),
        open_rows=rows, bursts=bursts, marks=marks, refreshes=refreshes,
    )  # fmt: skip


def telling_stretch(run: DramRun, clocks: int, channel: int = 0) -> tuple[int, int]:
    """Return start and end of the stretch that shows most kinds of command, and of those most changes of direction.

    Parameters
    ----------
    run
        Its log must have been kept.
    clocks
        Length of the stretch. [tCK]
    channel
        Whose commands.
    """
    log = _of_channel(_log_of(run), channel)
    best, found = 0, (-1, -1)
    for start in range(0, max(1, run.cycles - clocks + 1), max(1, clocks // 2)):
        first, last = np.searchsorted(log.cycle, (start, start + clocks))
        kinds = log.kind[first:last]
        columns = kinds[np.isin(kinds, (*READS, *WRITES))]
        turns = int(np.count_nonzero(np.diff(np.isin(columns, WRITES).astype(np.int64))))
        score = (len(set(kinds.tolist())), turns)
        if score > found:
            best, found = start, score
    return best, best + clocks


def _log_of(run: DramRun) -> CommandLog:
    if run.log is None:
        raise ConfigError("this run kept no command log; run it again with its log kept")
    return run.log


def _of_channel(log: CommandLog, channel: int) -> CommandLog:
    is_ours = log.channel == channel
    return CommandLog(**{name: getattr(log, name)[is_ours] for name in CommandLog.__slots__})


def _open_rows(log: CommandLog, run: DramRun) -> list[OpenRow]:
    """Pair every activate with what closes its row; what is never closed stays open to the end of the run."""
    found: list[OpenRow] = []
    opened: dict[BankPlace, tuple[int, int]] = {}
    is_told = np.isin(log.kind, (ACTIVATE, *CLOSING))
    columns = (log.kind, log.cycle, log.rank, log.bankgroup, log.bank, log.row)
    for kind, cycle, rank, group, bank, row in zip(*(each[is_told].tolist() for each in columns), strict=True):
        place = BankPlace(rank, group, bank)
        if kind == ACTIVATE:
            opened[place] = (row, cycle)
        elif place in opened:
            found.append(OpenRow(place, *opened.pop(place), cycle + _closing_delay(run, kind)))
    found += [OpenRow(place, row, cycle, max(run.cycles, cycle)) for place, (row, cycle) in opened.items()]
    return sorted(found, key=lambda each: each.start)


def _closing_delay(run: DramRun, kind: int) -> int:
    """Clocks from the command to the precharge that it brings along."""
    timing = run.device.timing
    delays = {READ_PRECHARGE: timing.trtp, WRITE_PRECHARGE: timing.cwl + run.device.burst_cycles + timing.twr}
    return delays.get(kind, 0)


def _bursts(log: CommandLog, run: DramRun) -> list[Burst]:
    timing, length = run.device.timing, run.device.burst_cycles
    is_column = np.isin(log.kind, (*READS, *WRITES))
    is_write = np.isin(log.kind[is_column], WRITES)
    starts = log.cycle[is_column] + np.where(is_write, timing.cwl, timing.cl)
    pairs = sorted(zip(starts.tolist(), is_write.tolist(), strict=True))
    return [Burst(start, start + length, write) for start, write in pairs]


def _marks(log: CommandLog, start: int, end: int) -> tuple[Mark, ...]:
    shown = (log.cycle >= start) & (log.cycle < end) & (log.kind != REFRESH)
    columns = (log.rank, log.bankgroup, log.bank, log.kind, log.cycle)
    rows = zip(*(each[shown].tolist() for each in columns), strict=True)
    return tuple(Mark(BankPlace(rank, group, bank), kind, cycle) for rank, group, bank, kind, cycle in rows)


def _refreshes(log: CommandLog, run: DramRun) -> list[Refresh]:
    is_refresh = log.kind == REFRESH
    pairs = zip(log.rank[is_refresh].tolist(), log.cycle[is_refresh].tolist(), strict=True)
    return [Refresh(rank, cycle, cycle + run.device.timing.trfc) for rank, cycle in pairs]

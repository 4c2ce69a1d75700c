"""From the arrays that the DRAM kernels leave behind to what they mean, the same for both policies.

Called by `dram_channel.py` for traces and by `bank_timeline.py` for layers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.engine.dram_run import BusUse, CommandLog, DramCounts, DramRun
from archsim.kernels import dram_bus_use, dram_record, dram_rules
from archsim.kernels.dram_bank_queues import BankQueues
from archsim.kernels.dram_queues import DramState
from archsim.kernels.dram_rules import REFRESH, DramTimes
from archsim.terms import DramPolicy

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a policy's kernel leaves behind.

    Parameters
    ----------
    times
        Banks, groups and ranks at the end, counts included.
    buses
        int64, shape (channels, BUS_COLUMNS): see `kernels/dram_bus_use.py`.
    log
        int64, shape (lines, LOG_COLUMNS): see `kernels/dram_record.py`; 0 lines = none kept.
    logged
        Commands issued; more than there are lines = some are lost.
    cycles, latency_sum, latency_max
        As in `DramRun`.
    """

    times: DramTimes
    buses: IntArray
    log: IntArray
    logged: int
    cycles: int
    latency_sum: int
    latency_max: int


def outcome_of(state: DramState | BankQueues) -> Outcome:
    """Return what a finished run left in its arrays."""
    return Outcome(
        times=state.times,
        buses=state.buses,
        log=state.log,
        logged=int(state.scalars[dram_record.LOGGED]),
        cycles=int(state.scalars[dram_record.LAST_DATA]),
        latency_sum=int(state.scalars[dram_record.LATENCY_SUM]),
        latency_max=int(state.scalars[dram_record.LATENCY_MAX]),
    )


def run_of(
    outcome: Outcome, device: DramDevice, *, policy: DramPolicy, outstanding: int, requests: tuple[int, int]
) -> DramRun:
    """Return a finished run; the other arguments are the fields of `DramRun`."""
    return DramRun(
        device=device,
        policy=policy,
        outstanding=outstanding,
        cycles=outcome.cycles,
        counts=count_commands(outcome.times, outcome.cycles),
        requests=requests,
        read_latency_sum=outcome.latency_sum,
        read_latency_max=outcome.latency_max,
        bus_use=count_bus_use(outcome.buses, outcome.cycles),
        log=_read_log(device, outcome.log[: outcome.logged]) if len(outcome.log) else None,
    )


def count_commands(times: DramTimes, cycles: int) -> DramCounts:
    """Add up what the ranks have counted, their background up to clock `cycles`."""
    ranks = times.ranks
    still_open = ranks[:, dram_rules.OPEN_BANKS] > 0
    open_cycles = ranks[:, dram_rules.OPEN_CYCLES] + still_open * (cycles - ranks[:, dram_rules.OPEN_SINCE])
    return DramCounts(
        activates=int(ranks[:, dram_rules.ACTIVATES].sum()),
        precharges=int(ranks[:, dram_rules.PRECHARGES].sum()),
        reads=int(ranks[:, dram_rules.READS].sum()),
        writes=int(ranks[:, dram_rules.WRITES].sum()),
        refreshes=int(ranks[:, dram_rules.REFRESHES].sum()),
        missed_refreshes=int(ranks[:, dram_rules.MISSED].sum()),
        open_cycles=int(open_cycles.sum()),
        closed_cycles=int(len(ranks) * cycles - open_cycles.sum()),
    )


def count_bus_use(buses: IntArray, cycles: int) -> tuple[tuple[BusUse, int], ...]:
    """Add up the uses of the channels' buses; from its last burst to clock `cycles` a bus is idle."""
    uses = buses[:, dram_bus_use.USE : dram_bus_use.USE + len(BusUse)].sum(axis=0)
    uses[list(BusUse).index(BusUse.IDLE)] += int((cycles - buses[:, dram_bus_use.DATA_END]).sum())
    return tuple((use, int(clocks)) for use, clocks in zip(BusUse, uses, strict=True))


def _read_log(device: DramDevice, lines: IntArray) -> CommandLog:
    """Return the lines of a kernel's log, int64 of shape (lines, LOG_COLUMNS), by the names of their columns."""
    clock, kind, place, row, column = lines.T
    is_refresh = kind == REFRESH
    rank = np.where(is_refresh, place, place // device.banks_per_rank)
    return CommandLog(
        cycle=clock,
        kind=kind,
        channel=rank // device.ranks,
        rank=rank % device.ranks,
        bankgroup=np.where(is_refresh, -1, place % device.banks_per_rank // device.banks_per_group),
        bank=np.where(is_refresh, -1, place % device.banks_per_group),
        row=row,
        column=column,
    )

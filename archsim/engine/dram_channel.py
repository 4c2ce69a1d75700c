"""A whole trace of requests on the DRAM channels of a device: the caller of both policies' kernels.

`run_dram_trace` is what `archsim dram` and `archsim validate dram` call; the tile engine drives the same
kernel transfer by transfer (`bank_timeline.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_mapping import blocks_of
from archsim.engine.dram_bank_queues import make_bank_queues
from archsim.engine.dram_run import BusUse, CommandLog, DramController, DramCounts, DramRun, DramTrace
from archsim.engine.dram_state import StateSizes, make_state
from archsim.kernels import dram_bank_queues, dram_bus_use, dram_queues, dram_rules
from archsim.kernels.dram_bank_rr import run_bank_rr
from archsim.kernels.dram_frfcfs import NOTHING_LEFT, TAG_ENDED, advance, take_ended
from archsim.kernels.dram_rules import NEVER, REFRESH, DramTimes
from archsim.kernels.dram_streams import load_slot
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
        int64, shape (lines, LOG_COLUMNS): see `kernels/dram_queues.py`.
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """What a policy is asked to run: the arguments of `run_dram_trace`, and the lines of log to keep."""

    device: DramDevice
    trace: DramTrace
    controller: DramController
    outstanding: int
    log_lines: int = 0
    every_clock: bool = False


def run_dram_trace(
    device: DramDevice,
    trace: DramTrace,
    *,
    policy: DramPolicy = DramPolicy.FRFCFS,
    controller: DramController | None = None,
    outstanding: int = 32,
    log: bool = False,
) -> DramRun:
    """Offer a trace to the channels in order, and run them until all its data has moved.

    Parameters
    ----------
    device, trace
        Addresses fall into the device. A clock takes as many requests as there are channels.
    policy
        Which command goes first.
    controller
        Settings of ``frfcfs``; its defaults if left out.
    outstanding
        Reads in flight at most, over all channels.
    log
        Keep every command.

    Notes
    -----
    A request that is refused holds up those behind it. Writes are posted. Not modelled under ``frfcfs``:
    forwarding of waiting writes to reads, merging of writes to one address.
    """
    setting = Setting(
        device=device,
        trace=trace,
        controller=controller or DramController(),
        outstanding=outstanding,
        log_lines=8 * len(trace) + 64 if log else 0,
    )
    outcome = POLICIES[policy](setting)
    if log and outcome.logged > setting.log_lines:
        setting = replace(setting, log_lines=outcome.logged)
        outcome = POLICIES[policy](setting)
    return _read_out(setting, outcome, policy)


def run_frfcfs(setting: Setting) -> Outcome:
    """Run policy ``frfcfs``."""
    device, trace = setting.device, setting.trace
    sizes = StateSizes(
        slot_requests=len(trace), is_paced=True, log_lines=setting.log_lines, every_clock=setting.every_clock
    )
    state = make_state(device, setting.controller, setting.outstanding, sizes)
    state.blocks[0] = blocks_of(device.mapping, trace.address, device.request_bytes) * 2 + trace.is_write
    state.arrivals[0] = trace.arrival
    state.tags[0, dram_queues.REMAINING] = len(trace)
    load_slot(state, 0, len(trace), -1, 0)
    while (why := advance(state, NEVER)) != NOTHING_LEFT:
        if why == TAG_ENDED:
            take_ended(state)
    scalars = state.scalars
    return Outcome(
        times=state.times,
        buses=state.buses,
        log=state.log,
        logged=int(scalars[dram_queues.LOGGED]),
        cycles=int(scalars[dram_queues.LAST_DATA]),
        latency_sum=int(scalars[dram_queues.LATENCY_SUM]),
        latency_max=int(scalars[dram_queues.LATENCY_MAX]),
    )


def run_bank_queues(setting: Setting) -> Outcome:
    """Run policy ``bank_rr``."""
    state = make_bank_queues(setting.device, setting.trace, setting.log_lines)
    run_bank_rr(state, setting.outstanding)
    scalars = state.scalars
    return Outcome(
        times=state.times,
        buses=state.buses,
        log=state.log,
        logged=int(scalars[dram_bank_queues.LOGGED]),
        cycles=int(scalars[dram_bank_queues.LAST_DATA]),
        latency_sum=int(scalars[dram_bank_queues.LATENCY_SUM]),
        latency_max=int(scalars[dram_bank_queues.LATENCY_MAX]),
    )


POLICIES: dict[DramPolicy, Callable[[Setting], Outcome]] = {
    DramPolicy.FRFCFS: run_frfcfs,
    DramPolicy.BANK_RR: run_bank_queues,
}
"""What runs each policy."""


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


def _read_out(setting: Setting, outcome: Outcome, policy: DramPolicy) -> DramRun:
    return DramRun(
        device=setting.device,
        policy=policy,
        outstanding=setting.outstanding,
        cycles=outcome.cycles,
        counts=count_commands(outcome.times, outcome.cycles),
        requests=(int((~setting.trace.is_write).sum()), int(setting.trace.is_write.sum())),
        read_latency_sum=outcome.latency_sum,
        read_latency_max=outcome.latency_max,
        bus_use=count_bus_use(outcome.buses, outcome.cycles),
        log=read_log(setting.device, outcome.log[: outcome.logged]) if setting.log_lines else None,
    )


def read_log(device: DramDevice, lines: IntArray) -> CommandLog:
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

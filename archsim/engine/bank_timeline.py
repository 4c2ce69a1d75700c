"""A plan's steps against a DRAM device, command by command: the way from `FoldPlan` to the kernel and back.

`measure.py` calls `run_on_banks`; `bank_event.py` runs the same state under simpy.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.arch.memory_level import DramLevel
from archsim.engine.dram_outcome import outcome_of, run_of
from archsim.engine.dram_run import DramController, DramRun
from archsim.engine.dram_state import StateSizes, make_state
from archsim.engine.timeline import Timeline
from archsim.errors import SimulationError
from archsim.kernels.dram_queues import OUTSTANDING, DramState
from archsim.kernels.dram_rules import READS, WRITES
from archsim.kernels.step_banks import (
    ARRAY_END,
    CHANNEL_END,
    STREAMS,
    WRITE_STREAM,
    Clocks,
    StepArrays,
    TransferArrays,
    run_steps_on_banks,
)  # fmt: skip
from archsim.mapping.dram_runs import DramRuns
from archsim.mapping.fold_plan import OPERAND_CODES, Steps, Transfers
from archsim.terms import DramPolicy, Operand

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankRun:
    """What a layer gives on a device.

    Parameters
    ----------
    timeline
        Times of the steps. [cycles]
    dram
        Of the device; its log holds the first commands, as many as were asked for.
    """

    timeline: Timeline
    dram: DramRun


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BankWork:
    """A layer's transfers as the kernels want them, and fresh channels to run them on.

    Parameters
    ----------
    device
        With `state`, its channels at clock 0.
    steps, transfers, clocks
        See `kernels/step_banks.py`.
    first_transfer
        Of each stream; -1 = none. Shape (STREAMS,).
    first_start
        Earliest start of step 0. [cycles]
    """

    device: DramDevice
    state: DramState
    steps: StepArrays
    transfers: TransferArrays
    clocks: Clocks
    first_transfer: IntArray
    first_start: int


def run_on_banks(steps: Steps, transfers: Transfers, dram: DramLevel, *, log_lines: int = 0) -> BankRun:
    """Simulate one layer.

    Parameters
    ----------
    steps, transfers
        Of its plan; the transfers have their runs.
    dram
        With a device.
    log_lines
        Commands to keep.

    Notes
    -----
    The layer begins with all banks closed and a whole refresh interval ahead. A write-back frees its buffer
    when the controller's queue has taken its last burst.
    """
    work = bank_work(steps, transfers, dram, log_lines)
    progress, started = run_steps_on_banks(
        work.state, work.steps, work.transfers, work.first_start, work.clocks, work.device.request_bytes,
        work.first_transfer.copy(),
    )  # fmt: skip
    if started != len(steps):
        raise SimulationError(f"step {started} of {len(steps)} waits for a transfer that never comes")
    timeline = Timeline(start=progress.start, wait=progress.wait, cause=progress.cause,
                        array_end=int(progress.ends[ARRAY_END]), channel_end=int(progress.ends[CHANNEL_END]))  # fmt: skip
    return read_out(work, timeline)


def bank_work(steps: Steps, transfers: Transfers, dram: DramLevel, log_lines: int = 0) -> BankWork:
    """Lay a plan out for the kernels."""
    device, runs = dram.require_device(), transfers.runs
    assert runs is not None, "the plan was made for a DRAM without banks"
    sizes = StateSizes(streams=STREAMS, slot_requests=_most_bursts(runs, device.request_bytes),
                       tags=max(1, len(transfers)), log_lines=log_lines)  # fmt: skip
    following, first = _streams(transfers)
    ratio = dram.clocks_per_cycle
    return BankWork(
        device=device,
        state=make_state(device, DramController(), dram.outstanding_reads, sizes),
        steps=StepArrays(steps.advance_cycles, steps.tail_cycles, steps.hold_transfer),
        transfers=TransferArrays(
            transfers.step, transfers.after_step, transfers.lead_cycles, transfers.operand, transfers.is_write,
            np.stack([getattr(runs, field.name) for field in fields(runs)], axis=1), following, _writes_before(transfers),
        ),
        clocks=Clocks(cycle_ticks=ratio.numerator, clock_ticks=ratio.denominator, path_cycles=dram.latency_cycles),
        first_transfer=first,
        first_start=steps.first_start_cycles,
    )  # fmt: skip


def read_out(work: BankWork, timeline: Timeline) -> BankRun:
    """Collect what the channels counted."""
    outcome, ranks = outcome_of(work.state), work.state.times.ranks
    dram = run_of(
        outcome,
        work.device,
        policy=DramPolicy.FRFCFS,
        outstanding=int(work.state.settings[OUTSTANDING]),
        requests=(int(ranks[:, READS].sum()), int(ranks[:, WRITES].sum())),
    )
    return BankRun(timeline=timeline, dram=dram)


def _most_bursts(runs: DramRuns, burst_bytes: int) -> int:
    """Room for the bursts of the largest transfer."""
    each = (runs.run_bytes - 2) // burst_bytes + 2  # wherever a run begins
    return int((each * runs.runs * runs.planes).max(initial=1))


def _writes_before(transfers: Transfers) -> IntArray:
    """Return the last write before each read of psums, in the plan's order; -1 = none, or another operand."""
    writes = np.where(transfers.is_write, np.arange(len(transfers)), -1)
    comes_back = ~transfers.is_write & (transfers.operand == OPERAND_CODES.index(Operand.PSUM))
    return np.where(comes_back, np.maximum.accumulate(writes), -1) if len(transfers) else writes


def _streams(transfers: Transfers) -> tuple[IntArray, IntArray]:
    """Return the next transfer of the same stream, and the first of each; -1 = none."""
    stream = np.where(transfers.is_write, WRITE_STREAM, transfers.operand)
    following = np.full(len(transfers), -1, dtype=np.int64)
    first = np.full(STREAMS, -1, dtype=np.int64)
    for number in range(STREAMS):
        mine = np.flatnonzero(stream == number)
        if len(mine):
            first[number] = mine[0]
            following[mine[:-1]] = mine[1:]
    return following, first

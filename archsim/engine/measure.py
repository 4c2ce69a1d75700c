"""A plan's times: the array alone, with real buffers, with real DRAM, and what the differences are for."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from archsim.arch.memory_level import DramLevel
from archsim.engine.bank_event import run_bank_events
from archsim.engine.bank_timeline import BankRun, run_on_banks
from archsim.engine.dram_run import BusUse, DramActivity
from archsim.engine.event import run_events
from archsim.engine.timeline import WRITE_BACK, ChannelClock, Timeline, channel_clock, with_ports
from archsim.errors import SimulationError
from archsim.kernels.step_schedule import schedule_steps
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan, Steps, Transfers
from archsim.terms import Bottleneck

EVENT_STEPS = 20_000
"""Steps up to which a layer runs in simpy; longer ones take the kernel, which gives the same times."""
BANK_EVENT_STEPS = 64
"""The same with a DRAM device, whose kernel is called several times per transfer."""
PROMISE_KEPT = 1.01
"""How far a run may exceed its plan's estimate for the search to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTimes:
    """The three cycle columns of a layer and their causes. [cycles]

    Parameters
    ----------
    compute_cycles, onchip_stall_cycles, dram_stall_cycles, dram_latency_stall_cycles, waits, dram
        As in `LayerRun`.
    """

    compute_cycles: int
    onchip_stall_cycles: int
    dram_stall_cycles: int
    dram_latency_stall_cycles: int
    waits: tuple[tuple[str, int], ...]
    dram: DramActivity | None = None

    def bottleneck(self, mapping_loss: int) -> Bottleneck:
        """Name what most cycles went to; in ``mapping_loss`` of the compute cycles PEs were idle."""
        shares = {
            Bottleneck.COMPUTE: self.compute_cycles - mapping_loss,
            Bottleneck.MAPPING: mapping_loss,
            Bottleneck.ON_CHIP: self.onchip_stall_cycles,
            Bottleneck.DRAM_BANDWIDTH: self.dram_stall_cycles - self.dram_latency_stall_cycles,
            Bottleneck.DRAM_LATENCY: self.dram_latency_stall_cycles,
        }
        return max(shares, key=lambda name: shares[name])


def measure_plan(plan: FoldPlan, dram: DramLevel) -> LayerTimes:
    """Run a plan with ideal and with real memories and take the differences.

    Parameters
    ----------
    plan
        Steps and transfers.
    dram
        The channel; an ideal one adds no stall.

    Notes
    -----
    The compute cycles are those of the untiled fold order. Tiling can end on a smaller fold and so be a
    few cycles shorter (trimmed edge folds only); the stall is then 0, never negative.
    """
    steps = with_ports(plan.steps)
    onchip = max(steps.ideal_end_cycles - steps.origin_cycles, plan.compute_cycles)
    if dram.is_ideal:
        return _times(plan, onchip, onchip, onchip, ())
    if dram.has_banks:
        run = _run_on_banks(steps, plan.transfers, dram)
        timeline, activity = run.timeline, run.dram.activity
    else:
        timeline, activity = _run(steps, plan.transfers, channel_clock(plan.transfers, dram)), None
    total = max(timeline.end - steps.origin_cycles, onchip)
    no_latency = total
    if dram.latency_cycles or activity is not None:
        flat = dram if activity is None else replace(dram, bandwidth_bytes_per_cycle=_rate(plan, dram, activity))
        clock = channel_clock(plan.transfers, flat, latency=False)
        unhindered = schedule_timeline(steps, plan.transfers, clock).end - steps.origin_cycles
        no_latency = min(total, max(unhindered, onchip))
    return replace(_times(plan, onchip, total, no_latency, _waits(timeline, total - onchip)), dram=activity)


def _rate(plan: FoldPlan, dram: DramLevel, activity: DramActivity) -> float:
    """Bytes asked for per cycle in which a device had work: row misses, turnaround and refresh are part of it."""
    clocks = sum(clocks for use, clocks in activity.bus_use if use is not BusUse.IDLE)
    cycles = clocks / dram.require_device().channels / dram.clocks_per_cycle
    return float(plan.transfers.length_bytes.sum() / cycles) if cycles else dram.bandwidth_bytes_per_cycle


def fastest_plan(plans: Iterable[FoldPlan], dram: DramLevel) -> FoldPlan:
    """Run plans of one layer through the kernel, best estimate first, and keep the fastest.

    A plan that keeps what its estimate promised ends the search; so does a very long one.
    """
    best, best_cycles = None, 0
    for plan in plans:
        cycles = _total_cycles(plan, dram)
        if best is None or cycles < best_cycles:
            best, best_cycles = plan, cycles
        if dram.is_ideal or cycles <= plan.estimated_cycles * PROMISE_KEPT or len(plan.steps) > EVENT_STEPS:
            break
    if best is None:
        raise SimulationError("a layer without plans")
    return best


def schedule_timeline(steps: Steps, transfers: Transfers, clock: ChannelClock) -> Timeline:
    """Run steps and transfers through the kernel; the same times as `run_events`."""
    start, wait, cause, array_end, channel_end = schedule_steps(
        steps.advance_cycles, steps.tail_cycles, steps.hold_transfer, steps.first_start_cycles, transfers.step,
        transfers.after_step, transfers.lead_cycles, clock.transfer_ticks, transfers.operand, transfers.is_write,
        clock.latency_ticks, clock.ticks_per_cycle,
    )  # fmt: skip
    return Timeline(start=start, wait=wait, cause=cause, array_end=int(array_end), channel_end=int(channel_end))


def _total_cycles(plan: FoldPlan, dram: DramLevel) -> int:
    steps = with_ports(plan.steps)
    if dram.is_ideal:
        return steps.ideal_end_cycles
    if dram.has_banks:
        return run_on_banks(steps, plan.transfers, dram).timeline.end
    return schedule_timeline(steps, plan.transfers, channel_clock(plan.transfers, dram)).end


def _run_on_banks(steps: Steps, transfers: Transfers, dram: DramLevel) -> BankRun:
    if len(steps) > BANK_EVENT_STEPS:
        return run_on_banks(steps, transfers, dram)
    return run_bank_events(steps, transfers, dram)


def _run(steps: Steps, transfers: Transfers, clock: ChannelClock) -> Timeline:
    if len(steps) > EVENT_STEPS:
        return schedule_timeline(steps, transfers, clock)
    return run_events(steps, transfers, clock)


def _times(plan: FoldPlan, onchip: int, total: int, no_latency: int, waits: tuple[tuple[str, int], ...]) -> LayerTimes:
    if not plan.compute_cycles <= onchip <= no_latency <= total:
        raise SimulationError(
            f"real memories made a layer faster: compute {plan.compute_cycles}, on-chip {onchip}, "
            f"without latency {no_latency}, total {total} cycles"
        )
    return LayerTimes(
        compute_cycles=plan.compute_cycles,
        onchip_stall_cycles=onchip - plan.compute_cycles,
        dram_stall_cycles=total - onchip,
        dram_latency_stall_cycles=total - no_latency,
        waits=waits,
    )


def _waits(timeline: Timeline, stall: int) -> tuple[tuple[str, int], ...]:
    """Split the DRAM stall by what the array waited for.

    Waits late in a layer can hide behind a longer tail of an earlier step; what then exceeds the stall
    is taken from the last waits.
    """
    before = np.minimum(np.cumsum(timeline.wait), stall)
    counted = np.diff(before, prepend=0)
    names = {code: operand.value for code, operand in enumerate(OPERAND_CODES)} | {WRITE_BACK: "write_back"}
    sums = {name: int(counted[timeline.cause == code].sum()) for code, name in names.items()}
    sums["last_drain"] = stall - sum(sums.values())
    return tuple((name, cycles) for name, cycles in sums.items() if cycles)

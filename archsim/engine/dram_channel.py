"""A whole trace of requests on the DRAM channels of a device: the caller of both policies' kernels.

`run_dram_trace` is what `archsim dram` and `archsim validate dram` call; the tile engine drives the same
kernel transfer by transfer (`bank_timeline.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_mapping import blocks_of
from archsim.engine.dram_bank_queues import make_bank_queues
from archsim.engine.dram_outcome import Outcome, outcome_of, run_of
from archsim.engine.dram_run import DramController, DramRun, DramTrace
from archsim.engine.dram_state import StateSizes, make_state
from archsim.kernels.dram_bank_rr import run_bank_rr
from archsim.kernels.dram_frfcfs import NOTHING_LEFT, TAG_ENDED, advance, take_ended
from archsim.kernels.dram_queues import REMAINING
from archsim.kernels.dram_rules import NEVER
from archsim.kernels.dram_streams import load_slot
from archsim.terms import DramPolicy


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
    writes = int(trace.is_write.sum())
    return run_of(outcome, device, policy=policy, outstanding=outstanding, requests=(len(trace) - writes, writes))


def run_frfcfs(setting: Setting) -> Outcome:
    """Run policy ``frfcfs``."""
    device, trace = setting.device, setting.trace
    sizes = StateSizes(
        slot_requests=len(trace), is_paced=True, log_lines=setting.log_lines, every_clock=setting.every_clock
    )
    state = make_state(device, setting.controller, setting.outstanding, sizes)
    state.blocks[0] = blocks_of(device.mapping, trace.address, device.request_bytes) * 2 + trace.is_write
    state.arrivals[0] = trace.arrival
    state.tags[0, REMAINING] = len(trace)
    load_slot(state, 0, len(trace), -1, 0)
    while (why := advance(state, NEVER)) != NOTHING_LEFT:
        if why == TAG_ENDED:
            take_ended(state)
    return outcome_of(state)


def run_bank_queues(setting: Setting) -> Outcome:
    """Run policy ``bank_rr``."""
    state = make_bank_queues(setting.device, setting.trace, setting.log_lines)
    run_bank_rr(state, setting.outstanding)
    return outcome_of(state)


POLICIES: dict[DramPolicy, Callable[[Setting], Outcome]] = {
    DramPolicy.FRFCFS: run_frfcfs,
    DramPolicy.BANK_RR: run_bank_queues,
}
"""What runs each policy."""

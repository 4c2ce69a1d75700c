"""The event fidelity: the array and the DRAM channel as simpy processes, one event per tile step.

The array runs the steps of a FoldPlan in order; a step starts when the array is free, its words have
arrived and the output buffer has room. The channel serves the transfers in the plan's order; a
transfer starts when the channel is free and the step that frees its buffer (or makes its data) is done.
simpy's clock counts ticks (see `timeline`). `kernels/step_schedule.py` computes the same times in one
pass and must agree to the cycle.
"""

from collections.abc import Generator

import numpy as np
import simpy

from archsim.engine.timeline import WRITE_BACK, ChannelClock, Timeline
from archsim.mapping.fold_plan import Steps, Transfers

Process = Generator[simpy.Event, None, None]


def run_events(steps: Steps, transfers: Transfers, clock: ChannelClock) -> Timeline:
    """Simulate one layer.

    Parameters
    ----------
    steps, transfers
        Of its plan; `transfers` may be empty.
    clock
        The channel's times in ticks.
    """
    chip = _Chip(steps, transfers, clock)
    chip.env.run()
    return Timeline(
        start=np.array(chip.start, dtype=np.int64),
        wait=np.array(chip.wait, dtype=np.int64),
        cause=np.array(chip.cause, dtype=np.int64),
        array_end=chip.array_end,
        channel_end=chip.channel_end,
    )


class _Chip:
    """One simpy environment: the array, the channel, and what each has told the other."""

    def __init__(self, steps: Steps, transfers: Transfers, clock: ChannelClock) -> None:
        self.env = simpy.Environment()
        self.clock = clock
        self.tick = clock.ticks_per_cycle
        self.advance, self.tail = steps.advance_cycles.tolist(), steps.tail_cycles.tolist()
        self.hold, self.first_start = steps.hold_transfer.tolist(), steps.first_start_cycles
        self.transfers = list(zip(transfers.step.tolist(), transfers.after_step.tolist(), transfers.lead_cycles.tolist(),
                                  transfers.operand.tolist(), transfers.is_write.tolist(),
                                  clock.transfer_ticks.tolist(), strict=True))  # fmt: skip
        self.needed = _last_needed(steps, transfers)
        self.arrivals: list[list[tuple[int, int]]] = [[] for _ in self.advance]
        self.done: list[int] = []
        self.start: list[int] = []
        self.wait: list[int] = []
        self.cause: list[int] = []
        self.array_end = self.channel_end = 0
        self.step_begun = self.env.event()
        self.transfer_served = self.env.event()
        self.env.process(self._channel())
        self.env.process(self._array())

    def _array(self) -> Process:
        """Run the steps in order."""
        free = self.first_start
        for step, needed in enumerate(self.needed):
            while len(self.done) <= needed:
                yield self.transfer_served
            begin, cause = self._ready(step, free)
            delay = begin * self.tick - self.env.now
            if delay > 0:
                yield self.env.timeout(delay)
            self.start.append(begin)
            self.wait.append(begin - free)
            self.cause.append(cause)
            self.array_end = max(self.array_end, begin + self.tail[step])
            free = begin + self.advance[step]
            self.step_begun = _announce(self.env, self.step_begun)

    def _channel(self) -> Process:
        """Serve the transfers in order."""
        for step, after, lead, operand, is_write, ticks in self.transfers:
            while len(self.start) <= after:
                yield self.step_begun
            allowed = (self.start[after] + self.tail[after]) * self.tick if after >= 0 else 0
            yield self.env.timeout(max(allowed - self.env.now, 0) + ticks)
            arrival = -(-(int(self.env.now) + self.clock.latency_ticks) // self.tick)
            self.done.append(arrival)
            if is_write:
                self.channel_end = max(self.channel_end, arrival)
            else:
                self.arrivals[step].append((arrival + lead, operand))
            self.transfer_served = _announce(self.env, self.transfer_served)

    def _ready(self, step: int, free: int) -> tuple[int, int]:
        """Earliest start of a step whose transfers have all been served, and what decides it."""
        begin, cause = free, -1
        for arrival, operand in self.arrivals[step]:
            if arrival > begin:
                begin, cause = arrival, operand
        hold = self.hold[step]
        if hold >= 0 and self.done[hold] > begin:
            begin, cause = self.done[hold], WRITE_BACK
        return begin, cause


def _announce(env: simpy.Environment, event: simpy.Event) -> simpy.Event:
    """Wake whoever waits for an event, and return the next one; costs nothing when nobody waits."""
    if not event.callbacks:
        return event
    event.succeed()
    return env.event()


def _last_needed(steps: Steps, transfers: Transfers) -> list[int]:
    """Index of the last transfer that each step waits for; -1 = none."""
    needed = steps.hold_transfer.copy()
    reads = np.flatnonzero(~transfers.is_write)
    np.maximum.at(needed, transfers.step[reads], reads)
    return [int(index) for index in needed]

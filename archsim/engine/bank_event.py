"""The event fidelity with a DRAM device: array and DRAM as simpy processes, bank timing by the exact kernel.

The DRAM process hands whole transfers to the channels' kernel and lets it run up to the next event of the
array. `kernels/step_banks.py` computes the same times without simpy and must agree to the cycle.
"""

from collections.abc import Generator

import numpy as np
import simpy

from archsim.arch.memory_level import DramLevel
from archsim.engine.bank_timeline import BankRun, BankWork, bank_work, read_out
from archsim.engine.timeline import WRITE_BACK, Timeline
from archsim.errors import SimulationError
from archsim.kernels.dram_frfcfs import HORIZON, NOTHING_LEFT, SLOT_EMPTY, advance, take_ended
from archsim.kernels.dram_queues import CLOCK
from archsim.kernels.dram_rules import NEVER
from archsim.kernels.dram_streams import END, POSITION
from archsim.kernels.step_banks import STREAMS, WRITE_STREAM, clock_of, cycle_of, offer_transfer, order_streams
from archsim.mapping.fold_plan import Steps, Transfers

Process = Generator[simpy.Event, None, None]


def run_bank_events(steps: Steps, transfers: Transfers, dram: DramLevel) -> BankRun:
    """Simulate one layer; see `run_on_banks`, which gives the same."""
    work = bank_work(steps, transfers, dram)
    chip = _Chip(work)
    chip.env.run()
    if len(chip.start) != len(steps):
        raise SimulationError(f"step {len(chip.start)} of {len(steps)} waits for a transfer that never comes")
    timeline = Timeline(
        start=np.array(chip.start, dtype=np.int64),
        wait=np.array(chip.wait, dtype=np.int64),
        cause=np.array(chip.cause, dtype=np.int64),
        array_end=chip.array_end,
        channel_end=chip.channel_end,
    )
    return read_out(work, timeline)


class _Chip:
    """One simpy environment, its clock in ticks of both clock domains."""

    def __init__(self, work: BankWork) -> None:
        self.env = simpy.Environment()
        self.work, self.clocks = work, work.clocks
        self.missing = np.bincount(work.transfers.step[~work.transfers.is_write], minlength=len(work.steps.advance))
        self.ready = [(0, -1)] * len(work.steps.advance)
        self.taken: dict[int, int] = {}
        self.start: list[int] = []
        self.wait: list[int] = []
        self.cause: list[int] = []
        self.array_end = self.channel_end = 0
        self.following = work.first_transfer.tolist()
        self.slot_tag = np.full(STREAMS, NEVER, dtype=np.int64)
        self.changed = self.env.event()
        self.env.process(self._array())
        self.env.process(self._dram())

    def _array(self) -> Process:
        """Run the steps in order."""
        steps, free = self.work.steps, self.work.first_start
        for step, hold in enumerate(steps.hold.tolist()):
            while self.missing[step] or (hold >= 0 and hold not in self.taken):
                yield self.changed
            begin, cause = free, -1
            if self.ready[step][0] > begin:
                begin, cause = self.ready[step]
            if hold >= 0 and self.taken[hold] > begin:
                begin, cause = self.taken[hold], WRITE_BACK
            delay = begin * self.clocks.cycle_ticks - self.env.now
            if delay > 0:
                yield self.env.timeout(delay)
            self.start.append(begin)
            self.wait.append(begin - free)
            self.cause.append(cause)
            self.array_end = max(self.array_end, begin + int(steps.tail[step]))
            free = begin + int(steps.advance[step])
            self._announce()

    def _dram(self) -> Process:
        """Offer each transfer once its step has begun; run the channels from event to event."""
        state, left = self.work.state, len(self.work.transfers.step)
        while left:
            self._offer()
            coming = self.env.peek()
            horizon = NEVER if coming == float("inf") else -(-int(coming) // self.clocks.clock_ticks)
            why = advance(state, max(horizon, int(state.scalars[CLOCK])))
            if why == SLOT_EMPTY:
                self._free_slots()
            elif why in (HORIZON, NOTHING_LEFT):
                yield self.changed if why == NOTHING_LEFT else self._until(int(state.scalars[CLOCK]))
                continue
            else:
                while (transfer := int(take_ended(state))) >= 0:
                    self._arrive(transfer)
                    left -= 1
            yield self._until(int(state.scalars[CLOCK]))
            self._announce()

    def _until(self, clock: int) -> simpy.Event:
        return self.env.timeout(max(0, clock * self.clocks.clock_ticks - self.env.now))

    def _offer(self) -> None:
        """Fill the empty slots with transfers whose step has begun."""
        transfers = self.work.transfers
        for stream in range(STREAMS):
            transfer = self.following[stream]
            if transfer < 0 or self.slot_tag[stream] != NEVER:
                continue
            after, behind = int(transfers.after[transfer]), int(transfers.behind[transfer])
            if after >= len(self.start) or (behind >= 0 and behind not in self.taken):
                continue
            allowed = self.start[after] + int(self.work.steps.tail[after]) if after >= 0 else 0
            offer_transfer(self.work.state, stream, transfer, transfers.runs[transfer], int(transfers.is_write[transfer]),
                           self.work.device.request_bytes, clock_of(self.clocks, allowed))  # fmt: skip
            self.slot_tag[stream] = transfer
            self.following[stream] = int(transfers.next_in_stream[transfer])
        order_streams(self.work.state, self.slot_tag)

    def _free_slots(self) -> None:
        streams, clock = self.work.state.streams, int(self.work.state.scalars[CLOCK])
        for stream in range(STREAMS):
            if self.slot_tag[stream] != NEVER and streams[stream, POSITION] == streams[stream, END]:
                if stream == WRITE_STREAM:
                    self.taken[int(self.slot_tag[stream])] = cycle_of(self.clocks, clock + 1)
                self.slot_tag[stream] = NEVER

    def _arrive(self, transfer: int) -> None:
        transfers = self.work.transfers
        moved = cycle_of(self.clocks, int(self.work.state.scalars[CLOCK])) + self.clocks.path_cycles
        if transfers.is_write[transfer]:
            self.channel_end = max(self.channel_end, moved)
            return
        step = int(transfers.step[transfer])
        self.missing[step] -= 1
        there = moved + int(transfers.lead[transfer])
        if there > self.ready[step][0]:
            self.ready[step] = (there, int(transfers.operand[transfer]))

    def _announce(self) -> None:
        """Wake whoever waits for the other side."""
        if self.changed.callbacks:
            self.changed.succeed()
            self.changed = self.env.event()

"""What a run of one layer's steps gives, whichever engine ran them; and the ticks they count in."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import DramLevel
from archsim.mapping.fold_plan import Steps, Transfers

IntArray = NDArray[np.int64]
WRITE_BACK = 4
"""Code of a wait for the output buffer, after the operand codes."""
MAX_TICKS_PER_CYCLE = 1_000_000
"""Keeps the times of any run within 63 bits; bandwidths are exact to a millionth of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Times of one layer.

    Parameters
    ----------
    start, wait, cause
        Shape (steps,): start of each step, cycles it waited beyond the array, and for what (a code of
        `OPERAND_CODES`, `WRITE_BACK`, or -1). [cycles]
    array_end, channel_end
        Last result in its register; last byte written to DRAM (0 = none). [cycles]
    """

    start: IntArray
    wait: IntArray
    cause: IntArray
    array_end: int
    channel_end: int

    @property
    def end(self) -> int:
        """When the layer is done. [cycles]"""
        return max(self.array_end, self.channel_end)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelClock:
    """The DRAM channel in whole ticks.

    Parameters
    ----------
    ticks_per_cycle
        Ticks in one cycle of the array.
    transfer_ticks
        Time of each transfer on the channel, shape (transfers,). [ticks]
    latency_ticks
        Added between the end on the channel and arrival. [ticks]
    """

    ticks_per_cycle: int
    transfer_ticks: IntArray
    latency_ticks: int


def channel_clock(transfers: Transfers, dram: DramLevel, *, latency: bool = True) -> ChannelClock:
    """Count the channel's time in ticks that make every byte a whole number of them.

    Parameters
    ----------
    transfers
        In the channel's order.
    dram
        Its bandwidth and latency.
    latency
        False = as if the latency were 0.
    """
    finest = max(1, int(MAX_TICKS_PER_CYCLE / max(1.0, dram.bandwidth_bytes_per_cycle)))
    rate = Fraction(dram.bandwidth_bytes_per_cycle).limit_denominator(finest)
    latency_ticks = dram.latency_cycles * rate.numerator if latency else 0
    return ChannelClock(ticks_per_cycle=rate.numerator, transfer_ticks=transfers.length_bytes * rate.denominator,
                        latency_ticks=latency_ticks)  # fmt: skip


def with_ports(steps: Steps) -> Steps:
    """Stretch each step to the time its words need at the buffers' ports."""
    extra = np.maximum(0, steps.port_cycles - steps.advance_cycles)
    return replace(steps, advance_cycles=steps.advance_cycles + extra, tail_cycles=steps.tail_cycles + extra)

"""What goes into a run of the DRAM channels, and what comes out: values only.

`dram_channel.py` makes a DramRun from a DramTrace; `cost/dram_energy.py` prices its counts; `study/` and
`validate/` show it. All times are clocks of the device (tCK).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.terms import DramPolicy

IntArray = NDArray[np.int64]


class BusUse(StrEnum):
    """What a clock of a channel's data bus went to; every clock has exactly one."""

    DATA = "data"
    ROW = "row"
    """The next burst waits for an activate or a precharge: row miss, bank conflict, tFAW, tRRD."""
    TURNAROUND = "turnaround"
    """Between reads and writes, or between ranks."""
    BANK_GROUP = "bank_group"
    """tCCD_L beyond the burst."""
    REFRESH = "refresh"
    IDLE = "idle"
    """Nothing was waiting: too few requests outstanding, or none offered."""
    OTHER = "other"
    """Command bus taken, data still on its way at the end of the run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DramTrace:
    """Requests of one burst each, in the order in which they are offered; arrays of shape (requests,).

    Parameters
    ----------
    address
        First byte; a multiple of the device's ``request_bytes``. [B]
    is_write
        Towards DRAM.
    arrival
        Earliest clock at which the request may be offered; 0 = at once. [tCK]
    inside_bursts
        Requests whose address lay inside a burst, and for which the whole burst stands.
    """

    address: IntArray
    is_write: NDArray[np.bool_]
    arrival: IntArray
    inside_bursts: int = 0

    def __len__(self) -> int:
        return len(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class DramController:
    """Settings of policy ``frfcfs``.

    Parameters
    ----------
    queue_entries
        Of the read queue and of the write queue, each, per channel.
    write_high, write_low
        Writes waiting at which writes go first, and at which reads go first again.
    idle_drain
        With no reads waiting, writes go first only when more than this many wait.
    hit_cap
        Column commands after which a row may be closed although a waiting request still hits it; 0 = never.
    return_cycles
        Clocks between a read's data and the reuse of its place among the outstanding reads. [tCK]
    """

    queue_entries: int = 32
    write_high: int = 26
    write_low: int = 6
    idle_drain: int = 0
    hit_cap: int = 0
    return_cycles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DramCounts:
    """Commands issued and background time, all channels and ranks together.

    Parameters
    ----------
    activates, precharges, reads, writes, refreshes
        Commands; a precharge that a column command brings along counts as one.
    missed_refreshes
        Refreshes that were due and came only after the next one was due.
    open_cycles, closed_cycles
        Clocks of ranks with a bank open, and with all banks closed; their sum is ranks x channels x cycles. [tCK]
    """

    activates: int
    precharges: int
    reads: int
    writes: int
    refreshes: int
    missed_refreshes: int
    open_cycles: int
    closed_cycles: int

    @property
    def columns(self) -> int:
        """Bursts moved."""
        return self.reads + self.writes

    @property
    def row_hit_rate(self) -> float:
        """1 - activates / bursts, 0..1; 0 without bursts."""
        return max(0.0, 1.0 - self.activates / self.columns) if self.columns else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DramActivity:
    """What a device did for one layer.

    Parameters
    ----------
    cycles
        From the layer's start to its last burst. [tCK]
    counts
        Commands and background time up to then.
    bus_use
        (use, clocks) of the channels' data buses; sums to channels x cycles. [tCK]
    burst_bytes
        What one burst moves. [B]
    """

    cycles: int
    counts: DramCounts
    bus_use: tuple[tuple[BusUse, int], ...]
    burst_bytes: int

    @property
    def bus_shares(self) -> dict[BusUse, float]:
        """Share of the data buses' clocks that each use took, 0..1."""
        clocks = sum(clocks for _, clocks in self.bus_use) or 1
        return {use: count / clocks for use, count in self.bus_use}


def add_activities(parts: Sequence[DramActivity]) -> DramActivity:
    """Add up what a device did for several layers, one after another; at least one."""
    counts = {field.name: sum(getattr(part.counts, field.name) for part in parts) for field in fields(DramCounts)}
    uses = {use: sum(dict(part.bus_use).get(use, 0) for part in parts) for use in BusUse}
    return DramActivity(
        cycles=sum(part.cycles for part in parts),
        counts=DramCounts(**counts),
        bus_use=tuple(uses.items()),
        burst_bytes=parts[0].burst_bytes,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommandLog:
    """Commands in the order of issue; arrays of shape (commands,).

    Parameters
    ----------
    cycle
        Clock of issue. [tCK]
    kind
        Index into `COMMANDS`.
    channel, rank, bankgroup, bank, row, column
        Where to; -1 where the command has none (a refresh has no bank).
    """

    cycle: IntArray
    kind: IntArray
    channel: IntArray
    rank: IntArray
    bankgroup: IntArray
    bank: IntArray
    row: IntArray
    column: IntArray


COMMANDS = ("activate", "read", "write", "precharge", "refresh", "read_precharge", "write_precharge")
"""A command's code in `CommandLog.kind` is its index here; the last two close the row behind them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DramRun:
    """A trace on a device.

    Parameters
    ----------
    device, policy, outstanding
        What ran, how, and the most reads in flight (over all channels).
    cycles
        Clock of the last data beat of the last column command. [tCK]
    counts
        Commands and background time up to then.
    requests
        Reads and writes asked for. Policy ``bank_rr`` serves some without a command of their own (a write to an
        address that waits already, a read of one) and leaves up to 8 writes a channel waiting, as DRAMsim3 does.
    read_latency_sum, read_latency_max
        From the first clock in which a command could go to data, over all reads. [tCK]
    bus_use
        (use, clocks) of the channels' data buses; sums to channels x cycles. [tCK]
    log
        Every command, where asked for.
    """

    device: DramDevice
    policy: DramPolicy
    outstanding: int
    cycles: int
    counts: DramCounts
    requests: tuple[int, int]
    read_latency_sum: int
    read_latency_max: int
    bus_use: tuple[tuple[BusUse, int], ...]
    log: CommandLog | None = None

    @property
    def seconds(self) -> float:
        """Length of the run. [s]"""
        return self.cycles * self.device.tck_ns * 1e-9

    @property
    def moved_bytes(self) -> int:
        """Bytes over the data buses, whole bursts. [B]"""
        return self.counts.columns * self.device.request_bytes

    @property
    def bytes_per_second(self) -> float:
        """Bandwidth reached; 0 for an empty run. [B/s]"""
        return self.moved_bytes / self.seconds if self.cycles else 0.0

    @property
    def bandwidth_utilization(self) -> float:
        """Bandwidth reached / peak, 0..1."""
        return self.bytes_per_second / self.device.peak_bytes_per_second

    @property
    def mean_read_latency_cycles(self) -> float:
        """From the first clock in which a command could go to data; 0 without reads. [tCK]"""
        return self.read_latency_sum / self.requests[0] if self.requests[0] else 0.0

    @property
    def unserved(self) -> int:
        """Requests without a command of their own: see `requests`."""
        return sum(self.requests) - self.counts.columns

    @property
    def activity(self) -> DramActivity:
        """What a layer keeps of its run."""
        return DramActivity(cycles=self.cycles, counts=self.counts, bus_use=self.bus_use,
                            burst_bytes=self.device.request_bytes)  # fmt: skip

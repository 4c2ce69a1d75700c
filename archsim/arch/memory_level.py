"""Memory levels: the SRAMs on the chip and the one DRAM channel behind them."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import ceil

from archsim.arch.dram_device import DramDevice
from archsim.terms import Compression, Operand

LIVES_WITH = {Operand.OFMAP: Operand.PSUM, Operand.PSUM: Operand.OFMAP}
"""Where an operand lives that no level or partition names: ofmap and psums share a place."""


class SramCell(StrEnum):
    """The transistors an SRAM is made of, by ITRS; the temperature that CACTI was run at goes with them."""

    LSTP = "lstp"
    LOP = "lop"
    HP = "hp"


class PortKind(StrEnum):
    """What one port of a bank does in a cycle."""

    READ_OR_WRITE = "rw"
    READ_AND_WRITE = "r1w"


@dataclass(frozen=True, slots=True, kw_only=True)
class SramPorts:
    """The ports of one bank.

    Parameters
    ----------
    count
        Of ports of this kind.
    kind
        Read or write, whichever is asked for; or a pair of one read and one write port.
    """

    count: int = 1
    kind: PortKind = PortKind.READ_OR_WRITE

    def __str__(self) -> str:
        if self.kind is PortKind.READ_OR_WRITE:
            return f"{self.count}rw"
        return f"{self.count}r{self.count}w"

    @classmethod
    def named(cls, text: str) -> "SramPorts":
        """Return the ports of a name like ``2rw`` or ``1r1w``. Raises ValueError for another name."""
        found = re.fullmatch(r"([1-9]\d{0,3})(?:rw|r([1-9]\d{0,3})w)", text)
        if found is None or found[2] not in (None, found[1]):
            raise ValueError("must be Nrw (N ports, each reads or writes) or NrNw (N read and N write ports)")
        kind = PortKind.READ_OR_WRITE if found[2] is None else PortKind.READ_AND_WRITE
        return cls(count=int(found[1]), kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class SramLevel:
    """An on-chip buffer between the array and DRAM.

    Parameters
    ----------
    name
        As in the arch file; the ``level`` column of traffic.csv.
    capacity_bytes
        Of the whole level. [B]
    holds
        Operands that live here.
    partition_bytes
        Bytes reserved per operand, or None where all operands share the level. [B]
    banks, ports
        Independent banks; ports of each.
    port_kind
        What one of these ports does in a cycle.
    width_bytes
        Bytes per port and cycle; None = never a limit. [B]
    interleave_bytes
        Neighbouring bytes in one bank before the next bank follows; None = ``width_bytes``. [B]
    cell
        What the cells are made of; a matter of energy, area, leakage and access time.
    double_buffered
        The next tile of an operand loads while the present one is in use.
    keep_bytes
        Part of the capacity set aside for tensors that wait here for a later layer. [B]
    packing_bits
        Values lie whole in words of so many bits, as many as fit; None = one behind the other. [b]
    keeps_weights
        The stored weights of all layers are loaded once, before the first layer, where they fit.
    """

    name: str
    capacity_bytes: int
    holds: frozenset[Operand]
    partition_bytes: tuple[tuple[Operand, int], ...] | None = None
    banks: int = 1
    ports: int = 1
    port_kind: PortKind = PortKind.READ_OR_WRITE
    width_bytes: int | None = None
    interleave_bytes: int | None = None
    cell: SramCell = SramCell.LSTP
    double_buffered: bool = True
    keep_bytes: int = 0
    packing_bits: int | None = None
    keeps_weights: bool = False

    @property
    def bytes_per_cycle(self) -> int | None:
        """What all ports move per cycle, both ways; None = no limit. Per partition where partitioned. [B/cycle]"""
        if self.width_bytes is None:
            return None
        return self.width_bytes * self.banks * self.ports * (2 if self.reads_beside_writes else 1)

    @property
    def reads_beside_writes(self) -> bool:
        """Whether reads and writes have ports of their own, rather than compete."""
        return self.port_kind is PortKind.READ_AND_WRITE

    @property
    def bank_ports(self) -> SramPorts:
        """The ports of one bank."""
        return SramPorts(count=self.ports, kind=self.port_kind)

    @property
    def room_bytes(self) -> int:
        """Capacity left for tiles. [B]"""
        return self.capacity_bytes - self.keep_bytes

    def room_for(self, operand: Operand) -> int:
        """Capacity for one operand's tiles; psums and ofmap share a partition. [B]"""
        if self.partition_bytes is None:
            return self.room_bytes
        shares = dict(self.partition_bytes)
        return shares[operand] if operand in shares else shares[LIVES_WITH[operand]]

    @property
    def tile_copies(self) -> int:
        """Tiles of one operand that have to fit at one time."""
        return 2 if self.double_buffered else 1


class TensorLayout(StrEnum):
    """How ifmap and ofmap lie in DRAM."""

    NCHW = "nchw"
    NHWC = "nhwc"
    TILED = "tiled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DramLevel:
    """The DRAM that every operand shares: a device with banks, or no more than a bandwidth and a latency.

    Parameters
    ----------
    name
        As in the arch file.
    bandwidth_bytes_per_cycle
        Reads and writes together, in cycles of the array's clock; of a device its peak. [B/cycle]
    latency_cycles
        From the request to the last byte of a transfer that needs no time on the channel; with a device,
        what lies between its controller and the buffers. [cycles]
    is_ideal
        Transfers take no time (``--dram ideal``); traffic is counted all the same.
    device
        Whose commands are simulated; None = bandwidth and latency alone: no banks, rows, refresh or
        bus turnaround.
    outstanding_reads
        Bursts that may be on their way at one time, over all channels of a device.
    layout
        Of ifmap and ofmap in a device.
    clocks_per_cycle
        Clocks of the device in one cycle of the array.
    energy_device
        Whose commands the energy is estimated by where ``device`` is None; None = the cost model's choice.
    compression
        The code of each operand that does not cross the channel as it is.
    packing_bits
        As in `SramLevel`: words of the bus. [b]
    codes_network_input
        Whether the code of ifmaps holds for the network's own input too; a host may bring it as it is.
    stores_padding
        Ifmaps lie in DRAM with their padding, which crosses the channel as all else; row stationary only.
    """

    name: str
    bandwidth_bytes_per_cycle: float
    latency_cycles: int = 0
    is_ideal: bool = False
    device: DramDevice | None = None
    outstanding_reads: int = 32
    layout: TensorLayout = TensorLayout.NCHW
    clocks_per_cycle: Fraction = Fraction(1)
    energy_device: DramDevice | None = None
    compression: tuple[tuple[Operand, Compression], ...] = ()
    packing_bits: int | None = None
    codes_network_input: bool = True
    stores_padding: bool = False

    @property
    def input_as_it_is(self) -> "DramLevel":
        """The channel for a layer that reads an ifmap without a code."""
        kept = tuple((operand, code) for operand, code in self.compression if operand is not Operand.IFMAP)
        return replace(self, compression=kept)

    @property
    def read_latency_cycles(self) -> int:
        """From a read of an idle channel to its data in the buffer, the row not open. [cycles]"""
        if self.device is None:
            return self.latency_cycles
        timing = self.device.timing
        clocks = timing.trcd_rd + timing.cl + self.device.burst_cycles
        return self.latency_cycles + ceil(clocks / self.clocks_per_cycle)

    @property
    def has_banks(self) -> bool:
        """Whether a device's commands are simulated."""
        return self.device is not None and not self.is_ideal

    def require_device(self) -> DramDevice:
        """Return the device; call it only where there is one."""
        assert self.device is not None, f"{self.name} is a bandwidth and a latency alone"
        return self.device

"""Memory levels: the SRAMs on the chip and the one DRAM channel behind them."""

from dataclasses import dataclass

from archsim.terms import Operand

LIVES_WITH = {Operand.OFMAP: Operand.PSUM, Operand.PSUM: Operand.OFMAP}
"""Where an operand lives that no level or partition names: ofmap and psums share a place."""


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
        Independent banks; words each may move per cycle.
    width_bytes
        Bytes per port and cycle; None = never a limit. [B]
    double_buffered
        The next tile of an operand loads while the present one is in use.
    keep_bytes
        Part of the capacity set aside for tensors that wait here for a later layer. [B]
    """

    name: str
    capacity_bytes: int
    holds: frozenset[Operand]
    partition_bytes: tuple[tuple[Operand, int], ...] | None = None
    banks: int = 1
    ports: int = 1
    width_bytes: int | None = None
    double_buffered: bool = True
    keep_bytes: int = 0

    @property
    def bytes_per_cycle(self) -> int | None:
        """What all ports move per cycle; None = no limit. Per partition where partitioned. [B/cycle]"""
        return None if self.width_bytes is None else self.width_bytes * self.banks * self.ports

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DramLevel:
    """One DRAM channel that every operand shares: bandwidth and latency.

    Parameters
    ----------
    name
        As in the arch file.
    bandwidth_bytes_per_cycle
        Of the channel, reads and writes together, in cycles of the array's clock. [B/cycle]
    latency_cycles
        From the request to the last byte of a transfer that needs no time on the channel. [cycles]
    is_ideal
        Transfers take no time (``--dram ideal``); traffic is counted all the same.

    Notes
    -----
    Not modelled: banks, rows, refresh, bus turnaround.
    """

    name: str
    bandwidth_bytes_per_cycle: float
    latency_cycles: int = 0
    is_ideal: bool = False

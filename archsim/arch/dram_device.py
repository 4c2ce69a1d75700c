"""One DRAM device: how its channels are built, how fast each command may follow another, what it draws.

Made by `dram_devices.py` from YAML; `engine/` runs it, `cost/` prices it. A *device* here is what an
arch file names under ``device:``, all its channels together. Every time is in clocks of the device (tCK).
"""

from dataclasses import dataclass

from archsim.arch.dram_mapping import AddressMapping
from archsim.terms import PagePolicy

READS_PER_CHANNEL = 32
"""Bursts outstanding per channel where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DramTiming:
    """Least distances between commands, by their JEDEC names. [tCK]

    Parameters
    ----------
    cl, cwl
        From a read or write command to its first data.
    trcd_rd, trcd_wr, trp, tras, trtp, twr
        Of one bank: activate to column command, precharge to activate, activate to precharge, read to
        precharge, end of write data to precharge.
    tccd_s, tccd_l, twtr_s, twtr_l, trrd_s, trrd_l
        Column to column, write data to read, activate to activate: other bank group (``_s``), same (``_l``).
    tfaw
        Window that holds four activates of a rank at most.
    trtrs
        Gap on the data bus when another rank drives it, or its direction turns.
    trfc, trefi
        A refresh, and the time from one to the next.
    tppd
        Precharge to precharge within a rank; 0 = no rule (LPDDR4 has it).
    """

    cl: int
    cwl: int
    trcd_rd: int
    trcd_wr: int
    trp: int
    tras: int
    trtp: int
    twr: int
    tccd_s: int
    tccd_l: int
    twtr_s: int
    twtr_l: int
    trrd_s: int
    trrd_l: int
    tfaw: int
    trtrs: int
    trfc: int
    trefi: int
    tppd: int = 0

    @property
    def trc(self) -> int:
        """Activate to activate of one bank. [tCK]"""
        return self.tras + self.trp


@dataclass(frozen=True, slots=True, kw_only=True)
class DramCurrents:
    """Supply voltage and the currents of one chip, as data sheets give them. [V], [mA]"""

    vdd: float
    idd0: float
    idd2n: float
    idd3n: float
    idd4r: float
    idd4w: float
    idd5ab: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DramDevice:
    """A DRAM that a chip may have behind it.

    Parameters
    ----------
    name, source
        Shown in every report.
    from_memory
        Part of it was recalled, not read at its source.
    protocol
        ``DDR3``, ``DDR4``, ``LPDDR3``, ``LPDDR4`` or ``HBM``; HBM issues a row and a column command per clock.
    tck_ns
        Clock period. [ns]
    channels, ranks, bankgroups, banks_per_group, rows
        Powers of two; ranks per channel, bank groups per rank. 1 bank group = none.
    row_bytes
        Of a row over all chips of a rank. [B]
    devices_per_rank
        Chips side by side.
    bus_width_bits, burst_length
        Data bus of a channel, and beats of a burst, two per clock.
    mapping
        Which address bits choose channel, rank, bank group, bank, row and column.
    page_policy
        What happens to a row after a column command.
    has_refresh
        False = never refreshed, for studies.
    timing, currents
        See their classes.
    """

    name: str
    source: str
    from_memory: bool
    protocol: str
    tck_ns: float
    channels: int
    ranks: int
    bankgroups: int
    banks_per_group: int
    rows: int
    row_bytes: int
    devices_per_rank: int
    bus_width_bits: int
    burst_length: int
    mapping: AddressMapping
    page_policy: PagePolicy
    has_refresh: bool
    timing: DramTiming
    currents: DramCurrents

    @property
    def request_bytes(self) -> int:
        """What one burst moves. [B]"""
        return self.bus_width_bits // 8 * self.burst_length

    @property
    def burst_cycles(self) -> int:
        """Clocks that a burst holds the data bus. [tCK]"""
        return self.burst_length // 2

    @property
    def columns(self) -> int:
        """Bursts in a row."""
        return self.row_bytes // self.request_bytes

    @property
    def banks_per_rank(self) -> int:
        """Banks of one rank."""
        return self.bankgroups * self.banks_per_group

    @property
    def capacity_bytes(self) -> int:
        """All channels together. [B]"""
        return self.channels * self.ranks * self.banks_per_rank * self.rows * self.row_bytes

    @property
    def peak_bytes_per_second(self) -> float:
        """All channels together, both edges of the clock. [B/s]"""
        return self.channels * self.bus_width_bits / 8 * 2 / (self.tck_ns * 1e-9)

    @property
    def splits_command_bus(self) -> bool:
        """Whether a row and a column command may be issued in the same clock."""
        return self.protocol == "HBM"

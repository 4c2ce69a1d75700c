"""Commands of a DRAM run x currents of its chips -> pJ; called by `study/` and `validate/`.

Computed from the data sheet's IDD values, never from a flat pJ/bit: the same bytes cost more when they
open more rows. Volt x milliampere x nanosecond = picojoule.
"""

from dataclasses import dataclass
from math import fsum

from archsim.arch.dram_device import DramDevice
from archsim.engine.dram_run import DramCounts

BITS_PER_BYTE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnergy:
    """What one command, or one clock, costs over all chips of a rank.

    Parameters
    ----------
    activate_pj
        An activate and the precharge that ends it.
    read_pj, write_pj
        A burst.
    refresh_pj
        A refresh of all banks.
    open_pj_per_cycle, closed_pj_per_cycle
        A clock with a bank open, and with all banks closed.
    """

    activate_pj: float
    read_pj: float
    write_pj: float
    refresh_pj: float
    open_pj_per_cycle: float
    closed_pj_per_cycle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DramEnergy:
    """Energy of a DRAM run by what it went to, all channels and ranks together. [pJ]

    Parameters
    ----------
    activate_pj, read_pj, write_pj, refresh_pj
        Above the background.
    open_pj, closed_pj
        Background of ranks with a bank open, and with all banks closed.
    moved_bytes
        Over the data buses. [B]
    """

    activate_pj: float
    read_pj: float
    write_pj: float
    refresh_pj: float
    open_pj: float
    closed_pj: float
    moved_bytes: int

    @property
    def components(self) -> tuple[tuple[str, float], ...]:
        """(component, pJ); they add up to the total. [pJ]"""
        return (
            ("activate", self.activate_pj),
            ("read", self.read_pj),
            ("write", self.write_pj),
            ("refresh", self.refresh_pj),
            ("background_open", self.open_pj),
            ("background_closed", self.closed_pj),
        )

    @property
    def background_pj(self) -> float:
        """Standby, whatever the commands. [pJ]"""
        return self.open_pj + self.closed_pj

    @property
    def total_pj(self) -> float:
        """Sum of the components. [pJ]"""
        return fsum(energy_pj for _, energy_pj in self.components)

    @property
    def pj_per_bit(self) -> float:
        """Total / bits moved; 0 where nothing moved. [pJ/bit]"""
        return self.total_pj / (self.moved_bytes * BITS_PER_BYTE) if self.moved_bytes else 0.0


def command_energy(device: DramDevice) -> CommandEnergy:
    """Return what each command of a device costs.

    Parameters
    ----------
    device
        Its currents are those of one chip; ``devices_per_rank`` chips answer each command.

    Notes
    -----
    Not modelled: interface and termination, which the chips' IDD values leave out; power-down and self
    refresh (IDD2P, IDD6): a rank without work stays in standby; supplies other than the first (VPP, VDD2).

    References
    ----------
    .. [1] DRAMsim3 @29817593, src/configuration.cc: energy of a command = its current above standby x its
       duration. Its printed energies lack the factor tCK. Read in the summary beside our golden runs.
    """
    currents, timing = device.currents, device.timing
    pj_per_ma_cycle = currents.vdd * device.tck_ns * device.devices_per_rank
    cycle_ma = {
        "activate": currents.idd0 * timing.trc - currents.idd3n * timing.tras - currents.idd2n * timing.trp,
        "read": (currents.idd4r - currents.idd3n) * device.burst_cycles,
        "write": (currents.idd4w - currents.idd3n) * device.burst_cycles,
        "refresh": (currents.idd5ab - currents.idd3n) * timing.trfc,
    }
    return CommandEnergy(
        activate_pj=cycle_ma["activate"] * pj_per_ma_cycle,
        read_pj=cycle_ma["read"] * pj_per_ma_cycle,
        write_pj=cycle_ma["write"] * pj_per_ma_cycle,
        refresh_pj=cycle_ma["refresh"] * pj_per_ma_cycle,
        open_pj_per_cycle=currents.idd3n * pj_per_ma_cycle,
        closed_pj_per_cycle=currents.idd2n * pj_per_ma_cycle,
    )


def price_dram(counts: DramCounts, device: DramDevice) -> DramEnergy:
    """Return the energy of the commands and clocks that were counted on a device.

    Parameters
    ----------
    counts
        Of a run, of a part of one, or of a layer.
    device
        What they were counted on.
    """
    each = command_energy(device)
    return DramEnergy(
        activate_pj=counts.activates * each.activate_pj,
        read_pj=counts.reads * each.read_pj,
        write_pj=counts.writes * each.write_pj,
        refresh_pj=counts.refreshes * each.refresh_pj,
        open_pj=counts.open_cycles * each.open_pj_per_cycle,
        closed_pj=counts.closed_cycles * each.closed_pj_per_cycle,
        moved_bytes=counts.columns * device.request_bytes,
    )

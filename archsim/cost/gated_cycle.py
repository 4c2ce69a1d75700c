"""What a PE's clock costs in a cycle whose MAC is gated; called by `chip_prices.py` and `assumptions.py`.

A gated MAC saves the multiplier and the reads and writes of weight and psum spad: those are counted. Chips report more,
as pipeline registers behind the gate stand still too. Where an arch gives the share of a PE's energy that gating saves
as a whole (``energy.gated_share``), the rest of it is taken from the clock.
"""

from archsim.arch.architecture import Architecture
from archsim.cost.energy_table import EnergyTable
from archsim.cost.register_file import register_file_pj
from archsim.cost.spads import spad_words
from archsim.mapping.row_spads import GATED_ACCESSES
from archsim.terms import Direction, Operand

LOOK = ((Operand.IFMAP, Direction.READ),)
"""The access that it makes all the same."""


def gated_cycle_pj(arch: Architecture, table: EnergyTable) -> float:
    """Return the clock's energy in a PE's gated cycle: that of any other, less what the counts have not saved yet. [pJ]

    Notes
    -----
    A cycle is taken to hold as many MACs as the PE has multipliers, all gated or none. Never below 0 and never above
    the clock's own: where the counts alone save more than the share, nothing is added.
    """
    macs, clock = arch.pe_array.multipliers_per_pe, table.clock_pj_per_pe_cycle
    counted = macs * (table.mac_pj(arch.formats, arch.pe_array.log_adder) + _accesses_pj(GATED_ACCESSES, arch, table))
    whole = clock + counted + macs * _accesses_pj(LOOK, arch, table)
    saved = (arch.energy.gated_share or 0.0) * whole - counted
    return clock - min(clock, max(0.0, saved))


def _accesses_pj(accesses: tuple[tuple[Operand, Direction], ...], arch: Architecture, table: EnergyTable) -> float:
    """Sum over accesses of a PE's spads, a word each. [pJ]"""
    return sum(
        register_file_pj(spad_words(arch.pe_array, operand), arch.formats.of(operand).width_bits, direction, table)
        for operand, direction in accesses
    )

"""What the chip burns while it stands still; called by `energy.py`."""

from math import fsum

from archsim.arch.architecture import Architecture
from archsim.cost.area import logic_areas
from archsim.cost.energy_table import EnergyTable
from archsim.cost.sram_macros import macros_of


def chip_leakage_mw(arch: Architecture, table: EnergyTable) -> float:
    """Leakage of SRAMs and logic, or the override ``leakage_mw``. [mW]

    Notes
    -----
    Not scaled by node: the published factors are of switching energy, and CACTI's leakage of one cell
    type moves up and down from node to node. SRAM cells of the default table are low standby power at
    300 K; high-performance cells at 350 K leak 10^3 to 10^4 times more. Not modelled: power gating,
    temperature, DRAM background power.
    """
    if "leakage_mw" in table.overrides:
        return table.overrides["leakage_mw"]
    logic_mm2 = fsum(logic_areas(arch, table).values()) * table.leakage_area_factor
    banks = (macros.banks * table.sram_point(macros).leakage_mw for level in arch.srams for macros in macros_of(level))
    return logic_mm2 * table.logic_leakage_mw_per_mm2 + fsum(banks)

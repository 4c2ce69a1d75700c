"""What the chip burns while it stands still; called by `chip_prices.py`."""

from collections.abc import Mapping
from math import fsum

from archsim.arch.architecture import Architecture
from archsim.cost.area import logic_areas, sram_point
from archsim.cost.energy_table import EnergyTable
from archsim.cost.price_list import SPAD
from archsim.cost.spads import pe_store
from archsim.cost.sram_macros import macros_of

CHIP = "chip"
"""The one part where the override gives the whole chip's leakage."""


def leakage_mw(arch: Architecture, table: EnergyTable) -> Mapping[str, float]:
    """Leakage of each part of the chip: logic by component, levels by name; or the override ``leakage_mw``. [mW]

    Notes
    -----
    SRAM as CACTI gives it at the node, for the level's cells at their temperature: high-performance cells
    at 350 K leak 10^3 to 10^4 times what low-standby-power cells do at 300 K. Logic by its area at the node
    of the published density: the published factors between nodes are of switching energy. Spads that are SRAM
    macros leak as SRAM. Not modelled: power gating, other temperatures.
    """
    if "leakage_mw" in table.overrides:
        return {CHIP: table.overrides["leakage_mw"]}
    density = table.leakage_area_factor * table.logic_leakage_mw_per_mm2
    store, pes = pe_store(arch, table), arch.pe_array.pes
    areas = logic_areas(arch, table)
    areas[SPAD] -= pes * store.macro_mm2
    logic = {part: area_mm2 * density for part, area_mm2 in areas.items()}
    logic[SPAD] += pes * store.macro_leakage_mw
    srams = {
        level.name: fsum(macros.banks * sram_point(level, macros, table).leakage_mw for macros in macros_of(level))
        for level in arch.srams
    }
    return logic | srams

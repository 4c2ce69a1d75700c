"""PEs, lanes, bytes -> mm2; called by `chip_prices.py`, `leakage.py` and `wires.py`."""

from math import fsum

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.cost.arithmetic import adder
from archsim.cost.energy_table import EnergyTable
from archsim.cost.mac_cost import MODEL_SOURCE, is_modelled
from archsim.cost.price_list import MAC, SPAD, VECTOR, AreaPart
from archsim.cost.spads import pe_store
from archsim.cost.sram_macros import SramMacros, macros_of
from archsim.cost.sram_model import SramPoint

MM2_PER_UM2 = 1e-6
SPAD_FILES = "area.spads"
"""Key of the sentence on stores of PEs that are flip-flops and SRAM macros side by side."""


def area_parts(arch: Architecture, table: EnergyTable) -> tuple[AreaPart, ...]:
    """Return the pieces of the chip that are priced, at the table's node.

    Returns
    -------
    tuple of AreaPart
        ``mac``, ``spad`` (the registers or files of one PE each), the banks of each on-chip level, ``vector``.

    Notes
    -----
    Not modelled: wires, networks, control, DMA, clock tree, pads, DRAM interface, white space, registers at
    the array's edge. DRAM is off the chip. Logic areas are cell areas at full density.
    """
    array, formats, unit = arch.pe_array, arch.formats, arch.vector_unit
    store = pe_store(arch, table)
    spad_um2 = store.register_bits * table.register_um2_per_bit + store.macro_mm2 / MM2_PER_UM2
    lane_um2 = table.areas.cost(adder(formats.psum))
    mac_source = MODEL_SOURCE if is_modelled(formats, array.log_adder) else "area.arithmetic"
    logic = (
        (MAC, array.multipliers, table.mac_um2(formats, array.log_adder), mac_source),
        (SPAD, array.rows * array.columns, spad_um2, SPAD_FILES if store.macros else "area.register"),
        (VECTOR, unit.lanes * unit.ops_per_cycle if unit else 0, lane_um2, "area.arithmetic"),
    )
    mac, spad, vector = (
        AreaPart(component=name, count=count, unit_mm2=um2 * MM2_PER_UM2, source=source)
        for name, count, um2, source in logic
    )
    srams = tuple(
        AreaPart(
            component=level.name, count=macros.banks, unit_mm2=sram_point(level, macros, table).area_mm2,
            source=sram_source(level),
        )
        for level in arch.srams
        for macros in macros_of(level)
    )  # fmt: skip
    return (mac, spad, *srams, vector)


def logic_areas(arch: Architecture, table: EnergyTable) -> dict[str, float]:
    """Area of multipliers with their adders, PE registers, and vector lanes, by component. [mm2]"""
    parts = [part for part in area_parts(arch, table) if part.component in (MAC, SPAD, VECTOR)]
    return {name: fsum(part.area_mm2 for part in parts if part.component == name) for name in (MAC, SPAD, VECTOR)}


def sram_point(level: SramLevel, macros: SramMacros, table: EnergyTable) -> SramPoint:
    """Return what one bank of a level costs at the table's node."""
    model = table.sram_models[level.cell]
    return model.point(bank_bytes=macros.bank_bytes, access_bits=macros.access_bits, ports=level.bank_ports)


def sram_source(level: SramLevel) -> str:
    """Return the key of the sentence that says whence a level's numbers are."""
    return f"sram.{level.cell}"

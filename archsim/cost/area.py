"""PEs, lanes, bytes -> mm2; called by `leakage.py` and `study/`."""

from math import fsum

from archsim.arch.architecture import Architecture
from archsim.cost.arithmetic import adder, mac_operators
from archsim.cost.energy_table import EnergyTable
from archsim.cost.sram_macros import macros_of
from archsim.terms import Dataflow, Operand

MM2_PER_UM2 = 1e-6


def chip_area(arch: Architecture, table: EnergyTable) -> tuple[tuple[str, float], ...]:
    """Area of the priced parts of the chip, at the table's node.

    Returns
    -------
    tuple of (str, float)
        Component and area: ``mac``, ``spad``, each on-chip level by its name, ``vector``. [mm2]

    Notes
    -----
    Not modelled: wires, networks, control, DMA, clock tree, pads, DRAM interface, white space, second
    ports (an SRAM of two ports takes about twice the area), registers at the array's edge. DRAM is
    off the chip. Logic areas are cell areas at full density.
    """
    srams = tuple(
        (level.name, fsum(m.banks * table.sram_point(m).area_mm2 for m in macros_of(level)) * table.sram_area_factor)
        for level in arch.srams
    )
    logic = logic_areas(arch, table)
    return (("mac", logic["mac"]), ("spad", logic["spad"]), *srams, ("vector", logic["vector"]))


def logic_areas(arch: Architecture, table: EnergyTable) -> dict[str, float]:
    """Area of multipliers with their adders, PE registers, and vector lanes, by component. [mm2]"""
    array, formats = arch.pe_array, arch.formats
    lanes = arch.vector_unit.lanes * arch.vector_unit.ops_per_cycle if arch.vector_unit else 0
    areas_um2 = {
        "mac": array.multipliers * table.areas.cost(*mac_operators(formats)),
        "spad": array.rows * array.columns * register_bits_per_pe(arch) * table.register_um2_per_bit,
        "vector": lanes * table.areas.cost(adder(formats.psum)),
    }
    return {component: area * MM2_PER_UM2 for component, area in areas_um2.items()}


def register_bits_per_pe(arch: Architecture) -> int:
    """Bits of one register per operand, the stationary one's as often as ``weight_regs`` says. [b]"""
    array, formats = arch.pe_array, arch.formats
    is_input_stationary = array.dataflow is Dataflow.INPUT_STATIONARY
    stationary = formats.of(Operand.IFMAP if is_input_stationary else Operand.WEIGHT).width_bits
    one_each = formats.ifmap.width_bits + formats.weight.width_bits + formats.psum.width_bits
    return one_each + (array.weight_regs - 1) * stationary

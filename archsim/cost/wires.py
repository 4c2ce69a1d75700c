"""How far a bit travels on the chip; called by `chip_prices.py` and `assumptions.py`.

Lengths follow from area: the pitch of a PE is the square root of its area, the array's side that of all PEs.
"""

from dataclasses import dataclass
from math import sqrt

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramCell
from archsim.cost.area import logic_areas
from archsim.cost.energy_table import EnergyTable
from archsim.terms import Direction, Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLengths:
    """What bits travel over. [mm]

    Parameters
    ----------
    hop
        From a PE to its neighbour.
    span
        Between an on-chip level and its place in the array, either way: one side of the array.
    """

    hop: float
    span: float


def wire_lengths(arch: Architecture, table: EnergyTable) -> WireLengths:
    """Return the lengths of an array's wires, from its cell area at the table's node.

    Notes
    -----
    Not modelled: a floorplan, PEs that are not square, room for routing (real PEs are larger than their
    cells), the way from a level's banks to the array, from DRAM pads to a level, and to the vector unit.
    """
    logic = logic_areas(arch, table)
    array_mm2 = logic["mac"] + logic["spad"]
    pes = arch.pe_array.rows * arch.pe_array.columns
    return WireLengths(hop=sqrt(array_mm2 / pes), span=sqrt(array_mm2))


def network_lengths(arch: Architecture, table: EnergyTable) -> dict[tuple[Operand, Direction], float]:
    """Return how far a word travels in the networks of a row-stationary array per PE that takes it. [mm]

    A bus runs down one side of the array to a bus per row of PEs; the way down is the ``span`` of the word's access
    on chip. Whichever PE takes a word, the whole bus of its row switches. An ifmap word goes to PEs along a diagonal,
    each in a row of its own: a row's length per delivery. A weight goes to PEs of one row, which share its bus: one
    pitch per delivery. Psums hop from PE to PE.

    Notes
    -----
    The two stages of buses are those of Eyeriss as recalled, not re-read. Not modelled: multicast controllers and
    their registers; PE sets side by side, whose PEs share a row's bus for ifmaps (fewer millimetres) or leave part
    of it to others' weights (more).
    """
    hop = wire_lengths(arch, table).hop
    return {
        (Operand.IFMAP, Direction.READ): arch.pe_array.columns * hop,
        (Operand.WEIGHT, Direction.READ): hop,
        (Operand.PSUM, Direction.WRITE): hop,
    }


def wire_cell(arch: Architecture) -> SramCell:
    """Return the transistors of the repeaters: high performance where the level next to the array has them."""
    is_fast = bool(arch.srams) and arch.srams[0].cell is SramCell.HP
    return SramCell.HP if is_fast else SramCell.LSTP

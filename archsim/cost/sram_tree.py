"""Wires from the port of a memory to its macros: what several macros cost beyond their own.

Called by `sram_model.py` for memories larger than the largest macro of the grid.
"""

from dataclasses import dataclass
from math import sqrt

from archsim.arch.memory_level import SramCell
from archsim.cost.log_log import along

WIRE_PJ_PER_BIT_MM: dict[SramCell, tuple[tuple[float, float], ...]] = {
    SramCell.LSTP: ((22, 0.208), (32, 0.310), (45, 0.404), (65, 0.521), (90, 0.663)),
    SramCell.HP: ((22, 0.163), (32, 0.217), (45, 0.264), (65, 0.348), (90, 0.448)),
}
"""One full swing of a semi-global wire, repeaters at 20 % over the least delay; CACTI 7, 300 K and 350 K. [nm, pJ/b/mm]"""
WIRE_NS_PER_MM: dict[SramCell, tuple[tuple[float, float], ...]] = {
    SramCell.LSTP: ((22, 0.490), (32, 0.415), (45, 0.334), (65, 0.288), (90, 0.245)),
    SramCell.HP: ((22, 0.217), (32, 0.193), (45, 0.162), (65, 0.157), (90, 0.138)),
}
"""Delay of the same wire. [nm, ns/mm]"""

SWINGS = 1.65
"""Full swings per bit and millimetre of `tree_mm`: the median over 213 banked memories of CACTI 7 (2 to 16 banks,
22, 45 and 65 nm), where it lies between 1.2 and 1.9 for every node and number of banks."""
PASSES = 3.5
"""Wire delays per millimetre of `tree_mm`, likewise: there and back, with branches."""
PITCHES = 36.5
"""Width of the tree per bit, in feature sizes, likewise: wires of both directions and their repeaters. It is the same
within 3 % for every number of banks and every width."""
MM_PER_NM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroTree:
    """A tree of wires over equal macros in a square.

    Parameters
    ----------
    access_pj
        Of one access, either way. [pJ]
    access_ns
        Added to a macro's access time. [ns]
    area_mm2
        Beyond the macros' own. [mm2]

    Notes
    -----
    Against CACTI's own banked memories, the energy of macro and tree is within 20 % for nine in ten. Not
    modelled: a crossbar with several accesses at a time, low-swing wires. Of low operating power cells the
    wires are those of low standby power.
    """

    access_pj: float
    access_ns: float
    area_mm2: float


def macro_tree(*, macro_mm2: float, macros: float, access_bits: float, cell: SramCell, node_nm: float) -> MacroTree:
    """Return the wires of ``macros`` macros of ``macro_mm2`` each."""
    length = tree_mm(macro_mm2, macros)
    wires = SramCell.HP if cell is SramCell.HP else SramCell.LSTP
    return MacroTree(
        access_pj=SWINGS * _at(WIRE_PJ_PER_BIT_MM[wires], node_nm) * access_bits * length,
        access_ns=PASSES * _at(WIRE_NS_PER_MM[wires], node_nm) * length,
        area_mm2=PITCHES * node_nm * MM_PER_NM * access_bits * length,
    )


def tree_mm(macro_mm2: float, macros: float) -> float:
    """Return the way from the middle of a square of macros to the middle of one: 0 for one macro. [mm]"""
    return sqrt(macro_mm2) * (sqrt(macros) - 1)


def _at(points: tuple[tuple[float, float], ...], node_nm: float) -> float:
    nodes = [node for node, _ in points]
    return along(nodes, node_nm, lambda index: points[index][1:])[0]

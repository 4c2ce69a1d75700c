"""What one PE keeps its words in: a register per operand, or the files of a row-stationary PE.

Called by `area.py`, `leakage.py`, `chip_prices.py` and `assumptions.py`.
"""

from dataclasses import dataclass
from math import fsum

from archsim.arch.architecture import Architecture
from archsim.arch.pe_array import PeArray
from archsim.cost.energy_table import EnergyTable
from archsim.cost.register_file import file_macro
from archsim.cost.sram_model import SramPoint
from archsim.terms import Dataflow, Operand

STORED = (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)
"""Operands that a PE has a store for; ofmap words lie in that of the psums."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeStore:
    """The stores of one PE.

    Parameters
    ----------
    register_bits
        In flip-flops. [b]
    macros
        Files that are SRAM macros.
    """

    register_bits: int
    macros: tuple[SramPoint, ...] = ()

    @property
    def macro_mm2(self) -> float:
        """Area of the macros. [mm2]"""
        return fsum(macro.area_mm2 for macro in self.macros)

    @property
    def macro_leakage_mw(self) -> float:
        """Leakage of the macros. [mW]"""
        return fsum(macro.leakage_mw for macro in self.macros)


def pe_store(arch: Architecture, table: EnergyTable) -> PeStore:
    """Return what one PE of a chip keeps its words in, at the table's node."""
    if arch.pe_array.stores is None:
        return PeStore(register_bits=register_bits_per_pe(arch))
    files = [(spad_words(arch.pe_array, operand), arch.formats.of(operand).width_bits) for operand in STORED]
    macros = [file_macro(*each, table) for each in files]
    return PeStore(
        register_bits=sum(words * bits for (words, bits), macro in zip(files, macros, strict=True) if macro is None),
        macros=tuple(macro for macro in macros if macro is not None),
    )


def spad_words(array: PeArray, operand: Operand) -> int:
    """Words of a PE's store for an operand: 1 where the array has no spads. [words]"""
    spads = array.stores
    if spads is None:
        return 1
    return {Operand.IFMAP: spads.ifmap_words, Operand.WEIGHT: spads.weight_words}.get(operand, spads.psum_words)


def register_bits_per_pe(arch: Architecture) -> int:
    """Bits of one register per operand, the stationary one's as often as ``weight_regs`` says. [b]"""
    array, formats = arch.pe_array, arch.formats
    is_input_stationary = array.dataflow is Dataflow.INPUT_STATIONARY
    stationary = formats.of(Operand.IFMAP if is_input_stationary else Operand.WEIGHT).width_bits
    one_each = formats.ifmap.width_bits + formats.weight.width_bits + formats.psum.width_bits
    return one_each + (array.weight_regs - 1) * stationary

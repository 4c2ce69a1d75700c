"""The whole chip: array, vector unit, memory levels, formats, clock."""

from dataclasses import dataclass, field, replace

from archsim.arch.memory_level import LIVES_WITH, DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import MappingChoice
from archsim.arch.validation import Validation
from archsim.arch.word_group import WordGroup
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorUnit:
    """What runs the operators that are not matrix products.

    Parameters
    ----------
    lanes
        Values worked on side by side.
    ops_per_cycle
        Operations that one lane starts per cycle.
    """

    lanes: int
    ops_per_cycle: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyChoice:
    """Which energy table, at which node, with which numbers replaced.

    Parameters
    ----------
    table
        ``default`` or the path of a table file.
    node_nm
        Technology node that the table is scaled to. [nm]
    overrides
        (key of the table, value) pairs that replace its numbers.
    gated_share
        Share of a PE's energy in a cycle, its clock included, that a gated MAC saves, 0..1; None = no more than the
        counts of multiplier and spads.
    """

    table: str = "default"
    node_nm: float = 45.0
    overrides: tuple[tuple[str, float], ...] = ()
    gated_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A chip as archsim runs it.

    Parameters
    ----------
    name, source
        Shown in every report.
    clock_mhz
        Of the array. [MHz]
    technology_nm
        Node of the chip. [nm]
    pe_array, vector_unit, formats, energy
        See their classes; ``vector_unit`` None = vector operators are not costed.
    srams
        On-chip levels; each operand lives in at most one.
    dram
        The level behind them.
    assumptions
        Sentences that a report must show.
    content_hash
        Hash of the file it was read from.
    follows_workload
        The chip is made for its workload: the formats of a converted layer replace those of the arch, layer
        by layer. False = a layer that does not fit the arch's formats is refused.
    mapping
        What layers are searched for, and those that are mapped by hand; row stationary only.
    validation
        How far its numbers were held against a real chip's; shown in every report.
    codes, kernel
        Of the layer that runs, put in by `mapping/layer_arch.py`; None in an arch as read. The widths of its
        values where a level packs them, None = ``formats``; weights behind one pointer, None = stored one by one.
    """

    name: str
    source: str
    clock_mhz: float
    technology_nm: float
    pe_array: PeArray
    vector_unit: VectorUnit | None
    formats: OperandFormats
    srams: tuple[SramLevel, ...]
    dram: DramLevel
    energy: EnergyChoice
    assumptions: tuple[str, ...] = ()
    content_hash: str = ""
    follows_workload: bool = False
    mapping: MappingChoice = field(default_factory=MappingChoice)
    validation: Validation = field(default_factory=Validation)
    codes: OperandFormats | None = None
    kernel: WordGroup | None = None

    def group(self, level: str, operand: Operand) -> WordGroup:
        """Return how an operand's values lie in a level: one by one in the arch's width, or packed, or as pointers.

        ``level`` is the name of a level; any other, like ``spad``, has the arch's registers.
        """
        bus_bits = self._packing().get(level)
        formats = self.formats if bus_bits is None or self.codes is None else self.codes
        kernel = self._kernel_at(level, operand)
        group = kernel or WordGroup(words=1, bits=formats.of(operand).width_bits)
        return group if bus_bits is None else group.packed(bus_bits)

    def stored_words(self, level: str, operand: Operand, words: int) -> int:
        """Return what a level counts for so many values: pointers for weights that come from a codebook. [words]"""
        kernel = self._kernel_at(level, operand)
        return kernel.groups_of(words) if kernel else words

    def _packing(self) -> dict[str, int | None]:
        return {level.name: level.packing_bits for level in self.srams} | {self.dram.name: self.dram.packing_bits}

    def _kernel_at(self, level: str, operand: Operand) -> WordGroup | None:
        """Return what one pointer stands for, at a level that holds pointers."""
        return self.kernel if operand is Operand.WEIGHT and level in self._packing() else None

    def sram_of(self, operand: Operand) -> SramLevel | None:
        """Return the on-chip level an operand lives in.

        An ofmap lives with the psums where no level names it, and psums with the ofmap; None = the
        operand goes straight between array and DRAM.
        """
        for wanted in (operand, LIVES_WITH.get(operand, operand)):
            for level in self.srams:
                if wanted in level.holds:
                    return level
        return None

    def with_ideal_dram(self) -> "Architecture":
        """Return the same chip with DRAM transfers that take no time."""
        return replace(self, dram=replace(self.dram, is_ideal=True))

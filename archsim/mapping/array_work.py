"""One array layer on one arch, resolved for the planner: what every part of it asks about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.arch.architecture import Architecture
from archsim.arch.word_group import WordGroup
from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.edge_words import EdgeShape
from archsim.mapping.fold_units import FoldUnits
from archsim.mapping.ifmap_geometry import IfmapGeometry
from archsim.mapping.kernel_table import KernelTable
from archsim.mapping.link_traffic import LinkShare
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.operand_flow import RELEVANT
from archsim.mapping.wavefront_zeros import Wavefronts
from archsim.terms import Operand


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayWork:
    """What has to be planned: one array layer on one arch.

    Parameters
    ----------
    layer
        Name of the layer, for errors.
    arch, dataflow
        The chip, and the plan of its dataflow.
    geometry
        Overlap of the ifmap's windows.
    edge
        Where words lie that cross the array's edge.
    fold
        What one fold takes.
    sizes
        Length of each dimension, dropped weights not counted.
    groups
        Independent products.
    kept
        Operands that are on chip already (IFMAP, WEIGHT) or may stay there (OFMAP): no DRAM traffic.
    link
        What the operands that the arch codes take on the DRAM channel.
    table
        Of kernels, where weights are pointers to them.
    zero_ifmap
        Share of zeros among the ifmap values, on an array that gates them; 0 on others.
    wavefronts
        Those that have a value, on an array that leaves out the others; None = it takes all.
    """

    layer: str
    arch: Architecture
    dataflow: DataflowPlan
    geometry: IfmapGeometry
    edge: EdgeShape
    fold: FoldUnits
    sizes: dict[Dim, int]
    groups: int
    kept: frozenset[Operand]
    link: Mapping[Operand, LinkShare] = field(default_factory=dict)
    table: KernelTable | None = None
    zero_ifmap: float = 0.0
    wavefronts: Wavefronts | None = None

    @property
    def pass_per_unit(self) -> bool:
        """Whether the array stops after every unit of the stream."""
        return self.arch.pe_array.k_tile > 0

    @property
    def keeps_psum(self) -> bool:
        """Whether psums stay in an output-stationary array between the passes of one fold."""
        array = self.arch.pe_array
        return array.k_tile == 0 or array.k_tile_keeps_psum

    def link_bits(self, operand: Operand) -> float:
        """Mean bits of a word on the DRAM channel. [b]"""
        share = self.link.get(operand)
        return share.bits_per_word if share else self.arch.group(self.arch.dram.name, operand).mean_bits

    def stored(self, operand: Operand) -> WordGroup:
        """Return how an operand lies in its on-chip level; in the arch's width where no level holds it."""
        level = self.arch.sram_of(operand)
        return self.arch.group(level.name if level else "", operand)

    def whole_bytes(self, operand: Operand) -> float:
        """Room that one group of an operand takes; a second one for the next group, to load ahead. [B]"""
        first, second = RELEVANT[operand]
        words = self.sizes[first] * self.sizes[second]
        if operand is Operand.IFMAP:
            words = self.geometry.unique_words
        level = self.arch.sram_of(operand)
        copies = level.tile_copies if level and self.groups > 1 else 1
        return copies * self.stored(operand).bits_of(words) / 8

    def copies(self, operand: Operand, nest: LoopNest) -> int:
        """Tiles (steps or passes, where streamed) of an operand that its level holds, those loaded ahead included."""
        if operand in nest.streamed:
            return nest.streamed[operand]
        level = self.arch.sram_of(operand)
        first, second = RELEVANT[operand]
        if nest.groups == 1 and operand in nest.whole:
            return 1
        if nest.groups * nest.tiling[first].tiles * nest.tiling[second].tiles == 1:
            return 1
        return level.tile_copies if level else 1

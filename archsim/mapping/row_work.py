"""One layer on one row-stationary array, resolved: what every part of its planning asks about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.mapping.kernel_table import KernelTable
from archsim.mapping.link_traffic import LinkShare
from archsim.mapping.row_shape import RowShape
from archsim.terms import Operand

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowWork:
    """What has to be planned.

    Parameters
    ----------
    layer
        Its name, for errors.
    arch
        The chip.
    shape
        The layer as planes of rows.
    kept
        Operands that need no DRAM: IFMAP or WEIGHT on chip already, OFMAP that may stay.
    link
        What the operands that the arch codes take on the DRAM channel.
    table
        Of kernels, where weights are pointers to them.
    zero_ifmap
        Share of zeros among the ifmap values that PEs look at, 0..1.
    """

    layer: str
    arch: Architecture
    shape: RowShape
    kept: frozenset[Operand]
    link: Mapping[Operand, LinkShare] = field(default_factory=dict)
    table: KernelTable | None = None
    zero_ifmap: float = 0.0

    def cycles_per_word(self, operand: Operand) -> Fraction:
        """Cycles that an operand's network takes for a word: whole words in a cycle, or whole cycles for a word."""
        bits: int = getattr(self.arch.pe_array.require_networks(), f"{operand.value}_bits")
        width = self.arch.formats.of(operand).width_bits
        return Fraction(1, bits // width) if bits >= width else Fraction(-(-width // bits))

    def network_cycles(self, operand: Operand, words: IntArray) -> IntArray:
        """Cycles that an operand's network takes for so many words, the last one possibly not full. [cycles]"""
        each = self.cycles_per_word(operand)
        return -(-words * each.numerator // each.denominator)

    def link_bits(self, operand: Operand) -> float:
        """Mean bits of a word on the DRAM channel. [b]"""
        share = self.link.get(operand)
        return share.bits_per_word if share else self.arch.group(self.arch.dram.name, operand).mean_bits

    def tiles_held(self, operand: Operand) -> int:
        """Tiles of an operand that its level holds at one time; with 2 the next one loads behind the present one."""
        level = self.arch.sram_of(operand)
        return level.tile_copies if level else 1

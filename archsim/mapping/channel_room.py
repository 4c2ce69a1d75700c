"""What a channel-parallel layer needs of a chip's buffers and how much there is: called by `channel_tiles.py` and after it."""

from bisect import bisect_right
from dataclasses import dataclass
from math import inf

import numpy as np

from archsim.arch.architecture import Architecture
from archsim.mapping.channel_shape import ChannelShape
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand

INDEXED_BY = {Dim.FILTERS: Operand.WEIGHT, Dim.PIXELS: Operand.IFMAP}
OTHER = {Dim.FILTERS: Dim.PIXELS, Dim.PIXELS: Dim.FILTERS}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelRoom:
    """A layer's needs and a chip's room for them.

    Parameters
    ----------
    layer
        Name, for errors.
    shape, arch, kept
        The layer, the chip, and what is on chip already.
    """

    layer: str
    shape: ChannelShape
    arch: Architecture
    kept: frozenset[Operand]

    def units(self, dim: Dim) -> int:
        """Filter atoms, or ofmap lines."""
        if dim is Dim.PIXELS:
            return self.shape.lines
        return -(-self.shape.filters // self.arch.pe_array.require_atoms().filter_atom)

    def words(self, dim: Dim, units: int) -> int:
        """Most words of the dimension's operand behind so many units. [words]"""
        if dim is Dim.FILTERS:
            filters = min(self.shape.filters, units * self.arch.pe_array.require_atoms().filter_atom)
            return filters * self.shape.filter_words
        first = np.arange(0, self.shape.lines, units, dtype=np.int64)
        start, stop = self.shape.ifmap_lines(first, np.minimum(units, self.shape.lines - first))
        return int((stop - start).max()) * self.shape.line_words

    def size_bytes(self, dim: Dim, units: int) -> int:
        """Room that the dimension's operand needs behind so many units; 0 where it is on chip already. [B]"""
        operand = INDEXED_BY[dim]
        level = self.arch.sram_of(operand)
        if operand in self.kept or level is None:
            return 0
        return self.arch.group(level.name, operand).bytes_of(self.words(dim, units))

    def whole_bytes(self, dim: Dim) -> int:
        """Room for all of the dimension's operand, one group. [B]"""
        return self.size_bytes(dim, self.units(dim))

    def fits(self, outer_bytes: int, inner_bytes: int, outer: Dim) -> bool:
        """Whether so much of both operands has room."""
        need = {INDEXED_BY[outer]: outer_bytes, INDEXED_BY[OTHER[outer]]: inner_bytes}
        return all(size <= self._left(operand, need) for operand, size in need.items())

    def left(self, dim: Dim, other_bytes: int) -> float:
        """Room for the dimension's operand beside so much of the other one; no end where no level holds it. [B]"""
        return self._left(INDEXED_BY[dim], {INDEXED_BY[OTHER[dim]]: other_bytes})

    def words_in(self, dim: Dim, room_bytes: float) -> int:
        """Most words of the dimension's operand that fit so many bytes; of all groups at most. [words]"""
        operand, most = INDEXED_BY[dim], self.shape.groups * self.words(dim, self.units(dim))
        level = self.arch.sram_of(operand)
        if operand in self.kept or level is None:
            return most
        return bisect_right(range(most + 1), room_bytes, key=self.arch.group(level.name, operand).bytes_of) - 1

    def results_bytes(self, outer: int, inner: int) -> int:
        """Ofmap of a step of so many units of both dimensions, while it waits to be written. [B]"""
        level = self.arch.sram_of(Operand.OFMAP)
        if level is None or Operand.OFMAP in self.kept:
            return 0
        words = outer * inner * self.shape.line_pixels * self.arch.pe_array.require_atoms().filter_atom
        return self.arch.group(level.name, Operand.OFMAP).bytes_of(words)

    @property
    def results_room(self) -> float:
        """Room for results to wait in; no end where they only pass through. [B]"""
        level = self.arch.sram_of(Operand.OFMAP)
        if level is None or any(self.arch.sram_of(operand) is level for operand in INDEXED_BY.values()):
            return inf
        return level.room_for(Operand.OFMAP)

    def _left(self, operand: Operand, need: dict[Operand, int]) -> float:
        """Room for an operand beside what the others in its place need; no end where no level holds it. [B]"""
        level = self.arch.sram_of(operand)
        if level is None or operand in self.kept:
            return inf
        sharers = [other for other in need if other is not operand and self.arch.sram_of(other) is level]
        beside = 0 if level.partition_bytes is not None else sum(need[other] for other in sharers)
        if level.partition_bytes is None and self.arch.sram_of(Operand.OFMAP) is level:
            beside += self.arch.group(level.name, Operand.OFMAP).bytes_of(2 * self.arch.pe_array.columns)
        return level.room_for(operand) - beside

    def loads_ahead(self, dim: Dim) -> bool:
        """Whether the next tile or block of the dimension's operand may come while this one is used."""
        level = self.arch.sram_of(INDEXED_BY[dim])
        return INDEXED_BY[dim] in self.kept or level is None or level.double_buffered

    def stays(self, dim: Dim) -> bool:
        """Whether the dimension's operand has a place to stay in."""
        return INDEXED_BY[dim] in self.kept or self.arch.sram_of(INDEXED_BY[dim]) is not None

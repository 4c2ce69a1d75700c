"""Words and bytes of every memory level, from what each step moves; `port_use.py` makes port time of them.

Everything between array and DRAM passes through the operand's SRAM, with one exception: psums that
were spilled return past it straight into the array, as each is used just once. Where the arch codes an
operand on the DRAM channel, only the channel's bytes change: the SRAM holds and moves decoded words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.fold_plan import TrafficCount, merge_traffic
from archsim.mapping.kernel_table import KernelTable
from archsim.mapping.link_traffic import LinkShare
from archsim.terms import Direction, Operand

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepWords:
    """Words that each step moves at the array's edge and over the DRAM channel; shape (steps,). [words]

    Parameters
    ----------
    array
        At the array's edge.
    ifmap_fetches, weight_fetches, psum_fetches
        From DRAM.
    psum_write_backs, ofmap_write_backs
        To DRAM.
    """

    array: ArrayWords
    ifmap_fetches: IntArray
    weight_fetches: IntArray
    psum_fetches: IntArray
    psum_write_backs: IntArray
    ofmap_write_backs: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Movement:
    """Words of one operand that a level reads or writes in each step."""

    level: str
    operand: Operand
    direction: Direction
    words: IntArray
    partition: Operand
    """The part of a partitioned level that they move through."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelUse:
    """All movements of a layer.

    Parameters
    ----------
    arch
        Levels and formats.
    kept
        Operands that need no DRAM: see `ArrayWork.kept`.
    words
        Per step.
    link
        What the operands that the arch codes take on the channel.
    table
        Of kernels, where weights are pointers to them.
    """

    arch: Architecture
    kept: frozenset[Operand]
    words: StepWords
    link: Mapping[Operand, LinkShare] = field(default_factory=dict)
    table: KernelTable | None = None

    def fetch_bytes(self) -> dict[Operand, IntArray]:
        """Bytes read over the channel by each step, per operand; the table of kernels comes with the first. [B]"""
        found = {operand: self._link_bytes(operand, count) for operand, count in self._fetches().items()}
        if self._loads_table and self.table is not None:
            found[Operand.WEIGHT][0] += self.table.size_bytes
        return found

    def write_back_bytes(self) -> tuple[IntArray, IntArray]:
        """Bytes written over the channel after each step: psums, ofmap. [B]"""
        ofmap = self.words.ofmap_write_backs
        ofmap = np.zeros_like(ofmap) if Operand.OFMAP in self.kept else ofmap
        psums = self._link_bytes(Operand.PSUM, self.words.psum_write_backs)
        return psums, self._link_bytes(Operand.OFMAP, ofmap)

    def movements(self) -> list[Movement]:
        """List what each SRAM level moves."""
        moves = self._input_moves(Operand.IFMAP, self.words.array.ifmap_reads, self.words.ifmap_fetches)
        moves += self._input_moves(Operand.WEIGHT, self.words.array.weight_reads, self.words.weight_fetches)
        return moves + self._output_moves()

    def traffic(self, spad: dict[Operand, tuple[int, int]]) -> tuple[TrafficCount, ...]:
        """Add up the layer: PE registers (reads, writes per operand), SRAM levels, DRAM."""
        rows = [
            count_traffic(self.arch, "spad", operand, direction, words)
            for operand, pair in spad.items()
            for direction, words in zip((Direction.READ, Direction.WRITE), pair, strict=True)
        ]
        rows += [
            count_traffic(self.arch, m.level, m.operand, m.direction, int(m.words.sum())) for m in self.movements()
        ]
        lut = self.table.rows(int(self.words.array.weight_reads.sum())) if self.table else ()
        return merge_traffic([*rows, *lut, *self._dram_rows()])

    @property
    def _loads_table(self) -> bool:
        return self.table is not None and self.table.loads and Operand.WEIGHT not in self.kept

    def _dram_rows(self) -> Iterable[TrafficCount]:
        psums, ofmap = self.words.psum_write_backs, self.words.ofmap_write_backs
        written = {Operand.PSUM: psums} | ({} if Operand.OFMAP in self.kept else {Operand.OFMAP: ofmap})
        for direction, moved in ((Direction.READ, self._fetches()), (Direction.WRITE, written)):
            for operand, words in moved.items():
                yield from dram_rows(self.arch, self.link, operand, direction, words)
        if self._loads_table and self.table is not None:
            yield from self.table.load_rows(self.arch.dram.name)

    def _fetches(self) -> dict[Operand, IntArray]:
        """Words read over the channel by each step. [words]"""
        words = {Operand.IFMAP: self.words.ifmap_fetches, Operand.WEIGHT: self.words.weight_fetches,
                 Operand.PSUM: self.words.psum_fetches}  # fmt: skip
        return {operand: count for operand, count in words.items() if operand not in self.kept}

    def _input_moves(self, operand: Operand, reads: IntArray, fetches: IntArray) -> list[Movement]:
        level = self.arch.sram_of(operand)
        if level is None:
            return []
        moves = [_move(level, operand, Direction.READ, reads, operand)]
        if operand not in self.kept:
            moves.append(_move(level, operand, Direction.WRITE, fetches, operand))
        return moves

    def _output_moves(self) -> list[Movement]:
        array, moves = self.words.array, []
        psum_level, ofmap_level = self.arch.sram_of(Operand.PSUM), self.arch.sram_of(Operand.OFMAP)
        if psum_level is None or ofmap_level is None:
            return []
        from_sram = array.psum_reads - self.words.psum_fetches
        moves.append(_move(psum_level, Operand.PSUM, Direction.WRITE, array.psum_writes, Operand.PSUM))
        moves.append(_move(psum_level, Operand.PSUM, Direction.READ, from_sram, Operand.PSUM))
        moves.append(_move(psum_level, Operand.PSUM, Direction.READ, self.words.psum_write_backs, Operand.PSUM))
        if psum_level is not ofmap_level:
            moves.append(_move(psum_level, Operand.PSUM, Direction.WRITE, array.ofmap_writes, Operand.PSUM))
            moves.append(_move(psum_level, Operand.PSUM, Direction.READ, array.ofmap_writes, Operand.PSUM))
        moves.append(_move(ofmap_level, Operand.OFMAP, Direction.WRITE, array.ofmap_writes, Operand.PSUM))
        if Operand.OFMAP not in self.kept:
            drained = self.words.ofmap_write_backs
            moves.append(_move(ofmap_level, Operand.OFMAP, Direction.READ, drained, Operand.PSUM))
        return moves

    def _link_bytes(self, operand: Operand, words: IntArray) -> IntArray:
        return link_bytes(self.arch, self.link, operand, words)


def link_bytes(arch: Architecture, link: Mapping[Operand, LinkShare], operand: Operand, words: IntArray) -> IntArray:
    """Return the bytes that each step's words take on the DRAM channel, coded where they are. [B]"""
    share = link.get(operand)
    return share.step_bytes(words) if share else packed_bytes(arch, arch.dram.name, operand, words)


def dram_rows(
    arch: Architecture, link: Mapping[Operand, LinkShare], operand: Operand, direction: Direction, words: IntArray
) -> Iterable[TrafficCount]:
    """Yield the traffic rows of one operand on the channel; their bytes add up to those of its steps."""
    name, share, total = arch.dram.name, link.get(operand), int(words.sum())
    if share:
        yield from share.rows(name, operand, direction, total)
    else:
        size = int(packed_bytes(arch, name, operand, words).sum())
        stored = arch.stored_words(name, operand, total)
        yield TrafficCount(level=name, operand=operand, direction=direction, words=stored, bytes=size)


def packed_bytes(arch: Architecture, level: str, operand: Operand, words: IntArray) -> IntArray:
    """Return the bytes that words take in a level, each count rounded up to whole groups and bytes. [B]"""
    return arch.group(level, operand).bytes_of(words)


def count_traffic(arch: Architecture, level: str, operand: Operand, direction: Direction, words: int) -> TrafficCount:
    """Return a traffic row, its words and bytes as the level holds them."""
    size, stored = arch.group(level, operand).bytes_of(words), arch.stored_words(level, operand, words)
    return TrafficCount(level=level, operand=operand, direction=direction, words=stored, bytes=size)


def _move(level: SramLevel, operand: Operand, direction: Direction, words: IntArray, partition: Operand) -> Movement:
    return Movement(level=level.name, operand=operand, direction=direction, words=words, partition=partition)

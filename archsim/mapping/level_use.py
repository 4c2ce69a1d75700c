"""Words, bytes and port time of every memory level, from what each step moves.

Everything between array and DRAM passes through the operand's SRAM, with one exception: psums that
were spilled return past it straight into the array, as each is used just once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.fold_plan import TrafficCount, merge_traffic
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
    """

    arch: Architecture
    kept: frozenset[Operand]
    words: StepWords

    def fetch_bytes(self) -> dict[Operand, IntArray]:
        """Bytes read over the channel by each step, per operand. [B]"""
        words = {Operand.IFMAP: self.words.ifmap_fetches, Operand.WEIGHT: self.words.weight_fetches,
                 Operand.PSUM: self.words.psum_fetches}  # fmt: skip
        return {operand: self._bytes(operand, count) for operand, count in words.items() if operand not in self.kept}

    def write_back_bytes(self) -> tuple[IntArray, IntArray]:
        """Bytes written over the channel after each step: psums, ofmap. [B]"""
        ofmap = self.words.ofmap_write_backs
        ofmap = np.zeros_like(ofmap) if Operand.OFMAP in self.kept else ofmap
        return self._bytes(Operand.PSUM, self.words.psum_write_backs), self._bytes(Operand.OFMAP, ofmap)

    def movements(self) -> list[Movement]:
        """List what each SRAM level moves."""
        moves = self._input_moves(Operand.IFMAP, self.words.array.ifmap_reads, self.words.ifmap_fetches)
        moves += self._input_moves(Operand.WEIGHT, self.words.array.weight_reads, self.words.weight_fetches)
        return moves + self._output_moves()

    def port_cycles(self) -> IntArray:
        """Cycles that the busiest level (or partition) needs for each step; 0 = no limit. [cycles]"""
        cycles = np.zeros_like(self.words.ifmap_fetches)
        busy: dict[tuple[str, Operand | None], IntArray] = {}
        for move in self.movements():
            level = self._level(move.level)
            part = move.partition if level.partition_bytes is not None else None
            key = (move.level, part)
            busy[key] = busy.get(key, np.zeros_like(cycles)) + self._bytes(move.operand, move.words)
        for (name, _), length in busy.items():
            rate = self._level(name).bytes_per_cycle
            if rate is not None:
                cycles = np.maximum(cycles, -(-length // rate))
        return cycles

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
        return merge_traffic([*rows, *self._dram_rows()])

    def _dram_rows(self) -> Iterable[TrafficCount]:
        words = self.words
        fetched = {Operand.IFMAP: words.ifmap_fetches, Operand.WEIGHT: words.weight_fetches,
                   Operand.PSUM: words.psum_fetches}  # fmt: skip
        written = {Operand.PSUM: words.psum_write_backs, Operand.OFMAP: words.ofmap_write_backs}
        fetch_bytes = self.fetch_bytes()
        back_bytes = dict(zip((Operand.PSUM, Operand.OFMAP), self.write_back_bytes(), strict=True))
        name = self.arch.dram.name
        for direction, counts, sizes in (
            (Direction.READ, fetched, fetch_bytes),
            (Direction.WRITE, written, back_bytes),
        ):
            for operand, count in counts.items():
                if operand not in self.kept:
                    yield TrafficCount(level=name, operand=operand, direction=direction, words=int(count.sum()),
                                       bytes=int(sizes[operand].sum()))  # fmt: skip

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

    def _level(self, name: str) -> SramLevel:
        return next(level for level in self.arch.srams if level.name == name)

    def _bytes(self, operand: Operand, words: IntArray) -> IntArray:
        return packed_bytes(self.arch, operand, words)


def packed_bytes(arch: Architecture, operand: Operand, words: IntArray) -> IntArray:
    """Return the bytes of packed words, each count rounded up to a whole byte. [B]"""
    return -(-words * arch.formats.of(operand).width_bits // 8)


def count_traffic(arch: Architecture, level: str, operand: Operand, direction: Direction, words: int) -> TrafficCount:
    """Return a traffic row, its bytes in the operand's format."""
    size = arch.formats.of(operand).bytes_of(words)
    return TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=size)


def _move(level: SramLevel, operand: Operand, direction: Direction, words: IntArray, partition: Operand) -> Movement:
    return Movement(level=level.name, operand=operand, direction=direction, words=words, partition=partition)

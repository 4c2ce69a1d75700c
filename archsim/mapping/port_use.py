"""How long the ports of the on-chip levels need for each step; called by `array_plan.py`.

A level is as slow as the worst of three bounds, which no order of its accesses can beat:

- all its words go through all its ports: whole access words, where a pattern uses only a part of each;
- its hottest bank serves its own share;
- the words of one cycle of the array are served together, before those of the next: as long as the
  bank takes that most of them fall on (a conflict), see `kernels/sram_banks.py`.

Reads and writes compete for ports that do either; read and write ports of their own work side by side.
The registers that skew operands lie between buffer and array, so that a wavefront is read at once, and
the buffers ahead of the edge hide how unevenly the words of a step come, not the step's total.

Patterns are those of ifmap and ofmap at the array's edge, counted in samples of a layer and scaled to its
steps; everything else (weights, psums, what comes from and goes to DRAM) lies in the order of its use and
spreads evenly. Twice the banks or ports are never slower; another number of banks may be, for a stride.

Not modelled: collisions between two streams that happen to want one bank at one time; the energy of words
that are read for a part of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.kernels.sram_banks import count_bank_accesses
from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.edge_words import EdgeShape, Samples, Store, access_words, edge_samples
from archsim.mapping.level_use import LevelUse, Movement, packed_bytes
from archsim.mapping.loop_nest import LoopNest
from archsim.terms import Direction, Operand

IntArray = NDArray[np.int64]
AT_THE_EDGE = {Operand.IFMAP: Direction.READ, Operand.OFMAP: Direction.WRITE}
"""The movements whose words are followed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankUse:
    """What a stretch of a stream does to a level's banks.

    Parameters
    ----------
    values
        Values that the edge takes or gives in it.
    accesses, cycles, hottest
        As `count_bank_accesses` gives them.
    """

    values: int
    accesses: int
    cycles: int
    hottest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the words at the array's edge depend on.

    Parameters
    ----------
    shape
        The layer's tensors.
    dataflow, nest
        How they pass the edge.
    """

    shape: EdgeShape
    dataflow: DataflowPlan
    nest: LoopNest

    def bank_use(self, operand: Operand, level: SramLevel, word_bits: int) -> BankUse:
        """Count the accesses of samples that are spread over the layer."""
        width = level.width_bytes or 1
        store = Store(word_bits=word_bits, width_bytes=width, run_bytes=level.interleave_bytes or width)
        samples = edge_samples(operand, self.dataflow, self.nest)
        return _bank_use(operand, self.shape, samples, store, (level.banks, level.ports))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stream:
    """One movement through a level: what it takes of the ports in each step; shape (steps,).

    Parameters
    ----------
    direction
        Read or write.
    length_bytes
        Whole access words where the pattern is known. [B]
    cycles
        Of its wavefronts, one after the other; 0 = spread evenly. [cycles]
    hottest_bytes
        Of the bank that has most, times the banks. [B]
    """

    direction: Direction
    length_bytes: IntArray
    cycles: IntArray
    hottest_bytes: IntArray


def port_cycles(use: LevelUse, edge: Edge | None = None) -> IntArray:
    """Cycles that the busiest level (or partition) needs for each step; 0 = no limit. [cycles]

    Parameters
    ----------
    use
        What the steps move.
    edge
        None = all words spread evenly over the banks.
    """
    return np.maximum(movement_cycles(use.arch, use.movements(), edge), np.zeros_like(use.words.ifmap_fetches))


def movement_cycles(arch: Architecture, moves: Iterable[Movement], edge: Edge | None = None) -> IntArray | int:
    """Return the same for any movements through the levels of an arch; 0 where no level limits. [cycles]"""
    levels = {level.name: level for level in arch.srams if level.width_bytes is not None}
    streams: dict[tuple[str, Operand | None], list[_Stream]] = {}
    for move in moves:
        level = levels.get(move.level)
        if level is not None:
            part = move.partition if level.partition_bytes is not None else None
            streams.setdefault((level.name, part), []).append(_stream(move, level, arch, edge))
    cycles: IntArray | int = 0
    for (name, _), found in streams.items():
        cycles = np.maximum(cycles, _level_cycles(levels[name], found))
    return cycles


def _level_cycles(level: SramLevel, streams: list[_Stream]) -> IntArray:
    if not level.reads_beside_writes:
        return _shared_cycles(level, streams)
    sides = ([each for each in streams if each.direction is direction] for direction in Direction)
    worst: IntArray = np.maximum.reduce([_shared_cycles(level, side) for side in sides if side])
    return worst


def _shared_cycles(level: SramLevel, streams: list[_Stream]) -> IntArray:
    rate = (level.width_bytes or 1) * level.banks * level.ports
    together = _sum(each.length_bytes for each in streams)
    worst = -(-together // rate)
    for each in streams:
        with_hottest = together - each.length_bytes + each.hottest_bytes
        worst = np.maximum(worst, np.maximum(each.cycles, -(-with_hottest // rate)))
    return worst


def _stream(move: Movement, level: SramLevel, arch: Architecture, edge: Edge | None) -> _Stream:
    length = packed_bytes(arch, level.name, move.operand, move.words)
    if edge is None or AT_THE_EDGE.get(move.operand) is not move.direction:
        return _Stream(
            direction=move.direction, length_bytes=length, cycles=np.zeros_like(length), hottest_bytes=length
        )
    counted = edge.bank_use(move.operand, level, arch.group(level.name, move.operand).place_bits)
    width = level.width_bytes or 1
    whole = np.maximum(length, _scaled(move.words, counted.accesses, counted.values) * width)
    hottest = _scaled(move.words, counted.hottest, counted.values) * width * level.banks
    cycles = _scaled(move.words, counted.cycles, counted.values)
    return _Stream(
        direction=move.direction, length_bytes=whole, cycles=cycles, hottest_bytes=np.maximum(whole, hottest)
    )


def _scaled(words: IntArray, count: int, values: int) -> IntArray:
    return -(-words * count // values)


def _sum(arrays: Iterable[IntArray]) -> IntArray:
    total: IntArray = np.sum(list(arrays), axis=0)
    return total


@lru_cache(maxsize=4096)
def _bank_use(
    operand: Operand, shape: EdgeShape, samples: Samples, store: Store, banks_and_ports: tuple[int, int]
) -> BankUse:
    words = access_words(operand, shape, samples, store)
    run = store.run_bytes // store.width_bytes
    counts = count_bank_accesses(words, samples.time.size, samples.skipped, run, *banks_and_ports)
    accesses, cycles, hottest = map(int, counts)
    return BankUse(values=samples.values, accesses=accesses, cycles=cycles, hottest=hottest)

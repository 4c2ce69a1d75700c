"""THE WAIST: what the array and the memories have to do for one layer, in running order.

`mapping/` makes a FoldPlan from a layer and an arch; `engine/` runs it. Nothing above this file asks
which dataflow made it: there are steps (an array pass, or a part of one), the transfers over the DRAM
channel that they wait for, and words counted per level.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.errors import SimulationError
from archsim.mapping.dram_runs import DramRuns
from archsim.mapping.loop_nest import LoopNest
from archsim.mapping.skip_cycles import SkipCycles
from archsim.terms import Direction, Operand

IntArray = NDArray[np.int64]
OPERAND_CODES: tuple[Operand, ...] = (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM, Operand.OFMAP)
"""An operand's code in `Transfers.operand` is its index here."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """Array work in running order; every array has shape (steps,). [cycles]

    Parameters
    ----------
    advance_cycles
        From a step's start to the earliest start of the next, memories ideal.
    tail_cycles
        From a step's start to its last result in its register, memories ideal.
    port_cycles
        Cycles the busiest on-chip level needs to move the step's words; 0 = no limit.
    hold_transfer
        Index of the write-back that must be done before the step may start (it frees the output
        buffer); -1 = none.
    first_start_cycles
        Earliest start of step 0: the load of the first stationary tile, where it is not in step 0.
    origin_cycles
        Cycles before the edge that the arch counts as cycle 1; subtracted from every total.
    """

    advance_cycles: IntArray
    tail_cycles: IntArray
    port_cycles: IntArray
    hold_transfer: IntArray
    first_start_cycles: int = 0
    origin_cycles: int = 0

    def __len__(self) -> int:
        return len(self.advance_cycles)

    @property
    def ideal_end_cycles(self) -> int:
        """When the last result is out if no step ever waits. [cycles]"""
        return last_end(self.first_start_cycles, self.advance_cycles, self.tail_cycles)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transfers:
    """Transfers over the DRAM channel in the order it serves them; every array has shape (transfers,).

    Parameters
    ----------
    step
        The step that waits for a read, or whose results a write carries.
    after_step
        The step whose end allows the transfer (it frees the buffer, or makes the data); -1 = none.
    lead_cycles
        Cycles between a read's arrival and the start of its step: the load of a hidden stationary tile.
    length_bytes
        What crosses the channel. [B]
    operand
        Index into `OPERAND_CODES`.
    is_write
        True = towards DRAM.
    runs
        Where they lie in DRAM, one entry per transfer; None where the chip's DRAM has no banks.
    """

    step: IntArray
    after_step: IntArray
    lead_cycles: IntArray
    length_bytes: IntArray
    operand: IntArray
    is_write: NDArray[np.bool_]
    runs: DramRuns | None = None

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficCount:
    """Words of one operand through one level in one direction, over the whole layer."""

    level: str
    operand: Operand
    direction: Direction
    words: int
    bytes: int

    def __post_init__(self) -> None:
        if self.words < 0 or self.bytes < 0:
            raise SimulationError(f"negative traffic: {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldPlan:
    """One layer on one arch, planned.

    Parameters
    ----------
    kind
        The dataflow's name, ``vector``, or ``none``: a label for reports.
    folds
        Array folds of the layer, all groups; 0 for vector operators.
    mapping_efficiency
        Mean share of PEs (or lanes) that a fold uses, 0..1.
    array_macs
        MACs that the array issues; 0 for vector operators.
    compute_cycles
        The array alone on the untiled layer, every memory ideal: closed form. [cycles]
    steps, transfers
        Running order.
    traffic
        Words and bytes per level, operand and direction.
    nest
        The tiling and loop order chosen; None for vector operators.
    estimated_cycles
        What the closed forms expect of the whole layer with real memories; 0 = not estimated. [cycles]
    active_pes
        PEs that the largest fold uses; 0 for vector operators.
    gated_macs
        MACs whose multiplier stands still because the ifmap value is zero; part of ``array_macs``.
    mapping
        The mapping as lines of text where it is no loop nest over a matrix product.
    gated_accesses
        Spad accesses that each gated MAC leaves out, a word each.
    effectual_macs
        MACs without a zero operand as far as the array looks at zeros, counted value by value; None = it did not.
    skip
        What the compute cycles are made of, on an array that skips zeros.
    """

    kind: str
    folds: int
    mapping_efficiency: float
    array_macs: int
    compute_cycles: int
    steps: Steps
    transfers: Transfers
    traffic: tuple[TrafficCount, ...]
    nest: LoopNest | None
    estimated_cycles: float = 0.0
    active_pes: int = 0
    gated_macs: int = 0
    mapping: tuple[str, ...] = ()
    gated_accesses: tuple[tuple[Operand, Direction], ...] = ()
    effectual_macs: int | None = None
    skip: SkipCycles | None = None

    def words(self, level: str, operand: Operand, direction: Direction) -> int:
        """Words of one traffic row; 0 where there is none. [words]"""
        return sum(
            row.words for row in self.traffic if (row.level, row.operand, row.direction) == (level, operand, direction)
        )


def back_to_back(advance_cycles: IntArray) -> IntArray:
    """Return the starts of steps that never wait, the first at 0. [cycles]"""
    return np.concatenate([[0], np.cumsum(advance_cycles[:-1])])


def last_end(first_start: int, advance_cycles: IntArray, tail_cycles: IntArray) -> int:
    """Return when the last result of steps that never wait is out. [cycles]"""
    return first_start + int((back_to_back(advance_cycles) + tail_cycles).max())


def merge_traffic(rows: Sequence[TrafficCount]) -> tuple[TrafficCount, ...]:
    """Add up rows of the same level, operand and direction; drop empty ones."""
    sums: dict[tuple[str, Operand, Direction], list[int]] = {}
    for row in rows:
        total = sums.setdefault((row.level, row.operand, row.direction), [0, 0])
        total[0] += row.words
        total[1] += row.bytes
    return tuple(
        TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=size)
        for (level, operand, direction), (words, size) in sums.items()
        if words
    )

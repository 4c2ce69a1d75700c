"""What a dataflow is, for the planner: which dimension lies where, and how long its passes take."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.mapping.fold_plan import last_end
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PassShapes:
    """The passes of an array in running order, in steps; every array has shape (steps,).

    Parameters
    ----------
    rows, columns
        Rows and columns that the step pays for: all of the array, or the used ones where edge folds
        are trimmed.
    stream
        Words streamed in this step. [words]
    starts, ends
        Whether the step opens or closes a pass.
    completes
        Whether psums leave the array with the step (False = they stay for a k-tile to come).
    """

    rows: IntArray
    columns: IntArray
    stream: IntArray
    starts: BoolArray
    ends: BoolArray
    completes: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PassTiming:
    """When steps may follow each other and when their results are out, memories ideal.

    Parameters
    ----------
    advance, tail
        As `Steps.advance_cycles` and `Steps.tail_cycles`, shape (steps,). [cycles]
    load
        Cycles of stationary load hidden before each step, shape (steps,). [cycles]
    first_start, origin
        As in `Steps`. [cycles]
    """

    advance: IntArray
    tail: IntArray
    load: IntArray
    first_start: int
    origin: int

    @property
    def total(self) -> int:
        """Cycles from the counted origin to the last result, all steps back to back. [cycles]"""
        return last_end(self.first_start, self.advance, self.tail) - self.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class DataflowPlan:
    """One dataflow.

    Parameters
    ----------
    rows, columns, stream
        The dimension along array rows, along array columns, and in time.
    stationary
        The operand that stays in the PEs: WEIGHT, IFMAP or PSUM.
    time_passes
        The timing of its passes on an array.
    fewest_words
        Words that each pass streams at least, be they zeros that could be skipped; shape (passes,). [words]
    """

    rows: Dim
    columns: Dim
    stream: Dim
    stationary: Operand
    time_passes: Callable[[PassShapes, PeArray], PassTiming]
    fewest_words: Callable[[PassShapes, PeArray], IntArray]

"""Words between the array and its buffers, step by step: the same for every dataflow.

The operand that stays in the PEs crosses once per pass; the others cross every step. Psums that leave
the array are read back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.fold_walk import FoldWalk
from archsim.mapping.loop_nest import Dim
from archsim.mapping.operand_flow import Visits
from archsim.terms import Operand

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayWords:
    """Words that cross the array's edge in each step; arrays of shape (steps,). [words]

    Parameters
    ----------
    ifmap_reads, weight_reads
        Into the array.
    psum_reads
        Unfinished psums back into the array.
    psum_writes, ofmap_writes
        Out of the array, unfinished and finished.
    """

    ifmap_reads: IntArray
    weight_reads: IntArray
    psum_reads: IntArray
    psum_writes: IntArray
    ofmap_writes: IntArray


def psum_leaves(walk: FoldWalk, dataflow: DataflowPlan, keeps_psum: bool) -> tuple[BoolArray, BoolArray]:
    """Return the steps at which psums enter the array and those at which they leave it.

    They cross in every step unless they stay in the PEs; then they stay over the passes of one fold
    (``keeps_psum``) or over one pass.
    """
    if dataflow.stationary is not Operand.PSUM:
        every = np.ones(len(walk), dtype=bool)
        return every, every
    if not keeps_psum:
        return walk.starts_pass, walk.ends_pass
    return ~walk.continues, np.append(~walk.continues[1:], True)


def array_words(
    walk: FoldWalk,
    dataflow: DataflowPlan,
    psums: Visits,
    crossing: tuple[BoolArray, BoolArray],
    *,
    ifmap_reads: IntArray | None = None,
) -> ArrayWords:
    """Count what crosses the array's edge.

    Parameters
    ----------
    walk, dataflow
        The steps and what stays in the PEs.
    psums
        Visits of the psums.
    crossing
        From `psum_leaves`.
    ifmap_reads
        Of an array whose PEs hand ifmap values on; None = every PE row takes its own. [words]
    """
    enters, leaves = crossing
    outputs = walk.words(Dim.PIXELS, Dim.FILTERS)
    return ArrayWords(
        ifmap_reads=_inputs(walk, dataflow, Operand.IFMAP) if ifmap_reads is None else ifmap_reads,
        weight_reads=_inputs(walk, dataflow, Operand.WEIGHT),
        psum_reads=np.where(enters & ~psums.first_ever, outputs, 0),
        psum_writes=np.where(leaves & ~psums.last_ever, outputs, 0),
        ofmap_writes=np.where(psums.last_ever, outputs, 0),
    )


def _inputs(walk: FoldWalk, dataflow: DataflowPlan, operand: Operand) -> IntArray:
    other = Dim.PIXELS if operand is Operand.IFMAP else Dim.FILTERS
    words = walk.words(Dim.WINDOW, other)
    return np.where(walk.starts_pass, words, 0) if dataflow.stationary is operand else words

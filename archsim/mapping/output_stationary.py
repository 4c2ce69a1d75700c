"""Output stationary: psums grow in the PEs while ifmap and weight words stream through.

Array rows take the pixels, array columns take the filters, the window (C*R*S) streams.
"""

from dataclasses import replace

import numpy as np

from archsim.arch.pe_array import OsDrain, OsFold, PeArray
from archsim.mapping.dataflow import DataflowPlan, IntArray, PassShapes, PassTiming
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand


def time_output_passes(shapes: PassShapes, array: PeArray) -> PassTiming:
    """Time the passes of an array whose PEs accumulate.

    The last of T pairs meets in PE (R-1, C-1) R-1 weight hops and C-1 activation hops after it has
    entered, so a pass takes T + R + C - 2 cycles [1]_; values that are shifted out take R or C more,
    once their last k-tile is done [2]_. Passes follow each other when the last result is out, or,
    where drains overlap, as soon as no PE finishes a psum before its drain register is free: after
    max(T, hold), longer when a shorter pass follows [3]_. The hold is R, or C, or the time that skewed
    columns keep a row waiting.

    Parameters
    ----------
    shapes
        Steps in running order.
    array
        Its settings.

    Notes
    -----
    Operands reach all PEs of a patch at once [4]_: it has no skew, a pass takes T cycles and its drain.
    A PE whose adder takes several cycles takes a pair only as often: T pairs stream for T x latency cycles.
    Not modelled: several psums of one PE interleaved, which would hide the latency.

    References
    ----------
    .. [1] SCALE-Sim 3.0, systolic_compute_os, and debtanu09/systolic_array RTL.
    .. [2] UT-LCA/tpu_like_design RTL.
    .. [3] Arjun0170/Systolic-Tensors RTL; all three as measured in tests/golden/rtl_cycles.csv.
    .. [4] Du et al., ShiDianNao, ISCA 2015 (recalled): a kernel value is broadcast, ifmap values come from the buffer
       or from a neighbour's FIFO.
    """
    shapes = replace(shapes, stream=shapes.stream * array.add_cycles)
    drain = _drains(shapes, array)
    is_patch = array.os_fold is OsFold.PATCH
    skew = np.zeros_like(shapes.rows) if is_patch else (shapes.rows - 1) + array.act_hop * (shapes.columns - 1)
    tail = shapes.stream + skew + array.pipeline_cycles + drain
    if array.drain_overlap:
        advance = shapes.stream + np.where(shapes.ends, _exposed_hold(shapes, array, drain), 0)
    else:
        advance = np.where(shapes.ends, tail, shapes.stream)
    return PassTiming(advance=advance, tail=tail, load=np.zeros_like(tail), first_start=0, origin=0)


def fewest_words(shapes: PassShapes, array: PeArray) -> IntArray:
    """Return the words that each pass streams at least, shape (passes,). [words]

    Where drains overlap, as many as the drain registers of the pass, or of the one before, take cycles: a shorter stream
    would wait for them all the same, and could wait twice.
    """
    passes = np.count_nonzero(shapes.ends)
    if not array.drain_overlap:
        return np.ones(passes, dtype=np.int64)
    hold = _hold(shapes, array, _drains(shapes, array))[shapes.ends]
    longest = np.maximum(hold, np.append(0, hold[:-1]))
    fewest: IntArray = np.maximum(1, -(-longest // array.add_cycles))
    return fewest


def _exposed_hold(shapes: PassShapes, array: PeArray, drain: IntArray) -> IntArray:
    """Cycles by which a pass's drain registers delay the next pass, per step."""
    pass_index = np.cumsum(shapes.starts) - 1
    streamed = np.bincount(pass_index, weights=shapes.stream).astype(np.int64)
    following = np.append(streamed[1:], streamed[-1])
    shortest = np.minimum(streamed, following)[pass_index]
    exposed: IntArray = np.maximum(0, _hold(shapes, array, drain) - shortest)
    return exposed


def _hold(shapes: PassShapes, array: PeArray, drain: IntArray) -> IntArray:
    """Cycles for which drain registers are taken, skew included, per step."""
    if array.os_drain is not OsDrain.SHIFT_COLUMNS or array.os_fold is OsFold.PATCH:
        return drain
    return np.where(drain > 0, np.maximum(drain, array.act_hop * (shapes.columns - 1) + 1), 0)


def _drains(shapes: PassShapes, array: PeArray) -> IntArray:
    """Cycles that values take to leave, per step; 0 where none does."""
    shifts = {OsDrain.NONE: np.zeros_like(shapes.rows), OsDrain.SHIFT_ROWS: shapes.rows,
              OsDrain.SHIFT_COLUMNS: shapes.columns}  # fmt: skip
    return np.where(shapes.completes & shapes.ends, shifts[array.os_drain], 0)


OUTPUT_STATIONARY = DataflowPlan(
    rows=Dim.PIXELS,
    columns=Dim.FILTERS,
    stream=Dim.WINDOW,
    stationary=Operand.PSUM,
    time_passes=time_output_passes,
    fewest_words=fewest_words,
)

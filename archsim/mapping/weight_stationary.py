"""Weight stationary: a tile of weights waits in the PEs while ifmap words stream past.

Array rows take the window (C*R*S), array columns take the filters (K), pixels stream. Input stationary
arrays are the same machine with the operands swapped, and use the same timing.
"""

import numpy as np

from archsim.arch.pe_array import LoadGranularity, PeArray, StartEvent
from archsim.mapping.dataflow import DataflowPlan, IntArray, PassShapes, PassTiming
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand


def time_stationary_passes(shapes: PassShapes, array: PeArray) -> PassTiming:
    """Time the passes of an array whose PEs hold one operand and pass psums down the rows.

    A pass loads its tile (one row per cycle), streams, and leaves through the bottom edge: the last of
    T words enters row 0 at T, reaches row R-1 after R-1 psum hops and column C-1 after C-1 activation
    hops [1]_. With one register per PE the next load waits until the last weight has been used; with
    two it hides behind the stream, so that passes follow each other every max(T, gap + load) [2]_.

    Parameters
    ----------
    shapes
        Steps in running order.
    array
        Its settings.

    Notes
    -----
    Not modelled: outputs of trimmed folds that would meet on a shared exit.

    References
    ----------
    .. [1] SCALE-Sim 3.0, systolic_compute_ws: 2R + C + T - 2 cycles per fold.
    .. [2] tinyTPU and OpenTPU RTL, as measured in tests/golden/rtl_cycles.csv.
    """
    row_skew = array.hop_cycles * (shapes.rows - 1)
    column_skew = array.act_hop * (shapes.columns - 1)
    load = shapes.rows if array.weight_load_cycles is None else np.full_like(shapes.rows, array.weight_load_cycles)
    origin = int(load[0]) if array.start_event is StartEvent.FIRST_ACTIVATION else 0
    leave = shapes.stream + row_skew + column_skew + array.pipeline_cycles
    if array.weight_regs == 2:
        advance = shapes.stream + np.where(shapes.ends, _exposed_load(shapes, load + array.weight_switch_gap), 0)
        return PassTiming(advance=advance, tail=leave, load=load, first_start=int(load[0]), origin=origin)
    waits_for_columns = array.load_granularity is LoadGranularity.ARRAY
    drain = array.input_regs + row_skew + (column_skew if waits_for_columns else 0)
    first_load = np.where(shapes.starts, load, 0)
    advance = first_load + shapes.stream + np.where(shapes.ends, drain, 0)
    return PassTiming(advance=advance, tail=first_load + leave, load=np.zeros_like(load), first_start=0, origin=origin)


def _exposed_load(shapes: PassShapes, reload: IntArray) -> IntArray:
    """Cycles by which the next pass's reload outlasts the present pass's stream, per step."""
    pass_index = np.cumsum(shapes.starts) - 1
    streamed = np.bincount(pass_index, weights=shapes.stream).astype(np.int64)
    next_reload = np.append(reload[shapes.starts][1:], 0)
    exposed: IntArray = np.maximum(0, next_reload - streamed)[pass_index]
    return exposed


def one_word(shapes: PassShapes, _array: PeArray) -> IntArray:
    """Return the words that a pass streams at least: one, which carries its psums on."""
    return np.ones(np.count_nonzero(shapes.starts), dtype=np.int64)


WEIGHT_STATIONARY = DataflowPlan(
    rows=Dim.WINDOW,
    columns=Dim.FILTERS,
    stream=Dim.PIXELS,
    stationary=Operand.WEIGHT,
    time_passes=time_stationary_passes,
    fewest_words=one_word,
)

"""A converted network whose products are really computed by the PE array, register by register, fold by fold.

Called by `golden_run.py` and by tests: the proof that what the simulator counts also computes what the conversion
promised, on every dataflow. `clocked.py` runs the folds; all around the sums is that of `bit_true.py`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import OsFold, PeArray
from archsim.engine.bit_true import run_bit_true
from archsim.engine.clocked import run_clocked
from archsim.engine.exact_arrays import multiply_on_array
from archsim.engine.pe_rules import PeArithmetic, PeSums, pe_sums
from archsim.engine.written import CodeArray
from archsim.errors import WorkloadError
from archsim.mapping.array_words import psum_leaves
from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.fold_walk import FoldWalk, walk_folds
from archsim.mapping.loop_nest import Dim, DimTiling, LoopNest
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.numerics.patches import Adder
from archsim.workload.coded_network import CodedNetwork

Array = NDArray[Any]
IntArray = NDArray[np.int64]


def run_on_array(network: CodedNetwork, ifmap_codes: IntArray, pe_array: PeArray) -> dict[str, CodeArray]:
    """Run a converted network, every product on the PE array.

    Parameters
    ----------
    network, ifmap_codes
        As `run_bit_true`.
    pe_array
        Size, dataflow and registers.

    Returns
    -------
    dict
        Layer -> codes, as `run_bit_true`.

    Raises
    ------
    WorkloadError
        As `run_bit_true`; or the sums are of a kind that the array is not stepped for.
    SimulationError
        The array cannot be clocked, or integer sums may take more than 64 bits.

    Notes
    -----
    Windows are laid out as matrices; groups run one by one. Integer sums, which have no order, run all folds back to
    back and their row folds are added behind the array. Any other sum starts in its PE from the bias, or from the psum
    that the row fold before left, which travels out and back in the register's own codes: folds run one after the
    other, in the order of `mapping/fold_walk.py`. Writing in the ofmap's format, relu, pools and additions are done
    behind the array. Which psums an output-stationary array holds at a time (``os_fold``) changes none of them: they are
    taken in the order of the pixels. Not modelled: memories, and the cycles of a psum's way out and back.
    """
    return run_bit_true(network, ifmap_codes, substitute=partial(put_on_array, pe_array=pe_array))


def put_on_array(adder: Adder, pe_array: PeArray) -> Adder:
    """Return an adder that makes the same sums on the PE array, a whole layer at a time."""
    array = replace(pe_array, os_fold=OsFold.PIXELS)
    return replace(adder, kernel=partial(_add_on_array, array, adder.kernel), is_whole=True)


def window_pieces(pe_array: PeArray, pixels: int, window: int, filters: int) -> list[slice]:
    """Return the stretches of a window over which a psum stays in the array, in the order in which they are added.

    Parameters
    ----------
    pe_array
        Size, dataflow, longest stream.
    pixels, window, filters
        Of the matrix product.

    Notes
    -----
    Read off the walk of the loops for the first ofmap values; no loop order changes it, tiled or not
    (tests/engine/test_array_values.py walks them all).
    """
    sizes = {Dim.PIXELS: pixels, Dim.WINDOW: window, Dim.FILTERS: filters}
    nest = _untiled_nest(MATRIX_DATAFLOWS[pe_array.dataflow], pe_array, sizes)
    walk = walk_folds(nest, pass_per_unit=pe_array.k_tile > 0)
    return pieces_of(walk, psum_leaves(walk, MATRIX_DATAFLOWS[pe_array.dataflow], pe_array.k_tile_keeps_psum)[1])


def pieces_of(walk: FoldWalk, leaves: NDArray[np.bool_]) -> list[slice]:
    """Return the stretches of the window that a walk adds to its first ofmap value, cut where the psum leaves."""
    first = np.flatnonzero((walk.group == 0) & (walk.unit[Dim.PIXELS] == 0) & (walk.unit[Dim.FILTERS] == 0))
    pieces: list[slice] = []
    is_open = False
    for step in first.tolist():
        start, size = int(walk.start[Dim.WINDOW][step]), int(walk.size[Dim.WINDOW][step])
        if is_open and start == pieces[-1].stop:
            pieces[-1] = slice(pieces[-1].start, start + size)
        else:
            pieces.append(slice(start, start + size))
        is_open = not leaves[step]
    return pieces


def _untiled_nest(dataflow: DataflowPlan, pe_array: PeArray, sizes: dict[Dim, int]) -> LoopNest:
    units = sizes | {dataflow.rows: pe_array.rows, dataflow.columns: pe_array.columns}
    if pe_array.k_tile:
        units[dataflow.stream] = pe_array.k_tile
    tiling = {dim: DimTiling(size=size, unit=units[dim], units_per_tile=size) for dim, size in sizes.items()}
    return LoopNest(
        groups=1, order=(Dim.FILTERS, Dim.WINDOW, Dim.PIXELS), tiling=tiling, rows=dataflow.rows,
        columns=dataflow.columns, stream=dataflow.stream, streamed={},
    )  # fmt: skip


def _add_on_array(
    pe_array: PeArray, kernel: Callable[..., None], patches: Array, weights: Array, *operands: Any
) -> None:
    """Do as the kernel does, by the array; the last operand is where the sums go."""
    *given, sums = operands
    work = pe_sums(kernel, patches, weights, tuple(given))
    found = _sum(work, pe_array)
    sums[:] = (found.view(np.float64) if sums.dtype.kind == "f" else found).T


def _sum(work: PeSums, pe_array: PeArray) -> IntArray:
    """Return sums, shape (pixels, filters), as the registers hold them."""
    pixels, (window, filters) = len(work.ifmap), work.weight.shape
    if work.rule is None or work.table is None:
        return multiply_on_array(work.ifmap.astype(np.int64), work.weight.astype(np.int64), pe_array) + work.starts
    if pe_array.dataflow not in MATRIX_DATAFLOWS:
        raise WorkloadError(
            f"a {pe_array.dataflow} array is stepped with exact integer sums only; this network's are cast, logarithms or "
            "floats: check it on a weight_stationary, output_stationary or input_stationary array"
        )
    psums = np.broadcast_to(work.starts, (pixels, filters))
    for piece in window_pieces(pe_array, pixels, window, filters):
        arithmetic = PeArithmetic(rule=work.rule, table=work.table, psums=psums)
        psums = run_clocked(work.ifmap[:, piece], work.weight[piece], pe_array, arithmetic).ofmap
    return np.ascontiguousarray(psums)

"""One matrix product on the clocked array: every PE register, every cycle, values included.

Called by `array_values.py` for whole networks and by tests for small layers; it is the proof of the closed forms in
`mapping/`, which it does not know. The product is cut into folds in the order of SCALE-Sim 3.0: column folds
outside, row folds inside; pieces of an output-stationary stream innermost.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, OsFold, PeArray, StartEvent
from archsim.engine.clocked_operands import check_sums, checked_integers
from archsim.engine.clocked_run import ClockedCounts, ClockedRun
from archsim.engine.clocked_wavefronts import ALL, Kept, drain_words, fitting, kept_words
from archsim.engine.pe_rules import Block, PeArithmetic
from archsim.errors import SimulationError
from archsim.kernels import output_stationary as os_kernel
from archsim.kernels import weight_stationary as ws_kernel
from archsim.terms import Dataflow

IntArray = NDArray[np.int64]
MODEL = "clocked array"
"""What messages open with."""

_DRAINS = {
    OsDrain.NONE: os_kernel.DRAIN_NONE,
    OsDrain.SHIFT_ROWS: os_kernel.DRAIN_ROWS,
    OsDrain.SHIFT_COLUMNS: os_kernel.DRAIN_COLUMNS,
}
_LOWEST = {"psum_hop": 0, "act_hop": 0, "pe_latency": 1, "input_regs": 0, "output_regs": 0, "weight_load_cycles": 1}


def run_clocked(
    gemm_ifmap: NDArray[np.integer],
    gemm_weight: NDArray[np.integer],
    pe_array: PeArray,
    arithmetic: PeArithmetic | None = None,
) -> ClockedRun:
    """Clock ``gemm_ifmap @ gemm_weight`` through the PE array, all folds back to back.

    Parameters
    ----------
    gemm_ifmap
        Integers, shape (pixels, window).
    gemm_weight
        Integers, shape (window, filters).
    pe_array
        Size, dataflow and registers.
    arithmetic
        Of the PEs, and the psums that they start from; None = int64, from 0.

    Returns
    -------
    ClockedRun
        The product and the cycle of every value of it.

    Raises
    ------
    SimulationError
        The operands are not two matrices of integers that fit each other, their psums might not fit
        int64, or of another arithmetic leave the array; a setting is one that registers cannot have, or a value
        never came out.

    Notes
    -----
    An array that skips zeros leaves out wavefronts of them where its sums are integers; in another ``arithmetic`` it takes
    every word, which gives the same values. Not modelled: memories (operands are always there), structured sparsity (the
    caller drops the weights). Psums of row folds are added outside the array in no time. Settings are honoured as
    ``pe_array`` holds them.
    """
    ifmap = checked_integers(gemm_ifmap, "ifmap", axes=2, model=MODEL)
    weight = checked_integers(gemm_weight, "weight", axes=2, model=MODEL)
    if ifmap.shape[1] != weight.shape[0]:
        raise SimulationError(
            f"{MODEL}: ifmap is {ifmap.shape} (pixels, window), weight {weight.shape} (window, filters): "
            "the windows must be equal"
        )
    if arithmetic is None:
        check_sums(ifmap, weight, products=len(weight), model=MODEL)
    _check_settings(pe_array)
    if pe_array.dataflow is Dataflow.OUTPUT_STATIONARY:
        return _run_output_stationary(ifmap, weight, pe_array, arithmetic)
    if pe_array.dataflow is Dataflow.WEIGHT_STATIONARY:
        return _run_weight_stationary(ifmap, weight, pe_array, arithmetic)
    turned = arithmetic and replace(arithmetic, psums=arithmetic.psums.T)
    run = _run_weight_stationary(weight.T, ifmap.T, pe_array, turned)
    counts = replace(
        run.counts, ifmap_edge_reads=run.counts.weight_edge_reads, weight_edge_reads=run.counts.ifmap_edge_reads
    )
    return replace(run, ofmap=run.ofmap.T, output_cycles=run.output_cycles.T, counts=counts)


def _check_settings(pe_array: PeArray) -> None:
    if pe_array.dataflow not in (Dataflow.WEIGHT_STATIONARY, Dataflow.INPUT_STATIONARY, Dataflow.OUTPUT_STATIONARY):
        raise SimulationError(f"{MODEL}: a {pe_array.dataflow} array has a clocked model of its own")
    for key, lowest in _LOWEST.items():
        value = getattr(pe_array, key)
        if value is not None and value < lowest:
            raise SimulationError(f"{MODEL}: pe_array.{key} (={value!r}) must be at least {lowest}")
    if pe_array.os_fold is not OsFold.PIXELS:
        raise SimulationError(f"{MODEL}: pe_array.os_fold (={pe_array.os_fold}) is not stepped; only pixels is")
    if pe_array.weight_regs not in (1, 2):
        raise SimulationError(f"{MODEL}: pe_array.weight_regs (={pe_array.weight_regs!r}) must be 1 or 2")


def _cut(size: int, unit: int) -> list[slice]:
    """Slices of at most ``unit``."""
    return [slice(start, min(start + unit, size)) for start in range(0, size, unit)]


def _extent(rows: slice, columns: slice, pe_array: PeArray) -> list[int]:
    """PEs that take time, then PEs with real words, down and across."""
    used = [rows.stop - rows.start, columns.stop - columns.start]
    return used + used if pe_array.edge_folds is EdgeFolds.TRIMMED else [pe_array.rows, pe_array.columns, *used]


def _run_weight_stationary(
    streamed: IntArray, stationary: IntArray, pe_array: PeArray, arithmetic: PeArithmetic | None
) -> ClockedRun:
    """Fold ``stationary`` (window, columns) onto the array; ``streamed`` (T, window) passes by."""
    row_folds, column_folds = _cut(stationary.shape[0], pe_array.rows), _cut(stationary.shape[1], pe_array.columns)
    passes = [(rows, columns) for columns in column_folds for rows in row_folds]
    extents = [_extent(rows, columns, pe_array) for rows, columns in passes]
    tiles = np.zeros((len(passes), pe_array.rows, pe_array.columns), dtype=np.int64)
    for fold, (rows, columns) in enumerate(passes):
        tiles[fold, : extents[fold][2], : extents[fold][3]] = stationary[rows, columns]
    skips = pe_array.skips and arithmetic is None
    kept = [kept_words(streamed[:, rows]) if skips else ALL for rows, _ in passes]
    words = [streamed[places, rows] for places, (rows, _) in zip(kept, passes, strict=True)]
    loads = [[*extent, pe_array.weight_load_cycles or extent[0], len(stream)]
             for extent, stream in zip(extents, words, strict=True)]  # fmt: skip
    blocks = [(slice(None), columns) for _, columns in passes]
    entering = _entering(arithmetic, (len(row_folds), len(streamed), pe_array.columns), blocks)
    outputs, cycles, macs, counts = ws_kernel.step_weight_stationary_array(
        tiles, fitting(words, pe_array.rows), np.array(loads), _weight_stationary_settings(pe_array), entering
    )
    ofmap, output_cycles = np.zeros((2, len(streamed), stationary.shape[1]), dtype=np.int64)
    for fold, (_, columns) in enumerate(passes):
        part = (fold, slice(len(words[fold])), slice(extents[fold][3]))
        _merge((ofmap, output_cycles), (kept[fold], columns), outputs[part], cycles[part])
    issued = int(macs.sum())
    return ClockedRun(
        ofmap=ofmap,
        output_cycles=output_cycles,
        total_cycles=int(cycles.max()),
        counts=ClockedCounts(
            macs_per_pe=macs,
            ifmap_edge_reads=int(counts[ws_kernel.STREAMED_READS]),
            weight_edge_reads=int(counts[ws_kernel.STATIONARY_READS]),
            output_edge_writes=int(counts[ws_kernel.OUTPUT_WRITES]),
            stationary_register_reads=issued,
            stationary_register_writes=int(counts[ws_kernel.STATIONARY_WRITES]),
            streamed_register_writes=issued if pe_array.act_hop else 0,
            psum_register_writes=issued,
            drain_register_writes=0,
        ),
    )


def _entering(
    arithmetic: PeArithmetic | None, shape: tuple[int, int, int], blocks: Sequence[Block]
) -> tuple[IntArray, IntArray, IntArray] | None:
    """Give the kernel its arithmetic; ``shape``: pieces of a window, lines of psums of a pass, columns."""
    if arithmetic is None:
        return None
    if shape[0] > 1:
        raise SimulationError(f"{MODEL}: only integer psums are added outside of it; run one row fold at a time")
    return arithmetic.entering(shape[1], shape[2], blocks)


def _weight_stationary_settings(pe_array: PeArray) -> IntArray:
    settings = np.zeros(ws_kernel.SETTINGS, dtype=np.int64)
    settings[ws_kernel.PSUM_HOP] = pe_array.hop_cycles
    settings[ws_kernel.ACT_HOP] = pe_array.act_hop
    settings[ws_kernel.PE_LATENCY] = pe_array.pe_latency
    settings[ws_kernel.INPUT_REGS] = pe_array.input_regs
    settings[ws_kernel.OUTPUT_REGS] = pe_array.output_regs
    settings[ws_kernel.WEIGHT_REGS] = pe_array.weight_regs
    settings[ws_kernel.SWITCH_GAP] = pe_array.weight_switch_gap
    settings[ws_kernel.LOAD_BY_COLUMN] = pe_array.load_granularity is LoadGranularity.COLUMN
    settings[ws_kernel.COUNT_FROM_STREAM] = pe_array.start_event is StartEvent.FIRST_ACTIVATION
    return settings


def _merge(results: tuple[IntArray, IntArray], place: tuple[Kept, Kept], psums: IntArray, cycles: IntArray) -> None:
    """Add one pass's psums to its part of the ofmap; a value is final when its last psum is out."""
    ofmap, output_cycles = results
    if not cycles.all():
        raise SimulationError(f"{MODEL}: a value never left the array; the controller started a pass too early")
    ofmap[place] += psums
    output_cycles[place] = np.maximum(output_cycles[place], cycles)


def _run_output_stationary(
    ifmap: IntArray, weight: IntArray, pe_array: PeArray, arithmetic: PeArithmetic | None
) -> ClockedRun:
    """Fold pixels onto the rows and filters onto the columns; the window passes by in pieces of k_tile words."""
    pieces = _cut(len(weight), pe_array.k_tile or len(weight))
    pixel_folds, filter_folds = _cut(len(ifmap), pe_array.rows), _cut(weight.shape[1], pe_array.columns)
    passes = [(pixels, filters, piece) for filters in filter_folds for pixels in pixel_folds for piece in pieces]
    skips = pe_array.skips and arithmetic is None
    ifmaps, weights, extents = _output_stationary_streams((ifmap, weight), pe_array, passes, skips=skips)
    stays = 1 if pe_array.k_tile_keeps_psum else len(pieces)
    entering = _entering(arithmetic, (stays, pe_array.rows, pe_array.columns), [each[:2] for each in passes])
    outputs, cycles, macs, counts = os_kernel.step_output_stationary_array(
        ifmaps, weights, extents, _output_stationary_settings(pe_array), entering
    )
    ofmap = np.zeros((len(ifmap), weight.shape[1]), dtype=np.int64)
    output_cycles = np.zeros_like(ofmap)
    for fold, (pixels, filters, _) in enumerate(passes):
        if extents[fold, os_kernel.DRAINS]:
            used = (fold, slice(extents[fold, os_kernel.USED_ROWS]), slice(extents[fold, os_kernel.USED_COLUMNS]))
            _merge((ofmap, output_cycles), (pixels, filters), outputs[used], cycles[used])
    every = pe_array.add_cycles
    macs = macs // every  # bubbles are no MACs and no words
    issued = int(macs.sum())
    return ClockedRun(
        ofmap=ofmap,
        output_cycles=output_cycles,
        total_cycles=int(cycles.max()),
        counts=ClockedCounts(
            macs_per_pe=macs,
            ifmap_edge_reads=int(counts[os_kernel.IFMAP_READS]) // every,
            weight_edge_reads=int(counts[os_kernel.WEIGHT_READS]) // every,
            output_edge_writes=int(counts[os_kernel.OUTPUT_WRITES]),
            stationary_register_reads=0,
            stationary_register_writes=0,
            streamed_register_writes=issued * (2 if pe_array.act_hop else 1),
            psum_register_writes=issued,
            drain_register_writes=int(counts[os_kernel.DRAIN_WRITES]),
        ),
    )


def _output_stationary_streams(
    operands: tuple[IntArray, IntArray], pe_array: PeArray, passes: Sequence[tuple[slice, slice, slice]], *, skips: bool
) -> tuple[IntArray, IntArray, IntArray]:
    """Lay out the words that enter in each pass (pixels, filters, piece), and its extent as the kernel reads it."""
    (ifmap, weight), every = operands, pe_array.add_cycles  # a pair, then bubbles: zeros that change no sum
    keeps = pe_array.k_tile_keeps_psum
    used = [_extent(pixels, filters, pe_array) for pixels, filters, _ in passes]
    enters = [not keeps or piece.start == 0 for _, _, piece in passes]
    leaves = [not keeps or piece.stop == len(weight) for _, _, piece in passes]
    fewest = drain_words(used, leaves, pe_array)
    ifmaps: list[IntArray] = []
    weights: list[IntArray] = []
    extents = []
    for fold, (pixels, filters, piece) in enumerate(passes):
        rows, columns = ifmap[pixels, piece].T, weight[piece, filters]
        kept = kept_words(rows, fewest[fold]) if skips else ALL
        for streams, words in ((ifmaps, rows[kept]), (weights, columns[kept])):
            streams.append(np.zeros((len(words) * every, words.shape[1]), dtype=np.int64))
            streams[-1][::every] = words
        extents.append([*used[fold], len(ifmaps[-1]), enters[fold], leaves[fold]])
    return fitting(ifmaps, pe_array.rows), fitting(weights, pe_array.columns), np.array(extents, dtype=np.int64)


def _output_stationary_settings(pe_array: PeArray) -> IntArray:
    settings = np.zeros(os_kernel.SETTINGS, dtype=np.int64)
    settings[os_kernel.ACT_HOP] = pe_array.act_hop
    settings[os_kernel.PE_LATENCY] = pe_array.pe_latency
    settings[os_kernel.INPUT_REGS] = pe_array.input_regs
    settings[os_kernel.OUTPUT_REGS] = pe_array.output_regs
    settings[os_kernel.DRAIN] = _DRAINS[pe_array.os_drain]
    settings[os_kernel.OVERLAP] = pe_array.drain_overlap
    return settings

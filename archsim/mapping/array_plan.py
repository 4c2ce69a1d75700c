"""An array layer on an arch, its loop nest chosen: lay out the steps, the transfers and the words."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import EdgeFolds
from archsim.mapping.array_words import ArrayWords, array_words, psum_leaves
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.dataflow import PassShapes, PassTiming
from archsim.mapping.dram_layout import StepBlocks, place_transfers
from archsim.mapping.dram_queue import Fetch, WriteBack, ideal_times, queue_transfers
from archsim.mapping.fold_plan import FoldPlan, Steps, Transfers
from archsim.mapping.fold_walk import FoldWalk, changed, walk_folds
from archsim.mapping.ifmap_box import IfmapBoxes, added_boxes, needed_boxes
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.operand_flow import RELEVANT, Visits, operand_visits, release_steps
from archsim.mapping.port_use import Edge, port_cycles
from archsim.mapping.wavefront_zeros import waits_of_dense, words_taken
from archsim.terms import Operand

IntArray = NDArray[np.int64]


def time_walk(walk: FoldWalk, work: ArrayWork) -> PassTiming:
    """Time the steps of a walk on the array alone, every memory ideal."""
    return _timing(_taken(_dense_shapes(walk, work), walk, work), work)


def _timing(shapes: PassShapes, work: ArrayWork) -> PassTiming:
    return work.dataflow.time_passes(shapes, work.arch.pe_array)


def _dense_shapes(walk: FoldWalk, work: ArrayWork) -> PassShapes:
    """Return the steps of a walk as an array runs them that takes every value."""
    array, dataflow = work.arch.pe_array, work.dataflow
    trimmed = array.edge_folds is EdgeFolds.TRIMMED
    rows = walk.size[dataflow.rows] if trimmed else np.full(len(walk), array.rows, dtype=np.int64)
    columns = walk.size[dataflow.columns] if trimmed else np.full(len(walk), array.columns, dtype=np.int64)
    _, leaves = psum_leaves(walk, dataflow, work.keeps_psum)
    return PassShapes(rows=rows, columns=columns, stream=walk.size[dataflow.stream], starts=walk.starts_pass,
                      ends=walk.ends_pass, completes=leaves)  # fmt: skip


def _taken(dense: PassShapes, walk: FoldWalk, work: ArrayWork) -> PassShapes:
    """Leave out the wavefronts that the array skips, if it does."""
    if work.wavefronts is None:
        return dense
    fewest = work.dataflow.fewest_words(dense, work.arch.pe_array)
    return replace(dense, stream=words_taken(work.wavefronts.of_steps(walk, work.dataflow), dense, fewest))


def _timing_within(taken: PassShapes, dense: PassShapes, expected: PassTiming, work: ArrayWork) -> PassTiming:
    """Time steps of which zeros are left out; none of them takes longer than ``expected`` of the dense array."""
    timing = _timing(taken, work)
    return replace(timing, advance=waits_of_dense(timing.advance, expected.advance, dense))


def plan_array_steps(work: ArrayWork, nest: LoopNest, compute_cycles: int) -> FoldPlan:
    """Lay out a layer whose nest is chosen.

    Parameters
    ----------
    work, nest
        What to plan, and its loops.
    compute_cycles
        Of the untiled layer; see `FoldPlan.compute_cycles`.
    """
    walk = walk_folds(nest, pass_per_unit=work.pass_per_unit)
    dense = _dense_shapes(walk, work)
    taken = _taken(dense, walk, work)
    expected = _timing(dense, work)
    timing = expected if taken is dense else _timing_within(taken, dense, expected, work)
    crossing = psum_leaves(walk, work.dataflow, work.keeps_psum)
    visits = {operand: _visits(work, nest, walk, operand, crossing[0]) for operand in RELEVANT}
    words = array_words(walk, work.dataflow, visits[Operand.PSUM], crossing, ifmap_reads=_patch_reads(work, walk))
    boxes = _ifmap_boxes(work, nest, walk, visits[Operand.IFMAP])
    blocks = StepBlocks(work=work, nest=nest, walk=walk, boxes=boxes, visits=visits)
    use = LevelUse(arch=work.arch, kept=work.kept, link=work.link, table=work.table, words=_step_words(blocks, words))
    psums = visits[Operand.PSUM]
    transfers, last_write = _queue(blocks, use, expected)
    steps = Steps(
        advance_cycles=timing.advance,
        tail_cycles=timing.tail,
        port_cycles=port_cycles(use, _edge(work, nest)),
        hold_transfer=_holds(psums, last_write, work.copies(Operand.PSUM, nest)),
        first_start_cycles=timing.first_start,
        origin_cycles=timing.origin,
    )
    folds = nest.groups * nest.tiling[nest.rows].units * nest.tiling[nest.columns].units
    used = nest.groups * nest.tiling[nest.rows].size * nest.tiling[nest.columns].size
    macs = int((walk.words(nest.rows, nest.columns) * taken.stream).sum())
    return FoldPlan(
        kind=work.arch.pe_array.dataflow.value,
        folds=folds,
        mapping_efficiency=used / (folds * work.arch.pe_array.multipliers),
        array_macs=macs,
        compute_cycles=compute_cycles,
        steps=steps,
        transfers=transfers,
        traffic=use.traffic(spad=_spad_words(work, macs, words)),
        nest=nest,
        active_pes=int((walk.size[nest.rows] * walk.size[nest.columns]).max()),
        gated_macs=round(macs * work.zero_ifmap),
    )


def _edge(work: ArrayWork, nest: LoopNest) -> Edge | None:
    """Return how words lie that pass the array's edge; of a patch they lie in the order in which it takes them."""
    return None if work.fold.patches else Edge(shape=work.edge, dataflow=work.dataflow, nest=nest)


def _patch_reads(work: ArrayWork, walk: FoldWalk) -> IntArray | None:
    """Ifmap words that each step takes into a patch, every one once: the step's share of the window. [words]"""
    if work.fold.patches is None:
        return None
    words = work.fold.patches.ifmap_words(walk.unit[Dim.PIXELS]) * work.geometry.channels
    start, window = walk.start[Dim.WINDOW], work.sizes[Dim.WINDOW]
    reads: IntArray = (start + walk.size[Dim.WINDOW]) * words // window - start * words // window
    return reads


def _visits(work: ArrayWork, nest: LoopNest, walk: FoldWalk, operand: Operand, enters: NDArray[np.bool_]) -> Visits:
    per_step = changed(walk.group) if operand in nest.whole else None
    if operand in nest.streamed:
        per_step = enters if operand is Operand.PSUM else _crosses(work, walk, operand)
    return operand_visits(walk, nest, operand, per_step)


def _crosses(work: ArrayWork, walk: FoldWalk, operand: Operand) -> NDArray[np.bool_]:
    """Whether a step takes words of an input into the array: the stationary one comes once per pass."""
    return walk.starts_pass if operand is work.dataflow.stationary else np.ones(len(walk), dtype=bool)


def _ifmap_boxes(work: ArrayWork, nest: LoopNest, walk: FoldWalk, visits: Visits) -> IfmapBoxes:
    if Operand.IFMAP in nest.streamed:
        return needed_boxes(walk, work.geometry, nest)
    return added_boxes(walk, work.geometry, nest, visits)


def _step_words(blocks: StepBlocks, words: ArrayWords) -> StepWords:
    """Add what crosses the DRAM channel to what crosses the array's edge."""
    nest, walk, boxes, visits = blocks.nest, blocks.walk, blocks.boxes, blocks.visits
    outputs = walk.words(Dim.PIXELS, Dim.FILTERS)
    psums = visits[Operand.PSUM]
    spilled = psums.first & ~psums.first_ever & (words.psum_reads > 0)
    leaves = psums.last & ((words.psum_writes > 0) | (words.ofmap_writes > 0))
    ifmap = words.ifmap_reads if Operand.IFMAP in nest.streamed else np.where(
        visits[Operand.IFMAP].first, boxes.channels * boxes.lines * blocks.work.geometry.line_words, 0
    )  # fmt: skip
    weight = words.weight_reads if Operand.WEIGHT in nest.streamed else np.where(
        visits[Operand.WEIGHT].first, walk.words(Dim.WINDOW, Dim.FILTERS), 0
    )  # fmt: skip
    return StepWords(
        array=words,
        ifmap_fetches=ifmap,
        weight_fetches=weight,
        psum_fetches=np.where(spilled, outputs, 0),
        psum_write_backs=np.where(leaves & ~psums.last_ever, outputs, 0),
        ofmap_write_backs=np.where(psums.last_ever, outputs, 0),
    )


def _queue(blocks: StepBlocks, use: LevelUse, timing: PassTiming) -> tuple[Transfers, IntArray]:
    """Put the transfers in order, and each step's last write among them; ``timing``: as the steps are expected, values not being known."""
    times = ideal_times(timing.advance, timing.tail)
    transfers, last_write = queue_transfers(_fetches(blocks, use, timing), _write_back(use), times)
    return place_transfers(transfers, blocks, use) if use.arch.dram.has_banks else transfers, last_write


def _fetches(blocks: StepBlocks, use: LevelUse, timing: PassTiming) -> list[Fetch]:
    work, nest, visits = blocks.work, blocks.nest, blocks.visits
    fetches = []
    for operand, length in use.fetch_bytes().items():
        flows = operand in nest.streamed and operand is not Operand.PSUM
        release = release_steps(visits[operand], work.copies(operand, nest), flows=flows)
        if operand is Operand.PSUM and length.any():
            release = np.maximum(release, visits[operand].previous_visit())  # read back only what has been written
        lead = timing.load if operand is work.dataflow.stationary else np.zeros_like(timing.load)
        fetches.append(Fetch(operand=operand, length_bytes=length, release=release, lead_cycles=lead))
    return fetches


def _write_back(use: LevelUse) -> WriteBack:
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    return WriteBack(psum_bytes=psum_bytes, ofmap_bytes=ofmap_bytes)


def _holds(psums: Visits, last_write: IntArray, copies: int) -> IntArray:
    """Index of the write that must be done before each step: the last one of the tile it replaces."""
    last_steps = psums.last_step_of()
    firsts = np.concatenate([[0], last_steps[:-1] + 1])
    running = np.maximum.accumulate(last_write)
    holds = np.full(len(psums.generation), -1, dtype=np.int64)
    if len(last_steps) > copies:
        holds[firsts[copies:]] = running[last_steps[:-copies]]
    return holds


def _spad_words(work: ArrayWork, macs: int, words: ArrayWords) -> dict[Operand, tuple[int, int]]:
    """Register reads and writes inside the PEs, per operand: every MAC reads two factors and one psum.

    The stationary operand is written once per pass; the others pass from PE to PE, one register write
    and one read for each MAC. [words]
    """
    writes = {Operand.IFMAP: macs, Operand.WEIGHT: macs, Operand.PSUM: macs}
    if work.dataflow.stationary is Operand.IFMAP:
        writes[Operand.IFMAP] = int(words.ifmap_reads.sum())
    elif work.dataflow.stationary is Operand.WEIGHT:
        writes[Operand.WEIGHT] = int(words.weight_reads.sum())
    return {operand: (macs, written) for operand, written in writes.items()}

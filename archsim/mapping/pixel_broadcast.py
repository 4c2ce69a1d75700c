"""Pixel broadcast: every PE sees the same ifmap pixel, each multiplies it by the tap that links it to its own psum.

The dataflow of FEIE and ZASCA, there called fully-connected inspired: `broadcast_shape.py` has how a layer is cut,
`broadcast_streams.py` what streams. Called by `planner.py`. A layer takes, for each block of ofmap lines and segment of
a row, all rows of pixels that its windows touch, of all channels, once per pass of filters [1]_:

    cycles = images x groups x ofmap lines x filter rows x channels x passes
             x (ofmap columns x stride + segments x (kernel columns - stride))

There is no memory between array and DRAM: pixels come anew for every ofmap line, filter row and pass, weights for every
block of ofmap lines and segment; psums stay in the PEs until they are ofmap values.

Results of a block wait in a second set of psum registers and are written while the next block streams.

Not modelled: how weights reach the PEs within a pass beyond their words on the channel; a stream that begins before all
its words of a step are there.

References
----------
.. [1] A. Ardakani, C. Condo, W. Gross, Fast and efficient convolutional accelerator for edge computing, IEEE Trans.
   Computers 69(1), 2020: equations after a description; with them its latency of VGG-16 comes out within 0.1 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.broadcast_shape import BroadcastShape, broadcast_shape
from archsim.mapping.broadcast_streams import Streams, dense_streams, sparse_streams
from archsim.mapping.dram_queue import Fetch, WriteBack, ideal_times, queue_transfers
from archsim.mapping.dram_regions import in_order_of_use
from archsim.mapping.effectual_macs import issued_macs, known_effectual_macs
from archsim.mapping.fold_plan import FoldPlan, Steps
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.link_traffic import link_shares
from archsim.mapping.skip_cycles import SkipCycles
from archsim.mapping.skipped_steps import ends_within_dense
from archsim.terms import Direction, Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]
MOST_STEPS = 1024
"""Steps that a layer is cut into, so that the array waits for no more than a small part of it."""
MOST_BLOCKS = 2_000_000
"""Blocks of ofmap lines that are planned, all images, groups and segments."""
STEPS_HELD = 2
"""Steps whose words are on the chip at a time: one works, the next waits; and as many whose results are on their way out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """Steps of a layer: every block cut into as many pieces; arrays of shape (steps,).

    Cycles of the steps and of the same steps taking every pixel, which are never less; and words.
    """

    advance: IntArray
    dense: IntArray
    ifmap: IntArray
    weight: IntArray
    ofmap: IntArray


def plan_broadcast_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan a conv or matrix layer in the one way there is; parameters as `plan_array_layer`.

    Raises
    ------
    MappingError
        The layer has more blocks of ofmap lines than are simulated.
    """
    array, known = arch.pe_array, zeros or zeros_by_itself(layer)
    shape = broadcast_shape(layer, array)
    blocks = shape.images * shape.groups * shape.blocks * (len(shape.segments) - 1)
    if blocks > MOST_BLOCKS:
        raise MappingError(
            f"layer {layer.name!r}: {blocks:,} blocks of ofmap lines; up to {MOST_BLOCKS:,} are simulated"
        )
    nonzero = known.nonzero(layer, Operand.IFMAP) if array.skips else None
    streams = dense_streams(shape)
    if nonzero is not None:
        streams = sparse_streams(shape, _by_stream(layer, shape, nonzero), array.require_tiles())
    macs = layer.macs if nonzero is None else issued_macs(layer, nonzero)
    plan = _plan(layer, arch, shape, streams=streams, macs=macs, use=(kept, known, loads_table))
    if nonzero is not None:
        both = known_effectual_macs(layer, nonzero, known, macs)
        plan = replace(plan, effectual_macs=both, skip=_skip(shape, streams, plan, arch))
    yield plan


def compute_cycles(shape: BroadcastShape, cycles: IntArray, arch: Architecture) -> int:
    """Cycles of a layer on the array alone, whose streams take so many for one pass. [cycles]"""
    passes = shape.passes(arch.pe_array.require_tiles().pixel_streams)
    return ceil(int(cycles.sum()) * passes) + arch.pe_array.pipeline_cycles


def _by_stream(layer: ArrayLayer, shape: BroadcastShape, nonzero: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lay a mask out as (images, groups, channels, lines, places of a row)."""
    if not isinstance(layer, ConvLayer):  # the inner dimension of a matrix are its channels
        nonzero = nonzero.swapaxes(1, 2)
    return nonzero.reshape(shape.images, shape.groups, shape.channels, -1, shape.row.ifmap)


def _skip(shape: BroadcastShape, streams: Streams, plan: FoldPlan, arch: Architecture) -> SkipCycles:
    """Say where the cycles went: all PEs share the stream, so nothing is lost but what finding its pixels takes."""
    ideal = compute_cycles(shape, streams.nonzero_pixels, arch)
    return SkipCycles(
        dense_cycles=compute_cycles(shape, streams.dense_cycles, arch), ideal_cycles=ideal,
        fragmentation_cycles=plan.compute_cycles - ideal,
    )  # fmt: skip


def _plan(
    layer: ArrayLayer, arch: Architecture, shape: BroadcastShape, *, streams: Streams, macs: int,
    use: tuple[frozenset[Operand], LayerZeros, bool],
) -> FoldPlan:  # fmt: skip
    kept, known, loads_table = use
    array = arch.pe_array
    pieces = _pieces(shape, streams, arch)
    moved = LevelUse(
        arch=arch, kept=kept, link=link_shares(arch, known), table=kernel_table(layer, arch, loads=loads_table),
        words=_step_words(pieces),
    )  # fmt: skip
    tail = pieces.advance + array.pipeline_cycles
    psum_bytes, ofmap_bytes = moved.write_back_bytes()
    order = ideal_times(
        pieces.dense, pieces.dense + array.pipeline_cycles
    )  # of the dense array: zeros never come at a price
    written = WriteBack(psum_bytes=psum_bytes, ofmap_bytes=ofmap_bytes)
    transfers, last_write = queue_transfers(_fetches(moved, len(tail)), written, order)
    if arch.dram.has_banks:
        transfers = in_order_of_use(transfers, moved, arch.dram.require_device(), layer.name)
    gated = round(layer.macs * known.ifmap.zero_fraction) if array.gates else 0
    passes = shape.passes(array.require_tiles().pixel_streams)
    return FoldPlan(
        kind=array.dataflow.value,
        folds=streams.cycles.size * ceil(passes),
        mapping_efficiency=_efficiency(shape, passes, array.pes),
        array_macs=macs,
        compute_cycles=int(pieces.advance.sum()) + array.pipeline_cycles,
        steps=Steps(
            advance_cycles=pieces.advance, tail_cycles=tail, port_cycles=np.zeros_like(tail),
            hold_transfer=_holds(last_write),
        ),
        transfers=transfers,
        traffic=moved.traffic(spad=_spad_words(shape, streams, macs, gated=gated, passes=passes)),
        nest=None,
        active_pes=min(shape.sets, shape.filters) * shape.set_pes,
        gated_macs=gated,
        gated_accesses=tuple((operand, way) for operand in (Operand.WEIGHT, Operand.PSUM) for way in Direction),
        mapping=tuple(_lines(shape, passes)),
    )  # fmt: skip


def _efficiency(shape: BroadcastShape, passes: Fraction, pes: int) -> float:
    """Return the mean share of PEs that a pass uses, 0..1."""
    filled = Fraction(shape.filters) / (passes * shape.sets)
    return min(1.0, float(filled)) * shape.sets * shape.set_pes / pes


def _pieces(shape: BroadcastShape, streams: Streams, arch: Architecture) -> _Pieces:
    """Cut every block into pieces of equal shares, so that the sums of all steps are those of the layer."""
    passes = shape.passes(arch.pe_array.require_tiles().pixel_streams)
    blocks = streams.cycles.size
    pieces = max(1, min(MOST_STEPS // blocks, shape.channels * shape.line_taps))
    lines = np.diff(np.append(np.arange(0, shape.ofmap_lines, shape.block_lines), shape.ofmap_lines))
    outputs = lines[:, None] * np.diff(shape.segments)
    dense = _shares(streams.dense_cycles.ravel(), passes, pieces)
    until = np.cumsum(_shares(streams.cycles.ravel(), passes, pieces))
    stored = streams.dense_cycles if arch.dram.stores_padding else streams.stored_words
    weights = shape.filters * shape.channels * shape.line_taps * shape.row.kernel
    results = np.broadcast_to(shape.filters * outputs, streams.cycles.shape).ravel()
    ofmap = _shares(np.append(0, results[:-1]), Fraction(1), pieces)  # written while the next block streams
    ofmap[-1] += results[-1]
    return _Pieces(
        advance=np.diff(ends_within_dense(until, np.cumsum(dense)), prepend=0),
        dense=dense,
        ifmap=_shares(stored.ravel(), max(Fraction(1), passes), pieces),
        weight=_shares(np.full(blocks, weights, dtype=np.int64), Fraction(1), pieces),
        ofmap=ofmap,
    )


def _shares(amounts: IntArray, times: Fraction, pieces: int) -> IntArray:
    """Cut so many ``times`` each amount into pieces, whole numbers that add up to the whole sum rounded up."""
    ends = np.repeat(np.cumsum(amounts) - amounts, pieces).astype(object) * pieces
    ends = ends + np.repeat(amounts, pieces).astype(object) * np.tile(np.arange(1, pieces + 1), len(amounts))
    until: IntArray = (-(-ends * times.numerator // (times.denominator * pieces))).astype(np.int64)
    return np.diff(until, prepend=0)


def _step_words(pieces: _Pieces) -> StepWords:
    nothing = np.zeros_like(pieces.advance)
    words = ArrayWords(
        ifmap_reads=pieces.ifmap, weight_reads=pieces.weight, psum_reads=nothing, psum_writes=nothing,
        ofmap_writes=pieces.ofmap,
    )  # fmt: skip
    return StepWords(array=words, ifmap_fetches=pieces.ifmap, weight_fetches=pieces.weight, psum_fetches=nothing,
                     psum_write_backs=nothing, ofmap_write_backs=pieces.ofmap)  # fmt: skip


def _fetches(moved: LevelUse, steps: int) -> list[Fetch]:
    """Read every operand a step ahead."""
    release = np.maximum(np.arange(steps, dtype=np.int64) - STEPS_HELD, -1)
    return [
        Fetch(operand=operand, length_bytes=length, release=release, lead_cycles=np.zeros_like(length))
        for operand, length in moved.fetch_bytes().items()
        if operand is not Operand.PSUM
    ]


def _holds(last_write: IntArray) -> IntArray:
    """Index of the write that must be done before each step: its results need the place of earlier ones; -1 = none."""
    written = np.maximum.accumulate(np.concatenate([np.full(STEPS_HELD, -1, dtype=np.int64), last_write]))
    return written[: len(last_write)]


def _spad_words(
    shape: BroadcastShape, streams: Streams, macs: int, *, gated: int, passes: Fraction
) -> dict[Operand, tuple[int, int]]:
    """Register reads and writes of the PEs: a tap and a psum per MAC, a pixel written once for each tile. [words]

    Where a zero pixel gates its multiplier, tap and psum stand still.
    """
    taken = macs - gated
    pixels = ceil(int(streams.nonzero_pixels.sum()) * passes)
    return {Operand.IFMAP: (macs, pixels * shape.sets), Operand.WEIGHT: (taken, taken), Operand.PSUM: (taken, taken)}


def _lines(shape: BroadcastShape, passes: Fraction) -> Iterator[str]:
    """Yield the mapping as a person reads it."""
    depth = ""
    for what, count in (("image", shape.images), ("group", shape.groups)):
        if count > 1:
            yield f"{depth}for {what} in {count}:"
            depth += "  "
    yield f"{depth}for block in {shape.blocks}:  # of {shape.block_lines} ofmap lines"
    if len(shape.segments) > 2:
        yield f"{depth}  for segment in {len(shape.segments) - 1}:  # of a line, up to {max(np.diff(shape.segments))} values"
        depth += "  "
    yield f"{depth}  for pass in {float(passes):.4g}:  # of {shape.sets} filters, {shape.filters} in all"
    yield f"{depth}    for channel, filter row in {shape.channels} x {shape.line_taps}:"
    parts = f" in {len(shape.tap_parts) - 1} parts" if len(shape.tap_parts) > 2 else ""
    yield f"{depth}      stream a row of pixels past {shape.sets} sets of {shape.set_pes} PEs ({shape.row.kernel} taps{parts})"

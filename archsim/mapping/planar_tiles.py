"""Planar tiles: each PE keeps its part of every ifmap plane, weights are broadcast, psums lie in the PE's accumulators.

The dataflow of SCNN (PT-IS-CP-sparse: Cartesian products of nonzero values) and of its dense baseline DCNN (PT-IS-DP-dense:
dot products) [1]_. Called by `planner.py`. `planar_shape.py` has how a layer is cut, `planar_counts.py` its cycles,
`planar_steps.py` its steps. There is one plan of a layer: the ifmap stays, filters pass in groups.

Products outside the ofmap cost their multiplier a cycle and are dropped; they are no MACs, and their energy is not priced.

Not modelled: the depth of the weight FIFOs, the time of ReLU and compression, index words on the chip.

References
----------
.. [1] A. Parashar et al., SCNN: an accelerator for compressed-sparse convolutional neural networks, ISCA 2017; after a
   description of its dataflow.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.dram_queue import Fetch, WriteBack, ideal_times, queue_transfers
from archsim.mapping.dram_regions import in_order_of_use
from archsim.mapping.fold_plan import FoldPlan, Steps
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.link_traffic import LinkShare, link_shares
from archsim.mapping.planar_shape import PlanarShape, planar_shape, stored_pixels
from archsim.mapping.planar_steps import HELD, Crossing, PlanarSteps, planar_steps
from archsim.mapping.planar_work import PlanarWork, planar_work
from archsim.mapping.port_use import port_cycles
from archsim.terms import Direction, Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]


def plan_planar_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan a layer; see `plan_array_layer`.

    Raises
    ------
    MappingError
        A layer of three axes, one whose tiles do not fit the accumulators, or one of too many steps.
    """
    zeros = zeros or zeros_by_itself(layer)
    shape = planar_shape(layer, arch.pe_array)
    work = planar_work(layer, arch.pe_array, shape, zeros)
    link = link_shares(arch, zeros)
    crossing, link = _crossing(layer, arch, shape, work, link)
    steps = planar_steps(layer.name, shape, work, crossing, arch=arch, kept=kept)
    table = kernel_table(layer, arch, loads=loads_table)
    use = LevelUse(arch=arch, kept=kept, link=link, table=table, words=_step_words(steps, arch, layer))
    yield _plan(layer, use, shape, work=work, steps=steps, zeros=zeros)


def _crossing(
    layer: ArrayLayer, arch: Architecture, shape: PlanarShape, work: PlanarWork, link: Mapping[Operand, LinkShare]
) -> tuple[Crossing, dict[Operand, LinkShare]]:
    """Say which words cross the channel, and what each takes of its tensor's code.

    Where an array that skips gets a coded tensor, only its nonzero values cross, as they are in the code; they share all
    its bytes.
    """
    filters, shares = shape.filters_of_groups, dict(link)
    stored = int(stored_pixels(layer, shape).sum()) * shape.channels
    words = {
        Operand.IFMAP: np.full((shape.images, shape.groups), stored),
        Operand.WEIGHT: np.broadcast_to(layer.gemm.window * filters, (shape.groups, len(filters))),
        Operand.OFMAP: np.broadcast_to(layer.ofmap_words // (shape.images * shape.groups * shape.filters) * filters,
                                       (shape.images, shape.groups, len(filters))),
    }  # fmt: skip
    if arch.pe_array.skips:
        nonzero = {Operand.IFMAP: work.ifmap_words, Operand.WEIGHT: work.weight_words}
        for operand, share in link.items():
            made = nonzero.get(operand)
            taken = _scaled(words[operand], share.nonzero_words, share.words) if made is None else made
            if total := int(taken.sum()):
                words[operand], shares[operand] = taken, replace(share, words=total, nonzero_words=total)
    return Crossing(ifmap=words[Operand.IFMAP], weight=words[Operand.WEIGHT], ofmap=words[Operand.OFMAP]), shares


def _scaled(words: IntArray, part: int, whole: int) -> IntArray:
    """Return the same part of all words; it adds up to ``part`` where they are ``whole``."""
    ends: IntArray = (np.cumsum(words.ravel()).astype(object) * part // whole).astype(np.int64)
    return np.diff(ends, prepend=0).reshape(words.shape)


def _step_words(steps: PlanarSteps, arch: Architecture, layer: ArrayLayer) -> StepWords:
    nothing = np.zeros(len(steps), dtype=np.int64)
    words = ArrayWords(
        ifmap_reads=steps.ifmap_reads, weight_reads=steps.weight_words, psum_reads=nothing, psum_writes=nothing,
        ofmap_writes=steps.ofmap_words,
    )  # fmt: skip
    fetches = steps.weight_words
    if _weights_stay(layer, arch):
        fetches = np.where(steps.first_pass, fetches, 0)
    return StepWords(array=words, ifmap_fetches=steps.ifmap_fetches, weight_fetches=fetches, psum_fetches=nothing,
                     psum_write_backs=nothing, ofmap_write_backs=steps.ofmap_words)  # fmt: skip


def _weights_stay(layer: ArrayLayer, arch: Architecture) -> bool:
    """Whether all weights of the layer have room in a level of their own."""
    level = arch.sram_of(Operand.WEIGHT)
    if level is None or level is arch.sram_of(Operand.IFMAP):
        return False
    return arch.group(level.name, Operand.WEIGHT).bytes_of(layer.weight_words) <= level.room_for(Operand.WEIGHT)


def _plan(
    layer: ArrayLayer, use: LevelUse, shape: PlanarShape, *, work: PlanarWork, steps: PlanarSteps, zeros: LayerZeros
) -> FoldPlan:
    arch, array = use.arch, use.arch.pe_array
    tail = steps.cycles + array.pipeline_cycles
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    transfers, last_write = queue_transfers(
        _fetches(use, steps),
        WriteBack(psum_bytes=psum_bytes, ofmap_bytes=ofmap_bytes),
        ideal_times(steps.dense_cycles, steps.dense_cycles + array.pipeline_cycles),
    )
    if arch.dram.has_banks:
        transfers = in_order_of_use(transfers, use, arch.dram.require_device(), layer.name)
    cycles = int(work.cycles.sum()) + array.pipeline_cycles
    gated = _gated(work, zeros) if array.gates else 0
    is_dot = array.require_planar().is_dot
    return FoldPlan(
        kind=array.dataflow.value,
        folds=work.cycles.size,
        mapping_efficiency=work.macs / (cycles * array.multipliers) if cycles else 0.0,
        array_macs=work.macs,
        compute_cycles=cycles,
        steps=Steps(
            advance_cycles=steps.cycles,
            tail_cycles=tail,
            port_cycles=port_cycles(use),
            hold_transfer=_holds(last_write),
        ),
        transfers=transfers,
        traffic=use.traffic(spad=_spad_words(shape, work, steps, gated=gated, is_dot=is_dot)),
        nest=None,
        active_pes=shape.active_pes,
        gated_macs=gated,
        gated_accesses=((Operand.WEIGHT, Direction.READ),) if is_dot else _PSUM_ACCESSES,
        mapping=tuple(_lines(shape, steps)),
        effectual_macs=work.effectual_macs,
        skip=work.skip,
    )


def _fetches(use: LevelUse, steps: PlanarSteps) -> list[Fetch]:
    """Read ifmap parts where the one before leaves room, weights some steps ahead."""
    ahead = np.maximum(np.arange(len(steps), dtype=np.int64) - HELD, -1)
    release = {Operand.IFMAP: steps.ifmap_release, Operand.WEIGHT: ahead}
    return [
        Fetch(operand=operand, length_bytes=length, release=release[operand], lead_cycles=np.zeros_like(length))
        for operand, length in use.fetch_bytes().items()
        if operand in release
    ]


def _holds(last_write: IntArray) -> IntArray:
    """Index of the write that must be done before each step: its results need the place of earlier ones; -1 = none."""
    written = np.maximum.accumulate(np.concatenate([np.full(HELD, -1, dtype=np.int64), last_write]))
    return written[: len(last_write)]


def _gated(work: PlanarWork, zeros: LayerZeros) -> int:
    """MACs with a zero operand, the zeros of both taken as independent."""
    both = (1.0 - zeros.ifmap.zero_fraction) * (1.0 - zeros.weight.zero_fraction)
    return work.macs - round(work.macs * both)


_PSUM_ACCESSES = ((Operand.PSUM, Direction.READ), (Operand.PSUM, Direction.WRITE))
"""What a gated Cartesian product leaves out; the weight is read for a whole vector of ifmap values."""


def _spad_words(
    shape: PlanarShape, work: PlanarWork, steps: PlanarSteps, *, gated: int, is_dot: bool
) -> dict[Operand, tuple[int, int]]:
    """Count reads and writes of the PEs' stores: vectors of ifmap, weight FIFOs, accumulators. [words]"""
    taken = int(steps.ifmap_reads.sum())
    psums = work.psum_accesses - (0 if is_dot else gated)
    return {
        Operand.IFMAP: (work.macs if is_dot else taken, taken),
        Operand.WEIGHT: (work.weight_reads - (gated if is_dot else 0), int(steps.weight_words.sum()) * shape.pes),
        Operand.PSUM: (psums, psums),
    }


def _lines(shape: PlanarShape, steps: PlanarSteps) -> Iterator[str]:
    """Yield the mapping as a person reads it."""
    depth, (rows, columns) = "", shape.axes
    parts = (int(steps.load[-1]) + 1) // (shape.images * shape.groups)
    for what, count in (("image", shape.images), ("group", shape.groups), ("part of the plane", parts)):
        if count > 1:
            yield f"{depth}for {what} in {count}:"
            depth += "  "
    yield f"{depth}for filter group in {shape.filter_groups}:  # of {shape.group_filters} filters, {shape.filters} in all"
    yield f"{depth}  for channel in {shape.channels}:"
    phases = f", {shape.phases} phases of the stride" if shape.phases > 1 else ""
    yield f"{depth}    tiles of {rows.tile} x {columns.tile} of {rows.ifmap} x {columns.ifmap} in {rows.pes} x {columns.pes} PEs{phases}"

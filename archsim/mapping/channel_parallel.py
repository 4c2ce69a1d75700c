"""Channel parallel: input channels down the rows, filters across; taps and pixels in time.

The dataflow of NVDLA's convolution core and, in kind, of DianNao: a column multiplies a channel atom of one tap
with the weights of its filter, an adder tree sums the products, and accumulators behind the array collect the
taps. Called by `planner.py`. Nothing waits inside the array, so a layer takes the slots of all its ofmap
values over the multipliers that can work, rounded up once. `channel_skip.py` has what zeros save where they are skipped.

Not modelled: the depth of the adder trees beyond ``pe_latency``, the adders of Winograd's transforms, how many psums
the accumulators have room for, and a first fetch that starts behind the layer before.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.channel_queue import queue_walk
from archsim.mapping.channel_room import ChannelRoom
from archsim.mapping.channel_shape import ChannelShape, channel_shape
from archsim.mapping.channel_skip import ChannelWork, channel_work, leave_out
from archsim.mapping.channel_tiles import ChannelNest, channel_nests, nest_lines
from archsim.mapping.channel_time import rank_nests
from archsim.mapping.channel_walk import ChannelFetches, ChannelWalk, channel_fetches, walk_channels
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.link_traffic import link_shares
from archsim.terms import Direction, Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]
MOST_SLOTS = 2**62
"""Slots of a layer whose counts still fit 64 bits."""


def plan_channel_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan a conv or matrix layer, one plan per way to cut it; see `plan_array_layer`.

    ``FoldPlan.array_macs`` counts the multiplications that are issued, padding left out; with Winograd they are
    fewer than the layer's MACs.

    Raises
    ------
    MappingError
        Not even what the array takes in one cycle fits the chip, or there is too much to count.
    """
    zeros = zeros or zeros_by_itself(layer)
    shape = channel_shape(layer, arch.pe_array.require_atoms())
    if shape.groups * shape.pixels * shape.padded_filters * shape.slots >= MOST_SLOTS:
        raise MappingError(f"layer {layer.name!r} takes 2**62 multiplications or more: they are not counted")
    room = ChannelRoom(layer=layer.name, shape=shape, arch=arch, kept=kept)
    link, table = link_shares(arch, zeros), kernel_table(layer, arch, loads=loads_table)
    gates = arch.pe_array.gates and shape.multiplications == layer.macs  # Winograd's transforms leave no zeros
    gated = round(shape.multiplications * zeros.ifmap.zero_fraction) if gates else 0
    work = channel_work(layer, shape, arch.pe_array.require_atoms(), zeros) if arch.pe_array.skips else None
    issued = work.array_macs if work else shape.multiplications
    for ranked in rank_nests(room, channel_nests(room), link, compute_cycles(shape, arch)):
        walk = walk_channels(room, ranked.nest)
        fetches = channel_fetches(room, ranked.nest, walk)
        use = LevelUse(arch=arch, kept=kept, link=link, table=table, words=_step_words(room, walk, fetches))
        plan = _plan(room, ranked.nest, walk, fetches=fetches, use=use, issued=issued, gated=gated)
        yield leave_out(plan, work, _left_until(room, walk, work)) if work else plan


def compute_cycles(shape: ChannelShape, arch: Architecture) -> int:
    """Cycles of a layer on the array alone. [cycles]"""
    values = shape.groups * shape.pixels * shape.padded_filters
    return ceil(values * shape.slots / _rate(shape, arch)) + arch.pe_array.pipeline_cycles


def _rate(shape: ChannelShape, arch: Architecture) -> int:
    """Multipliers that can work in one cycle."""
    return arch.pe_array.rows * shape.width(arch.pe_array.require_atoms(), arch.pe_array.columns)


def _plan(
    room: ChannelRoom, nest: ChannelNest, walk: ChannelWalk, *, fetches: dict[Operand, ChannelFetches], use: LevelUse,
    issued: int, gated: int,
) -> FoldPlan:  # fmt: skip
    shape, array = room.shape, room.arch.pe_array
    steps, transfers = queue_walk(room, walk, _advance_cycles(room, walk), fetches=fetches, use=use)
    cycles = compute_cycles(shape, room.arch)
    atoms = array.require_atoms()
    width = shape.width(atoms, array.columns)
    return FoldPlan(
        kind=array.dataflow.value,
        folds=shape.groups * -(-shape.padded_filters // width) * ceil(shape.slots / array.rows),
        mapping_efficiency=shape.multiplications / (cycles * array.multipliers),
        array_macs=issued,
        compute_cycles=cycles,
        steps=steps,
        transfers=transfers,
        traffic=use.traffic(spad=_spad_words(room, use, issued=issued, gated=gated)),
        nest=None,
        active_pes=array.rows * width,
        gated_macs=gated,
        gated_accesses=((Operand.WEIGHT, Direction.READ),),
        mapping=tuple(nest_lines(room, nest, f"{atoms.channel_atom} channels of a tap (rows) x filters (columns)")),
    )  # fmt: skip


def _advance_cycles(room: ChannelRoom, walk: ChannelWalk) -> IntArray:
    """Cut the layer's cycles where its steps end, rounding up what has gone before. [cycles]"""
    shape, unit = room.shape, room.arch.pe_array.require_atoms().filter_atom
    values = walk.pixels(shape) * walk.filters(shape, unit, shape.filter_atom)
    per_cycle = Fraction(_rate(shape, room.arch)) / shape.slots
    slots = np.cumsum(values).astype(object) * per_cycle.denominator  # Python's own integers, beyond 64 bits
    ends: IntArray = (-(-slots // per_cycle.numerator)).astype(np.int64)
    return np.concatenate([ends[:1], ends[1:] - ends[:-1]])


def _left_until(room: ChannelRoom, walk: ChannelWalk, work: ChannelWork) -> IntArray | None:
    """Return when the steps of a layer end whose atoms of zeros are left out; None = it takes every value. [cycles]"""
    if work.line_slots is None:
        return None
    filters = walk.filters(room.shape, room.arch.pe_array.require_atoms().filter_atom, room.shape.filter_atom)
    return work.steps_until(walk, filters, _rate(room.shape, room.arch))


def _step_words(room: ChannelRoom, walk: ChannelWalk, fetches: dict[Operand, ChannelFetches]) -> StepWords:
    """Count the words of each step: at the array a pixel's are read once for all columns, a weight's once per stripe."""
    shape, array = room.shape, room.arch.pe_array
    atoms, nothing = array.require_atoms(), np.zeros(len(walk), dtype=np.int64)
    pixels, filters = walk.pixels(shape), walk.filters(shape, atoms.filter_atom, 1)
    window = ceil(shape.products)
    reads = pixels * window * -(-filters // array.columns)
    weights = filters * shape.filter_words * -(-pixels // atoms.stripe_pixels)
    ofmap = pixels * walk.filters(shape, atoms.filter_atom, shape.ofmap_atom)
    return StepWords(
        array=ArrayWords(
            ifmap_reads=reads, weight_reads=weights, psum_reads=nothing, psum_writes=nothing, ofmap_writes=ofmap
        ),
        ifmap_fetches=fetches[Operand.IFMAP].words,
        weight_fetches=fetches[Operand.WEIGHT].words,
        psum_fetches=nothing,
        psum_write_backs=nothing,
        ofmap_write_backs=ofmap,
    )


def _spad_words(room: ChannelRoom, use: LevelUse, *, issued: int, gated: int) -> dict[Operand, tuple[int, int]]:
    """Register reads and writes: both factors of a multiplication, a psum per adder tree. [words]

    Where a zero ifmap value gates its multiplier, the weight is not read.
    """
    psums = -(-issued // room.arch.pe_array.require_atoms().channel_atom)
    return {Operand.IFMAP: (issued, issued), Operand.WEIGHT: (issued - gated, int(use.words.array.weight_reads.sum())),
            Operand.PSUM: (psums, psums)}  # fmt: skip

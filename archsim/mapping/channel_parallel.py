"""Channel parallel: input channels down the rows, filters across; taps and pixels in time.

The dataflow of NVDLA's convolution core and, in kind, of DianNao: a column multiplies a channel atom of one tap
with the weights of its filter, an adder tree sums the products, and accumulators behind the array collect the
taps. Called by `planner.py`. Nothing waits inside the array, so a layer takes the slots of all its ofmap
values over the multipliers that can work, rounded up once.

Not modelled: the depth of the adder trees beyond ``pe_latency``, the adders of Winograd's transforms, how many psums
the accumulators have room for, and a first fetch that starts behind the layer before.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.channel_room import INDEXED_BY, OTHER, ChannelRoom
from archsim.mapping.channel_shape import ChannelShape, channel_shape
from archsim.mapping.channel_tiles import ChannelNest, channel_nests
from archsim.mapping.channel_time import rank_nests
from archsim.mapping.channel_walk import ChannelFetches, ChannelWalk, channel_fetches, walk_channels
from archsim.mapping.dram_layout import check_capacity, next_region
from archsim.mapping.dram_queue import Fetch, IdealTimes, WriteBack, ideal_times, queue_transfers
from archsim.mapping.dram_runs import DramRuns, runs_in_order
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan, Steps, Transfers
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.link_traffic import link_shares
from archsim.mapping.loop_nest import Dim
from archsim.mapping.port_use import port_cycles
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]
WRITES_HELD = 2
"""Steps whose results wait in an on-chip level to be written while a later one works."""
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
    for ranked in rank_nests(room, channel_nests(room), link, compute_cycles(shape, arch)):
        walk = walk_channels(room, ranked.nest)
        fetches = channel_fetches(room, ranked.nest, walk)
        use = LevelUse(arch=arch, kept=kept, link=link, table=table, words=_step_words(room, walk, fetches))
        plan = _plan(room, ranked.nest, walk, fetches=fetches, use=use, gated=gated)
        yield plan


def compute_cycles(shape: ChannelShape, arch: Architecture) -> int:
    """Cycles of a layer on the array alone. [cycles]"""
    values = shape.groups * shape.pixels * shape.padded_filters
    return ceil(values * shape.slots / _rate(shape, arch)) + arch.pe_array.pipeline_cycles


def _rate(shape: ChannelShape, arch: Architecture) -> int:
    """Multipliers that can work in one cycle."""
    return arch.pe_array.rows * shape.width(arch.pe_array.require_atoms(), arch.pe_array.columns)


def _plan(
    room: ChannelRoom,
    nest: ChannelNest,
    walk: ChannelWalk,
    *,
    fetches: dict[Operand, ChannelFetches],
    use: LevelUse,
    gated: int,
) -> FoldPlan:
    shape, array = room.shape, room.arch.pe_array
    advance = _advance_cycles(room, walk)
    tail = advance + array.pipeline_cycles
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    transfers, last_write = queue_transfers(
        _fetches(use, fetches), WriteBack(psum_bytes=psum_bytes, ofmap_bytes=ofmap_bytes), _reads_at_once(advance, tail)
    )
    if room.arch.dram.has_banks:
        transfers = _placed(room, transfers, walk, fetches=fetches, use=use)
    cycles = compute_cycles(shape, room.arch)
    width = shape.width(array.require_atoms(), array.columns)
    return FoldPlan(
        kind=array.dataflow.value,
        folds=shape.groups * -(-shape.padded_filters // width) * ceil(shape.slots / array.rows),
        mapping_efficiency=shape.multiplications / (cycles * array.multipliers),
        array_macs=shape.multiplications,
        compute_cycles=cycles,
        steps=Steps(
            advance_cycles=advance,
            tail_cycles=tail,
            port_cycles=port_cycles(use),
            hold_transfer=_holds(room, last_write, ofmap_bytes),
        ),
        transfers=transfers,
        traffic=use.traffic(spad=_spad_words(room, use, gated)),
        nest=None,
        active_pes=array.rows * width,
        gated_macs=gated,
        mapping=tuple(_lines(room, nest)),
    )


def _reads_at_once(advance: IntArray, tail: IntArray) -> IdealTimes:
    """Return times by which the channel reads ahead as soon as there is room, and writes what is done behind that."""
    return IdealTimes(start=np.zeros_like(advance), end=ideal_times(advance, tail).end)


def _holds(room: ChannelRoom, last_write: IntArray, ofmap_bytes: IntArray) -> IntArray:
    """Index of the write that must be done before each step: its results need the place of earlier ones; -1 = none.

    An ofmap that shares its level with ifmap or weights only passes through: two steps' results are on their way. One that
    has no level leaves through the accumulators, whose room is not modelled.
    """
    steps = np.arange(len(last_write), dtype=np.int64)
    level = room.arch.sram_of(Operand.OFMAP)
    if level is None:
        return np.full_like(steps, -1)
    held = steps - WRITES_HELD + 1  # first step whose results may still be there
    if not any(room.arch.sram_of(operand) is level for operand in INDEXED_BY.values()):
        made = np.cumsum(ofmap_bytes)
        held = np.minimum(steps, np.searchsorted(made, made - level.room_for(Operand.OFMAP)) + 1)
        held = np.where(made <= level.room_for(Operand.OFMAP), 0, held)
    running = np.concatenate([[-1], np.maximum.accumulate(last_write)])
    return running[np.maximum(held, 0)]


def _advance_cycles(room: ChannelRoom, walk: ChannelWalk) -> IntArray:
    """Cut the layer's cycles where its steps end, rounding up what has gone before. [cycles]"""
    shape, unit = room.shape, room.arch.pe_array.require_atoms().filter_atom
    values = walk.pixels(shape) * walk.filters(shape, unit, shape.filter_atom)
    per_cycle = Fraction(_rate(shape, room.arch)) / shape.slots
    slots = np.cumsum(values).astype(object) * per_cycle.denominator  # Python's own integers, beyond 64 bits
    ends: IntArray = (-(-slots // per_cycle.numerator)).astype(np.int64)
    return np.concatenate([ends[:1], ends[1:] - ends[:-1]])


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


def _spad_words(room: ChannelRoom, use: LevelUse, gated: int) -> dict[Operand, tuple[int, int]]:
    """Register reads and writes: both factors of a multiplication, a psum per adder tree. [words]

    Where a zero ifmap value gates its multiplier, the weight is not read.
    """
    issued = room.shape.multiplications
    psums = -(-issued // room.arch.pe_array.require_atoms().channel_atom)
    return {Operand.IFMAP: (issued, issued), Operand.WEIGHT: (issued - gated, int(use.words.array.weight_reads.sum())),
            Operand.PSUM: (psums, psums)}  # fmt: skip


def _fetches(use: LevelUse, fetches: dict[Operand, ChannelFetches]) -> list[Fetch]:
    return [
        Fetch(operand=operand, length_bytes=length, release=fetches[operand].release, lead_cycles=np.zeros_like(length))
        for operand, length in use.fetch_bytes().items()
        if operand in fetches
    ]


def _placed(
    room: ChannelRoom, transfers: Transfers, walk: ChannelWalk, *, fetches: dict[Operand, ChannelFetches], use: LevelUse
) -> Transfers:
    """Lay each operand out in DRAM in the order of its use; what comes again comes from the same place."""
    device, base, placed = room.arch.dram.require_device(), 0, []
    fetched, ofmap_bytes = use.fetch_bytes(), use.write_back_bytes()[1]
    nothing = np.zeros_like(ofmap_bytes)
    for operand in OPERAND_CODES:
        sizes = ofmap_bytes if operand is Operand.OFMAP else fetched.get(operand, nothing)
        start = base + _places(walk, fetches.get(operand), sizes)
        placed.append(DramRuns(base_bytes=start, run_bytes=np.maximum(1, sizes), runs=nothing + 1, run_pitch_bytes=nothing,
                               planes=nothing + 1, plane_pitch_bytes=nothing,
                               joins=(start > base).astype(np.int64)))  # fmt: skip
        base = next_region(device, int((start + sizes).max(initial=base)))
    check_capacity(room.layer, device, base)
    return replace(transfers, runs=runs_in_order(placed, transfers.operand, transfers.step))


def _places(walk: ChannelWalk, fetches: ChannelFetches | None, sizes: IntArray) -> IntArray:
    """Return where each step's bytes of an operand begin: behind those of its sweep before them, group by group. [B]"""
    before: IntArray = np.cumsum(sizes) - sizes
    if fetches is None:
        return before
    _, first, sweep = np.unique(fetches.sweep, return_index=True, return_inverse=True)
    longest = int(np.bincount(sweep, weights=sizes).max())
    return before - before[first][sweep] + walk.group * longest


def _lines(room: ChannelRoom, nest: ChannelNest) -> Iterator[str]:
    """Yield the mapping as a person reads it."""
    atoms, units = room.arch.pe_array.require_atoms(), {dim: room.units(dim) for dim in OTHER}
    size = {Dim.FILTERS: atoms.filter_atom, Dim.PIXELS: 1}
    what = {Dim.FILTERS: "filters", Dim.PIXELS: "ofmap lines"}
    inner, depth = OTHER[nest.outer], ""
    if room.shape.groups > 1:
        yield f"for group in {room.shape.groups}:"
        depth = "  "
    yield f"{depth}for tile in {-(-units[nest.outer] // nest.tile)}:  # of {nest.tile * size[nest.outer]} {what[nest.outer]}"
    yield f"{depth}  for block in {-(-units[inner] // nest.block)}:  # of {nest.block * size[inner]} {what[inner]}"
    yield f"{depth}    for part in {-(-nest.tile // nest.part)}:  # of {nest.part * size[nest.outer]} {what[nest.outer]}"
    yield f"{depth}      {atoms.channel_atom} channels of a tap (rows) x filters (columns)"
    if nest.passing:
        yield "# not kept on chip: " + ", ".join(sorted(nest.passing))
    if nest.whole:
        yield f"# whole on chip: {INDEXED_BY[inner]}"

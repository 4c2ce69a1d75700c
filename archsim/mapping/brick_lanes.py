"""Brick lanes: a value of the ifmap per lane and cycle, each multiplied with its weight of all filters across.

The dataflow of DaDianNao and of Cnvlutin, which skips zeros on it. In lock step (DaDianNao) the lanes take neighbouring
channels of one tap, so that a group takes

    ceil(channels / lanes) x taps x ofmap pixels x ceil(filters / columns) cycles.

With zero skipping (Cnvlutin) channels are cut into bricks of which only the nonzero values are kept, each with its place. The
bricks of a window, those of a tap together and tap by tap, are dealt to the lanes in turn; each lane takes one nonzero value
per cycle and waits for the slowest at the window's end. An empty brick, one of padding too, costs a cycle. Called by
`planner.py`.

Skipping never costs a cycle: a window of fewer bricks than lanes leaves lanes idle that in lock step share each brick, so
where that would take longer the layer's ifmap is not encoded and its lanes run in lock step, zeros and all.

Weights are read from their buffer for every multiplication, bricks whole: zeros save weights and multiplications, not
accesses of the ifmap, whose offsets come on top. Over the DRAM channel values cross without them: they are encoded where they
enter the level that the lanes read, so that no byte is saved there and none is added.

Not modelled: the depth of the adder trees beyond ``pe_latency``; banks that two lanes' bricks lie in at one time; offsets in a
level that is cut into partitions; sharing the work of a window among filters' units, which all take the same values.

References
----------
.. [1] J. Albericio et al., Cnvlutin: ineffectual-neuron-free deep neural network computing, ISCA 2016; abstract read, the rest
   after a description. How bricks are dealt to lanes is chosen here.
.. [2] Y. Chen et al., DaDianNao: a machine-learning supercomputer, MICRO 2014; after a description.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.brick_loss import skip_cycles
from archsim.mapping.brick_shape import BrickShape, brick_shape, memory_view
from archsim.mapping.brick_work import LaneWork, lane_work
from archsim.mapping.channel_queue import queue_walk
from archsim.mapping.channel_room import ChannelRoom
from archsim.mapping.channel_tiles import ChannelNest, channel_nests, nest_lines
from archsim.mapping.channel_time import rank_nests
from archsim.mapping.channel_walk import ChannelFetches, ChannelWalk, channel_fetches, walk_channels
from archsim.mapping.effectual_macs import known_effectual_macs
from archsim.mapping.fold_plan import FoldPlan, TrafficCount, merge_traffic
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.link_traffic import LinkShare, link_shares
from archsim.mapping.loop_nest import Dim
from archsim.terms import Direction, Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
MOST_SLOTS = 2**62
"""Lane cycles of a layer whose counts still fit 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BrickLayer:
    """A layer on its chip.

    Parameters
    ----------
    layer, arch, shape
        The layer, the chip, and how the lanes take the one on the other.
    counted
        The lanes' work with zeros skipped; None = the array does not.
    effectual
        MACs without a zero operand, where zeros are counted.
    gated
        MACs whose multiplier stands still.
    stays_in_step
        Whether the lanes run in lock step all the same.
    """

    layer: ArrayLayer
    arch: Architecture
    shape: BrickShape
    counted: LaneWork | None
    effectual: int | None
    gated: int
    stays_in_step: bool = False

    @property
    def encoded(self) -> LaneWork | None:
        """The work of lanes that skip; None where they run in lock step: skipping would be slower, or save nothing at all."""
        if self.counted is None or self.stays_in_step:
            return None
        is_better = (self.counted.total_cycles, self.nonzero_macs) < (self.shape.dense_cycles, self.layer.macs)
        return self.counted if is_better else None

    @property
    def lane_cycles(self) -> int:
        """Of the lanes, without the pipeline behind them. [cycles]"""
        return self.encoded.total_cycles if self.encoded else self.shape.dense_cycles

    @property
    def compute_cycles(self) -> int:
        """Of the array alone. [cycles]"""
        return self.lane_cycles + self.arch.pe_array.pipeline_cycles

    @property
    def nonzero_macs(self) -> int:
        """MACs whose ifmap value is not zero, as far as zeros are counted."""
        return int(self.counted.nonzero.sum()) * self.layer.gemm.filters if self.counted else self.layer.macs

    @property
    def issued_macs(self) -> int:
        """MACs that take a multiplier."""
        return self.nonzero_macs if self.encoded else self.layer.macs


def plan_brick_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan a conv or matrix layer, one plan per way to cut it; see `plan_array_layer`.

    Raises
    ------
    MappingError
        Not even what the array takes in one cycle fits the chip, or there is too much to count.
    """
    known = zeros or zeros_by_itself(layer)
    taken = _taken(layer, arch, known)
    room = ChannelRoom(layer=layer.name, shape=taken.shape.memory, arch=memory_view(arch), kept=kept)
    link, table = link_shares(arch, known), kernel_table(layer, arch, loads=loads_table)
    for way, nest in _ways(taken, room, link):
        walk = walk_channels(room, nest)
        fetches = channel_fetches(room, nest, walk)
        words = _step_words(way, walk, fetches)
        use = LevelUse(arch=arch, kept=kept, link=link, table=table, words=words)
        yield _plan(way, room, nest, walk=walk, fetches=fetches, use=use)


def _ways(
    taken: BrickLayer, room: ChannelRoom, link: Mapping[Operand, LinkShare]
) -> Iterator[tuple[BrickLayer, ChannelNest]]:
    """Yield the ways to run a layer, best first: skipping in loops made for it, in those of lock step, and lock step itself."""
    nests = list(channel_nests(room))
    in_step = replace(taken, stays_in_step=True)
    ways = [taken] if taken.encoded is None else [taken, in_step]
    ranked = [[each.nest for each in rank_nests(room, nests, link, way.compute_cycles)] for way in ways]
    for nest in dict.fromkeys(nest for found in ranked for nest in found):
        yield taken, nest
    for nest in ranked[-1] if taken.encoded else ():
        yield in_step, nest


def _taken(layer: ArrayLayer, arch: Architecture, known: LayerZeros) -> BrickLayer:
    array, shape = arch.pe_array, brick_shape(layer, arch.pe_array)
    if shape.dense_cycles * array.multipliers >= MOST_SLOTS:
        raise MappingError(f"layer {layer.name!r} takes 2**62 multiplications or more: they are not counted")
    counted, effectual = None, None
    if array.skips:
        nonzero = known.nonzero(layer, Operand.IFMAP)
        counted = lane_work(layer, shape, array.require_bricks(), nonzero)
        issued = int(counted.nonzero.sum()) * layer.gemm.filters
        effectual = known_effectual_macs(layer, nonzero, known, issued)
    gated = round(layer.macs * known.ifmap.zero_fraction) if array.gates else 0
    return BrickLayer(layer=layer, arch=arch, shape=shape, counted=counted, effectual=effectual, gated=gated)


def _plan(
    taken: BrickLayer,
    room: ChannelRoom,
    nest: ChannelNest,
    *,
    walk: ChannelWalk,
    fetches: dict[Operand, ChannelFetches],
    use: LevelUse,
) -> FoldPlan:
    shape, array = taken.shape, taken.arch.pe_array
    steps, transfers = queue_walk(room, walk, _advance_cycles(taken, walk), fetches=fetches, use=use)
    return FoldPlan(
        kind=array.dataflow.value,
        folds=shape.memory.groups * shape.passes * shape.window_cycles,
        mapping_efficiency=taken.layer.macs / (shape.dense_cycles * array.multipliers),
        array_macs=taken.issued_macs,
        compute_cycles=taken.compute_cycles,
        steps=steps,
        transfers=transfers,
        traffic=merge_traffic([*use.traffic(spad=_spad_words(taken, use)), *_offsets(taken, use)]),
        nest=None,
        active_pes=_active_lanes(taken) * min(array.columns, taken.layer.gemm.filters),
        gated_macs=taken.gated,
        gated_accesses=((Operand.WEIGHT, Direction.READ),),
        mapping=(*nest_lines(room, nest, _inner_loops(taken)), *_encoding_lines(taken)),
        effectual_macs=taken.effectual,
        skip=skip_cycles(taken.shape, taken.counted, taken.encoded is not None, pipeline_cycles=array.pipeline_cycles,
                         share=(taken.nonzero_macs, taken.layer.macs)) if taken.counted else None,
    )  # fmt: skip


def _advance_cycles(taken: BrickLayer, walk: ChannelWalk) -> IntArray:
    if taken.encoded:
        return taken.encoded.step_cycles(walk)
    cycles: IntArray = walk.count[Dim.FILTERS] * walk.pixels(taken.shape.memory) * taken.shape.window_cycles
    return cycles


def _step_words(taken: BrickLayer, walk: ChannelWalk, fetches: dict[Operand, ChannelFetches]) -> StepWords:
    """Count the words of each step: bricks are read whole, once for all columns; weights for every multiplication."""
    memory, nothing = taken.shape.memory, np.zeros(len(walk), dtype=np.int64)
    filters, pixels = walk.filters(memory, taken.arch.pe_array.columns, 1), walk.pixels(memory)
    values = pixels * memory.filter_words
    issued = taken.encoded.step_nonzero(walk) if taken.encoded else values
    words = ArrayWords(
        ifmap_reads=values * walk.count[Dim.FILTERS], weight_reads=issued * filters, psum_reads=nothing,
        psum_writes=nothing, ofmap_writes=pixels * filters,
    )  # fmt: skip
    return StepWords(
        array=words, ifmap_fetches=fetches[Operand.IFMAP].words, weight_fetches=fetches[Operand.WEIGHT].words,
        psum_fetches=nothing, psum_write_backs=nothing, ofmap_write_backs=words.ofmap_writes,
    )  # fmt: skip


def _spad_words(taken: BrickLayer, use: LevelUse) -> dict[Operand, tuple[int, int]]:
    """Register reads and writes: both factors of a multiplication, a psum per column and cycle of its lanes. [words]

    Where a zero ifmap value gates its multiplier, the weight is not read.
    """
    issued, reads = taken.issued_macs, int(use.words.array.weight_reads.sum())
    psums = taken.lane_cycles // taken.shape.passes * taken.layer.gemm.filters
    return {
        Operand.IFMAP: (issued, issued),
        Operand.WEIGHT: (issued - taken.gated, reads),
        Operand.PSUM: (psums, psums),
    }


def _offsets(taken: BrickLayer, use: LevelUse) -> Iterator[TrafficCount]:
    """Yield the offsets that go with the values of encoded tensors through their levels, but those cut into partitions."""
    coded = {Operand.IFMAP: taken.encoded, Operand.OFMAP: taken.counted}
    bits = taken.arch.pe_array.require_bricks().offset_bits
    levels = {level.name for level in taken.arch.srams if level.partition_bytes is None}
    for move in use.movements():
        if coded.get(move.operand) is not None and move.level in levels and bits:
            words = int(move.words.sum())
            yield TrafficCount(level=move.level, operand=Operand.METADATA, direction=move.direction, words=words,
                               bytes=-(-words * bits // 8))  # fmt: skip


def _active_lanes(taken: BrickLayer) -> int:
    shape = taken.shape
    if taken.encoded is None:
        return min(shape.lanes, shape.channels)
    bricks = -(-shape.channels // taken.arch.pe_array.require_bricks().brick_values)
    return min(shape.lanes, bricks * shape.taps)


def _inner_loops(taken: BrickLayer) -> str:
    if taken.encoded is None:
        return f"{taken.shape.lanes} channels of a tap (lanes, in lock step) x filters (columns)"
    bricks = taken.arch.pe_array.require_bricks()
    return (
        f"nonzero values of bricks of {bricks.brick_values} channels, dealt to {taken.shape.lanes} lanes in turn "
        f"(waits: {bricks.sync}) x filters (columns)"
    )


def _encoding_lines(taken: BrickLayer) -> Iterator[str]:
    """Say why zeros are not skipped where they could be."""
    if taken.counted is not None and taken.encoded is None:
        with_memories = ", with its memories less" if taken.stays_in_step else ""
        cycles = f"{taken.counted.total_cycles} cycles, lock step takes {taken.lane_cycles}{with_memories}"
        yield f"# not encoded: skipping zeros would take {cycles}"

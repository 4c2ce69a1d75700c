"""Channel parallel, over random layers and chips: what every plan keeps, and buffers that never overflow."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.memory_level import SramLevel
from archsim.engine.measure import measure_plan, schedule_timeline
from archsim.engine.timeline import channel_clock, with_ports
from archsim.mapping.channel_parallel import compute_cycles
from archsim.mapping.channel_room import ChannelRoom
from archsim.mapping.channel_shape import channel_shape
from archsim.mapping.channel_tiles import channel_nests
from archsim.mapping.channel_time import rank_nests
from archsim.mapping.channel_walk import channel_fetches, walk_channels
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer
from tests.mapping.channel_chips import IFMAP, OFMAP, WEIGHT, chips, dram_bytes, layers, plans_of
from tests.oracles.channel_buffers import Buffers


@settings(deadline=None, max_examples=150)
@given(layer=layers, arch=chips())
def test_every_plan_of_every_shape_keeps_the_laws(layer, arch) -> None:
    shape = channel_shape(layer, arch.pe_array.require_atoms())
    for plan in plans_of(layer, arch):
        times = measure_plan(plan, arch.dram)
        assert int(plan.steps.advance_cycles.sum()) + arch.pe_array.pipeline_cycles == plan.compute_cycles
        assert plan.array_macs <= arch.pe_array.multipliers * plan.compute_cycles
        assert 0 < plan.mapping_efficiency <= 1
        assert times.onchip_stall_cycles >= 0
        assert times.dram_stall_cycles >= 0
        if not arch.pe_array.require_atoms().winograd:
            assert plan.array_macs == layer.macs
        weights = shape.groups * shape.filters * shape.filter_words
        images = shape.groups * shape.images * int(shape.last[-1]) * shape.line_words
        assert dram_bytes(plan, WEIGHT) >= weights >= layer.weight_words
        assert dram_bytes(plan, IFMAP) >= images >= layer.ifmap_words or is_passed(plan, IFMAP)
        assert dram_bytes(plan, OFMAP) >= layer.ofmap_words
        moved = sum(row.bytes for row in plan.traffic if row.level == "dram")
        assert moved == int(plan.transfers.length_bytes.sum())


def nests_run(room):
    """The nests of the plans, in their order."""
    found = rank_nests(room, channel_nests(room), {}, compute_cycles(room.shape, room.arch))
    return [ranked.nest for ranked in found]


def is_passed(plan, operand) -> bool:
    """Whether only what the array takes is fetched, which padding has less of than the ifmap."""
    return any(line.startswith("# not kept") and operand.value in line for line in plan.mapping)


@settings(deadline=None, max_examples=150)
@given(layer=layers, arch=chips())
def test_no_buffer_ever_holds_more_than_its_room(layer, arch) -> None:
    room = ChannelRoom(
        layer="x", shape=channel_shape(layer, arch.pe_array.require_atoms()), arch=arch, kept=frozenset()
    )
    (level,) = arch.srams
    for nest, plan in zip(nests_run(room), plans_of(layer, arch), strict=True):
        walk = walk_channels(room, nest)
        fetches = channel_fetches(room, nest, walk)
        assert all((each.release < range(len(walk))).all() for each in fetches.values())
        clock = channel_clock(plan.transfers, arch.dram)
        timeline = schedule_timeline(with_ports(plan.steps), plan.transfers, clock)
        buffers = Buffers(room, nest, walk, (plan, timeline, clock))
        staying = {operand: each for operand, each in fetches.items()
                   if operand in level.holds and operand not in nest.passing}  # fmt: skip
        if level.partition_bytes is None:
            assert buffers.most_words(staying) <= level.room_bytes
        else:
            for operand, each in staying.items():
                assert buffers.most_words({operand: each}) <= level.room_for(operand)


@settings(deadline=None, max_examples=100)
@given(layer=layers, arch=chips(), room_bytes=st.sampled_from([8, 60, 500, 10_000]))
def test_results_wait_in_a_level_of_their_own_only_while_it_has_room(layer, arch, room_bytes) -> None:
    inputs = replace(arch.srams[0], holds=frozenset({IFMAP, WEIGHT}), partition_bytes=None)
    outputs = SramLevel(name="accumulators", capacity_bytes=room_bytes, holds=frozenset({Operand.PSUM}))
    arch = replace(arch, srams=(inputs, outputs))
    for plan in plans_of(layer, arch):
        clock = channel_clock(plan.transfers, arch.dram)
        timeline = schedule_timeline(with_ports(plan.steps), plan.transfers, clock)
        ends = write_ends(plan, timeline, clock)
        events = []
        for step, start in enumerate(timeline.start.tolist()):
            done, size = ends[step]
            events += [(start * clock.ticks_per_cycle, 1, size), (done, 0, -size)]
        held, largest = 0, max(size for _, size in ends)
        for _, _, size in sorted(events):
            held += size
            assert held <= max(room_bytes, largest)


def write_ends(plan, timeline, clock) -> list[tuple[int, int]]:
    """When the channel has taken each step's results, and their bytes. [ticks, B]"""
    tick, free, found = clock.ticks_per_cycle, 0, [(0, 0)] * len(plan.steps)
    finished = ((timeline.start + plan.steps.tail_cycles) * tick).tolist()
    moves = plan.transfers
    for index, ticks in enumerate(clock.transfer_ticks.tolist()):
        after = int(moves.after_step[index])
        free = max(free, finished[after] if after >= 0 else 0) + ticks
        if moves.is_write[index]:
            found[int(moves.step[index])] = (free, int(moves.length_bytes[index]))
    return found


@settings(deadline=None, max_examples=100)
@given(layer=layers, arch=chips())
def test_the_ifmap_comes_as_often_as_the_nest_says_and_no_line_twice_in_one_sweep(layer, arch) -> None:
    shape = channel_shape(layer, arch.pe_array.require_atoms())
    room = ChannelRoom(layer="x", shape=shape, arch=arch, kept=frozenset())
    for nest, plan in zip(nests_run(room), plans_of(layer, arch), strict=True):
        once = shape.groups * shape.images * int(shape.last[-1]) * shape.line_words
        again = 1 if nest.whole or nest.outer is Dim.PIXELS else -(-room.units(Dim.FILTERS) // nest.tile)
        if IFMAP in nest.passing:
            waits = plan.transfers.after_step[plan.transfers.operand == 0]
            assert (waits == plan.transfers.step[plan.transfers.operand == 0] - 1).all()
        elif layer_slides(layer):
            assert dram_bytes(plan, IFMAP) == again * once


def layer_slides(layer) -> bool:
    """Whether neighbouring windows leave no line out at the top, and each has one: lopsided padding may."""
    return not isinstance(layer, ConvLayer) or layer.padding[0][0] == 0

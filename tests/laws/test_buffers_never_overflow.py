"""No buffer ever holds more than its capacity: rebuilt from plans and timelines by `oracles/buffer_use.py`."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import OsDrain, PeArray, StartEvent
from archsim.engine.measure import schedule_timeline
from archsim.engine.timeline import channel_clock, with_ports
from archsim.errors import MappingError
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, MatmulLayer
from tests.mapping.hand_made import IS, OS, WS, array_of, chip, matmul
from tests.oracles.buffer_use import INPUTS, Block, Run, input_blocks, most_held, output_blocks
from tests.strategies import HELD, architecture, architectures, array_layers, matmul_layers, pe_arrays

MOST_STEPS = 600
"""Longer plans are left out: the oracle walks them in plain Python."""


def runs(layer: ArrayLayer, arch: Architecture) -> Iterator[Run]:
    """Every plan that the search offers, run on the chip's own channel."""
    work = array_work(layer, arch)
    for plan in plan_array_layer(layer, arch):
        if len(plan.steps) > MOST_STEPS:
            continue
        steps, clock = with_ports(plan.steps), channel_clock(plan.transfers, arch.dram)
        timed = replace(plan, steps=steps)
        yield Run(work, timed, schedule_timeline(steps, plan.transfers, clock), clock)


def blocks_of(run: Run) -> dict[Operand, list[Block]]:
    return {operand: input_blocks(run, operand) for operand in INPUTS} | {Operand.PSUM: output_blocks(run)}


def rooms(level: SramLevel, arch: Architecture) -> list[tuple[list[Operand], int]]:
    """Operands that share room in a level, and how much of it there is. [B]"""
    here = [operand for operand in (*INPUTS, Operand.PSUM) if arch.sram_of(operand) is level]
    if level.partition_bytes is not None:
        return [([operand], level.room_for(operand)) for operand in here]
    return [(here, level.room_bytes)]


def excess(run: Run, *, only_tiles_that_stay: bool = False) -> float:
    """Bytes by which the fullest room of a chip is overfull at its fullest moment; not positive where all is well. [B]"""
    blocks, worst = blocks_of(run), -1.0
    for level in run.work.arch.srams:
        for operands, room in rooms(level, run.work.arch):
            counted = [one for one in operands if not (only_tiles_that_stay and one in run.plan.nest.streamed)]
            worst = max(worst, most_held([block for one in counted for block in blocks[one]]) - room)
    return worst


@settings(max_examples=80)
@given(layer=array_layers, arch=architectures())
def test_tiles_that_stay_fit_their_buffers_at_every_moment(layer: ArrayLayer, arch: Architecture) -> None:
    try:
        for run in runs(layer, arch):
            assert excess(run, only_tiles_that_stay=True) <= 0
    except MappingError:
        return


@settings(max_examples=80)
@given(layer=array_layers, arch=architectures())
def test_where_nothing_streams_no_buffer_is_ever_overfull(layer: ArrayLayer, arch: Architecture) -> None:
    try:
        for run in runs(layer, arch):
            assert run.plan.nest.streamed or excess(run) <= 0
    except MappingError:
        return


def test_the_oracle_sees_what_a_tile_takes() -> None:
    # One step, as ideal DRAM leaves it: ifmap 4 x 4, weights 4 x 4 and 4 x 4 ofmap values of 1 B = 48 B.
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, is_ideal=True)
    run = next(runs(matmul(4, 4, 4), chip(array_of(WS), capacity_bytes=48, dram=dram)))
    assert {operand: most_held(blocks) for operand, blocks in blocks_of(run).items()} == {
        Operand.IFMAP: 16, Operand.WEIGHT: 16, Operand.PSUM: 16,
    }  # fmt: skip
    assert excess(run) == 0


def flowing_bytes(run: Run) -> float:
    """Largest single steps of operands that have room for less than two: such words flow through, the array waiting. [B]"""
    blocks, nest = blocks_of(run), run.plan.nest
    return sum(
        max((block.size for block in blocks[operand]), default=0)
        for operand, held in nest.streamed.items()
        if held <= 1
    )


@st.composite
def small_chips(draw: st.DrawFn) -> Architecture:
    """Chips whose buffers hold a few folds, so that inputs stream; half of them cut into partitions."""
    size = draw(st.sampled_from([50, 100, 150, 200, 400]))
    parts = draw(st.sampled_from([None, tuple((operand, size) for operand in sorted(HELD))]))
    width, double = draw(st.sampled_from([None, 1, 8])), draw(st.booleans())
    level = SramLevel(name="glb", capacity_bytes=3 * size, holds=HELD, partition_bytes=parts, width_bytes=width,
                      double_buffered=double)  # fmt: skip
    rate, latency = draw(st.sampled_from([0.5, 2.4, 64.0])), draw(st.sampled_from([0, 40]))
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=rate, latency_cycles=latency)
    return architecture(draw(pe_arrays()), (level,), dram)


@settings(max_examples=80)
@given(layer=matmul_layers(), arch=small_chips())
def test_no_small_buffer_is_overfull_by_more_than_what_flows_through(layer: ArrayLayer, arch: Architecture) -> None:
    try:
        for run in runs(layer, arch):
            assert excess(run) <= flowing_bytes(run)
    except MappingError:
        return


def partitions(each_bytes: int, width_bytes: int | None) -> SramLevel:
    parts = tuple((operand, each_bytes) for operand in sorted(HELD))
    return SramLevel(name="glb", capacity_bytes=3 * each_bytes, holds=HELD, partition_bytes=parts,
                     width_bytes=width_bytes)  # fmt: skip


HIDDEN = {"dataflow": WS, "act_hop": 0, "weight_regs": 2, "weight_load_cycles": 1,
          "start_event": StartEvent.FIRST_ACTIVATION}  # fmt: skip


SLOW = DramLevel(name="dram", bandwidth_bytes_per_cycle=0.5)
FAST = DramLevel(name="dram", bandwidth_bytes_per_cycle=2.4, latency_cycles=40)


@pytest.mark.parametrize(
    ("array", "layer", "arch"),
    [
        # Room for 9 folds of weights in 200 B; the last tile of 11 pixels has 1, so a pass of it has one piece, not two.
        pytest.param(HIDDEN | {"psum_hop": 4}, (11, 19, 20, 1), (True, SLOW), id="a shorter last tile"),
        pytest.param(HIDDEN | {"psum_hop": 1}, (11, 19, 20, 1), (True, SLOW), id="the same, shorter hops"),
        pytest.param({"dataflow": WS, "act_hop": 0}, (11, 19, 20, 1), (True, SLOW), id="one register"),
        # 37 elements in 13 pieces of 3 (the last has 1): ten pieces across two passes are more than 200 B.
        pytest.param({"dataflow": OS, "os_drain": OsDrain.SHIFT_ROWS, "act_hop": 0}, (12, 37, 8, 3), (False, FAST),
                     id="a shorter last piece"),
    ],
)  # fmt: skip
def test_pieces_of_unlike_length_leave_no_buffer_overfull(array, layer, arch) -> None:
    rows, inner, columns, batches = layer
    double_buffered, dram = arch
    level = replace(partitions(200, 1), double_buffered=double_buffered)
    chip_ = architecture(PeArray(rows=3, columns=7, **array), (level,), dram)
    product = MatmulLayer(name="fc", rows=rows, inner=inner, columns=columns, batches=batches)
    assert max(excess(run) - flowing_bytes(run) for run in runs(product, chip_)) <= 0


@pytest.mark.parametrize(
    ("array", "shape", "capacity_bytes", "double_buffered"),
    [
        # Single buffered, psums streamed: the hold of 16 steps lets all 20 x 4 pile up, 136 B in 100 B.
        pytest.param(array_of(WS), (20, 4, 4), 100, False, id="single buffer, psums"),
        # 4 x 20 psums of 4 B before any is written: 336 B in 100 B.
        pytest.param(array_of(IS), (4, 8, 20), 100, False, id="single buffer, three times over"),
        # Psums of a fold count as many times as its stream has pieces, weights of a pass as one piece: 152 B in 150 B.
        pytest.param(array_of(WS), (8, 8, 4), 150, True, id="double buffer, weights"),
        pytest.param(array_of(OS), (16, 20, 4), 100, True, id="double buffer, output stationary"),
    ],
)
def test_what_streams_leaves_no_buffer_overfull(array, shape, capacity_bytes, double_buffered) -> None:
    slow = DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0, latency_cycles=0)
    fast = DramLevel(name="dram", bandwidth_bytes_per_cycle=4.0, latency_cycles=10)
    worst = max(
        excess(run) - flowing_bytes(run)
        for dram in (slow, fast)
        for run in runs(
            matmul(*shape), chip(array, capacity_bytes=capacity_bytes, double_buffered=double_buffered, dram=dram)
        )
    )
    assert worst <= 0


@settings(max_examples=80)
@given(layer=array_layers, arch=architectures())
def test_no_buffer_is_overfull_by_more_than_what_flows_through(layer: ArrayLayer, arch: Architecture) -> None:
    try:
        for run in runs(layer, arch):
            assert excess(run) <= flowing_bytes(run)
    except MappingError:
        return

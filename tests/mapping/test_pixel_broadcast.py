"""Pixel broadcast: the published equations of ZASCA on whole networks, what skipping leaves, and the laws of a plan.

The proof against the clocked array is in tests/engine/test_clocked_broadcast.py.
"""

from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.broadcast_tiles import BroadcastTiles
from archsim.arch.memory_level import DramLevel
from archsim.arch.pe_array import PeArray
from archsim.catalog import load_arch, load_workload
from archsim.engine.measure import measure_plan
from archsim.errors import ConfigError
from archsim.mapping.broadcast_shape import broadcast_shape
from archsim.mapping.fold_plan import OPERAND_CODES
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Dataflow, Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks
from archsim.workload.zero_pattern import ZeroFractions
from tests.engine.test_clocked_broadcast import arrays, operands
from tests.masks import GivenMask
from tests.strategies import architecture, array_layers

ZASCAD = load_arch("zascad")
CONVS = [
    (network, layer)
    for network in ("vgg16", "vgg19", "alexnet", "resnet18", "resnet34", "resnet50")
    for layer in load_workload(network).layers
    if isinstance(layer, ConvLayer)
]


def published(layer: ConvLayer) -> tuple[Fraction, Fraction]:
    """Equations (3) and (5) to (7): cycles, and million words, with M / P as a real number."""
    wide, stride = layer.kernel[-1], layer.stride[-1]
    wout, hout = layer.ofmap[-1], layer.ofmap[0]
    filters, channels = layer.out_channels // layer.groups, layer.in_channels // layer.groups
    at_once = 32 * (6 // ceil(Fraction(wide, stride)))
    segments = ceil(Fraction(wout, 64))
    pixels = wout * stride + segments * (wide - stride) if wide >= stride else wout * wide
    streamed = hout * layer.kernel[0] * channels * pixels * layer.groups
    rows_at_once = 64 // wout if segments == 1 else 1
    passes = Fraction(filters, at_once)
    words = (
        max(Fraction(1), passes) * streamed
        + layer.weight_words * ceil(Fraction(hout, rows_at_once)) * segments
        + layer.ofmap_words
    )
    return streamed * passes, words


@pytest.mark.parametrize(("network", "layer"), CONVS, ids=[f"{network}-{layer.name}" for network, layer in CONVS])
def test_cycles_and_words_are_those_of_the_published_equations(network: str, layer: ConvLayer) -> None:
    plan = next(plan_array_layer(layer, ZASCAD))
    cycles, words = published(layer)
    assert plan.compute_cycles == ceil(cycles)
    moved = sum(row.words for row in plan.traffic if row.level == "dram")
    assert abs(moved - words) <= 1


def test_a_last_pass_costs_its_share_but_no_less_than_the_rows_that_can_stream() -> None:
    layer = ConvLayer(name="c", in_channels=1, out_channels=72, ifmap=(3, 5), kernel=(3, 3), stride=(1, 1),
                      padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    array = PeArray(rows=32, columns=6, dataflow=Dataflow.PIXEL_BROADCAST, tiles=BroadcastTiles(psum_registers=64))
    passes = {
        streams: broadcast_shape(layer, array).passes(streams) for streams in (1, 2, 4, 64)
    }  # 72 filters on 64 sets: 8 of them are left, an eighth of a pass
    assert passes == {1: 2, 2: Fraction(3, 2), 4: Fraction(5, 4), 64: Fraction(9, 8)}


def test_an_ideal_front_end_loses_no_cycle_and_gains_none_where_a_pass_is_a_fraction() -> None:
    array = PeArray(rows=32, columns=6, dataflow=Dataflow.PIXEL_BROADCAST, zero_skip=ZeroSkip.SKIP,
                    tiles=BroadcastTiles(psum_registers=64, pixel_streams=6))  # fmt: skip
    arch = replace(ZASCAD, pe_array=array)
    for side in range(3, 40):  # of side 10 a step of a cycle once fell out of the plan
        layer = ConvLayer(name="c", in_channels=1, out_channels=1, ifmap=(3, side), kernel=(3, 3), stride=(1, 1),
                          padding=((0, 0), (0, 0)), dilation=(1, 1), zero_fractions=ZeroFractions(ifmap=0.2))  # fmt: skip
        skip = next(plan_array_layer(layer, arch)).skip
        assert skip is not None
        assert skip.fragmentation_cycles == 0


def test_a_kernel_wider_than_a_tile_streams_part_by_part() -> None:
    layer = ConvLayer(name="c", in_channels=1, out_channels=1, ifmap=(1, 20), kernel=(1, 11), stride=(1, 1),
                      padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    array = PeArray(rows=1, columns=6, dataflow=Dataflow.PIXEL_BROADCAST, tiles=BroadcastTiles(psum_registers=64))
    shape = broadcast_shape(layer, array)
    assert (shape.tap_parts, shape.set_pes) == ((0, 5, 11), 6)
    plan = next(plan_array_layer(layer, architecture(array, (), DramLevel(name="dram", bandwidth_bytes_per_cycle=8.0))))
    assert plan.compute_cycles == (10 + 5 - 1) + (10 + 6 - 1)  # 10 ofmap values: pixels of 5 taps, then of 6


def skipping(layer, nonzero, **tiles):
    array = PeArray(rows=2, columns=3, dataflow=Dataflow.PIXEL_BROADCAST, zero_skip=ZeroSkip.SKIP,
                    tiles=BroadcastTiles(psum_registers=8, **tiles))  # fmt: skip
    zeros = replace(zeros_by_itself(layer), masks=LayerMasks(ifmap=GivenMask.of(nonzero)))
    return next(
        plan_array_layer(
            layer, architecture(array, (), DramLevel(name="dram", bandwidth_bytes_per_cycle=8.0)), zeros=zeros
        )
    )


def test_a_layer_of_zeros_takes_what_its_rows_take_at_least() -> None:
    layer = ConvLayer(name="c", in_channels=2, out_channels=6, ifmap=(4, 6), kernel=(3, 3), stride=(1, 1),
                      padding=((1, 1), (1, 1)), dilation=(1, 1))  # fmt: skip
    blank = np.zeros((1, 2, 4, 6))
    assert skipping(layer, blank).compute_cycles == 0
    rows = 4 * 3 * 2 * 3  # ofmap lines, filter rows, channels, passes of 2 filters
    assert skipping(layer, blank, empty_row_cycles=1).compute_cycles == rows
    times = measure_plan(skipping(layer, blank), DramLevel(name="dram", bandwidth_bytes_per_cycle=8.0))
    assert times.dram_stall_cycles > 0


@settings(deadline=None, max_examples=150)
@given(
    layer=array_layers,
    streams=st.sampled_from([1, 3]),
    rate=st.sampled_from([0.5, 8.0, 100.0]),
    seed=st.integers(0, 99),
)
def test_every_plan_keeps_the_laws(layer, streams: int, rate: float, seed: int) -> None:
    """MACs conserved, compulsory words moved, times that grow with nothing but less bandwidth."""
    array = PeArray(rows=3, columns=4, dataflow=Dataflow.PIXEL_BROADCAST, zero_skip=ZeroSkip.SKIP,
                    tiles=BroadcastTiles(psum_registers=5, pixel_streams=streams))  # fmt: skip
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=rate, latency_cycles=3)
    zeros = replace(zeros_by_itself(layer), masks=LayerMasks())
    skip, dense = (
        next(plan_array_layer(layer, architecture(each, (), dram), zeros=zeros)) for each in (array, array.dense)
    )
    for plan in (skip, dense):
        assert int(plan.steps.advance_cycles.sum()) == plan.compute_cycles
        assert plan.array_macs <= array.multipliers * plan.compute_cycles
        assert 0 < plan.mapping_efficiency <= 1
        sizes = {
            operand: int(plan.transfers.length_bytes[plan.transfers.operand == OPERAND_CODES.index(operand)].sum())
            for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP)
        }
        assert sizes[Operand.WEIGHT] >= layer.weight_words
        assert sizes[Operand.OFMAP] == layer.ofmap_words == plan.words("dram", Operand.OFMAP, Direction.WRITE)
        faster = measure_plan(plan, replace(dram, bandwidth_bytes_per_cycle=2 * rate))
        assert faster.dram_stall_cycles <= measure_plan(plan, dram).dram_stall_cycles
    assert dense.array_macs == layer.macs >= skip.array_macs  # without known zeros padding alone is stepped over
    assert skip.compute_cycles <= dense.compute_cycles


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("pe_array.tiles.skip_window=3", "skip_window=3: needs zero_skip = skip"),
        ("pe_array.tiles.psum_registers=0", "psum_registers"),
        ("pe_array.tiles=null", "tiles=null: is missing"),
        ("pe_array.act_hop=3", "act_hop=3: is a setting of weight_stationary"),
    ],
)
def test_wrong_tiles_are_refused_with_their_line(setting: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_arch("zascad", (setting,))


def test_a_fifo_without_a_window_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"needs tiles\.skip_window: a front end without a limit"):
        load_arch("zascas", ("pe_array.tiles={psum_registers: 64, skip_fifo: 2}",))


@settings(deadline=None, max_examples=200)
@given(
    layer=array_layers, array=arrays(ZeroSkip.SKIP), streams=st.sampled_from([1, 3]), seed=st.integers(0, 2**31),
    link=st.sampled_from([(0.3, 0), (2.4, 7), (33.0, 7), (8.0, 0)]),
)  # fmt: skip
def test_no_zero_ever_costs_a_cycle_memories_included(layer, array, streams: int, seed: int, link) -> None:
    array = replace(array, tiles=replace(array.require_tiles(), pixel_streams=streams))
    ifmap, weight = operands(layer, seed)
    zeros = replace(zeros_by_itself(layer), masks=LayerMasks(ifmap=GivenMask.of(ifmap), weight=GivenMask.of(weight)))
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=link[0], latency_cycles=link[1])
    plans = [next(plan_array_layer(layer, architecture(each, (), dram), zeros=zeros)) for each in (array, array.dense)]
    skip, dense = (measure_plan(plan, dram) for plan in plans)
    assert (plans[0].steps.advance_cycles <= plans[1].steps.advance_cycles).all()
    assert skip.compute_cycles + skip.dram_stall_cycles <= dense.compute_cycles + dense.dram_stall_cycles

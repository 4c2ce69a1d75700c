"""The clocked pixel broadcast: the FEIE table cell by cell, and the proof of the plan on random layers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.broadcast_tiles import BroadcastTiles
from archsim.arch.memory_level import DramLevel
from archsim.arch.pe_array import PeArray
from archsim.engine.clocked_broadcast import ClockedBroadcast, run_clocked_broadcast
from archsim.engine.measure import measure_plan
from archsim.errors import SimulationError
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Dataflow, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.masks import GivenMask
from tests.oracles.convolution import convolve
from tests.strategies import architecture, array_layers

FEIE = ConvLayer(name="row", in_channels=1, out_channels=1, ifmap=(2, 8), kernel=(1, 3), stride=(1, 1),
                 padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
THREE_PES = PeArray(rows=1, columns=3, dataflow=Dataflow.PIXEL_BROADCAST, tiles=BroadcastTiles(psum_registers=64))
DRAM = DramLevel(name="dram", bandwidth_bytes_per_cycle=8.0, is_ideal=True)
SKIPPING = replace(THREE_PES, zero_skip=ZeroSkip.SKIP)


def table(run: ClockedBroadcast) -> list[str]:
    """Each cycle as ``tap:pixel:psum`` of every PE, counted from 1; ``-`` = idle."""
    return [
        " ".join(
            f"{tap + 1}:{pixel + 1}:{psum + 1}" if tap >= 0 else "-" for tap, pixel, psum in zip(*cycle, strict=True)
        )
        for cycle in zip(run.taps, run.pixels, run.psums, strict=True)
    ]


def feie_rule(pixels: list[int]) -> list[str]:
    """The published rule: psum o of a row lives in PE o mod 3; pixel i of that row meets tap i - o there, if there is one."""
    cycles = []
    for number in pixels:
        row, i = divmod(number - 1, 8)
        met = {o % 3: f"{i - o + 1}:{number}:{6 * row + o + 1}" for o in range(6) if 0 <= i - o <= 2}
        cycles.append(" ".join(met.get(pe, "-") for pe in range(3)))
    return cycles


def test_the_dense_feie_example_is_its_table_cell_by_cell() -> None:
    ifmap = np.arange(1, 17).reshape(1, 1, 2, 8)
    run = run_clocked_broadcast(FEIE, ifmap, np.array([[[[2, 3, 5]]]]), THREE_PES)
    assert run.total_cycles == 16
    assert table(run) == feie_rule(list(range(1, 17)))
    assert (run.taps >= 0).sum(axis=1).tolist() == [1, 2, 3, 3, 3, 3, 2, 1] * 2
    assert run.issued_macs == 36


def test_the_sparse_feie_example_takes_10_cycles_and_gives_the_psums_of_the_dense_one() -> None:
    ifmap = np.arange(1, 17).reshape(1, 1, 2, 8)
    ifmap.flat[5:11] = 0
    weight = np.array([[[[2, 3, 5]]]])
    run = run_clocked_broadcast(FEIE, ifmap, weight, SKIPPING)
    assert run.total_cycles == 10
    assert table(run) == feie_rule([1, 2, 3, 4, 5, 12, 13, 14, 15, 16])
    np.testing.assert_array_equal(run.ofmap, run_clocked_broadcast(FEIE, ifmap, weight, THREE_PES).ofmap)
    assert run.ofmap.ravel()[5] == run.ofmap.ravel()[6] == 0


@st.composite
def arrays(draw: st.DrawFn, skip: ZeroSkip | None = None) -> PeArray:
    chosen = draw(st.sampled_from(list(ZeroSkip))) if skip is None else skip
    window = draw(st.sampled_from([None, 1, 2, 5])) if chosen is ZeroSkip.SKIP else None
    tiles = BroadcastTiles(
        psum_registers=draw(st.integers(1, 12)), skip_window=window,
        skip_fifo=draw(st.integers(0, 3)) if window else 0,
        empty_row_cycles=draw(st.integers(0, 2)) if chosen is ZeroSkip.SKIP else 0,
    )  # fmt: skip
    return PeArray(rows=draw(st.integers(1, 4)), columns=draw(st.integers(1, 6)), dataflow=Dataflow.PIXEL_BROADCAST,
                   zero_skip=chosen, pe_latency=draw(st.integers(1, 3)), tiles=tiles)  # fmt: skip


def operands(layer: ConvLayer | MatmulLayer, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Small integers, zeros in runs and channels among them, sometimes nothing else."""
    draw = np.random.default_rng(seed)
    density = draw.choice([0.0, 0.2, 0.6, 1.0])
    shapes = [mask_shape(layer, operand) for operand in (Operand.IFMAP, Operand.WEIGHT)]
    return tuple(draw.integers(1, 9, shape) * (draw.random(shape) < density) for shape in shapes)


@settings(max_examples=250, deadline=None)
@given(layer=array_layers, array=arrays(), seed=st.integers(0, 2**32 - 1))
def test_plan_event_and_clocked_array_agree_and_skipping_changes_no_value(layer, array: PeArray, seed: int) -> None:
    ifmap, weight = operands(layer, seed)
    clocked = run_clocked_broadcast(layer, ifmap, weight, array)
    zeros = replace(zeros_by_itself(layer), masks=LayerMasks(ifmap=GivenMask.of(ifmap), weight=GivenMask.of(weight)))
    plan = next(plan_array_layer(layer, architecture(array, (), DRAM), zeros=zeros))
    assert clocked.total_cycles == plan.compute_cycles
    assert measure_plan(plan, DRAM).onchip_stall_cycles == 0
    np.testing.assert_array_equal(clocked.ofmap.ravel(), convolve(layer, ifmap, weight).ravel())
    dense = run_clocked_broadcast(layer, ifmap, weight, replace(array, zero_skip=ZeroSkip.NONE,
        tiles=BroadcastTiles(psum_registers=array.require_tiles().psum_registers)))  # fmt: skip
    assert clocked.total_cycles <= dense.total_cycles
    if array.skips:
        assert plan.array_macs == clocked.issued_macs
        assert plan.skip is not None
        assert (plan.skip.dense_cycles, plan.skip.compute_cycles) == (dense.total_cycles, clocked.total_cycles)
    else:
        assert plan.array_macs == clocked.issued_macs == layer.macs


@pytest.mark.parametrize(("window", "fifo", "cycles"), [(None, 0, 4), (3, 0, 4), (1, 0, 5), (1, 1, 4)])
def test_a_front_end_that_passes_few_zeros_a_cycle_leaves_the_array_waiting_unless_pixels_wait_in_a_fifo(
    window: int | None, fifo: int, cycles: int
) -> None:
    """Row 1 1 1 0 0 0 0 1, two places a cycle: 1 | 1 | 1 0 | 0 0 (idle) | 0 1; with a place to wait 1 1 | 1 0 | 0 0 | 0 1."""
    ifmap = np.array([[[[1, 1, 1, 0, 0, 0, 0, 1]]]])
    tiles = BroadcastTiles(psum_registers=64, skip_window=window, skip_fifo=fifo)
    run = run_clocked_broadcast(
        replace(FEIE, ifmap=(1, 8)), ifmap, np.ones((1, 1, 1, 3), dtype=np.int64), replace(SKIPPING, tiles=tiles)
    )
    assert run.total_cycles == cycles


def test_a_pass_that_is_not_whole_is_not_clocked() -> None:
    array = replace(THREE_PES, rows=2, tiles=BroadcastTiles(psum_registers=64, pixel_streams=2))
    with pytest.raises(SimulationError, match="1 filters do not fill passes of 2"):
        run_clocked_broadcast(FEIE, np.ones((1, 1, 2, 8), dtype=np.int64), np.ones((1, 1, 1, 3), dtype=np.int64), array)

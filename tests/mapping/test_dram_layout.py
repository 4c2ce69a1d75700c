"""Every transfer's place in DRAM, expanded byte by byte."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.dram_devices import load_device
from archsim.arch.memory_level import DramLevel, TensorLayout
from archsim.arch.pe_array import PeArray
from archsim.errors import MappingError
from archsim.mapping.dram_runs import DramRuns, WordRuns, runs_of_words
from archsim.mapping.fold_plan import OPERAND_CODES, FoldPlan
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ConvLayer, MatmulLayer
from tests.strategies import architecture, array_layers, drawn_plan, pe_arrays, sram_levels

DEVICE = load_device("LPDDR4_3200")


def banked(layout: TensorLayout) -> DramLevel:
    return DramLevel(name="dram", bandwidth_bytes_per_cycle=12.8, device=DEVICE, layout=layout)


def expand(runs: DramRuns, index: int) -> np.ndarray:
    """Every byte of a transfer, one by one."""
    return np.array([
        runs.base_bytes[index] + plane * runs.plane_pitch_bytes[index] + run * runs.run_pitch_bytes[index] + byte
        for plane in range(runs.planes[index])
        for run in range(runs.runs[index])
        for byte in range(runs.run_bytes[index])
    ])  # fmt: skip


def bytes_of(plan: FoldPlan, operand: Operand, *, is_write: bool) -> list[np.ndarray]:
    transfers = plan.transfers
    assert transfers.runs is not None
    mine = np.flatnonzero((transfers.operand == OPERAND_CODES.index(operand)) & (transfers.is_write == is_write))
    mine = mine[np.argsort(transfers.step[mine], kind="stable")]
    return [expand(transfers.runs, int(index)) for index in mine]


def one_image(layer: ConvLayer | MatmulLayer) -> ConvLayer | MatmulLayer:
    return replace(layer, batch=1) if isinstance(layer, ConvLayer) else layer


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_ofmap_is_written_byte_by_byte_exactly_once(data: st.DataObject) -> None:
    layer = one_image(data.draw(array_layers))
    layout = data.draw(st.sampled_from(list(TensorLayout)))
    arch = architecture(data.draw(pe_arrays()), data.draw(sram_levels()), banked(layout))
    plan = drawn_plan(data, layer, arch)
    written = np.concatenate(bytes_of(plan, Operand.OFMAP, is_write=True))
    assert len(written) == layer.ofmap_words
    assert len(np.unique(written)) == len(written)
    if layout is not TensorLayout.TILED:
        assert written.max() - written.min() == len(written) - 1


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_transfers_of_the_ifmap_cover_what_windows_touch_and_nothing_else(data: st.DataObject) -> None:
    layer = one_image(data.draw(array_layers))
    layout = data.draw(st.sampled_from([TensorLayout.NCHW, TensorLayout.NHWC]))
    arch = architecture(data.draw(pe_arrays()), data.draw(sram_levels()), banked(layout))
    plan = drawn_plan(data, layer, arch)
    work = array_work(layer, arch)
    assume(work.geometry.unique_words)
    read = np.unique(np.concatenate(bytes_of(plan, Operand.IFMAP, is_write=False)))
    assert plan.nest is not None
    touched = work.groups * work.geometry.unique_words
    assert read.min() == 0
    if Operand.IFMAP in plan.nest.streamed:
        assert read.max() < touched + plan.transfers.length_bytes.max()  # padding is fetched with the rest
    else:
        assert len(read) == touched == read.max() + 1


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_operands_never_share_a_byte_and_runs_carry_the_transfer(data: st.DataObject) -> None:
    layer = data.draw(array_layers)
    layout = data.draw(st.sampled_from(list(TensorLayout)))
    arch = architecture(data.draw(pe_arrays()), data.draw(sram_levels()), banked(layout))
    plan = drawn_plan(data, layer, arch)
    runs, length = plan.transfers.runs, plan.transfers.length_bytes
    assert runs is not None
    assert (runs.covered_bytes >= length).all()
    assert (runs.covered_bytes - length < runs.planes * runs.runs).all()
    spans = [
        (int(runs.base_bytes[mine].min()), int(runs.end_bytes[mine].max()))
        for code in range(len(OPERAND_CODES))
        if (mine := plan.transfers.operand == code).any()
    ]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_a_row_of_channels_is_planes_of_runs_in_nchw_and_one_run_in_nhwc() -> None:
    # 4 channels of 8 x 8, kernel 1: lines 2..5 are 16 words of each plane of 64, or 64 words side by side.
    words = WordRuns(
        start=np.array([16]), run=np.array([16]), runs=np.array([4]), run_pitch=64, joins=np.array([False])
    )
    runs = runs_of_words(words, length_bytes=np.array([64]), width_bits=8, region_bytes=1000)
    assert (runs.base_bytes[0], runs.run_bytes[0], runs.runs[0], runs.run_pitch_bytes[0]) == (1016, 16, 4, 64)
    words = WordRuns(start=np.array([64]), run=np.array([4]), runs=np.array([16]), run_pitch=4, joins=np.array([False]))
    runs = runs_of_words(words, length_bytes=np.array([64]), width_bits=8, region_bytes=1000)
    assert (runs.base_bytes[0], runs.run_bytes[0], runs.runs[0]) == (1064, 64, 1)


def test_compressed_runs_are_shorter_and_stay_where_they_are() -> None:
    words = WordRuns(
        start=np.array([16]), run=np.array([16]), runs=np.array([4]), run_pitch=64, joins=np.array([False])
    )
    runs = runs_of_words(words, length_bytes=np.array([22]), width_bits=8, region_bytes=0)
    assert (runs.base_bytes[0], runs.run_bytes[0], runs.runs[0], runs.run_pitch_bytes[0]) == (16, 6, 4, 64)


def test_tensors_beyond_the_device_are_refused_with_both_sizes() -> None:
    tiny = replace(DEVICE, rows=1)
    layer = MatmulLayer(name="fc", rows=1, inner=4096, columns=100)
    dram = replace(banked(TensorLayout.NCHW), device=tiny)
    arch = architecture(PeArray(rows=4, columns=4, dataflow=Dataflow.WEIGHT_STATIONARY), (), dram)
    with pytest.raises(
        MappingError, match=r"layer .fc.: its tensors take [\d,]+ B of DRAM, LPDDR4_3200 holds 32,768 B"
    ):
        next(plan_array_layer(layer, arch))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_weights_lie_in_the_order_in_which_they_are_first_used(data: st.DataObject) -> None:
    arch = architecture(data.draw(pe_arrays()), data.draw(sram_levels()), banked(TensorLayout.NCHW))
    plan = drawn_plan(data, data.draw(array_layers), arch)
    blocks = [int(block[0]) for block in bytes_of(plan, Operand.WEIGHT, is_write=False)]
    first_uses = list(dict.fromkeys(blocks))
    pitches = set(np.diff(first_uses).tolist())
    assert len(pitches) <= 1
    assert all(pitch > 0 and pitch % DEVICE.request_bytes == 0 for pitch in pitches)  # each from a new burst on

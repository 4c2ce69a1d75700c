"""Wavefronts of zeros left out of systolic arrays: counts against a slow oracle, sums on paper, laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.arch.pe_array import OsDrain, OsFold, PeArray
from archsim.engine.simulate import run_layer
from archsim.errors import ConfigError, MappingError
from archsim.mapping.dataflow import PassShapes
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.fold_units import fold_units
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.wavefront_zeros import find_zeros, words_taken
from archsim.terms import Dataflow, Direction, Operand, ZeroSkip
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, mask_shape
from archsim.workload.zero_pattern import ZeroFractions
from tests.mapping.hand_made import IS, OS, WS, array_of, chip, conv, matmul
from tests.masks import GivenMask
from tests.oracles.wavefront_zeros import have_values, matrices, patch_units, units
from tests.strategies import architectures, array_layers

READ, WRITE = Direction.READ, Direction.WRITE
DENSITIES = [0.0, 0.03, 0.3, 0.8, 1.0]


def operands(layer: ConvLayer | MatmulLayer, seed: int, densities=None) -> tuple[np.ndarray, np.ndarray]:
    """Small integers, of few or no zeros or nothing else."""
    draw = np.random.default_rng(seed)
    shares = draw.choice(DENSITIES, 2) if densities is None else densities
    shapes = [mask_shape(layer, operand) for operand in (Operand.IFMAP, Operand.WEIGHT)]
    return tuple(draw.integers(1, 9, shape) * (draw.random(shape) < share)
                 for shape, share in zip(shapes, shares, strict=True))  # fmt: skip


def known(layer: ConvLayer | MatmulLayer, ifmap: np.ndarray, weight: np.ndarray) -> LayerZeros:
    masks = LayerMasks(ifmap=GivenMask.of(ifmap), weight=GivenMask.of(weight))
    return replace(zeros_by_itself(layer), masks=masks)


def with_skip(arch: Architecture, skip: ZeroSkip = ZeroSkip.SKIP) -> Architecture:
    return replace(arch, pe_array=replace(arch.pe_array, zero_skip=skip))


def first_plan(layer: ConvLayer | MatmulLayer, array: PeArray, zeros: LayerZeros | None = None) -> FoldPlan:
    return next(plan_array_layer(layer, chip(array), zeros=zeros))


@st.composite
def folding_arrays(draw: st.DrawFn) -> PeArray:
    """Every dataflow, and every way in which an output-stationary array takes pixels."""
    dataflow = draw(st.sampled_from(list(MATRIX_DATAFLOWS)))
    chosen = {"os_fold": draw(st.sampled_from(list(OsFold)))} if dataflow is OS else {}
    return array_of(dataflow, draw(st.integers(1, 6)), draw(st.integers(1, 6)), **chosen)


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, array=folding_arrays(), seed=st.integers(0, 2**32 - 1))
def test_a_wavefront_is_found_where_any_of_its_words_is_not_zero(layer, array: PeArray, seed: int) -> None:
    if layer.macs > 60_000:
        return
    ifmap, weight = operands(layer, seed)
    dataflow, fold = MATRIX_DATAFLOWS[array.dataflow], fold_units(layer, array)
    found = find_zeros(layer, dataflow, fold, known(layer, ifmap, weight))
    products = matrices(layer, ifmap, weight)
    if fold.patches:
        along = patch_units(layer, (fold.patches.height, fold.patches.width))
    else:
        along = units(layer.gemm.pixels if array.dataflow is OS else layer.gemm.window, fold.rows)
    expected = [have_values(each, array.dataflow.value, along) for each in products]
    np.testing.assert_array_equal(found.wavefronts.nonzero, np.array(expected))
    pairs = [np.minimum(each[:, :, None] != 0, other[None] != 0) for each, other in products]
    looked_at = [(other != 0).sum() * len(each) if array.dataflow is IS else (each != 0).sum() * other.shape[1]
                 for each, other in products]  # fmt: skip
    assert found.issued_macs == sum(looked_at)
    assert found.effectual_macs == sum(int(each.sum()) for each in pairs)


SPARSE = np.array([[1, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0], [3, 4, 5, 6]])
"""By part of two columns: rows 0, 3 and rows 1, 3 have values. By part of two rows: columns 0, 2 and all four."""


@pytest.mark.parametrize(
    ("dataflow", "cycles", "dense", "macs", "ideal"),
    [
        # 2 x 2 PEs; WS: 2 parts of the window x 1 of 2 filters, T + 2R + C - 2 = T + 4: (2 + 4) x 2 of (4 + 4) x 2
        (WS, 12, 16, (2 + 2) * 2 * 2, 6),
        # OS: 2 parts of the pixels, T + R + C - 2 = T + 2: 2 + 2 and 4 + 2 of (4 + 2) x 2
        (OS, 10, 12, (2 + 4) * 2 * 2, 5),
        # IS: the sparse matrix is the weights', 4 filters; 2 parts of the window, 2 pixels: columns 0, 2 and all four
        (IS, 6 + 8, 16, (2 + 4) * 2 * 2, 6),
    ],
)
def test_cycles_and_macs_on_paper(dataflow: Dataflow, cycles: int, dense: int, macs: int, ideal: int) -> None:
    layer = matmul(2, 4, 4) if dataflow is IS else matmul(4, 4, 2)
    ones = np.ones(mask_shape(layer, Operand.IFMAP if dataflow is IS else Operand.WEIGHT), dtype=np.int64)
    zeros = known(layer, ones, SPARSE[None]) if dataflow is IS else known(layer, SPARSE[None], ones)
    plan = first_plan(layer, array_of(dataflow, 2, 2, zero_skip=ZeroSkip.SKIP), zeros)
    assert plan.compute_cycles == cycles
    assert plan.array_macs == macs
    assert plan.effectual_macs == 6 * 2
    assert plan.skip is not None
    # ideal: dense x (6 values x 2) of 32 MACs, rounded up
    assert (plan.skip.dense_cycles, plan.skip.ideal_cycles) == (dense, ideal)
    assert plan.skip.fragmentation_cycles == cycles - ideal
    for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM):
        assert plan.words("spad", operand, READ) == macs


def test_a_pixel_on_padding_alone_is_left_out() -> None:
    # 1 x 1 taps at stride 1 over 2 x 2 values padded by one: 4 of 16 pixels have a value. T + 2R + C - 2 with 1 x 1 PEs.
    layer = conv(1, 1, 2, 1, padding=((1, 1), (1, 1)))
    plan = first_plan(layer, array_of(WS, 1, 1, zero_skip=ZeroSkip.SKIP))
    assert (plan.compute_cycles, plan.array_macs) == (4 + 1, 4)
    assert first_plan(layer, array_of(WS, 1, 1)).compute_cycles == 16 + 1


def test_groups_and_images_have_wavefronts_of_their_own() -> None:
    # Two groups of one channel, two images of 1 x 3: values in group 0 image 1 (3), group 1 image 0 (1).
    layer = conv(2, 2, 3, 1, groups=2, batch=2, ifmap=(1, 3))
    ifmap = np.zeros((2, 2, 1, 3), dtype=np.int64)
    ifmap[1, 0], ifmap[0, 1, 0, 2] = 1, 1
    found = find_zeros(layer, MATRIX_DATAFLOWS[WS], fold_units(layer, array_of(WS)),
                       known(layer, ifmap, np.ones((2, 1, 1, 1), dtype=np.int64)))  # fmt: skip
    assert found.wavefronts.nonzero.astype(int).tolist() == [[[0, 0, 0, 1, 1, 1]], [[0, 0, 1, 0, 0, 0]]]
    assert found.issued_macs == found.effectual_macs == 4


def test_a_pass_without_words_enough_takes_its_last_zeros() -> None:
    # Passes of 3, 2 and 1 steps; 0, 1 and 2 words found, 3, 3 and 2 wanted: 3 zeros from the last steps; 2 where 1 is
    # left out; nothing.
    starts = np.array([True, False, False, True, False, True])
    dense = PassShapes(rows=starts, columns=starts, stream=np.array([4, 4, 2, 1, 2, 5]), starts=starts,
                       ends=np.append(starts[1:], True), completes=starts)  # fmt: skip
    taken = words_taken(np.array([0, 0, 0, 1, 0, 2]), dense, np.array([3, 3, 2]))
    assert taken.tolist() == [0, 1, 2, 1, 2, 2]
    assert words_taken(np.array([1, 0, 0, 0, 1, 1]), dense, np.ones(3, dtype=np.int64)).tolist() == [1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("dataflow", [WS, OS, IS])
def test_a_layer_of_zeros_takes_one_wavefront_a_pass(dataflow: Dataflow) -> None:
    # 8 x 8 x 8 on 4 x 4: 4 passes of 1 wavefront, on the whole array
    layer = matmul(8, 8, 8)
    nothing = np.zeros((1, 8, 8), dtype=np.int64)
    plan = first_plan(layer, array_of(dataflow, zero_skip=ZeroSkip.SKIP), known(layer, nothing, nothing))
    load = 0 if dataflow is OS else 4
    assert plan.compute_cycles == 4 * (1 + load + 3 + 3)
    assert (plan.array_macs, plan.effectual_macs) == (4 * 16, 0)
    assert plan.skip is not None
    assert (plan.skip.ideal_cycles, plan.skip.fragmentation_cycles) == (0, plan.compute_cycles)


def test_a_short_stream_does_not_wait_twice_for_overlapping_drains() -> None:
    # 1 x 10 PEs that shift along their columns: registers are in use for 10 cycles, streams are 10 long. The middle pixel
    # has one value: streamed alone it would wait for the drain before it (9) and the next one for it (9): 18 for 9 saved.
    layer = matmul(3, 10, 10)
    ifmap = np.ones((1, 3, 10), dtype=np.int64)
    ifmap[0, 1, 1:] = 0
    array = array_of(OS, 1, 10, drain_overlap=True, os_drain=OsDrain.SHIFT_COLUMNS)
    zeros = known(layer, ifmap, np.ones((1, 10, 10), dtype=np.int64))
    plan = first_plan(layer, replace(array, zero_skip=ZeroSkip.SKIP), zeros)
    assert plan.compute_cycles == first_plan(layer, array).compute_cycles
    alone = replace(array, drain_overlap=False)
    saved = (
        first_plan(layer, alone).compute_cycles
        - first_plan(layer, with_skip(chip(alone)).pe_array, zeros).compute_cycles
    )
    assert saved == 9


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=architectures(), seed=st.integers(0, 2**32 - 1))
def test_skipping_is_never_slower_and_moves_the_same_words(layer, arch: Architecture, seed: int) -> None:
    zeros = known(layer, *operands(layer, seed))
    try:
        dense = run_layer(layer, arch, zeros=zeros)
        gated = run_layer(layer, with_skip(arch, ZeroSkip.GATE), zeros=zeros)
        skipped = run_layer(layer, with_skip(arch), zeros=zeros)
    except MappingError:
        return
    assert skipped.compute_cycles <= dense.compute_cycles == gated.compute_cycles
    assert skipped.total_cycles <= dense.total_cycles == gated.total_cycles
    assert skipped.effectual_macs <= skipped.occupied_macs <= dense.occupied_macs == layer.macs
    assert skipped.skip is not None
    assert skipped.skip.dense_cycles == dense.compute_cycles
    assert skipped.skip.compute_cycles == skipped.compute_cycles


@settings(max_examples=100, deadline=None)
@given(layer=array_layers, arch=architectures(), seed=st.integers(0, 2**32 - 1))
def test_plans_tile_as_the_dense_array_does_and_say_what_they_save(layer, arch: Architecture, seed: int) -> None:
    zeros = known(layer, *operands(layer, seed))
    try:
        dense, skipping = (list(plan_array_layer(layer, each, zeros=zeros)) for each in (arch, with_skip(arch)))
    except MappingError:
        return
    for plan, other in zip(skipping, dense, strict=True):
        assert plan.nest == other.nest
        np.testing.assert_array_equal(plan.transfers.step, other.transfers.step)
        np.testing.assert_array_equal(plan.transfers.length_bytes, other.transfers.length_bytes)
        assert [row for row in plan.traffic if row.level != "spad"] == [
            row for row in other.traffic if row.level != "spad"
        ]
        assert plan.words("spad", Operand.PSUM, READ) == plan.array_macs
        assert (plan.steps.advance_cycles >= 0).all()
        assert (plan.steps.advance_cycles <= other.steps.advance_cycles).all()
        assert (plan.steps.tail_cycles <= other.steps.tail_cycles).all()
        assert plan.gated_macs == 0
        assert plan.estimated_cycles == 0  # else the search could end before the dense array's choice has run


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=architectures(), seed=st.integers(0, 2**32 - 1), unknown=st.booleans())
def test_without_zeros_an_array_that_skips_is_the_dense_one(
    layer, arch: Architecture, seed: int, unknown: bool
) -> None:
    if isinstance(layer, ConvLayer):
        layer = replace(layer, padding=tuple((0, 0) for _ in layer.ifmap), ofmap_rounding="floor")
    zeros = None if unknown else known(layer, *operands(layer, seed, (1.0, 1.0)))
    try:
        dense, skipping = run_layer(layer, arch), run_layer(layer, with_skip(arch), zeros=zeros)
    except MappingError:
        return
    assert (skipping.compute_cycles, skipping.occupied_macs) == (dense.compute_cycles, layer.macs)
    assert skipping.skip is not None
    assert skipping.skip.fragmentation_cycles == 0
    assert skipping.total_cycles <= dense.total_cycles


def test_shares_of_zeros_without_a_mask_are_drawn() -> None:
    layer = replace(matmul(200, 4, 4), zero_fractions=ZeroFractions(ifmap=0.5))
    plan = first_plan(layer, array_of(WS, 1, 4, zero_skip=ZeroSkip.SKIP))
    # 4 parts of one row: a wavefront is one value; about half of 800
    assert 0.45 * 800 < plan.array_macs / 4 < 0.55 * 800
    assert plan.array_macs == plan.effectual_macs


def test_an_array_that_drops_structured_zeros_cannot_skip_others() -> None:
    with pytest.raises(ConfigError, match=r"structured_sparsity \(=True\) needs zero_skip = none or gate"):
        array_of(WS, structured_sparsity=True, zero_skip=ZeroSkip.SKIP)
    assert array_of(WS, structured_sparsity=True, zero_skip=ZeroSkip.GATE).gates

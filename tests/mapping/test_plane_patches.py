"""Patches of ofmap planes: an output-stationary array whose folds stay inside one plane."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.pe_array import EdgeFolds, OsDrain, OsFold
from archsim.errors import ConfigError
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.plane_patches import band_lines, plane_patches
from archsim.mapping.planner import plan_array_layer
from archsim.terms import Direction, Operand
from archsim.workload.layer import ConvLayer
from tests.mapping.hand_made import OS, array_of, chip, conv, matmul
from tests.oracles.plane_patches import walk_patches
from tests.strategies import conv_layers

PATCH_4X4 = array_of(OS, os_fold=OsFold.PATCH)


def cycles(layer, array) -> int:
    return ideal_compute_cycles(array_work(layer, chip(array)))


@settings(max_examples=150, deadline=None)
@given(
    layer=conv_layers(),
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    fold=st.sampled_from([OsFold.LINE, OsFold.PATCH]),
)
def test_patches_hold_every_pixel_once_and_touch_what_their_windows_touch(
    layer: ConvLayer, rows, columns, fold
) -> None:
    patches = plane_patches(layer, array_of(OS, rows, columns, os_fold=fold))
    found = walk_patches(layer, (1, rows) if fold is OsFold.LINE else (rows, columns))
    if patches is None:
        assert layer.ofmap[-2:] in ((1, 1), (1,))
        return
    number = np.arange(patches.count + 1, dtype=np.int64)
    assert np.diff(patches.first_pixels(number)).tolist() == [len(patch.pixels) for patch in found]
    assert patches.first_pixels(number)[-1] == layer.gemm.pixels
    assert patches.ifmap_words(number[:-1]).tolist() == [len(patch.touched) for patch in found]
    assert patches.all_ifmap_words == sum(len(patch.touched) for patch in found)


@settings(max_examples=100, deadline=None)
@given(layer=conv_layers(), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_a_patch_needs_the_lines_that_its_band_needs(layer: ConvLayer, rows, columns) -> None:
    array = array_of(OS, rows, columns, os_fold=OsFold.PATCH)
    patches = plane_patches(layer, array)
    if patches is None or len(layer.ofmap) != 2:
        return
    geometry = array_work(layer, chip(array)).geometry
    assert band_lines(layer, patches) == rows
    number = np.arange(patches.count, dtype=np.int64)
    start = patches.first_pixels(number)
    first, last = geometry.line_ranges(start, patches.first_pixels(number + 1) - start)
    for patch, lines in zip(walk_patches(layer, (rows, columns)), last - first, strict=True):
        assert len({line for line, _ in patch.touched}) <= lines


def test_a_patch_takes_its_window_per_filter_and_no_skew() -> None:
    # 8 x 8 ofmap in four 4 x 4 patches, 5 filters, a window of 2 x 3 x 3: 4 * 5 passes of 18 cycles; rows x filters: 16
    # folds of 4 pixels, 2 of filters, each 18 + 3 + 3.
    layer = conv(2, 5, 10, 3)
    assert cycles(layer, PATCH_4X4) == 4 * 5 * 18
    assert cycles(layer, array_of(OS)) == 16 * 2 * 24


def test_edge_patches_cost_as_much_as_whole_ones() -> None:
    # 5 x 5 pixels are 2 x 2 patches of 4 x 4: 25 of 64 PEs work.
    plan = next(iter(plan_array_layer(conv(1, 1, 7, 3), chip(PATCH_4X4))))
    assert plan.compute_cycles == 4 * 9
    assert plan.folds == 4
    assert plan.mapping_efficiency == 25 / 64


def test_folds_of_a_line_do_not_go_on_in_the_next_one() -> None:
    # 6 lines of 6 pixels on 4 rows: two folds a line, where pixels in their order take 9 in all. 4 columns, 4 filters.
    assert cycles(conv(1, 4, 8, 3), array_of(OS, os_fold=OsFold.LINE)) == 12 * (9 + 3 + 3)
    assert cycles(conv(1, 4, 8, 3), array_of(OS)) == 9 * (9 + 3 + 3)


def test_a_layer_of_single_pixels_has_a_filter_in_every_pe() -> None:
    # 40 filters on 16 PEs: 3 folds of 7 words for each of two images.
    assert cycles(matmul(2, 7, 40), PATCH_4X4) == 2 * 3 * 7


def test_an_ifmap_value_is_read_once_for_all_pixels_of_a_patch() -> None:
    # Four patches of 4 x 4 pixels touch 6 x 6 values in each of 2 planes, for each of 5 filters; each PE row its own: 9 * 16.
    layer = conv(2, 5, 10, 3)
    plan = next(iter(plan_array_layer(layer, chip(PATCH_4X4))))
    assert plan.words("glb", Operand.IFMAP, Direction.READ) == 4 * 6 * 6 * 2 * 5
    assert plan.words("glb", Operand.WEIGHT, Direction.READ) == 4 * 18 * 5
    assert plan.words("spad", Operand.WEIGHT, Direction.READ) == layer.macs


def test_drains_of_a_patch_hide_behind_the_next_window() -> None:
    array = array_of(OS, os_fold=OsFold.PATCH, os_drain=OsDrain.SHIFT_COLUMNS, drain_overlap=True)
    assert cycles(conv(2, 5, 10, 3), array) == 4 * 5 * 18 + 4  # the last one shows
    assert cycles(conv(1, 5, 8, 1), array) == 20 * 4 + 1  # a window of 1 waits for the 4 shifts of the one before


@pytest.mark.parametrize("settings_", [{"act_hop": 0}, {"edge_folds": EdgeFolds.TRIMMED}])
def test_a_patch_refuses_settings_of_operands_that_hop(settings_) -> None:
    with pytest.raises(ConfigError, match="needs os_fold = pixels or line"):
        array_of(OS, os_fold=OsFold.PATCH, **settings_)

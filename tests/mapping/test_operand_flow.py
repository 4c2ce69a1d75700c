"""What a 2 x 2 nest fetches, frees, spills and reads back, step by step.

The case of most tests: 4 pixels in 2 tiles, window 8 in 2 tiles, 4 filters, on a 4x4 weight-stationary
array, window tiles outermost. Steps: (w0,p0) (w0,p1) (w1,p0) (w1,p1).
"""

import numpy as np
import pytest

from archsim.mapping.fold_walk import walk_folds
from archsim.mapping.operand_flow import operand_visits, release_steps
from archsim.terms import Operand
from tests.mapping.hand_made import OS, WS, F, P, W, array_of, chip, conv, matmul, moves, nest, plan

SPILLING = nest(WS, (W, P, F), pixels=(4, 2, 1), window=(8, 4, 1), filters=(4, 4, 1))
LAYER = matmul(4, 8, 4)


def two_by_two(*, double_buffered: bool):
    return plan(LAYER, chip(array_of(WS), double_buffered=double_buffered), SPILLING)


def test_generations_follow_the_tiles_of_each_operand() -> None:
    walk = walk_folds(SPILLING)
    visits = {
        operand: operand_visits(walk, SPILLING, operand, None)
        for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)
    }
    assert visits[Operand.IFMAP].generation.tolist() == [0, 1, 2, 3]
    assert visits[Operand.WEIGHT].generation.tolist() == [0, 0, 1, 1]
    assert visits[Operand.PSUM].generation.tolist() == [0, 1, 2, 3]
    assert visits[Operand.PSUM].unit.tolist() == [0, 1, 0, 1]
    assert visits[Operand.PSUM].first_ever.tolist() == [True, True, False, False]
    assert visits[Operand.PSUM].last_ever.tolist() == [False, False, True, True]
    assert visits[Operand.PSUM].previous_visit().tolist() == [-1, -1, 0, 1]
    assert visits[Operand.WEIGHT].first.tolist() == [True, False, True, False]
    assert visits[Operand.WEIGHT].last.tolist() == [False, True, False, True]
    assert visits[Operand.WEIGHT].last_step_of().tolist() == [1, 3]


@pytest.mark.parametrize(
    ("copies", "ifmap", "weight"), [(1, [-1, 0, 1, 2], [-1, -1, 1, 1]), (2, [-1, -1, 0, 1], [-1, -1, -1, -1])]
)
def test_a_buffer_is_free_when_the_tile_that_it_held_is_done(copies, ifmap, weight) -> None:
    walk = walk_folds(SPILLING)
    assert release_steps(operand_visits(walk, SPILLING, Operand.IFMAP, None), copies).tolist() == ifmap
    assert release_steps(operand_visits(walk, SPILLING, Operand.WEIGHT, None), copies).tolist() == weight


def test_reads_wait_one_tile_longer_in_a_single_buffer() -> None:
    # ifmap tiles of 2 x 4 B, weight tiles of 4 x 4 B: (step, free after, bytes).
    double, single = (moves(two_by_two(double_buffered=is_double), is_write=False) for is_double in (True, False))
    assert double["ifmap"] == [(0, -1, 8), (1, -1, 8), (2, 0, 8), (3, 1, 8)]
    assert single["ifmap"] == [(0, -1, 8), (1, 0, 8), (2, 1, 8), (3, 2, 8)]
    assert double["weight"] == [(0, -1, 16), (2, -1, 16)]
    assert single["weight"] == [(0, -1, 16), (2, 1, 16)]


def test_a_spilled_psum_tile_is_written_after_its_step_and_read_back_when_its_turn_comes() -> None:
    # Tiles of 2 x 4 psums of 4 B = 32 B; complete ones leave as 1 B words.
    for is_double, free_after in ((True, [0, 1]), (False, [1, 2])):
        made = two_by_two(double_buffered=is_double)
        assert moves(made, is_write=True) == {"psum": [(0, 0, 32), (1, 1, 32)], "ofmap": [(2, 2, 8), (3, 3, 8)]}
        assert moves(made, is_write=False)["psum"] == [(2, free_after[0], 32), (3, free_after[1], 32)]


def test_a_step_waits_for_the_write_back_of_the_tile_that_it_replaces() -> None:
    for is_double, replaced in ((True, [None, None, 0, 1]), (False, [None, 0, 1, 2])):
        made = two_by_two(double_buffered=is_double)
        holds = [int(made.transfers.step[hold]) if hold >= 0 else None for hold in made.steps.hold_transfer]
        assert holds == replaced
        assert all(made.transfers.is_write[hold] for hold in made.steps.hold_transfer if hold >= 0)


def test_psums_that_stay_are_never_spilled() -> None:
    # Pixel tiles outermost: each psum tile sees both window tiles in turn.
    made = plan(LAYER, chip(array_of(WS)), nest(WS, (P, W, F), pixels=(4, 2, 1), window=(8, 4, 1), filters=(4, 4, 1)))
    assert "psum" not in moves(made, is_write=False)
    assert moves(made, is_write=True) == {"ofmap": [(1, 1, 8), (3, 3, 8)]}
    # Weights now come twice: 2 pixel tiles x 2 window tiles of 16 B.
    assert [size for *_, size in moves(made, is_write=False)["weight"]] == [16] * 4


def test_a_resident_operand_is_fetched_once_whatever_the_order() -> None:
    made = plan(LAYER, chip(array_of(WS)), nest(WS, (W, P, F), pixels=(4, 4, 1), window=(8, 4, 2), filters=(4, 4, 1)))
    assert moves(made, is_write=False) == {"ifmap": [(0, -1, 16), (1, -1, 16)], "weight": [(0, -1, 16), (1, -1, 16)]}


def test_what_streams_is_fetched_at_every_use() -> None:
    # 2 filter folds: streamed, the ifmap of 4 x 8 comes twice, in steps of 4 x 4; there is room for 3 steps.
    made = plan(matmul(4, 8, 8), chip(array_of(WS)), nest(
        WS, (P, W, F), streamed={Operand.IFMAP: 3}, pixels=(4, 4, 1), window=(8, 4, 2), filters=(8, 4, 2)))  # fmt: skip
    assert moves(made, is_write=False)["ifmap"] == [(0, -1, 16), (1, -1, 16), (2, -1, 16), (3, 0, 16)]


def test_a_streamed_psum_is_read_back_after_the_step_that_wrote_it_however_much_room_there_is() -> None:
    # 3 window folds add to the same 4 x 4 outputs; 64 B go out and come back between them, with room for 5 steps.
    made = plan(matmul(4, 12, 4), chip(array_of(WS)), nest(
        WS, (P, W, F), streamed={Operand.PSUM: 5}, pixels=(4, 4, 1), window=(12, 4, 3), filters=(4, 4, 1)))  # fmt: skip
    assert moves(made, is_write=False)["psum"] == [(1, 0, 64), (2, 1, 64)]
    assert moves(made, is_write=True) == {"psum": [(0, 0, 64), (1, 1, 64)], "ofmap": [(2, 2, 16)]}


def test_sliding_pixel_tiles_fetch_only_the_lines_that_are_new() -> None:
    # 6x6 ifmap, 3x3: 4 ofmap lines of 4 pixels. Tiles of 2 lines need ifmap lines 0..3 and 2..5: 4 and 2 more, 6 words each.
    layer, arch = conv(1, 4, 6, 3), chip(array_of(WS, rows=9))
    made = plan(layer, arch, nest(WS, (P, W, F), pixels=(16, 8, 1), window=(9, 9, 1), filters=(4, 4, 1)))
    assert [size for *_, size in moves(made, is_write=False)["ifmap"]] == [24, 12]


def test_pixel_tiles_that_come_back_fetch_their_overlap_again() -> None:
    # The same tiles under a loop over 2 filter tiles: the second sweep starts over, 24 + 12 again.
    layer, arch = conv(1, 8, 6, 3), chip(array_of(WS, rows=9))
    made = plan(layer, arch, nest(WS, (F, P, W), pixels=(16, 8, 1), window=(9, 9, 1), filters=(8, 4, 1)))
    assert [size for *_, size in moves(made, is_write=False)["ifmap"]] == [24, 12, 24, 12]


def test_channel_units_of_a_window_are_fetched_once_each() -> None:
    # 2 channels of 9 taps on 6 rows: units 0..5 6..11 12..17 need channels {0} {0,1} {1}: the shared ones come once.
    layer, arch = conv(2, 4, 4, 3), chip(array_of(WS, rows=6))
    made = plan(layer, arch, nest(WS, (P, W, F), pixels=(4, 4, 1), window=(18, 6, 3), filters=(4, 4, 1)))
    assert sum(size for *_, size in moves(made, is_write=False)["ifmap"]) == 2 * 16


def test_output_stationary_psums_leave_once_per_fold() -> None:
    # 2 x 1 folds of 4 x 3 outputs, the window streamed in 2 steps that go on: written after the second.
    made = plan(
        matmul(8, 6, 3), chip(array_of(OS)), nest(OS, (P, F, W), pixels=(8, 4, 1), window=(6, 3, 1), filters=(3, 4, 1))
    )
    assert moves(made, is_write=True) == {"ofmap": [(1, 1, 12), (3, 3, 12)]}


def test_groups_have_units_of_their_own() -> None:
    walk = walk_folds(nest(WS, (P, W, F), groups=2, pixels=(4, 4, 1), window=(4, 4, 1), filters=(4, 4, 1)))
    visits = operand_visits(walk, nest(WS, (P, W, F), groups=2, pixels=(4, 4, 1), window=(4, 4, 1), filters=(4, 4, 1)),
                            Operand.PSUM, None)  # fmt: skip
    assert np.unique(visits.unit).tolist() == [0, 1]
    assert visits.generation.tolist() == [0, 1]
    assert visits.last_ever.all()

import numpy as np
import pytest

from archsim.arch.pe_array import EdgeFolds, OsDrain
from archsim.mapping.dataflow import PassShapes
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.output_stationary import OUTPUT_STATIONARY, time_output_passes
from archsim.terms import Operand
from tests.mapping.hand_made import OS, F, P, W, array_of, chip, matmul

ROWS, COLUMNS = OsDrain.SHIFT_ROWS, OsDrain.SHIFT_COLUMNS


def cycles(pixels: int, window: int, filters: int, **settings) -> int:
    return ideal_compute_cycles(array_work(matmul(pixels, window, filters), chip(array_of(OS, 4, 3, **settings))))


def test_pixels_lie_along_rows_filters_along_columns_and_the_window_streams() -> None:
    assert (OUTPUT_STATIONARY.rows, OUTPUT_STATIONARY.columns, OUTPUT_STATIONARY.stream) == (P, F, W)
    assert OUTPUT_STATIONARY.stationary is Operand.PSUM


def test_a_fold_takes_stream_and_both_skews() -> None:
    # SCALE-Sim: T + R + C - 2 = 8 + 4 + 3 - 2 = 13; 9 pixels on 4 rows = 3 folds, 5 filters on 3 columns = 2.
    assert cycles(4, 8, 3) == 13
    assert cycles(9, 8, 5) == 6 * 13


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"act_hop": 0}, 13 - 2),
        ({"act_hop": 2}, 13 + 2),
        ({"pe_latency": 4, "input_regs": 1}, 13 + 4),
        ({"os_drain": ROWS}, 13 + 4),
        ({"os_drain": COLUMNS}, 13 + 3),
        ({"edge_folds": EdgeFolds.TRIMMED}, 13),
        ({"k_tile": 3}, (3 + 5) * 2 + (2 + 5)),  # passes of 3, 3, 2 that each drain their skew
        ({"k_tile": 3, "os_drain": ROWS}, 8 + 8 + 7 + 4),  # psums stay: one drain
        ({"k_tile": 3, "os_drain": ROWS, "k_tile_keeps_psum": False}, 12 + 12 + 11),  # they leave every time
    ],
)
def test_each_setting_moves_one_fold_by_its_own_cycles(settings, expected) -> None:
    assert cycles(4, 8, 3, **settings) == expected


def test_trimmed_edge_folds_pay_for_used_rows_and_columns() -> None:
    # 5 pixels, 4 filters on 4 x 3: folds 4x3, 1x3, 4x1, 1x1: 8 + r + c - 2.
    assert cycles(5, 8, 4, edge_folds=EdgeFolds.TRIMMED) == 13 + 10 + 11 + 8


@pytest.mark.parametrize(
    ("drain", "act_hop", "window", "period"),
    [
        (OsDrain.NONE, 1, 2, 2),  # nothing to wait for
        (ROWS, 1, 8, 8),  # the drain of 4 hides behind the stream of 8
        (ROWS, 1, 2, 4),  # and shows where the stream is shorter
        (COLUMNS, 1, 2, 3),
        (COLUMNS, 2, 2, 5),  # column 0 is done 2 * 2 before column 2: the row is held 5 edges
        (COLUMNS, 0, 2, 3),
    ],
)
def test_overlapping_drains_show_only_where_they_outlast_the_stream(drain, act_hop, window, period) -> None:
    # 3 folds: two periods, then the last fold whole.
    own = {OsDrain.NONE: 0, ROWS: 4, COLUMNS: 3}[drain]
    last = window + 3 + 2 * act_hop + own
    assert cycles(12, window, 3, os_drain=drain, act_hop=act_hop, drain_overlap=True) == 2 * period + last


def test_a_shorter_pass_must_not_finish_before_the_drain_registers_are_free() -> None:
    # Streams of 8 then 1, 4 rows: the second could be done 1 edge after it starts, but the registers are held 4 edges
    # after the first ends at 8: it starts at 8 + 4 - 1 = 11.
    ones = np.ones(2, dtype=bool)
    shapes = PassShapes(
        rows=np.full(2, 4), columns=np.full(2, 3), stream=np.array([8, 1]), starts=ones, ends=ones, completes=ones
    )
    timing = time_output_passes(shapes, array_of(OS, 4, 3, os_drain=ROWS, drain_overlap=True))
    assert timing.advance[0] == 11


def test_kept_psums_drain_only_when_they_are_complete() -> None:
    starts, completes = np.array([True, True, True]), np.array([False, False, True])
    shapes = PassShapes(rows=np.full(3, 4), columns=np.full(3, 3), stream=np.full(3, 5), starts=starts, ends=starts,
                        completes=completes)  # fmt: skip
    timing = time_output_passes(shapes, array_of(OS, 4, 3, os_drain=ROWS, k_tile=5))
    assert timing.tail.tolist() == [10, 10, 14]
    assert timing.total == 34

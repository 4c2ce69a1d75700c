import numpy as np
import pytest

from archsim.arch.pe_array import EdgeFolds, LoadGranularity, StartEvent
from archsim.mapping.dataflow import PassShapes
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.mapping.weight_stationary import time_stationary_passes
from tests.mapping.hand_made import WS, array_of, chip, matmul


def cycles(pixels: int, window: int, filters: int, **settings) -> int:
    return ideal_compute_cycles(array_work(matmul(pixels, window, filters), chip(array_of(WS, **settings))))


def shapes(streams, starts=None, rows=4, columns=3) -> PassShapes:
    """Steps that each use the whole array; without ``starts`` every step is a pass."""
    count = len(streams)
    starts = np.array(starts or [True] * count)
    return PassShapes(rows=np.full(count, rows), columns=np.full(count, columns), stream=np.array(streams),
                      starts=starts, ends=np.append(starts[1:], True), completes=np.ones(count, dtype=bool))  # fmt: skip


def test_a_fold_takes_load_stream_and_both_skews() -> None:
    # SCALE-Sim: T + 2R + C - 2 = 8 + 8 + 4 - 2 = 18 a fold; window 9 on 4 rows = 3 folds, 5 filters on 4 columns = 2.
    assert cycles(8, 4, 4) == 18
    assert cycles(8, 9, 5) == 6 * 18


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"psum_hop": 4}, 18 + 3 * 3),  # 3 row hops of 4
        ({"act_hop": 0}, 18 - 3),  # broadcast: no skew over 4 columns
        ({"act_hop": 2}, 18 + 3),
        ({"pe_latency": 3}, 18 + 2),
        ({"input_regs": 1, "output_regs": 2}, 18 + 3),
        ({"weight_load_cycles": 10}, 18 + 6),  # 10 instead of 4
        ({"start_event": StartEvent.FIRST_ACTIVATION}, 18 - 4),
        ({"start_event": StartEvent.FIRST_ACTIVATION, "weight_load_cycles": 10}, 18 - 4),
        ({"weight_regs": 2}, 18),
    ],
)
def test_each_setting_moves_one_fold_by_its_own_cycles(settings, expected) -> None:
    assert cycles(8, 4, 4, **settings) == expected


@pytest.mark.parametrize(
    ("pixels", "gap", "period"),
    [(8, 0, 8), (3, 0, 4), (8, 3, 8), (8, 11, 15), (1, 0, 4)],
)
def test_a_second_register_hides_the_load_behind_the_stream(pixels, gap, period) -> None:
    # Passes follow every max(T, gap + 4); the last one leaves after T + 3 + 3; the first load is 4.
    assert cycles(pixels, 12, 4, weight_regs=2, weight_switch_gap=gap) == 4 + 2 * period + pixels + 6


def test_columns_may_reload_as_soon_as_they_have_drained() -> None:
    # By column the next load waits for load + T + 3 row hops = 15, the array for 3 column hops more = 18.
    assert cycles(8, 12, 4) == 3 * 18
    assert cycles(8, 12, 4, load_granularity=LoadGranularity.COLUMN) == 2 * 15 + 18


def test_trimmed_edge_folds_pay_for_used_rows_and_columns() -> None:
    # 9 x 5 on 4 x 4: folds rows 4, 4, 1 by columns 4, 1; each T + 2r + c - 2: 18, 18, 12, then 15, 15, 9.
    assert cycles(8, 9, 5, edge_folds=EdgeFolds.TRIMMED) == 18 + 18 + 12 + 15 + 15 + 9


def test_steps_within_a_pass_neither_load_nor_drain() -> None:
    # One pass of 8 + 5 in two steps: load 4 before the first; drain 3 + 2 after the last.
    timing = time_stationary_passes(shapes([8, 5], [True, False]), array_of(WS, 4, 3))
    assert timing.advance.tolist() == [4 + 8, 5 + 5]
    assert timing.tail.tolist() == [4 + 8 + 5, 5 + 5]
    assert timing.total == 12 + 10


def test_the_hidden_load_of_a_pass_stands_before_its_first_step() -> None:
    # Two registers: the load is no part of a step but a lead; the first one delays the start.
    timing = time_stationary_passes(shapes([8, 8]), array_of(WS, 4, 3, weight_regs=2))
    assert (timing.first_start, timing.load.tolist()) == (4, [4, 4])
    assert timing.advance.tolist() == [8, 8]


def test_a_reload_outlasts_the_whole_pass_not_its_last_step() -> None:
    # Passes of 2 + 2 and 4: the second reload takes 1 + 4 = 5 cycles, one more than the first pass's 4.
    timing = time_stationary_passes(
        shapes([2, 2, 4], [True, False, True]), array_of(WS, 4, 3, weight_regs=2, weight_switch_gap=1)
    )
    assert timing.advance.tolist() == [2, 2 + 1, 4]

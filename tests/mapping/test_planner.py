import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.errors import MappingError
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS, array_work, ideal_compute_cycles, plan_matrix_layer
from archsim.mapping.planner import PLANNERS, plan_array_layer
from archsim.terms import Dataflow, Direction, Operand
from tests.mapping.hand_made import WS, F, P, W, array_of, chip, conv, matmul
from tests.strategies import array_layers, pe_arrays


def test_every_dataflow_has_a_plan_of_its_own() -> None:
    assert set(PLANNERS) == set(Dataflow)
    assert set(MATRIX_DATAFLOWS) == {each for each in Dataflow if PLANNERS[each] is plan_matrix_layer}
    assert len({(plan.rows, plan.columns, plan.stream, plan.stationary) for plan in MATRIX_DATAFLOWS.values()}) == len(
        MATRIX_DATAFLOWS
    )


@pytest.mark.parametrize(
    ("window", "kept_of", "left"),
    # SCALE-Sim: floor(W / M) * N + min(W mod M, N).
    [
        (16, (2, 4), 8),
        (18, (2, 4), 10),
        (17, (2, 4), 9),
        (19, (1, 4), 5),
        (3, (2, 4), 2),
        (16, (4, 4), 16),
        (1, (1, 8), 1),
    ],
)
def test_structured_sparsity_shortens_the_window(window, kept_of, left) -> None:
    layer = matmul(3, window, 5, kept_of=kept_of)
    assert array_work(layer, chip(array_of(WS, structured_sparsity=True))).sizes == {P: 3, W: left, F: 5}
    assert array_work(layer, chip(array_of(WS))).sizes[W] == window


def test_an_array_that_skips_pays_for_the_window_that_is_left() -> None:
    # Window 18 in 2:4 leaves 10 = 3 row folds of 4 instead of 5; T + 2R + C - 2 = 5 + 8 + 4 - 2 = 15.
    layer = matmul(5, 18, 4, kept_of=(2, 4))
    assert ideal_compute_cycles(array_work(layer, chip(array_of(WS, structured_sparsity=True)))) == 3 * 15
    assert ideal_compute_cycles(array_work(layer, chip(array_of(WS)))) == 5 * 15


def test_groups_run_one_after_another() -> None:
    # 4 groups of one channel: window 9 = 3 row folds, 1 filter; 4 pixels: 4 + 8 + 4 - 2 = 14 a fold.
    layer = conv(4, 4, 4, 3, groups=4)
    assert ideal_compute_cycles(array_work(layer, chip(array_of(WS)))) == 4 * 3 * 14


@settings(max_examples=150)
@given(layer=array_layers, array=pe_arrays())
def test_the_ideal_array_is_never_faster_than_its_multipliers(layer, array) -> None:
    assert ideal_compute_cycles(array_work(layer, chip(array))) * array.multipliers >= layer.macs


@settings(max_examples=100)
@given(
    shape=st.tuples(*[st.integers(1, 20)] * 3),
    array=pe_arrays(),
    kept=st.sets(st.sampled_from([Operand.IFMAP, Operand.OFMAP])),
)
def test_kept_operands_move_no_dram_bytes_and_the_rest_moves_all_the_same(shape, array, kept) -> None:
    plan = next(iter(plan_array_layer(matmul(*shape), chip(array), frozenset(kept))))
    pixels, window, filters = shape
    assert plan.words("dram", Operand.WEIGHT, Direction.READ) == window * filters
    assert plan.words("dram", Operand.IFMAP, Direction.READ) == (0 if Operand.IFMAP in kept else pixels * window)
    assert plan.words("dram", Operand.OFMAP, Direction.WRITE) == (0 if Operand.OFMAP in kept else pixels * filters)


def test_a_layer_that_does_not_fit_says_what_it_needs_and_what_to_do() -> None:
    arch = chip(array_of(WS), capacity_bytes=10)
    with pytest.raises(MappingError, match=r"'fc' does not fit .*glb has 10 B for tiles.*Enlarge capacity_bytes"):
        list(plan_array_layer(matmul(9, 9, 9), arch))

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.pe_array import PeArray
from archsim.mapping.input_stationary import INPUT_STATIONARY
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.terms import Dataflow, Direction, Operand
from tests.mapping.hand_made import IS, WS, F, P, W, array_of, chip, matmul, nest, plan
from tests.strategies import pe_arrays


def test_window_lies_along_rows_pixels_along_columns_and_filters_stream() -> None:
    assert (INPUT_STATIONARY.rows, INPUT_STATIONARY.columns, INPUT_STATIONARY.stream) == (W, P, F)
    assert INPUT_STATIONARY.stationary is Operand.IFMAP


@pytest.mark.parametrize(("shape", "cycles"), [((4, 4, 8), 18), ((5, 9, 8), 6 * 18), ((1, 1, 1), 1 + 8 + 4 - 2)])
def test_a_fold_takes_what_scalesim_says(shape, cycles) -> None:
    # T + 2R + C - 2 with T = filters: 8 + 8 + 4 - 2 = 18; window 9 = 3 row folds, 5 pixels = 2 column folds.
    assert ideal_compute_cycles(array_work(matmul(*shape), chip(array_of(IS)))) == cycles


def test_ifmap_words_come_once_and_weights_once_per_column_fold() -> None:
    # 5 pixels = 2 column folds: every weight (9 x 8) streams by twice, every ifmap word (5 x 9) is loaded once.
    made = plan(matmul(5, 9, 8), chip(array_of(IS)), nest(
        IS, (P, W, F), pixels=(5, 4, 2), window=(9, 4, 3), filters=(8, 8, 1)))  # fmt: skip
    assert made.words("glb", Operand.IFMAP, Direction.READ) == 45
    assert made.words("glb", Operand.WEIGHT, Direction.READ) == 144
    # The stationary register of a PE is written once per word, the streamed ones at every MAC.
    assert made.words("spad", Operand.IFMAP, Direction.WRITE) == 45
    assert made.words("spad", Operand.WEIGHT, Direction.WRITE) == 360


@settings(max_examples=100)
@given(array=pe_arrays().filter(lambda array: array.dataflow is WS), shape=st.tuples(*[st.integers(1, 30)] * 3))
def test_it_is_a_weight_stationary_array_with_the_operands_swapped(array: PeArray, shape: tuple[int, int, int]) -> None:
    other = PeArray(**{name: getattr(array, name) for name in PeArray.__slots__ if name != "dataflow"},
                    dataflow=Dataflow.INPUT_STATIONARY)  # fmt: skip
    pixels, window, filters = shape
    by_weight = ideal_compute_cycles(array_work(matmul(filters, window, pixels), chip(array)))
    assert ideal_compute_cycles(array_work(matmul(pixels, window, filters), chip(other))) == by_weight

import pytest

from archsim.arch.pe_array import OsDrain
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.mapping.pass_cycles import pass_cycles
from tests.mapping.hand_made import OS, WS, array_of


@pytest.mark.parametrize(
    ("array", "advance", "overhang", "within"),
    [
        # Load 4 + T 8 + 3 + 3; within a pass: results 3 + 3 after the last word.
        (array_of(WS), 18, 0, 6),
        # The next load hides behind the stream: passes follow every 8, results come 3 + 3 later.
        (array_of(WS, weight_regs=2), 8, 6, 6),
        # A gap of 11 and a load of 4 outlast the stream by 7.
        (array_of(WS, weight_regs=2, weight_switch_gap=11), 15, -1, 6),
        (array_of(OS), 14, 0, 6),
        # The drain of 4 belongs to the end of a pass only.
        (array_of(OS, os_drain=OsDrain.SHIFT_ROWS), 18, 0, 6),
        (array_of(OS, os_drain=OsDrain.SHIFT_ROWS, drain_overlap=True), 8, 10, 6),
    ],
)
def test_a_pass_of_8_words_alone_and_in_the_middle_of_a_longer_one(array, advance, overhang, within) -> None:
    made = pass_cycles(array, MATRIX_DATAFLOWS[array.dataflow], 8)
    assert (made.advance, made.overhang, made.overhang_within) == (advance, overhang, within)

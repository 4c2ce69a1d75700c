import pytest

from archsim.mapping.array_words import psum_leaves
from archsim.mapping.fold_walk import walk_folds
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.terms import Direction, Operand
from tests.mapping.hand_made import IS, OS, WS, F, P, W, array_of, chip, conv, matmul, nest, plan

READ, WRITE = Direction.READ, Direction.WRITE


def edge(made) -> dict[str, int]:
    """Words across the array's edge, seen at the buffer of a chip whose psums never spill."""
    count = {name: made.words("glb", Operand(name), READ) for name in ("ifmap", "weight", "psum")}
    return count | {
        "psum out": made.words("glb", Operand.PSUM, WRITE),
        "ofmap out": made.words("glb", Operand.OFMAP, WRITE),
    }


def test_a_3x3_conv_on_4x4_weight_stationary_pes() -> None:
    # 4 pixels, window 9 = 3 row folds, 5 filters = 2 column folds. Windows enter once per column fold: 2 * 4 * 9; weights
    # once: 45; each of 3 row folds makes 4 * 5 psums, the last one's are ofmap; the other two come back.
    made = plan(
        conv(1, 5, 4, 3), chip(array_of(WS)), nest(WS, (P, W, F), pixels=(4, 4, 1), window=(9, 4, 3), filters=(5, 4, 2))
    )
    assert edge(made) == {"ifmap": 72, "weight": 45, "psum": 40, "psum out": 40, "ofmap out": 20}
    assert made.array_macs == 4 * 9 * 5
    assert made.folds == 6
    assert made.mapping_efficiency == pytest.approx(45 / (6 * 16))


def test_the_same_conv_on_output_stationary_pes() -> None:
    # 4 pixels = 1 row fold, 5 filters = 2 column folds: the ifmap enters twice, weights once, nothing comes back.
    made = plan(
        conv(1, 5, 4, 3), chip(array_of(OS)), nest(OS, (P, W, F), pixels=(4, 4, 1), window=(9, 9, 1), filters=(5, 4, 2))
    )
    assert edge(made) == {"ifmap": 72, "weight": 45, "psum": 0, "psum out": 0, "ofmap out": 20}


def test_the_same_conv_on_input_stationary_pes() -> None:
    made = plan(
        conv(1, 5, 4, 3), chip(array_of(IS)), nest(IS, (P, W, F), pixels=(4, 4, 1), window=(9, 4, 3), filters=(5, 5, 1))
    )
    assert edge(made) == {"ifmap": 36, "weight": 45, "psum": 40, "psum out": 40, "ofmap out": 20}


@pytest.mark.parametrize(("keeps", "back"), [(True, 0), (False, 2 * 12)])
def test_psums_of_a_k_tile_stay_or_go_out_and_come_back(keeps, back) -> None:
    # 4 x 3 outputs, window 10 in k-tiles of 4, 4, 2: out and back twice where they do not stay.
    arch = chip(array_of(OS, k_tile=4, k_tile_keeps_psum=keeps))
    made = plan(matmul(4, 10, 3), arch, nest(OS, (P, W, F), pixels=(4, 4, 1), window=(10, 4, 3), filters=(3, 4, 1)))
    assert edge(made) == {"ifmap": 40, "weight": 30, "psum": back, "psum out": back, "ofmap out": 12}


def test_a_split_stream_loads_the_stationary_operand_again() -> None:
    # 8 pixels in 2 tiles outside 2 row folds: each weight tile of 16 is loaded twice.
    made = plan(
        matmul(8, 8, 4), chip(array_of(WS)), nest(WS, (P, W, F), pixels=(8, 4, 1), window=(8, 4, 2), filters=(4, 4, 1))
    )
    assert edge(made)["weight"] == 2 * 32


def test_a_stream_that_goes_on_loads_it_once() -> None:
    made = plan(
        matmul(8, 8, 4), chip(array_of(WS)), nest(WS, (W, F, P), pixels=(8, 4, 1), window=(8, 4, 1), filters=(4, 4, 1))
    )
    assert edge(made)["weight"] == 32


def test_psums_cross_at_every_step_but_where_they_stay() -> None:
    walk = walk_folds(nest(OS, (P, F, W), pixels=(8, 4, 1), window=(6, 3, 1), filters=(3, 4, 1)), pass_per_unit=True)
    enters, leaves = psum_leaves(walk, MATRIX_DATAFLOWS[OS], True)
    assert (enters.tolist(), leaves.tolist()) == ([True, False] * 2, [False, True] * 2)
    enters, leaves = psum_leaves(walk, MATRIX_DATAFLOWS[OS], False)
    assert (enters.tolist(), leaves.tolist()) == ([True] * 4, [True] * 4)
    enters, leaves = psum_leaves(walk, MATRIX_DATAFLOWS[WS], True)
    assert (enters.tolist(), leaves.tolist()) == ([True] * 4, [True] * 4)

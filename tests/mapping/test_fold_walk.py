import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.mapping.fold_walk import changed, walk_folds
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.tile_options import untiled_nest
from tests.mapping.hand_made import OS, WS, F, P, W, array_of, chip, conv, matmul, nest


def units(walk, *dims):
    return list(zip(*(walk.unit[dim].tolist() for dim in dims), strict=True))


def test_a_3x3_conv_walks_column_folds_outside_row_folds() -> None:
    # One channel, 4x4 ifmap, 3x3, 5 filters on 4x4 PEs: window 9 = 3 row folds of 4, 4, 1; filters = 2 column folds of 4, 1.
    work = array_work(conv(1, 5, 4, 3), chip(array_of(WS)))
    walk = walk_folds(untiled_nest(work))
    assert units(walk, F, W, P) == [(0, 0, 0), (0, 1, 0), (0, 2, 0), (1, 0, 0), (1, 1, 0), (1, 2, 0)]
    assert walk.size[W].tolist() == [4, 4, 1, 4, 4, 1]
    assert walk.size[F].tolist() == [4, 4, 4, 1, 1, 1]
    assert walk.size[P].tolist() == [4] * 6
    assert walk.start[W].tolist() == [0, 4, 8, 0, 4, 8]
    assert walk.starts_pass.all()
    assert walk.ends_pass.all()


def test_k_tiles_are_innermost_and_passes_of_their_own() -> None:
    # Window 10 in k-tiles of 4, 4, 2 on each of 2 x 1 folds; the stream goes on over the k-tiles of one fold.
    work = array_work(matmul(6, 10, 3), chip(array_of(OS, k_tile=4)))
    walk = walk_folds(untiled_nest(work), pass_per_unit=True)
    assert units(walk, F, P, W) == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (0, 1, 0), (0, 1, 1), (0, 1, 2)]
    assert walk.size[W].tolist() == [4, 4, 2, 4, 4, 2]
    assert walk.continues.tolist() == [False, True, True, False, True, True]
    assert walk.starts_pass.all()
    assert walk.ends_pass.all()


def test_groups_follow_each_other_and_never_continue_a_pass() -> None:
    # Each group: one fold whose stream of 6 is cut into 2 steps.
    walk = walk_folds(nest(WS, (P, W, F), groups=3, pixels=(6, 3, 2), window=(4, 4, 1), filters=(4, 4, 1)))
    assert walk.group.tolist() == [0, 0, 1, 1, 2, 2]
    assert walk.continues.tolist() == [False, True] * 3
    assert walk.starts_pass.tolist() == [True, False] * 3
    assert walk.ends_pass.tolist() == [False, True] * 3


def test_tile_loops_run_outside_folds_in_their_order() -> None:
    # Window 12 = 3 folds in tiles of 2 folds; filters 8 = 2 folds, one a tile; window tiles outermost.
    walk = walk_folds(nest(WS, (W, F, P), pixels=(5, 5, 1), window=(12, 4, 2), filters=(8, 4, 1)))
    assert units(walk, W, F) == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1)]
    assert walk.tile[W].tolist() == [0, 0, 0, 0, 1, 1]


def test_a_stream_that_other_folds_interrupt_starts_afresh() -> None:
    # 2 pixel tiles outside 2 window folds: after each tile the array turns to the other fold.
    walk = walk_folds(nest(WS, (P, W, F), pixels=(8, 4, 1), window=(8, 4, 2), filters=(4, 4, 1)))
    assert units(walk, P, W) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert walk.starts_pass.all()


def test_a_stream_whose_tiles_follow_on_one_fold_is_one_pass() -> None:
    walk = walk_folds(nest(WS, (W, F, P), pixels=(8, 4, 1), window=(8, 4, 1), filters=(4, 4, 1)))
    assert units(walk, W, P) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert walk.starts_pass.tolist() == [True, False, True, False]
    assert walk.ends_pass.tolist() == [False, True, False, True]


def test_changed_says_where_any_array_differs_from_the_step_before() -> None:
    assert changed(np.array([1, 1, 2, 2]), np.array([5, 5, 5, 6])).tolist() == [True, False, True, True]


cuts = st.tuples(st.integers(1, 12), st.integers(1, 5), st.integers(1, 3))
nests = st.builds(
    nest, st.sampled_from([WS, OS]), st.permutations([P, W, F]).map(tuple), groups=st.integers(1, 2),
    pixels=cuts, window=cuts, filters=cuts,
)  # fmt: skip


@settings(max_examples=150)
@given(made=nests, per_unit=st.booleans())
def test_every_mac_is_done_exactly_once(made, per_unit) -> None:
    walk = walk_folds(made, pass_per_unit=per_unit)
    done = np.zeros((made.groups, *(made.tiling[dim].size for dim in (P, W, F))), dtype=int)
    for step in range(len(walk)):
        cut = tuple(slice(walk.start[dim][step], walk.start[dim][step] + walk.size[dim][step]) for dim in (P, W, F))
        done[(walk.group[step], *cut)] += 1
    assert (done == 1).all()
    assert walk.starts_pass[0]
    assert walk.ends_pass[-1]
    assert walk.starts_pass.sum() == walk.ends_pass.sum()

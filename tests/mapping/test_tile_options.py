import numpy as np
import pytest

from archsim.arch.memory_level import DramLevel
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.tile_options import ORDERS, STREAMABLE, Stay, dim_tilings, tile_options, untiled_nest
from archsim.terms import Operand
from tests.mapping.hand_made import IS, OS, WS, F, P, W, array_of, chip, conv, matmul


def cut(work, dim) -> list[tuple[int, int]]:
    return [(tiling.unit, tiling.units_per_tile) for tiling in dim_tilings(work, dim)]


def test_spatial_dimensions_are_cut_into_whole_folds_largest_tiles_first() -> None:
    # Window 48 on 4 rows = 12 folds in 1, 2, 3, 4, 6, 8, 12 tiles: 12, 6, 4, 3, 2, 2, 1 folds each, doubles left out.
    work = array_work(matmul(5, 48, 7), chip(array_of(WS)))
    assert cut(work, W) == [(4, 12), (4, 6), (4, 4), (4, 3), (4, 2), (4, 1)]
    assert cut(work, F) == [(4, 2), (4, 1)]


def test_a_stream_is_cut_into_chunks_of_words() -> None:
    # 5 pixels in 1, 2, 3, 4, 5 parts: chunks of 5, 3, 2, 1.
    assert cut(array_work(matmul(5, 4, 4), chip(array_of(WS))), P) == [(5, 1), (3, 1), (2, 1), (1, 1)]
    assert cut(array_work(matmul(4, 5, 4), chip(array_of(OS))), W) == [(5, 1), (3, 1), (2, 1), (1, 1)]
    assert cut(array_work(matmul(4, 4, 5), chip(array_of(IS))), F) == [(5, 1), (3, 1), (2, 1), (1, 1)]


def test_streams_of_pixels_are_cut_at_line_ends() -> None:
    # 6x6 ifmap, 3x3: 4 lines of 4 pixels: 4, 2, 1 lines.
    assert cut(array_work(conv(1, 4, 6, 3), chip(array_of(WS))), P) == [(16, 1), (8, 1), (4, 1)]


def test_a_limited_stream_is_cut_into_groups_of_k_tiles() -> None:
    # Window 10 in k-tiles of 4 = 3 of them: all, 2, 1 a tile.
    assert cut(array_work(matmul(4, 10, 4), chip(array_of(OS, k_tile=4))), W) == [(4, 3), (4, 2), (4, 1)]


def test_every_combination_is_listed_once() -> None:
    work = array_work(matmul(5, 48, 7), chip(array_of(WS)))
    options = tile_options(work)
    assert len(options.order) == 4 * 6 * 2 * len(ORDERS) * len(Stay) ** len(STREAMABLE)
    rows = np.stack(
        [
            *(options.choice[dim] for dim in (P, W, F)),
            options.order,
            *options.streamed.values(),
            *options.whole.values(),
        ],
        axis=1,
    )
    assert len(np.unique(rows, axis=0)) == len(rows)


@pytest.mark.parametrize("capacity_bytes", [100, 10**9])
def test_cuts_do_not_depend_on_the_memories(capacity_bytes) -> None:
    slow = DramLevel(name="dram", bandwidth_bytes_per_cycle=0.1, latency_cycles=500)
    layer, array = conv(3, 9, 7, 3), array_of(WS)
    one, other = (
        tile_options(array_work(layer, arch))
        for arch in (chip(array), chip(array, capacity_bytes=capacity_bytes, dram=slow))
    )
    assert one.tilings == other.tilings
    assert set(one.order) == set(other.order)


def test_an_operand_stays_throughout_only_where_all_of_it_fits() -> None:
    # 4 x 8 ifmap words and 8 x 4 weights of 1 B, 4 x 4 psums of 4 B: 32, 32 and 64 B.
    shared = tile_options(array_work(matmul(4, 8, 4), chip(array_of(WS), capacity_bytes=33)))
    assert {operand: bool(shared.whole[operand].any()) for operand in STREAMABLE} == {
        Operand.IFMAP: True, Operand.WEIGHT: True, Operand.PSUM: False,
    }  # fmt: skip
    parts = tuple((operand, 32) for operand in STREAMABLE)
    own = tile_options(array_work(matmul(4, 8, 4), chip(array_of(WS), capacity_bytes=96, partition_bytes=parts)))
    for operand in (Operand.IFMAP, Operand.WEIGHT):  # room of its own for all of it
        assert own.whole[operand].any()
        assert not own.streamed[operand].any()
    assert not own.whole[Operand.PSUM].any()


def test_the_untiled_nest_has_one_tile_of_everything() -> None:
    made = untiled_nest(array_work(conv(3, 9, 7, 3, groups=3), chip(array_of(WS))))
    assert made.groups == 3
    assert [made.tiling[dim].tiles for dim in (P, W, F)] == [1, 1, 1]
    assert not made.streamed


def test_positions_and_tiles_are_read_per_option() -> None:
    options = tile_options(array_work(matmul(5, 48, 7), chip(array_of(WS))))
    for index in (0, 57, len(options.order) - 1):
        order = ORDERS[options.order[index]]
        assert [options.position(dim)[index] for dim in order] == [0, 1, 2]
        for dim in (P, W, F):
            assert options.tiles(dim)[index] == options.tilings[dim][options.choice[dim][index]].tiles

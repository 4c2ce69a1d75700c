import pytest

from archsim.mapping.loop_nest import DimTiling
from archsim.terms import Operand
from tests.mapping.hand_made import OS, WS, F, P, W, nest


@pytest.mark.parametrize(
    ("size", "unit", "per_tile", "units", "tiles"),
    [(9, 4, 1, 3, 3), (9, 4, 2, 3, 2), (9, 4, 3, 3, 1), (9, 4, 5, 3, 1), (8, 4, 1, 2, 2), (1, 4, 1, 1, 1)],
)
def test_partial_units_and_tiles_count_whole(size, unit, per_tile, units, tiles) -> None:
    tiling = DimTiling(size=size, unit=unit, units_per_tile=per_tile)
    assert (tiling.units, tiling.tiles) == (units, tiles)


@pytest.mark.parametrize(
    ("order", "window", "filters", "splits"),
    [
        ((W, F, P), (8, 4, 1), (4, 4, 1), False),  # the stream's tiles are innermost, one fold inside
        ((P, W, F), (4, 4, 1), (4, 4, 1), False),  # one fold in all
        ((P, W, F), (8, 4, 1), (4, 4, 1), True),  # window tiles turn inside the stream's
        ((P, W, F), (4, 4, 1), (8, 4, 1), True),  # filter tiles too
        ((W, F, P), (8, 4, 2), (4, 4, 1), True),  # two row folds in a tile share each stretch of the stream
        ((W, F, P), (4, 4, 1), (8, 4, 2), True),  # two column folds
    ],
)
def test_passes_are_split_where_other_folds_come_between_stream_tiles(order, window, filters, splits) -> None:
    assert nest(WS, order, pixels=(8, 4, 1), window=window, filters=filters).splits_passes is splits


def test_one_stream_tile_never_splits() -> None:
    assert not nest(WS, (P, W, F), pixels=(8, 4, 2), window=(8, 4, 1), filters=(8, 4, 1)).splits_passes


def test_the_nest_reads_as_loops_from_outermost_to_innermost() -> None:
    made = nest(OS, (F, W, P), groups=2, streamed={Operand.WEIGHT: 3, Operand.IFMAP: 2},
                pixels=(9, 4, 3), window=(10, 5, 1), filters=(8, 4, 1))  # fmt: skip
    assert made.lines() == [
        "for group in 2:",
        "  for filters tile in 2:  # tiles of 4",
        "    for window tile in 2:  # tiles of 5",
        "      for pixels fold in 3:  # row folds of 4",
        "        stream 5 window past pixels (rows) x filters (columns)",
        "# not kept on chip: ifmap, weight",
    ]


def test_an_untiled_layer_is_its_folds_and_its_stream() -> None:
    made = nest(WS, (P, W, F), pixels=(7, 7, 1), window=(9, 4, 3), filters=(5, 4, 2))
    assert made.lines() == [
        "for filters fold in 2:  # column folds of 4",
        "  for window fold in 3:  # row folds of 4",
        "    stream 7 pixels past window (rows) x filters (columns)",
    ]

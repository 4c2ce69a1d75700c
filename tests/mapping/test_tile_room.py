"""What fits, option by option; the case is 4 pixels, window 8 and 4 filters on 4x4 weight-stationary PEs."""

import numpy as np
import pytest

from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.tile_options import STREAMABLE, TileOptions, tile_options
from archsim.mapping.tile_room import copies_held, fitting_options
from archsim.mapping.tile_traffic import tile_traffic
from archsim.terms import Operand
from tests.mapping.hand_made import WS, F, P, W, array_of, chip, matmul
from tests.strategies import HELD, architecture

LAYER = matmul(4, 8, 4)


def fits(arch) -> tuple[TileOptions, np.ndarray]:
    work = array_work(LAYER, arch)
    options = tile_options(work)
    return options, fitting_options(work, options, tile_traffic(work, options))


def pick(options: TileOptions, *, window_tiles: int, streamed=()) -> np.ndarray:
    """Options of one pixel tile and one filter tile, no operand kept throughout where that is a choice."""
    chosen = (options.tiles(P) == 1) & (options.tiles(F) == 1) & (options.tiles(W) == window_tiles)
    for operand in STREAMABLE:
        chosen &= options.streamed[operand] == (operand in streamed)
        chosen &= ~options.whole[operand] | options.whole[operand].all()
    return chosen


@pytest.mark.parametrize(
    ("double_buffered", "window_tiles", "streamed", "least"),
    [
        # One tile each: ifmap 32 + weights 32 + outputs 16 words that come back once (2 window folds), 4 B each = 128 B.
        (True, 1, (), 128),
        (False, 1, (), 128),
        # Two window tiles: ifmap 16 + weights 16 B, two copies where double buffered; psums stay one tile.
        (True, 2, (), 2 * 16 + 2 * 16 + 64),
        (False, 2, (), 16 + 16 + 64),
        # A streamed ifmap needs a line of 4 rows a copy.
        (True, 1, (Operand.IFMAP,), 2 * 4 + 32 + 64),
        (False, 1, (Operand.IFMAP,), 4 + 32 + 64),
        # Streamed psums: a line of 4 columns of 4 B a copy.
        (True, 1, (Operand.PSUM,), 32 + 32 + 2 * 16),
    ],
)
def test_tiles_need_their_bytes_times_their_copies(double_buffered, window_tiles, streamed, least) -> None:
    for capacity_bytes, wanted in ((least, True), (least - 1, False)):
        options, fitting = fits(chip(array_of(WS), capacity_bytes=capacity_bytes, double_buffered=double_buffered))
        found = fitting[pick(options, window_tiles=window_tiles, streamed=streamed)]
        assert len(found) == 6  # loop orders
        assert (found == wanted).all()


def test_partitions_are_taken_apart() -> None:
    parts = {Operand.IFMAP: 32, Operand.WEIGHT: 32, Operand.PSUM: 64}
    for operand in parts:
        for short in (0, 1):
            shares = tuple((key, size - (short if key is operand else 0)) for key, size in parts.items())
            options, fitting = fits(chip(array_of(WS), capacity_bytes=1000, partition_bytes=shares))
            assert (fitting[pick(options, window_tiles=1)] == (not short)).all()


def test_room_for_kept_tensors_is_not_room_for_tiles() -> None:
    options, fitting = fits(chip(array_of(WS), capacity_bytes=128 + 50, keep_bytes=50))
    assert fitting[pick(options, window_tiles=1)].all()
    options, fitting = fits(chip(array_of(WS), capacity_bytes=128 + 50, keep_bytes=51))
    assert not fitting[pick(options, window_tiles=1)].any()


def test_an_operand_without_a_level_has_to_stream() -> None:
    glb = SramLevel(name="glb", capacity_bytes=10**6, holds=HELD - {Operand.WEIGHT})
    options, fitting = fits(architecture(array_of(WS), (glb,), DramLevel(name="dram", bandwidth_bytes_per_cycle=1.0)))
    assert fitting.any()
    assert options.streamed[Operand.WEIGHT][fitting].all()


def test_a_tile_that_stays_has_one_copy_and_two_where_tiles_come_and_go() -> None:
    for double_buffered, moving in ((True, 2), (False, 1)):
        work = array_work(LAYER, chip(array_of(WS), double_buffered=double_buffered))
        options = tile_options(work)
        held = copies_held(work, options, tile_traffic(work, options))
        assert set(held[Operand.WEIGHT][pick(options, window_tiles=1)]) == {1}
        assert set(held[Operand.WEIGHT][pick(options, window_tiles=2)]) == {moving}

"""The kernels of planar tiles: against numpy, against their own source, and the banks against DNNsim's formula."""

import numpy as np
import pytest

from archsim.engine.clocked_planar import run_clocked_planar
from archsim.kernels import planar_array, planar_tiles
from archsim.mapping.planar_counts import count_layer, tile_counts
from archsim.mapping.planar_shape import planar_shape
from tests.mapping.hand_made import conv
from tests.mapping.planar_chips import make_array, masks_of
from tests.oracles.planar_tiles import hashed

KERNELS = (
    (planar_tiles, ("bank_of", "count_tiles", "list_nonzero", "list_weights", "count_group_cycles", "_multiply")),
    (planar_array, ("bank_of", "step_planar_array", "first_psums", "_clock", "_compress_weights", "_compress_tiles", "_issue",
                    "_multiply", "_most", "_add")),
)  # fmt: skip


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    """All kernels as the plain Python they are written in."""
    for module, names in KERNELS:
        for name in names:
            kernel = getattr(module, name)
            monkeypatch.setattr(module, name, getattr(kernel, "py_func", kernel))
    monkeypatch.setattr("archsim.mapping.planar_counts.count_tiles", planar_tiles.count_tiles)


def test_every_psum_has_the_bank_of_the_published_formula() -> None:
    places = np.random.default_rng(0).integers(0, 600, (2_000, 3))
    banks = [planar_tiles.bank_of(*map(int, place)) for place in places]
    assert banks == [hashed(*map(int, place)) for place in places]
    assert set(banks) == set(range(32))


def test_tiles_are_counted_as_numpy_counts_them() -> None:
    layer = conv(3, 2, 13, 3, stride=(2, 1), padding=((1, 1), (0, 0)), batch=2)
    shape, (ifmap, _) = planar_shape(layer, make_array(3, 4)), masks_of(layer, 0.5, 1.0)
    counts = tile_counts(shape, ifmap[:1])  # tiles of 5 x 4
    assert counts.shape == (1, 3, 12, 2)
    rows = np.arange(13)
    for pe in range(12):
        for phase in range(2):
            of_rows = (rows // 5 == pe // 4) & ((rows + 1) % 2 == phase)
            of_columns = rows // 4 == pe % 4
            assert (counts[0, :, pe, phase] == ifmap[0][:, of_rows][:, :, of_columns].sum(axis=(1, 2))).all()


def run_all():
    layer, array = conv(3, 5, 7, 3, stride=(2, 1)), make_array(2, 2, bank_queue=2, banks=11)
    masks = masks_of(layer, 0.6, 0.7)
    counts = count_layer(layer, array, *masks)
    clocked = run_clocked_planar(layer, array, *(mask.astype(np.int64) for mask in masks))
    return counts.cycles, counts.conflict_cycles, clocked.total_cycles, clocked.stalled, clocked.ofmap.tolist()


def test_compiled_kernels_do_what_their_source_says(request: pytest.FixtureRequest) -> None:
    compiled = run_all()
    request.getfixturevalue("source")
    assert run_all() == compiled
    assert compiled[0] == compiled[2]

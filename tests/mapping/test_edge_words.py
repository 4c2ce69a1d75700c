"""Addresses at the array's edge against plain loops over the tensors."""

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings

from archsim.mapping.edge_words import NOTHING, Store, access_words, edge_samples, edge_shape
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS
from archsim.terms import Operand
from tests.mapping.hand_made import IS, OS, WS, F, P, W, conv, matmul, nest
from tests.strategies import conv_layers

BYTES = Store(word_bits=8, width_bytes=4, run_bytes=4)


def slow_ifmap(layer, store):
    """Bit address of every (pixel, window element), loop by loop."""
    channels, pitch = layer.in_channels // layer.groups, store.pitch_bits(prod(layer.ifmap))
    pixels = product(range(layer.batch), *map(range, layer.ofmap))
    taps = list(product(range(channels), *map(range, layer.kernel)))
    for image, *place in pixels:
        row = []
        for channel, *tap in taps:
            at = [
                p * s + t * d - before
                for p, s, t, d, (before, _) in zip(place, layer.stride, tap, layer.dilation, layer.padding, strict=True)
            ]
            stored = all(0 <= x < size for x, size in zip(at, layer.ifmap, strict=True))
            inside = int(np.ravel_multi_index(at, layer.ifmap)) if stored else 0
            row.append((image * channels + channel) * pitch + inside * store.word_bits if stored else NOTHING)
        yield row


@settings(max_examples=60, deadline=None)
@given(layer=conv_layers())
def test_every_tap_of_every_pixel_is_where_loops_find_it(layer) -> None:
    pixels, window = layer.gemm.pixels, layer.gemm.window
    found = edge_shape(layer).ifmap_bits(np.arange(pixels)[:, None], np.arange(window)[None, :], BYTES)
    assert found.tolist() == list(slow_ifmap(layer, BYTES))


@settings(max_examples=60, deadline=None)
@given(layer=conv_layers())
def test_every_ofmap_value_has_a_place_of_its_own(layer) -> None:
    pixels, filters = layer.gemm.pixels, layer.gemm.filters
    found = edge_shape(layer).ofmap_bits(np.arange(pixels)[:, None], np.arange(filters)[None, :], BYTES)
    assert len(np.unique(found)) == pixels * filters
    assert not (found % 8).any()


def test_planes_start_in_a_new_word_and_lines_follow_each_other() -> None:
    # 5 x 5 bytes of a plane take 7 words of 4; pixel (1, 0) of plane 1 lies at byte 28 + 5
    shape = edge_shape(conv(channels=2, filters=2, size=5, kernel=1))
    assert shape.ifmap_bits(np.array([5]), np.array([1]), BYTES).tolist() == [(28 + 5) * 8]
    assert shape.ofmap_bits(np.array([5]), np.array([1]), BYTES).tolist() == [(28 + 5) * 8]


def test_matrix_rows_lie_side_by_side_each_from_a_new_word() -> None:
    # 6 values of a row take 2 words of 4 bytes, 3 outputs one
    shape = edge_shape(matmul(10, 6, 3))
    assert shape.ifmap_bits(np.array([2]), np.arange(6), BYTES).tolist() == [(16 + k) * 8 for k in range(6)]
    assert shape.ofmap_bits(np.array([2]), np.arange(3), BYTES).tolist() == [(8 + k) * 8 for k in range(3)]


@pytest.mark.parametrize(
    ("bits", "width", "words"),
    [
        (8, 4, [[0, 0, 0, 0, 1]]),
        (4, 4, [[0, 0, 0, 0, 0]]),
        (32, 4, [[0, 1, 2, 3, 4]]),
    ],
)
def test_a_value_lies_in_the_words_that_hold_its_bits(bits, width, words) -> None:
    store = Store(word_bits=bits, width_bytes=width, run_bytes=width)
    found = store.access_words(np.arange(5, dtype=np.int64)[None, :] * bits)
    assert np.unique(found).tolist() == sorted(set(words[0]))
    assert found[:, :5].tolist() == words


def test_a_value_wider_than_a_word_takes_several() -> None:
    # 32 bits at byte 4, one byte a word: words 4 to 7; a gap stays a gap
    store = Store(word_bits=32, width_bytes=1, run_bytes=1)
    found = store.access_words(np.array([[32, NOTHING]], dtype=np.int64))
    assert sorted(set(found[0].tolist())) == [-1, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("dataflow", "ifmap", "ofmap"),
    [
        (WS, (P, W), (P, F)),  # pixels stream past window x filters
        (OS, (W, P), (P, F)),  # the window streams; results leave row by row
        (IS, (W, P), (F, P)),  # the ifmap loads row by row; filters stream
    ],
)
def test_wavefronts_are_what_streams_and_lanes_what_lies_across(dataflow, ifmap, ofmap) -> None:
    made = nest(dataflow, (P, W, F), pixels=(30, 4, 8), window=(20, 4, 5), filters=(12, 4, 3))
    for operand, dims in ((Operand.IFMAP, ifmap), (Operand.OFMAP, ofmap)):
        samples = edge_samples(operand, MATRIX_DATAFLOWS[dataflow], made)
        assert (samples.time.dim, samples.lanes.dim) == dims
        assert (samples.time.size, samples.lanes.size, samples.skipped) == (4, 4, 0)


def test_samples_are_spread_over_the_layer_and_start_where_units_do() -> None:
    # 7 whole units of 4 pixels and 5 of window: 8 samples of each, from the first to the last
    made = nest(WS, (P, W, F), pixels=(30, 4, 8), window=(20, 4, 5), filters=(12, 4, 3))
    samples = edge_samples(Operand.IFMAP, MATRIX_DATAFLOWS[WS], made)
    assert samples.time.starts == (0, 4, 8, 12, 12, 16, 20, 24)
    assert samples.lanes.starts == (0, 0, 4, 8, 8, 12, 16, 16)
    assert samples.values == 8 * 4 * 4
    words = access_words(Operand.IFMAP, edge_shape(matmul(30, 20, 12)), samples, BYTES)
    assert words.shape == (32, 4)
    assert words[12].tolist() == [12 * 5 + 2] * 4  # pixel 12: rows of 20 bytes = 5 words; elements 8 to 11


def test_a_layer_of_one_step_is_one_sample() -> None:
    made = nest(WS, (P, W, F), pixels=(3, 3, 1), window=(2, 4, 1), filters=(4, 4, 1))
    samples = edge_samples(Operand.IFMAP, MATRIX_DATAFLOWS[WS], made)
    assert (samples.time.starts, samples.time.size) == ((0,), 3)
    assert (samples.lanes.starts, samples.lanes.size) == ((0,), 2)


def test_of_a_long_step_pieces_are_taken_that_begin_in_its_middle() -> None:
    # 30 pieces of 33 of 1000 pixels; the first wavefront of each only leaves its words at the edge
    made = nest(WS, (P, W, F), pixels=(1000, 1000, 1), window=(4, 4, 1), filters=(4, 4, 1))
    samples = edge_samples(Operand.IFMAP, MATRIX_DATAFLOWS[WS], made)
    assert (len(samples.time.starts), samples.time.size, samples.skipped) == (8, 33, 1)
    assert samples.values == 8 * 32 * 4

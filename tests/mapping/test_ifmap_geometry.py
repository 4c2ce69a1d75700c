from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.mapping.ifmap_geometry import ifmap_geometry
from archsim.workload.layer import ConvLayer
from tests.strategies import conv_layers


def touched_positions(layer: ConvLayer) -> set[tuple[int, ...]]:
    """Every (image, position...) that some window reads, padding left out: the obvious way."""
    touched = set()
    for image, *pixel in product(range(layer.batch), *map(range, layer.ofmap)):
        for tap in product(*map(range, layer.kernel)):
            at = [
                p * s - before + t * d
                for p, s, (before, _), t, d in zip(pixel, layer.stride, layer.padding, tap, layer.dilation, strict=True)
            ]
            if all(0 <= position < size for position, size in zip(at, layer.ifmap, strict=True)):
                touched.add((image, *at))
    return touched


@settings(max_examples=100, deadline=None)
@given(layer=conv_layers())
def test_unique_words_are_the_positions_that_windows_touch(layer) -> None:
    # Touched positions form a grid: the product of what each axis touches.
    expected = len(touched_positions(layer)) * (layer.in_channels // layer.groups)
    assert ifmap_geometry(layer).unique_words == expected


@settings(max_examples=60, deadline=None)
@given(layer=conv_layers(), data=st.data())
def test_line_ranges_cover_what_their_windows_touch(layer, data) -> None:
    geometry = ifmap_geometry(layer)
    pixels = layer.gemm.pixels
    start = data.draw(st.integers(0, pixels - 1))
    size = data.draw(st.integers(1, pixels - start))
    first, last = geometry.line_ranges(np.array([start]), np.array([size]))
    whole_first, whole_last = geometry.line_ranges(np.array([0]), np.array([pixels]))
    assert whole_first[0] <= first[0] <= last[0] <= whole_last[0]


def test_a_strided_1x1_kernel_touches_a_quarter_of_the_ifmap() -> None:
    layer = ConvLayer(name="c", in_channels=3, out_channels=1, ifmap=(8, 8), kernel=(1, 1), stride=(2, 2),
                      padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    assert ifmap_geometry(layer).unique_words == 3 * 4 * 4


def test_channels_of_a_window_range_round_outwards() -> None:
    layer = ConvLayer(name="c", in_channels=4, out_channels=1, ifmap=(8, 8), kernel=(3, 3), stride=(1, 1),
                      padding=((0, 0), (0, 0)), dilation=(1, 1))  # fmt: skip
    # Window 36 = 4 channels of 9 taps: elements 8..18 lie in channels 0, 1 and 2.
    first, last = ifmap_geometry(layer).channel_ranges(np.array([8]), np.array([11]), 36)
    assert (first[0], last[0]) == (0, 3)

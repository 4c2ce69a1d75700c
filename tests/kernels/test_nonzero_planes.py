"""Nonzero values per place of a plane, and the scan of a row, against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.kernels.nonzero_planes import MOST_SUMS, SPAN, count_nonzero_planes
from archsim.kernels.pixel_scan import scan_rows


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1),
        (2, 3, 1),
        (3, 300, 7),
        (1, 2 * MOST_SUMS + 3, SPAN),
        (2, 5, SPAN + 17),
        (1, 700, 49),
        (1, 64, 2 * SPAN),
    ],
)
@pytest.mark.parametrize("density", [0.0, 0.5, 1.0])
def test_every_nonzero_byte_is_counted_at_its_place(shape: tuple[int, int, int], density: float) -> None:
    """At density 1 sums of 8 bits are as full as they can be."""
    draw = np.random.default_rng(1)
    values = (draw.integers(1, 256, shape) * (draw.random(shape) < density)).astype(np.uint8)
    counts = np.full((shape[0], shape[2]), 5, dtype=np.int64)
    count_nonzero_planes(values, counts)
    np.testing.assert_array_equal(counts - 5, (values != 0).sum(axis=1))


def scan(pixels: list[int], window: int, fifo: int) -> int:
    """The front end in words: look at window + 1 places, stop before a pixel without room, hand one pixel over."""
    waiting, cycles = [], 0
    while pixels or waiting:
        looked = 0
        while pixels and looked <= window and not (pixels[0] and len(waiting) == fifo + 1):
            looked += 1
            if pixels.pop(0):
                waiting.append(1)
        waiting = waiting[1:]
        cycles += 1
    return cycles


@settings(max_examples=300, deadline=None)
@given(pixels=st.lists(st.integers(0, 1), min_size=1, max_size=40), window=st.integers(1, 6), fifo=st.integers(0, 4))
def test_a_row_is_scanned_as_its_front_end_says_and_never_takes_longer_than_its_places(pixels, window, fifo) -> None:
    row = np.array([pixels], dtype=np.uint8)
    found = int(scan_rows(row, np.arange(len(pixels)), window, fifo, 0)[0])
    free = int(scan_rows(row, np.arange(len(pixels)), len(pixels), fifo, 0)[0])
    assert free == sum(pixels) <= found <= len(pixels)
    if window < len(pixels):
        assert found == scan(list(pixels), window, fifo)

"""How the ifmap words of neighbouring windows overlap.

Every tile of the ifmap is a range of channels times a range of *lines*: the ifmap rows that some
ofmap rows need, whole along the other axes. The count is exact for any stride, dilation and padding:
padding is never stored or fetched, and rows that no window touches are left out.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IfmapGeometry:
    """Ifmap of one group.

    Parameters
    ----------
    channels
        Input channels of the group.
    line_pixels
        Ofmap pixels of one line (one row of one image; one plane of a 3-D layer), or of a band of lines that are worked
        on together.
    line_words
        Ifmap positions that one ifmap line has, untouched ones left out. [words per channel]
    images
        Images, all alike.
    first, last
        Shape (lines of one image,), or bands: the half-open range of touched ifmap lines that each of them needs.
    image_pixels
        Ofmap pixels of one image; 0 = all its lines, or bands, are whole.
    """

    channels: int
    line_pixels: int
    line_words: int
    images: int
    first: IntArray
    last: IntArray
    image_pixels: int = 0

    @property
    def image_lines(self) -> int:
        """Lines that an image takes where only touched ones are stored; 1 where none is."""
        return max(1, int(self.last[-1]))

    @property
    def touched_lines(self) -> int:
        """Ifmap lines of all images that any window touches."""
        return self.images * int(self.last[-1])

    @property
    def unique_words(self) -> int:
        """Ifmap words of the group that any window touches. [words]"""
        return self.channels * self.line_words * self.touched_lines

    def line_ranges(self, start: IntArray, size: IntArray) -> tuple[IntArray, IntArray]:
        """Return the touched ifmap lines, half-open, of pixel ranges ``start .. start + size``.

        Lines are numbered over all images.
        """
        return self._line(self.first, start), self.line_after(start + size - 1)

    def line_after(self, pixel: IntArray) -> IntArray:
        """Return the first touched ifmap line behind those that a pixel needs."""
        return self._line(self.last, pixel)

    def _line(self, of_image: IntArray, pixel: IntArray) -> IntArray:
        image, place = np.divmod(pixel, self.image_pixels or self.line_pixels * len(of_image))
        lines: IntArray = image * int(self.last[-1]) + of_image[place // self.line_pixels]
        return lines

    def channel_ranges(self, start: IntArray, size: IntArray, window: int) -> tuple[IntArray, IntArray]:
        """Return the channels, half-open, of window ranges; channels vary slowest in a window."""
        return start * self.channels // window, -(-(start + size) * self.channels // window)


def ifmap_geometry(layer: ArrayLayer, band: int = 1) -> IfmapGeometry:
    """Describe a layer's ifmap, one group of it; ``band`` ofmap lines are worked on together."""
    if not isinstance(layer, ConvLayer):
        one = np.zeros(1, dtype=np.int64)  # every row of the matrix is an image of one line
        return IfmapGeometry(
            channels=layer.inner, line_pixels=1, line_words=1, images=layer.rows, first=one, last=one + 1
        )
    rank, starts, stops = _touched(layer, 0)
    last = np.minimum(np.arange(0, layer.ofmap[0], band, dtype=np.int64) + band, layer.ofmap[0]) - 1
    return IfmapGeometry(
        channels=layer.in_channels // layer.groups,
        line_pixels=band * prod(layer.ofmap[1:]),
        image_pixels=prod(layer.ofmap),
        line_words=prod(int(_touched(layer, axis)[0][-1]) for axis in range(1, len(layer.ifmap))),
        images=layer.batch,
        first=rank[starts[::band]],
        last=rank[stops[last]],
    )


def _touched(layer: ConvLayer, axis: int) -> tuple[IntArray, IntArray, IntArray]:
    """Rank of each position among the touched ones, and the clipped span of each window."""
    size, kernel, dilation = layer.ifmap[axis], layer.kernel[axis], layer.dilation[axis]
    origin = np.arange(layer.ofmap[axis], dtype=np.int64) * layer.stride[axis] - layer.padding[axis][0]
    taps = (origin[:, None] + np.arange(kernel, dtype=np.int64) * dilation).ravel()
    mask = np.zeros(size, dtype=bool)
    mask[taps[(taps >= 0) & (taps < size)]] = True
    rank = np.concatenate([[0], np.cumsum(mask)]).astype(np.int64)
    return rank, np.clip(origin, 0, size), np.clip(origin + (kernel - 1) * dilation + 1, 0, size)

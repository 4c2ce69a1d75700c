"""A layer as a channel-parallel array takes it: what is stored, what is multiplied, what padding costs.

Called by `channel_parallel.py`. All counts are of one of the layer's groups unless they say otherwise.

A layer with a stride is stored with its stride x stride neighbours as channels, kernels rounded up to whole
strides; of such a kernel only the real taps are multiplied, and the channels of each, padded to whole
channel atoms, take stride x stride taps at a time. So a tap takes ``padded(channels x stride^2) / stride^2`` slots, a
slot being one multiplier for one cycle [1]_.

References
----------
.. [1] nvdla/hw, perf/NVDLA_OpenSource_Performance.xlsx: every row of its AlexNet and ResNet-50 sheets.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.channel_atoms import ChannelAtoms
from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]
WINOGRAD_KERNEL, WINOGRAD_TILE = 3, 2
"""F(2 x 2, 3 x 3), the only size there is: nested minimal filtering of 2 outputs and 3 taps along two axes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelShape:
    """One group of a layer.

    Parameters
    ----------
    groups
        Of the layer, all alike.
    images, line_pixels
        Images, all alike; ofmap pixels of a line: a row of an image, a plane of a 3-D layer.
    line_words
        Words that a line of the ifmap is stored in, all channels, also what no window touches. [words]
    first, last
        Shape (ofmap lines of an image,): the half-open range of ifmap lines that each of them needs; together they
        need all lines.
    filters
        Real ones.
    filter_atom
        Multiple that the filters of a convolution take of the array; 1 for a matrix.
    ofmap_atom
        Multiple that ofmap channels are stored in.
    filter_words
        Weights that a filter is stored in. [words]
    products
        Multiplications behind one ofmap value, without padding; of Winograd the mean.
    slots
        Multiplier cycles that one ofmap value takes, padding included.
    """

    groups: int
    images: int
    line_pixels: int
    line_words: int
    first: IntArray
    last: IntArray
    filters: int
    filter_atom: int
    ofmap_atom: int
    filter_words: int
    products: Fraction
    slots: Fraction

    @property
    def lines(self) -> int:
        """Ofmap lines of all images."""
        return self.images * len(self.first)

    @property
    def pixels(self) -> int:
        """Ofmap pixels of all images."""
        return self.lines * self.line_pixels

    @property
    def padded_filters(self) -> int:
        """Filters that the array takes."""
        return padded(self.filters, self.filter_atom)

    @property
    def multiplications(self) -> int:
        """Of all groups, without padding."""
        return int(self.groups * self.pixels * self.filters * self.products)

    def width(self, atoms: ChannelAtoms, columns: int) -> int:
        """Columns that can work in one cycle."""
        if atoms.pixels_across:
            return columns
        return min(columns, self.padded_filters)

    def ifmap_lines(self, first: IntArray, count: IntArray) -> tuple[IntArray, IntArray]:
        """Return the ifmap lines, half-open and numbered over all images, of ranges of ofmap lines."""
        return self._line(self.first, first), self._line(self.last, first + count - 1)

    def _line(self, of_image: IntArray, line: IntArray) -> IntArray:
        image, place = np.divmod(line, len(of_image))
        lines: IntArray = image * int(self.last[-1]) + of_image[place]
        return lines


def channel_shape(layer: ArrayLayer, atoms: ChannelAtoms) -> ChannelShape:
    """Describe a layer.

    Parameters
    ----------
    layer
        Shapes resolved.
    atoms
        Of the array.

    Notes
    -----
    Winograd tiles that reach over an ofmap's edge count by their real pixels, as NVIDIA's sheet counts them.
    """
    gemm, atom = layer.gemm, atoms.filter_atom
    if not isinstance(layer, ConvLayer):
        stored, one = padded(layer.inner, atoms.stored_channels), np.zeros(1, dtype=np.int64)
        return ChannelShape(
            groups=gemm.groups, images=layer.rows, line_pixels=1, line_words=stored, first=one, last=one + 1,
            filters=gemm.filters, filter_atom=1, ofmap_atom=atom, filter_words=stored, products=Fraction(gemm.window),
            slots=Fraction(padded(gemm.window, atoms.channel_atom)),
        )  # fmt: skip
    channels, steps = layer.in_channels // layer.groups, prod(layer.stride)
    gain = winograd_gain(layer) if atoms.winograd else Fraction(1)
    stored = padded(channels, atoms.stored_channels)
    taps = prod(-(-kernel // stride) for kernel, stride in zip(layer.kernel, layer.stride, strict=True)) * steps
    if gain != 1:
        taps = (WINOGRAD_KERNEL + WINOGRAD_TILE - 1) ** 2
    first, last = whole_lines(layer)
    return ChannelShape(
        groups=layer.groups, images=layer.batch, line_pixels=prod(layer.ofmap[1:]),
        line_words=stored * prod(layer.ifmap[1:]), first=first, last=last,
        filters=gemm.filters, filter_atom=atom, ofmap_atom=atom, filter_words=stored * taps, products=gemm.window / gain,
        slots=Fraction(prod(layer.kernel) * padded(channels * steps, atoms.channel_atom), steps) / gain,
    )  # fmt: skip


def winograd_gain(layer: ConvLayer) -> Fraction:
    """Return the multiplications of a layer per multiplication in Winograd's domain; 1 where it does not apply."""
    fits = layer.kernel == (WINOGRAD_KERNEL,) * 2 and set(layer.stride) == set(layer.dilation) == {1}
    return Fraction(WINOGRAD_TILE * WINOGRAD_KERNEL, WINOGRAD_TILE + WINOGRAD_KERNEL - 1) ** 2 if fits else Fraction(1)


def padded(size: int, atom: int) -> int:
    """Round up to whole atoms."""
    return -(-size // atom) * atom


def whole_lines(layer: ConvLayer) -> tuple[IntArray, IntArray]:
    """Return the ifmap lines that each ofmap line of an image needs; the last one takes what is left."""
    size, stride = layer.ifmap[0], layer.stride[0]
    reach = padded((layer.kernel[0] - 1) * layer.dilation[0] + 1, stride)
    origin = np.arange(layer.ofmap[0], dtype=np.int64) * stride - layer.padding[0][0]
    last = np.clip(origin + reach, 0, size)
    last[-1] = size
    return np.clip(origin, 0, size), last

"""A layer as an array that broadcasts pixels takes it: rows of pixels, sets of PEs, segments and blocks of ofmap rows.

Called by `pixel_broadcast.py`. A pixel of a row of the ifmap meets up to ceil(kernel width / stride) neighbouring ofmap values,
so that many PEs are a set: each keeps every so manieth psum of the row, and multiplies the pixel by the tap that links
the two [1]_. A matrix product is a convolution of 1 x 1 kernels: its rows are the pixels, its inner dimension the channels.

References
----------
.. [1] A. Ardakani, C. Condo, W. Gross, Fast and efficient convolutional accelerator for edge computing, IEEE Trans.
   Computers 69(1), 2020; abstract read, the rest after a description of its dataflow.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, gcd, prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAxis:
    """One spatial axis of the layer."""

    ifmap: int
    ofmap: int
    kernel: int
    stride: int
    dilation: int
    padding: int
    """Before the first value."""

    def places(self, windows: IntArray, taps: IntArray) -> IntArray:
        """Return the ifmap places of taps (last axis) of windows, padding below 0 or beyond the ifmap."""
        at: IntArray = windows[..., None] * self.stride + taps * self.dilation - self.padding
        return at


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastShape:
    """A layer, and how the array cuts it.

    Parameters
    ----------
    images, groups, channels, filters
        Images; groups; channels and filters of a group.
    lines
        Axes of the ofmap but the last: one pass of a stream per tap of them.
    row
        The axis along which pixels stream.
    set_pes
        PEs that share an ofmap row: the most ofmap values that one pixel meets.
    sets
        Sets of the array: filters that it works on at a time.
    tap_parts
        First tap of each part of a filter row, and behind the last one the row's width; more than one part where a tile has
        fewer PEs than a set would need. Each part is streamed by itself.
    segments
        First ofmap value of each segment of a row, and behind the last one the row's length.
    block_lines
        Ofmap lines that the psum registers hold together, where a row is one segment.
    """

    images: int
    groups: int
    channels: int
    filters: int
    lines: tuple[RowAxis, ...]
    row: RowAxis
    set_pes: int
    sets: int
    tap_parts: tuple[int, ...]
    segments: tuple[int, ...]
    block_lines: int

    @property
    def ofmap_lines(self) -> int:
        """Ofmap lines of an image and filter."""
        return prod(axis.ofmap for axis in self.lines)

    @property
    def line_taps(self) -> int:
        """Filter rows of a channel."""
        return prod(axis.kernel for axis in self.lines)

    @property
    def blocks(self) -> int:
        """Blocks of ofmap lines of an image."""
        return -(-self.ofmap_lines // self.block_lines)

    @property
    def parts(self) -> tuple[IntArray, ...]:
        """Taps of each part of a filter row."""
        return tuple(np.arange(first, last) for first, last in pairwise(self.tap_parts))

    def columns(self, segment: int, part: int) -> IntArray:
        """Return the places of the row that a part's taps touch for a segment, in order, padding included."""
        outputs = np.arange(self.segments[segment], self.segments[segment + 1])
        return np.unique(self.row.places(outputs, self.parts[part]))

    def line_index(self) -> IntArray:
        """Return the ifmap line of each (ofmap line, filter row); -1 = a line of padding."""
        index = np.zeros((1, 1), dtype=np.int64)
        for axis in self.lines:
            at = axis.places(np.arange(axis.ofmap), np.arange(axis.kernel))
            inside = np.where((at < 0) | (at >= axis.ifmap), -1, at)
            joined = index[:, None, :, None] * axis.ifmap + inside[None, :, None, :]
            joined[(index < 0)[:, None, :, None] | (inside < 0)[None, :, None, :]] = -1
            index = joined.reshape(len(index) * axis.ofmap, -1)
        return index

    def passes(self, pixel_streams: int) -> Fraction:
        """Return how often a group's pixels stream: a last pass of few filters takes its share where other rows can stream beside it.

        Parameters
        ----------
        pixel_streams
            Rows of pixels that the array takes at the same time; with 1 every pass is whole.
        """
        whole, rest = divmod(self.filters, self.sets)
        share = max(Fraction(rest, self.sets), Fraction(1, pixel_streams)) if rest else Fraction(0)
        return whole + share


def broadcast_shape(layer: ArrayLayer, array: PeArray) -> BroadcastShape:
    """Cut a layer for an array of tiles (rows) of PEs (columns)."""
    axes = _axes(layer)
    row, lines = axes[-1], axes[:-1]
    most_taps = _most_taps(row, array.columns)
    parts = -(-row.kernel // most_taps)
    tap_parts = tuple(part * row.kernel // parts for part in range(parts + 1))
    longest = max(last - first for first, last in pairwise(tap_parts))
    set_pes = _meetings(row, longest)
    registers = array.require_tiles().psum_registers
    segments = -(-row.ofmap // registers)
    groups = layer.gemm.groups
    return BroadcastShape(
        images=layer.batch if isinstance(layer, ConvLayer) else 1,
        groups=groups,
        channels=layer.in_channels // groups if isinstance(layer, ConvLayer) else layer.inner,
        filters=layer.gemm.filters,
        lines=lines,
        row=row,
        set_pes=set_pes,
        sets=array.rows * (array.columns // set_pes),
        tap_parts=tap_parts,
        segments=tuple(part * row.ofmap // segments for part in range(segments + 1)),
        block_lines=min(max(1, registers // row.ofmap), prod(axis.ofmap for axis in lines)) if segments == 1 else 1,
    )


def psum_stride(row: RowAxis) -> int:
    """Return the distance of ofmap values that one pixel meets; their set's PEs take such values in turn."""
    return row.dilation // gcd(row.stride, row.dilation)


def _axes(layer: ArrayLayer) -> tuple[RowAxis, ...]:
    if not isinstance(layer, ConvLayer):
        return (RowAxis(ifmap=layer.rows, ofmap=layer.rows, kernel=1, stride=1, dilation=1, padding=0),)
    return tuple(
        RowAxis(ifmap=ifmap, ofmap=ofmap, kernel=kernel, stride=stride, dilation=dilation, padding=padding[0])
        for ifmap, ofmap, kernel, stride, dilation, padding in zip(
            layer.ifmap, layer.ofmap, layer.kernel, layer.stride, layer.dilation, layer.padding, strict=True
        )
    )


def _meetings(row: RowAxis, taps: int) -> int:
    """Return the most ofmap values that a pixel meets through so many neighbouring taps."""
    return ceil(Fraction(taps * gcd(row.stride, row.dilation), row.stride))


def _most_taps(row: RowAxis, pes: int) -> int:
    """Return the most neighbouring taps whose ofmap values so many PEs can hold."""
    return max(1, min(row.kernel, pes * row.stride // gcd(row.stride, row.dilation)))

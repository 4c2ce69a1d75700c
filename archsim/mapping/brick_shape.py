"""A layer as an array of brick lanes takes it: its windows, their bricks, and what the memories around the array see.

Called by `brick_lanes.py` and `brick_work.py`. To the memories such an array is a channel-parallel one whose atoms are the
whole array: lines of the ifmap with all channels, filters by the array's columns; so its loops are those of `channel_tiles.py`.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.channel_atoms import ChannelAtoms
from archsim.arch.pe_array import PeArray
from archsim.mapping.channel_shape import ChannelShape, padded, whole_lines
from archsim.terms import Dataflow
from archsim.workload.layer import ArrayLayer, ConvLayer

BoolArray = NDArray[np.bool_]
PlaceArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BrickShape:
    """A layer on the lanes; all counts are of one group.

    Parameters
    ----------
    memory
        As the memories see it; one of its slots is one lane of one column for one cycle, in lock step.
    images
        Whose places are numbered alike.
    channels, taps
        Values and places behind a window.
    passes
        Times that all windows go by: once per columns' worth of filters.
    lanes
        Of the array.
    """

    memory: ChannelShape
    images: int
    channels: int
    taps: int
    passes: int
    lanes: int

    @property
    def window_cycles(self) -> int:
        """Cycles of a window in lock step: a value of each of ``lanes`` channels, tap by tap. [cycles]"""
        return self.taps * -(-self.channels // self.lanes)

    @property
    def dense_cycles(self) -> int:
        """Cycles of the layer in lock step, all groups. [cycles]"""
        return self.memory.groups * self.passes * self.memory.pixels * self.window_cycles


def brick_shape(layer: ArrayLayer, array: PeArray) -> BrickShape:
    """Describe a layer for an array of lanes (rows) x filters (columns)."""
    gemm, groups = layer.gemm, layer.gemm.groups
    is_conv = isinstance(layer, ConvLayer)
    channels = layer.in_channels // groups if isinstance(layer, ConvLayer) else layer.inner
    taps = prod(layer.kernel) if isinstance(layer, ConvLayer) else 1
    one = np.zeros(1, dtype=np.int64)
    first, last = whole_lines(layer) if isinstance(layer, ConvLayer) else (one, one + 1)
    memory = ChannelShape(
        groups=groups, images=layer.batch if isinstance(layer, ConvLayer) else layer.rows,
        line_pixels=prod(layer.ofmap[1:]) if isinstance(layer, ConvLayer) else 1,
        line_words=channels * (prod(layer.ifmap[1:]) if isinstance(layer, ConvLayer) else 1), first=first, last=last,
        filters=gemm.filters, filter_atom=array.columns, ofmap_atom=1, filter_words=gemm.window,
        products=Fraction(gemm.window), slots=Fraction(taps * padded(channels, array.rows)),
    )  # fmt: skip
    return BrickShape(
        memory=memory, images=memory.images if is_conv else 1, channels=channels, taps=taps,
        passes=-(-gemm.filters // array.columns), lanes=array.rows,
    )  # fmt: skip


def memory_view(arch: Architecture) -> Architecture:
    """Return the chip with a channel-parallel array in place of its lanes: what the loops of `channel_tiles.py` ask about."""
    array = arch.pe_array
    atoms = ChannelAtoms(channel_atom=array.rows, filter_atom=array.columns, pixels_across=False)
    alike = PeArray(rows=array.rows, columns=array.columns, dataflow=Dataflow.CHANNEL_PARALLEL, atoms=atoms)
    return replace(arch, pe_array=alike)


def by_place(layer: ArrayLayer, nonzero: BoolArray) -> NDArray[np.uint8]:
    """Lay a mask of `mask_shape` out as bytes, shape (images, groups, channels, places)."""
    if not isinstance(layer, ConvLayer):
        return np.ascontiguousarray(nonzero.swapaxes(1, 2)).view(np.uint8)[None]
    shape = (layer.batch, layer.groups, layer.in_channels // layer.groups, prod(layer.ifmap))
    return np.ascontiguousarray(nonzero).view(np.uint8).reshape(shape)


def window_places(layer: ArrayLayer) -> PlaceArray:
    """Return the place of an image that each tap of each window reads, shape (windows, taps); -1 = padding.

    Windows and taps are in C order.
    """
    if not isinstance(layer, ConvLayer):
        return np.arange(layer.rows, dtype=np.int32)[:, None]
    places = np.zeros((1, 1), dtype=np.int32)
    for axis, size in enumerate(layer.ifmap):
        windows = np.arange(layer.ofmap[axis], dtype=np.int32) * layer.stride[axis] - layer.padding[axis][0]
        at = windows[:, None] + np.arange(layer.kernel[axis], dtype=np.int32) * layer.dilation[axis]
        inside = (at >= 0) & (at < size)
        joined = places[:, None, :, None] * size + at[None, :, None, :]
        joined[~((places >= 0)[:, None, :, None] & inside[None, :, None, :])] = -1
        places = np.ascontiguousarray(joined.reshape(len(places) * len(at), -1))
    return places

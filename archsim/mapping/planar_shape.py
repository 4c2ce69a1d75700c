"""A layer as planar tiles: which PE keeps which part of the plane, and how many filters share a pass over it.

Called by `planar_counts.py` and `planar_tiles.py`, and by `engine/clocked_planar.py`. Each PE keeps a tile of every ifmap plane; the
products of its values with a kernel reach past the tile, by a halo on the ofmap [1]_. With a stride of U, values and taps are
split by their place modulo U on each axis: only values and taps of the same phase meet.

A matrix product is a 1 x 1 convolution: its rows are the pixels, spread over all PEs, its inner dimension the channels. A
single image of a fully connected layer so keeps one PE busy, with one value per vector: the scheme is not made for it.

References
----------
.. [1] A. Parashar et al., SCNN: an accelerator for compressed-sparse convolutional neural networks, ISCA 2017; after a
   description of its dataflow.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.planar_pe import FilterGroup, Halo, PlanarPe
from archsim.errors import MappingError
from archsim.workload.layer import ArrayLayer, ConvLayer

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
DOT_FILTERS = 64
"""Filters that an array of dot products is counted by, step after step; they move no cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneAxis:
    """One axis of the planes, cut over one side of the array.

    Parameters
    ----------
    ifmap, ofmap, kernel, stride, dilation
        Of the layer.
    padding
        Before the first value, and behind the last one.
    pes
        Of the array along this axis.
    tiles_padding
        The plane is cut with its padding.
    even_tiles
        It is cut as evenly as it can be, not in tiles of ceil(side / PEs).
    """

    ifmap: int
    ofmap: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    padding: tuple[int, int] = (0, 0)
    pes: int = 1
    tiles_padding: bool = False
    even_tiles: bool = False

    @property
    def tile(self) -> int:
        """Places of the largest tile of a PE; others may have fewer, or none."""
        return -(-self._side // self.pes)

    @property
    def edges(self) -> IntArray:
        """First ifmap place of each PE's tile, and behind the last one the end; shape (PEs + 1,)."""
        at = np.arange(self.pes + 1, dtype=np.int64)
        cut = at * self._side // self.pes if self.even_tiles else at * self.tile
        return np.clip(cut - (self.padding[0] if self.tiles_padding else 0), 0, self.ifmap)

    @property
    def _side(self) -> int:
        """Places that are cut."""
        return self.ifmap + (sum(self.padding) if self.tiles_padding else 0)

    @property
    def ofmap_tile(self) -> int:
        """Ofmap places of a PE where the ofmap is cut in the same way."""
        return -(-self.ofmap // self.pes)

    @property
    def reach(self) -> int:
        """Most ofmap places that the products of a tile belong to, halo included."""
        return -(-(self.tile + (self.kernel - 1) * self.dilation) // self.stride)

    @property
    def pe(self) -> IntArray:
        """PE of each ifmap place."""
        found: IntArray = np.searchsorted(self.edges, np.arange(self.ifmap, dtype=np.int64), side="right") - 1
        return found

    @property
    def place_phase(self) -> IntArray:
        """Phase of each ifmap place, 0 .. stride - 1."""
        return (np.arange(self.ifmap, dtype=np.int64) + self.padding[0]) % self.stride

    @property
    def tap_phase(self) -> IntArray:
        """Phase of each tap."""
        return np.arange(self.kernel, dtype=np.int64) * self.dilation % self.stride

    @property
    def place_step(self) -> IntArray:
        """Ofmap place at which tap 0 would meet each ifmap place; less `tap_step` it is a product's own."""
        return (np.arange(self.ifmap, dtype=np.int64) + self.padding[0]) // self.stride

    @property
    def tap_step(self) -> IntArray:
        """Ofmap places that a tap lies before tap 0 of its phase."""
        return np.arange(self.kernel, dtype=np.int64) * self.dilation // self.stride

    @property
    def halo(self) -> tuple[int, int]:
        """Widths of the halo before and behind a tile as DNNsim has them: strides are not looked at."""
        return max(0, (self.kernel - 1) * self.dilation - self.padding[0]), self.padding[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanarShape:
    """A layer on an array.

    Parameters
    ----------
    images, groups, channels, filters
        Images; groups of the layer, one after the other; channels and filters of a group.
    axes
        Rows and columns of the planes.
    group_filters
        Filters that share a pass over the ifmap.
    """

    images: int
    groups: int
    channels: int
    filters: int
    axes: tuple[PlaneAxis, PlaneAxis]
    group_filters: int

    @property
    def filter_groups(self) -> int:
        """Passes over the ifmap of a group."""
        return -(-self.filters // self.group_filters)

    @property
    def filters_of_groups(self) -> IntArray:
        """Filters of each of them; the last one may have fewer."""
        starts = np.arange(0, self.filters, self.group_filters, dtype=np.int64)
        return np.minimum(self.group_filters, self.filters - starts)

    @property
    def active_pes(self) -> int:
        """PEs with a place of the plane."""
        return prod(len(np.unique(axis.pe)) for axis in self.axes)

    @property
    def pes(self) -> int:
        """Of the array."""
        return prod(axis.pes for axis in self.axes)

    @property
    def phases(self) -> int:
        """Pairs of phases of both axes."""
        return prod(axis.stride for axis in self.axes)

    def halo_psums(self, halo: Halo) -> int:
        """Psums of one filter that a PE hands over one after another, those of the halo or of its widest part."""
        rows, columns = self.axes
        if halo is Halo.HIDDEN:
            return 0
        if halo is Halo.ONE_PORT:
            return rows.reach * columns.reach - min(rows.reach, rows.ofmap_tile) * min(
                columns.reach, columns.ofmap_tile
            )
        (top, bottom), (left, right) = rows.halo, columns.halo
        sides = [high * wide for high in (top, rows.tile, bottom) for wide in (left, columns.tile, right)]
        return max(sides[:4] + sides[5:])


def planar_shape(layer: ArrayLayer, array: PeArray) -> PlanarShape:
    """Cut a layer.

    Parameters
    ----------
    layer
        Of one or two spatial axes; the planes of one axis are a column.
    array
        Rows and columns of PEs take rows and columns of the planes.

    Raises
    ------
    MappingError
        A layer of three axes, or one filter's psums do not fit the accumulators.
    """
    planar, axes = array.require_planar(), _axes(layer, array)
    return PlanarShape(
        images=layer.batch if isinstance(layer, ConvLayer) else 1,
        groups=layer.gemm.groups,
        channels=layer.in_channels // layer.groups if isinstance(layer, ConvLayer) else layer.inner,
        filters=layer.gemm.filters,
        axes=axes,
        group_filters=min(layer.gemm.filters, DOT_FILTERS) if planar.is_dot else _group_filters(layer, planar, axes),
    )


def ifmap_planes(layer: ArrayLayer, shape: PlanarShape, values: NDArray[Any]) -> NDArray[Any]:
    """Return an ifmap (or its mask), shape as `mask_shape`, as planes: (images, groups, channels, rows, columns)."""
    rows, columns = (axis.ifmap for axis in shape.axes)
    if isinstance(layer, ConvLayer):
        return values.reshape(shape.images, shape.groups, shape.channels, rows, columns)
    planes = np.zeros((shape.groups, shape.channels, rows * columns), dtype=values.dtype)
    planes[..., : layer.rows] = np.moveaxis(values, 1, 2)
    return planes.reshape(1, shape.groups, shape.channels, rows, columns)


def weight_planes(layer: ArrayLayer, shape: PlanarShape, values: NDArray[Any]) -> NDArray[Any]:
    """Return weights (or their mask), shape as `mask_shape`, as (groups, filters, channels, kernel rows, columns)."""
    if not isinstance(layer, ConvLayer):
        values = np.moveaxis(values, 1, 2)
    return values.reshape(shape.groups, shape.filters, shape.channels, *(axis.kernel for axis in shape.axes))


def stored_pixels(layer: ArrayLayer, shape: PlanarShape) -> BoolArray:
    """Return which places of a plane hold a value of the ifmap: all of a convolution's; shape (rows, columns)."""
    rows, columns = (axis.ifmap for axis in shape.axes)
    pixels = rows * columns if isinstance(layer, ConvLayer) else layer.rows
    return (np.arange(rows * columns) < pixels).reshape(rows, columns)


def _axes(layer: ArrayLayer, array: PeArray) -> tuple[PlaneAxis, PlaneAxis]:
    if not isinstance(layer, ConvLayer):
        rows = min(layer.rows, array.rows)
        columns = -(-layer.rows // rows)
        return PlaneAxis(ifmap=rows, ofmap=rows, pes=array.rows), PlaneAxis(
            ifmap=columns, ofmap=columns, pes=array.columns
        )
    if len(layer.ifmap) > 2:
        raise MappingError(
            f"layer {layer.name!r}: its planes have {len(layer.ifmap)} axes; planar tiles cut planes of two. Run it on an "
            "array of another dataflow (weight_stationary, output_stationary...)."
        )
    planar = array.require_planar()
    axes = [
        PlaneAxis(ifmap=ifmap, ofmap=ofmap, kernel=kernel, stride=stride, dilation=dilation, padding=padding, pes=pes,
                  tiles_padding=planar.tiles_padding, even_tiles=planar.even_tiles)
        for ifmap, ofmap, kernel, stride, dilation, padding, pes in zip(
            layer.ifmap, layer.ofmap, layer.kernel, layer.stride, layer.dilation, layer.padding,
            (array.rows, array.columns), strict=False)
    ]  # fmt: skip
    return axes[0], axes[1] if len(axes) > 1 else PlaneAxis(ifmap=1, ofmap=1, pes=array.columns)


def _group_filters(layer: ArrayLayer, planar: PlanarPe, axes: tuple[PlaneAxis, PlaneAxis]) -> int:
    with_halo = planar.filter_group is FilterGroup.POWER_OF_TWO
    rows, columns = (axis.reach if with_halo else axis.ofmap_tile for axis in axes)
    fit = planar.accumulator_entries // (rows * columns)
    if not fit:
        raise MappingError(
            f"layer {layer.name!r}: psums of one filter over a PE's tile{' and its halo' if with_halo else ''} "
            f"({rows} x {columns} = {rows * columns}) exceed planar.accumulator_entries (={planar.accumulator_entries}): a "
            "tile is not cut any further. Raise planar.accumulator_entries, or take more PEs."
        )
    return min(layer.gemm.filters, 1 << (fit.bit_length() - 1) if with_halo else fit)

"""Cycles of planar tiles with products that want the same accumulator bank, counted product by product.

Called by `planar_counts.py`. Nothing is sampled: a layer takes time by its products, some 1e8 of them per second.
Values of a tile come row by row, weights tap by tap and of each tap filter by filter, which is the order that vectors are
cut in.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.arch.planar_pe import Barrier, PlanarPe
from archsim.kernels import planar_tiles as kernel
from archsim.mapping.planar_shape import PlanarShape

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
ByteArray = NDArray[np.uint8]
Listed = tuple[NDArray[np.int32], IntArray]


def conflicting_cycles(shape: PlanarShape, planar: PlanarPe, ifmap: BoolArray, weight: BoolArray) -> IntArray:
    """Return the cycles of each filter group, shape (images, groups, filter groups).

    Parameters
    ----------
    shape, planar
        The layer, and PEs with a ``bank_queue``.
    ifmap, weight
        Masks as `ifmap_planes` and `weight_planes` give them.
    """
    cycles = np.zeros((shape.images, shape.groups, shape.filter_groups), dtype=np.int64)
    settings = _settings(shape, planar)
    of_pes = np.zeros(shape.pes, dtype=np.int64)
    for group in range(shape.groups):
        places = [_places(shape, ifmap[image, group]) for image in range(shape.images)]
        for filter_group in range(shape.filter_groups):
            taps = _taps(shape, weight[group], group, filter_group)
            for image, listed in enumerate(places):
                cycles[image, group, filter_group] = kernel.count_group_cycles(listed, taps, settings, of_pes)
    return cycles


def _settings(shape: PlanarShape, planar: PlanarPe) -> IntArray:
    settings = np.zeros(kernel.SETTINGS, dtype=np.int64)
    settings[kernel.BANKS], settings[kernel.QUEUE] = planar.banks, planar.bank_queue or 0
    settings[kernel.IFMAP_VECTOR], settings[kernel.WEIGHT_VECTOR] = planar.ifmap_vector, planar.weight_vector
    settings[kernel.OFMAP_ROWS], settings[kernel.OFMAP_COLUMNS] = (axis.ofmap for axis in shape.axes)
    settings[kernel.BY_CHANNEL] = planar.barrier is Barrier.CHANNEL
    return settings


def _places(shape: PlanarShape, planes: BoolArray) -> Listed:
    """List the nonzero values of one image and group; ranges of shape (channels, PEs, phases, 2)."""
    rows, columns = shape.axes
    row_slots = rows.pe * columns.pes * shape.phases + rows.place_phase * columns.stride
    slots = row_slots, columns.pe * shape.phases + columns.place_phase
    values = np.ascontiguousarray(planes).view(np.uint8)
    counts = np.zeros((len(values), shape.pes * shape.phases), dtype=np.int64)
    at = (slots[0][:, None] + slots[1]).ravel()
    for channel, plane in enumerate(values.reshape(len(values), -1)):
        counts[channel] = np.bincount(at, weights=plane, minlength=counts.shape[1])
    ends = np.cumsum(counts).reshape(counts.shape)
    starts = ends - counts
    listed = kernel.list_nonzero(values, slots, (rows.place_step, columns.place_step), starts.copy())
    return listed, np.stack([starts, ends], axis=-1).reshape(len(values), shape.pes, shape.phases, 2)


def _taps(shape: PlanarShape, weight: BoolArray, group: int, filter_group: int) -> Listed:
    """List the nonzero weights of one group of filters; ranges of shape (channels, phases, 2)."""
    rows, columns = shape.axes
    first = filter_group * shape.group_filters
    values = np.ascontiguousarray(weight[first : first + shape.group_filters]).view(np.uint8)
    slots = rows.tap_phase * columns.stride, columns.tap_phase
    counts = np.zeros((shape.channels, shape.phases), dtype=np.int64)
    by_tap = values.sum(axis=0, dtype=np.int64)
    for row in range(rows.kernel):
        for column in range(columns.kernel):
            counts[:, slots[0][row] + slots[1][column]] += by_tap[:, row, column]
    ends = np.cumsum(counts).reshape(counts.shape)
    starts = ends - counts
    listed = kernel.list_weights(
        values, slots, (rows.tap_step, columns.tap_step), starts.copy(), group * shape.filters + first
    )
    return listed, np.stack([starts, ends], axis=-1)

"""MACs that are left when zeros are, counted exactly from masks; called by the dataflows that skip.

A weight meets an ifmap value once for every window that has the value at the weight's tap. So per (channel, tap) the
nonzero ifmap values that it meets are counted, and the nonzero weights there: products of the two add up to the MACs
without a zero operand. A tap on padding meets a zero.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.tensor_zeros import LayerZeros
from archsim.workload.zero_masks import DrawnMask, mask_shape

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def ifmap_meetings(layer: ArrayLayer, nonzero: BoolArray) -> IntArray:
    """Count the nonzero ifmap values that each weight of a filter meets, over all windows.

    Parameters
    ----------
    layer, nonzero
        The layer and its ifmap's mask, shape as `mask_shape`.

    Returns
    -------
    Of a convolution shape (groups, channels of a group, *kernel), of a matrix (batches, inner).
    """
    if not isinstance(layer, ConvLayer):
        met_rows: IntArray = nonzero.sum(axis=1, dtype=np.int64)
        return met_rows
    counts = np.zeros((layer.in_channels, prod(layer.kernel)), dtype=np.int64)
    taps = [_tap_matrix(layer, axis) for axis in range(len(layer.kernel))]
    for image in nonzero:
        met = image.astype(np.float32)
        for taps_of_axis in taps:  # contracts the first spatial axis and appends its taps
            met = np.moveaxis(np.tensordot(met, taps_of_axis, axes=([1], [1])), -1, len(taps))
        counts += np.rint(met).astype(np.int64).reshape(counts.shape)
    return counts.reshape(layer.groups, layer.in_channels // layer.groups, *layer.kernel)


def issued_macs(layer: ArrayLayer, nonzero_ifmap: BoolArray) -> int:
    """Return the MACs whose ifmap value is not zero, every weight counted."""
    return int(ifmap_meetings(layer, nonzero_ifmap).sum()) * layer.gemm.filters


def effectual_macs(layer: ArrayLayer, nonzero_ifmap: BoolArray, nonzero_weight: BoolArray) -> int:
    """Return the MACs with no zero operand."""
    meetings = ifmap_meetings(layer, nonzero_ifmap)
    shape = mask_shape(layer, Operand.WEIGHT)
    if isinstance(layer, ConvLayer):
        filters = nonzero_weight.reshape(layer.groups, layer.out_channels // layer.groups, *shape[1:])
        return int((meetings * filters.sum(axis=1, dtype=np.int64)).sum())
    return int((meetings * nonzero_weight.sum(axis=2, dtype=np.int64)).sum())


def known_effectual_macs(layer: ArrayLayer, nonzero_ifmap: BoolArray, known: LayerZeros, issued: int) -> int:
    """Return the MACs with no zero operand; a mask of weights without zeros is not made for it, they are those ``issued``."""
    weights = known.mask(layer, Operand.WEIGHT)
    if isinstance(weights, DrawnMask) and not weights.zero_fraction:
        return issued
    return effectual_macs(layer, nonzero_ifmap, known.nonzero(layer, Operand.WEIGHT))


def _tap_matrix(layer: ConvLayer, axis: int) -> NDArray[np.float32]:
    """Shape (taps, ifmap size): how many windows have a place of the axis at a tap (1 or 0)."""
    size, kernel = layer.ifmap[axis], layer.kernel[axis]
    window = np.arange(layer.ofmap[axis]) * layer.stride[axis] - layer.padding[axis][0]
    matrix = np.zeros((kernel, size), dtype=np.float32)
    for tap in range(kernel):
        at = window + tap * layer.dilation[axis]
        matrix[tap, at[(at >= 0) & (at < size)]] = 1.0
    return matrix

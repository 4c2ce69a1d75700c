"""A row-stationary array that steps over zeros of its ifmap, in the spirit of Eyeriss v2 [1]_: activations only.

Called by `row_stationary.py` for ``zero_skip: skip``. A PE takes the nonzero values of its window alone, each with all its
filters; with several multipliers as many of them at a time as it has, so that a psum takes ceil(nonzero values /
multipliers) cycles where the dense array takes ceil(taps x channels / multipliers). As one psum at most leaves a PE in a
cycle, that of a window without any takes a cycle all the same, or `RowPe.accumulate_cycles`. Padding is zeros.

PEs of a pass step on by themselves and wait for the slowest at its end, where their psums have all been added up and the
next pass starts: a pass takes the cycles of its busiest PE. Line fill, sliding, restarts and the loads of weights stay as
they are, and so do the words of all networks and buffers: zeros are sent, and stepped over where they arrive.
The counts are exact, of the mask's every value. The ifmap spad is read for nonzero values only.

The ifmap network limits passes by what it has delivered since the layer began, words as evenly spread as the dense array
takes them. Transfers over the DRAM channel stand in the order of the dense array: it was fixed before anyone saw a zero.
So no step ever takes longer than with every value taken.

Not modelled: how a PE finds its next nonzero value; room for psums that wait between PEs of a pass until their neighbours
have theirs; zero weights, which are multiplied.

References
----------
.. [1] Y.-H. Chen, T.-J. Yang, J. Emer, V. Sze, Eyeriss v2, JETCAS 9(2), 2019; its PE steps over zero weights too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.kernels import row_skip as kernel
from archsim.mapping.effectual_macs import issued_macs, known_effectual_macs
from archsim.mapping.row_passes import RowPasses, along_rows
from archsim.mapping.row_shape import RowShape
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.tensor_zeros import LayerZeros

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowZeros:
    """What zeros leave to the PEs of a layer.

    Parameters
    ----------
    nonzero
        Shape (images, groups, channels, rows, columns) of the layer as planes of rows: True = not zero.
    issued_macs
        MACs whose ifmap value is not zero.
    effectual_macs
        Those whose weight is not zero either.
    """

    nonzero: BoolArray
    issued_macs: int
    effectual_macs: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SkippedPasses:
    """Cycles of each pass with zeros stepped over, in which PEs multiply, slide and fill; shape (passes,). [cycles]

    Parameters
    ----------
    busiest
        Of its slowest PE: what it takes.
    even
        Of each PE, were zeros spread over all of them alike; rounded up.
    """

    busiest: IntArray
    even: IntArray


def row_zeros(layer: ArrayLayer, shape: RowShape, known: LayerZeros) -> RowZeros:
    """Lay out where a layer's zeros stand; ``shape`` is the layer on its chip."""
    nonzero = known.nonzero(layer, Operand.IFMAP)
    issued, planes = issued_macs(layer, nonzero), _planes(layer, nonzero)
    if shape.layer.ifmap != planes.shape[2:]:  # the chip's DRAM stores padding
        pads = ((0, 0), *layer.padding)[-2:] if isinstance(layer, ConvLayer) else ()
        planes = np.pad(planes, ((0, 0), (0, 0), *pads))
    return RowZeros(
        nonzero=np.ascontiguousarray(planes).reshape(shape.images, shape.groups, shape.channels, *shape.layer.ifmap),
        issued_macs=issued,
        effectual_macs=known_effectual_macs(layer, nonzero, known, issued),
    )


def skipped_passes(passes: RowPasses, zeros: RowZeros, array: PeArray) -> SkippedPasses:
    """Count the cycles of every pass."""
    shape, mapping = passes.shape, passes.mapping
    sets, blocks = _sets(shape.channels, mapping.q * mapping.r, mapping.r)
    each = _row_cycles(shape, zeros.nonzero, sets, array)
    cycles = np.add.reduceat(each, np.arange(0, shape.images, mapping.n), axis=1)
    strips = _bounds(shape.ofmap_rows, mapping.e)
    sizes = (shape.groups, cycles.shape[1], len(strips) - 1, len(blocks) - 1, shape.kernel_parts)
    busiest, total = np.zeros(sizes, dtype=np.int64), np.zeros(sizes, dtype=np.int64)
    cuts = _ends(shape.row_parts), strips, blocks
    kernel.look_up_passes(np.ascontiguousarray(cycles), _ifmap_rows(shape), cuts, (busiest, total))
    place = passes.group, passes.image_block, passes.strip, passes.channel_block, passes.kernel_part
    full, of_all = _dense_psum_cycles(passes, array)
    even = np.minimum(busiest[place], -(-full * total[place] // of_all))
    filters = passes.interleaved_filters
    return SkippedPasses(
        busiest=along_rows(passes, filters * busiest[place], array),
        even=along_rows(passes, filters * even, array),
    )


def _dense_psum_cycles(passes: RowPasses, array: PeArray) -> tuple[IntArray, IntArray]:
    """Cycles of a psum in a PE with all channels of a set, and added up over all PEs of a set of filters. [cycles]"""
    each = passes.interleaved_channels
    full, last = (
        -(-passes.filter_columns * channels // array.multipliers_per_pe) + array.row_loop.accumulate_cycles
        for channels in (each, passes.channels - (passes.channel_sets - 1) * each)
    )
    return full, passes.filter_rows * passes.rows * ((passes.channel_sets - 1) * full + last)


def _row_cycles(shape: RowShape, nonzero: BoolArray, sets: IntArray, array: PeArray) -> IntArray:
    """Cycles of one filter along each ifmap row; shape (parts of its columns, images, groups, sets, rows + 1). [cycles]"""
    found = np.zeros(
        (len(shape.column_parts), shape.images, shape.groups, len(sets), shape.layer.ifmap[0] + 1), dtype=np.int64
    )
    settings = np.zeros(2, dtype=np.int64)
    settings[kernel.MULTIPLIERS] = array.multipliers_per_pe
    settings[kernel.ACCUMULATE_CYCLES] = array.row_loop.accumulate_cycles
    kernel.count_row_cycles(nonzero, sets, (_places(shape, 1), _ends(shape.column_parts)), settings, found)
    return found


def _places(shape: RowShape, axis: int) -> IntArray:
    """Return the place in the ifmap of each tap of each window along an axis, -1 = padding; shape (windows, taps)."""
    layer = shape.layer
    window = np.arange(layer.ofmap[axis], dtype=np.int64) * layer.stride[axis] - layer.padding[axis][0]
    place = window[:, None] + np.arange(layer.kernel[axis], dtype=np.int64) * layer.dilation[axis]
    return np.where((place >= 0) & (place < layer.ifmap[axis]), place, -1)


def _ifmap_rows(shape: RowShape) -> IntArray:
    """Return the ifmap row of each filter row under each ofmap row, the one behind the last = padding."""
    places = _places(shape, 0).T
    return np.ascontiguousarray(np.where(places < 0, shape.layer.ifmap[0], places))


def _sets(channels: int, block: int, most_sets: int) -> tuple[IntArray, IntArray]:
    """Return the channels of each PE set, first and behind the last, and where the sets of each channel block begin."""
    sets: list[tuple[int, int]] = []
    begins = []
    for start in range(0, channels, block):
        stop = min(start + block, channels)
        each = -(-(stop - start) // most_sets)
        begins.append(len(sets))
        sets += [(first, min(first + each, stop)) for first in range(start, stop, each)]
    return np.array(sets, dtype=np.int64), np.array([*begins, len(sets)], dtype=np.int64)


def _bounds(size: int, unit: int) -> IntArray:
    """Return where the units begin that a size is cut into, and its end."""
    return np.append(np.arange(0, size, unit, dtype=np.int64), size)


def _ends(parts: tuple[int, ...]) -> IntArray:
    """Return where each part begins, and the end of the last."""
    return np.concatenate([[0], np.cumsum(np.array(parts, dtype=np.int64))])


def _planes(layer: ArrayLayer, nonzero: BoolArray) -> BoolArray:
    """Lay a mask out as `row_shape` does its layer: shape (images, channels, rows, columns)."""
    if not isinstance(layer, ConvLayer):  # rows are images, batches groups, the inner dimension their channels
        return nonzero.swapaxes(0, 1).reshape(layer.rows, -1, 1, 1)
    if len(layer.ifmap) < 3:
        return nonzero.reshape(layer.batch, layer.in_channels, *(1,) * (2 - len(layer.ifmap)), *layer.ifmap)
    depth = np.arange(layer.ofmap[0]) * layer.stride[0] - layer.padding[0][0]
    taken = depth[:, None] + np.arange(layer.kernel[0]) * layer.dilation[0]
    taken = np.where((taken >= 0) & (taken < layer.ifmap[0]), taken, layer.ifmap[0])
    padded = np.pad(nonzero, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 0)))
    planes = padded[:, :, taken].transpose(0, 2, 1, 3, 4, 5)  # a filter's taps in depth become channels
    return planes.reshape(layer.batch * layer.ofmap[0], -1, *layer.ifmap[1:])

"""Wavefronts that zeros leave to a systolic array that skips them, counted from masks; called by `matrix_planner.py`.

The PEs of such an array advance in lock step: a word that is left out of one row would be missing from the sums of all
others. So only a whole *wavefront* can be left out: what one element of the streamed dimension brings to the rows of a fold.

========== ==================== ===================== ==================================================
stationary rows of a fold       a wavefront is        it is left out when
========== ==================== ===================== ==================================================
weight     a part of the window a pixel               its ifmap values for that part are all zero
ofmap      pixels               an element of windows it is zero for all of those pixels
ifmap      a part of the window a filter              its weights for that part are all zero
========== ==================== ===================== ==================================================

Padding is zero. What is left out takes no cycle and issues no MAC; a wavefront that is taken issues all of its MACs, zeros
among them. Nothing else changes: tiles, transfers and their order are those of the dense array, as they are chosen before
the values are known, and the words of SRAM and DRAM are too, as whoever looks for zeros has read them.

A pass takes one wavefront at least (`DataflowPlan.fewest_words` has how many), so that it clears and hands on its psums.

Not modelled: the comparators and the store of wavefronts that wait, which find zeros in time for free; folds left out as a
whole (a stationary tile of zeros is loaded and streamed past); psums that a wavefront would have left as they are, which
are read and written all the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.dataflow import DataflowPlan, PassShapes
from archsim.mapping.effectual_macs import effectual_macs, issued_macs, known_effectual_macs
from archsim.mapping.fold_units import FoldUnits
from archsim.mapping.fold_walk import FoldWalk
from archsim.mapping.loop_nest import Dim
from archsim.mapping.plane_patches import PlanePatches
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.tensor_zeros import LayerZeros
from archsim.workload.zero_masks import mask_shape

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
EVERY = slice(None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wavefronts:
    """Wavefronts of a layer.

    Parameters
    ----------
    nonzero
        Shape (groups, units of the dimension along array rows, elements of the streamed one): whether any of the words
        that the element brings to the unit's rows is not zero.
    """

    nonzero: BoolArray

    def of_steps(self, walk: FoldWalk, dataflow: DataflowPlan) -> IntArray:
        """Count those of each step that have a value, shape (steps,)."""
        first = np.unique(walk.start[dataflow.stream])
        counts = np.add.reduceat(self.nonzero, first, axis=2, dtype=np.int64)
        found: IntArray = counts[walk.group, walk.unit[dataflow.rows], walk.unit[dataflow.stream]]
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZerosFound:
    """What a systolic array finds in a layer's masks.

    Parameters
    ----------
    wavefronts
        Those that have a value.
    issued_macs
        MACs without a zero of the operand that makes the wavefronts: what is left if nothing but zeros were left out.
    effectual_macs
        MACs without a zero operand.
    """

    wavefronts: Wavefronts
    issued_macs: int
    effectual_macs: int


def find_zeros(layer: ArrayLayer, dataflow: DataflowPlan, fold: FoldUnits, zeros: LayerZeros) -> ZerosFound:
    """Look for the zeros of a layer; ``fold`` is what the array folds of it."""
    ifmap = zeros.nonzero(layer, Operand.IFMAP)
    if dataflow.stream is Dim.FILTERS:
        weight = zeros.nonzero(layer, Operand.WEIGHT)
        issued = int(np.count_nonzero(weight)) * layer.gemm.pixels
        both = effectual_macs(layer, ifmap, weight)
        return ZerosFound(wavefronts=_of_weights(layer, fold, weight), issued_macs=issued, effectual_macs=both)
    issued = issued_macs(layer, ifmap)
    both = known_effectual_macs(layer, ifmap, zeros, issued)
    wavefronts = (_of_pixels if dataflow.stream is Dim.PIXELS else _of_window)(layer, fold, ifmap)
    return ZerosFound(wavefronts=wavefronts, issued_macs=issued, effectual_macs=both)


def words_taken(found: IntArray, dense: PassShapes, fewest: IntArray) -> IntArray:
    """Return the wavefronts that each step takes, shape (steps,).

    Parameters
    ----------
    found
        Those of each step that have a value.
    dense
        The steps of the dense array.
    fewest
        That each pass takes, shape (passes,): where too few are found, zeros stream, in its last steps.
    """
    missing = np.maximum(0, fewest - np.add.reduceat(found, np.flatnonzero(dense.starts)))
    return _fill_from_behind(found, dense.stream, missing, dense)


def waits_of_dense(advance: IntArray, dense_advance: IntArray, dense: PassShapes) -> IntArray:
    """Return the steps' advance with no step longer than on the dense array, passes as long as they are. [cycles]

    A pass that waits for the load of the next tile waits in its last step; where that would take longer than the dense
    array's, it waits in the steps before. So memories that are late cannot make the array slower than the dense one.
    """
    shorter = np.minimum(advance, dense_advance)
    missing = np.add.reduceat(advance - shorter, np.flatnonzero(dense.starts))
    return _fill_from_behind(shorter, dense_advance, missing, dense)


def _fill_from_behind(values: IntArray, most: IntArray, missing: IntArray, dense: PassShapes) -> IntArray:
    """Add to the values of each pass what it misses, none beyond its ``most``, last steps first."""
    if not missing.any():
        return values
    of_pass = np.cumsum(dense.starts) - 1
    room = np.cumsum(most - values)
    behind = room[dense.ends][of_pass] - room
    filled: IntArray = values + np.clip(missing[of_pass] - behind, 0, most - values)
    return filled


def _of_weights(layer: ArrayLayer, fold: FoldUnits, nonzero: BoolArray) -> Wavefronts:
    """Or the weights of every filter by unit of the window."""
    gemm = layer.gemm
    if isinstance(layer, ConvLayer):
        by_filter = nonzero.reshape(gemm.groups, gemm.filters, gemm.window)
        return Wavefronts(nonzero=_any_of_units(by_filter, 2, fold.rows).swapaxes(1, 2))
    return Wavefronts(nonzero=_any_of_units(nonzero, 1, fold.rows))


def _of_pixels(layer: ArrayLayer, fold: FoldUnits, nonzero: BoolArray) -> Wavefronts:
    """Or the ifmap values of every pixel by unit of the window."""
    if not isinstance(layer, ConvLayer):
        return Wavefronts(nonzero=_any_of_units(nonzero, 2, fold.rows).swapaxes(1, 2))
    gemm = layer.gemm
    units = -(-gemm.window // fold.rows)
    found = np.zeros((gemm.groups, units, layer.batch, *layer.ofmap), dtype=np.bool_)
    for element, seen in _window_values(layer, nonzero):
        unit = found[:, element // fold.rows]
        np.logical_or(unit, seen, out=unit)
    return Wavefronts(nonzero=found.reshape(gemm.groups, units, gemm.pixels))


def _of_window(layer: ArrayLayer, fold: FoldUnits, nonzero: BoolArray) -> Wavefronts:
    """Or the ifmap values of every element of a window by unit of pixels."""
    if not isinstance(layer, ConvLayer):
        return Wavefronts(nonzero=_any_of_units(nonzero, 1, fold.rows))
    gemm = layer.gemm
    units = fold.patches.count if fold.patches else -(-gemm.pixels // fold.rows)
    found = np.zeros((gemm.groups, units, gemm.window), dtype=np.bool_)
    for element, seen in _window_values(layer, nonzero):
        found[:, :, element] = _any_of_pixels(seen, fold)
    return Wavefronts(nonzero=found)


def _window_values(layer: ConvLayer, nonzero: BoolArray) -> Iterator[tuple[int, BoolArray]]:
    """Yield each element of a window and what every window has there, shape (groups, images, *ofmap)."""
    padded = _padded(layer, nonzero)
    axes = list(zip(layer.ofmap, layer.stride, layer.dilation, strict=True))
    for element, (channel, *tap) in enumerate(product(*map(range, (padded.shape[2], *layer.kernel)))):
        cuts = [slice(at * dilation, at * dilation + (size - 1) * stride + 1, stride)
                for at, (size, stride, dilation) in zip(tap, axes, strict=True)]  # fmt: skip
        seen: tuple[slice, ...] = (EVERY, EVERY, *cuts)
        yield element, padded[:, :, channel][seen]


def _padded(layer: ConvLayer, nonzero: BoolArray) -> BoolArray:
    """Return what windows reach of the ifmap and its padding, shape (groups, images, channels of a group, *reach)."""
    shape = mask_shape(layer, Operand.IFMAP)
    grouped = nonzero.reshape(shape[0], layer.groups, -1, *shape[2:]).swapaxes(0, 1)
    reach = [(size - 1) * stride + (kernel - 1) * dilation + 1 for size, stride, kernel, dilation in zip(
        layer.ofmap, layer.stride, layer.kernel, layer.dilation, strict=True)]  # fmt: skip
    before = [each[0] for each in layer.padding]
    if not any(before) and all(long <= size for long, size in zip(reach, layer.ifmap, strict=True)):
        return grouped
    padded = np.zeros((*grouped.shape[:3], *reach), dtype=np.bool_)
    stops = [max(0, min(size, long - skip)) for size, long, skip in zip(layer.ifmap, reach, before, strict=True)]
    inside: tuple[slice, ...] = (EVERY,) * 3 + tuple(
        slice(skip, skip + stop) for skip, stop in zip(before, stops, strict=True)
    )
    stored: tuple[slice, ...] = (EVERY,) * 3 + tuple(slice(stop) for stop in stops)
    padded[inside] = grouped[stored]
    return padded


def _any_of_pixels(seen: BoolArray, fold: FoldUnits) -> BoolArray:
    """Or pixels, shape (groups, images, *ofmap), by unit: shape (groups, units)."""
    groups = len(seen)
    if fold.patches is None:
        return _any_of_units(seen.reshape(groups, -1), 1, fold.rows)
    patches: PlanePatches = fold.patches
    planes = seen.reshape(groups, patches.planes, patches.lines, patches.columns)
    across = _any_of_units(planes, 3, patches.width)
    return _any_of_units(across, 2, patches.height).reshape(groups, -1)


def _any_of_units(values: BoolArray, axis: int, unit: int) -> BoolArray:
    """Or every ``unit`` values along an axis; the last unit may have fewer."""
    found: BoolArray = np.logical_or.reduceat(values, np.arange(0, values.shape[axis], unit), axis=axis)
    return found

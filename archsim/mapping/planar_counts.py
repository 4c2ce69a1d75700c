"""Cycles of planar tiles, counted from masks: every PE, every group of filters, every barrier.

Called by `planar_tiles.py`, and by whoever holds two masks and settings (`count_layer`). A PE takes all vectors of its nonzero
ifmap values of a channel and phase with all vectors of the nonzero weights there: ceil(values / I) x ceil(weights / F)
cycles. Sums over channels are matrix products of the two, so a layer takes no longer than to count its zeros; bank conflicts
follow from the places of all products, and are left to `planar_conflicts.py`.

Not modelled: how far PEs may drift apart inside a group before the weights broadcast to them are gone from a FIFO, and
that FIFO's depth; the time of ReLU and compression behind a group.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.planar_pe import Barrier, PlanarPe
from archsim.kernels.planar_tiles import count_tiles
from archsim.mapping.planar_conflicts import conflicting_cycles
from archsim.mapping.planar_shape import PlanarShape, ifmap_planes, planar_shape, stored_pixels, weight_planes
from archsim.workload.layer import ArrayLayer

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
MOST_CELLS = 2**22
"""Cells of a table of cycles that is made at one time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanarCounts:
    """What a layer takes of an array of Cartesian products.

    Parameters
    ----------
    products
        Multiplications: of each image, channel and phase its nonzero values times its nonzero weights. Those outside the
        ofmap are among them.
    vector_pairs
        Pairs of vectors, one cycle each, of all PEs.
    weight_reads
        Weights that PEs take from those broadcast to them, each once per vector of ifmap values. [words]
    group_cycles
        Shape (images, groups, filter groups): from barrier to barrier, conflicts included. [cycles]
    free_cycles
        The same without conflicts. [cycles]
    barrier_cycles
        Shape (filter groups,): what each costs beyond that, in drain and halo. [cycles]
    pe_cycles
        Shape (PEs,): work of each PE in the whole layer, without conflicts or waits. [cycles]
    ifmap_words
        Shape (images, groups): nonzero values. [words]
    weight_words
        Shape (groups, filter groups): nonzero weights. [words]
    """

    products: int
    vector_pairs: int
    weight_reads: int
    group_cycles: IntArray
    free_cycles: IntArray
    barrier_cycles: IntArray
    pe_cycles: IntArray
    ifmap_words: IntArray
    weight_words: IntArray

    @property
    def cycles(self) -> int:
        """Of the layer. [cycles]"""
        return int((self.group_cycles + self.barrier_cycles).sum())

    @property
    def conflict_cycles(self) -> int:
        """Those that bank conflicts add. [cycles]"""
        return int(self.group_cycles.sum() - self.free_cycles.sum())


def count_layer(layer: ArrayLayer, array: PeArray, nonzero_ifmap: BoolArray, nonzero_weight: BoolArray) -> PlanarCounts:
    """Count a layer from its two masks.

    Parameters
    ----------
    layer
        Shapes resolved.
    array
        Of planar tiles and Cartesian products.
    nonzero_ifmap, nonzero_weight
        True = not zero; shapes as `mask_shape`.

    Raises
    ------
    MappingError
        The layer has no planar tiles: see `planar_shape`.
    """
    shape = planar_shape(layer, array)
    ifmap = ifmap_planes(layer, shape, nonzero_ifmap)
    return count_planes(shape, array.require_planar(), ifmap, weight_planes(layer, shape, nonzero_weight))


def count_planes(shape: PlanarShape, planar: PlanarPe, ifmap: BoolArray, weight: BoolArray) -> PlanarCounts:
    """Count a layer from masks as `ifmap_planes` and `weight_planes` give them."""
    weights = weight_counts(shape, weight)
    taken = -(-weights // planar.weight_vector)
    free = np.zeros((shape.images, shape.groups, shape.filter_groups), dtype=np.int64)
    pe_cycles = np.zeros(shape.pes, dtype=np.int64)
    words = np.zeros((shape.images, shape.groups), dtype=np.int64)
    products = weight_reads = 0
    of_channels = weights.sum(axis=1)
    for image, planes in enumerate(ifmap):
        values = tile_counts(shape, planes)
        words[image] = values.sum(axis=(1, 2, 3))
        vectors = -(-values // planar.ifmap_vector)
        products += int((values.sum(axis=2) * of_channels).sum())
        weight_reads += int((vectors.sum(axis=2) * of_channels).sum())
        free[image], of_pes = _cycles(planar.barrier, vectors, taken)
        pe_cycles += of_pes
    conflicting = free if planar.bank_queue is None else conflicting_cycles(shape, planar, ifmap, weight)
    return PlanarCounts(
        products=products, vector_pairs=int(pe_cycles.sum()), weight_reads=weight_reads, group_cycles=conflicting, free_cycles=free,
        barrier_cycles=_barrier_cycles(shape, planar), pe_cycles=pe_cycles, ifmap_words=words,
        weight_words=weights.sum(axis=(2, 3)),
    )  # fmt: skip


def count_dense(layer: ArrayLayer, shape: PlanarShape, planar: PlanarPe) -> PlanarCounts:
    """Count a layer whose values are all taken, free of conflicts: all channels, images and groups are alike."""
    one = stored_pixels(layer, shape)
    values = tile_counts(shape, np.broadcast_to(one, (1, 1, *one.shape)))
    taps = _of_phases(shape, np.ones((1, *(axis.kernel for axis in shape.axes)), dtype=np.int64))
    weights = (shape.filters_of_groups[:, None] * taps)[None, :, None, :]
    vectors = -(-values // planar.ifmap_vector)
    cycles, of_pes = _cycles(planar.barrier, vectors, -(-weights // planar.weight_vector))
    alike = shape.images * shape.groups * shape.channels
    everywhere = np.broadcast_to(cycles * shape.channels, (shape.images, shape.groups, shape.filter_groups))
    per_group = int(values.sum()) * shape.channels
    return PlanarCounts(
        products=int((values.sum(axis=2) * weights.sum(axis=1)).sum()) * alike, vector_pairs=int(of_pes.sum()) * alike,
        weight_reads=int((vectors.sum(axis=2) * weights.sum(axis=1)).sum()) * alike,
        group_cycles=everywhere, free_cycles=everywhere, barrier_cycles=_barrier_cycles(shape, planar),
        pe_cycles=of_pes * alike, ifmap_words=np.full((shape.images, shape.groups), per_group),
        weight_words=np.broadcast_to(weights.sum(axis=(2, 3)) * shape.channels, (shape.groups, shape.filter_groups)),
    )  # fmt: skip


def dot_cycles(layer: ArrayLayer, shape: PlanarShape, planar: PlanarPe) -> int:
    """Cycles of dense dot products: each psum of a PE's part of the ofmap takes its window by as many values as it multiplies. [cycles]"""
    rows, columns = (axis.ofmap_tile for axis in shape.axes)
    vectors = -(-layer.gemm.window // (planar.ifmap_vector * planar.weight_vector))
    return shape.images * shape.groups * shape.filters * rows * columns * vectors


def tile_counts(shape: PlanarShape, planes: BoolArray) -> IntArray:
    """Count the nonzero values of each PE's tile, shape (groups, channels, PEs, phases).

    Parameters
    ----------
    shape
        The layer.
    planes
        Of one image, shape (groups, channels, rows, columns).
    """
    rows, columns = shape.axes
    sides = [axis.pes * axis.stride for axis in shape.axes]
    values = np.ascontiguousarray(planes).view(np.uint8).reshape(-1, *planes.shape[2:])
    counts = np.zeros((len(values), *sides), dtype=np.int64)
    count_tiles(
        values, rows.pe * rows.stride + rows.place_phase, columns.pe * columns.stride + columns.place_phase, counts
    )
    split = counts.reshape(-1, rows.pes, rows.stride, columns.pes, columns.stride).transpose(0, 1, 3, 2, 4)
    return split.reshape(*planes.shape[:2], shape.pes, shape.phases)


def weight_counts(shape: PlanarShape, weight: BoolArray) -> IntArray:
    """Count the nonzero weights of each group of filters, shape (groups, filter groups, channels, phases)."""
    size = shape.group_filters
    by_tap = [
        [of_group[first : first + size].sum(axis=0, dtype=np.int64) for first in range(0, shape.filters, size)]
        for of_group in weight
    ]
    return _of_phases(shape, np.array(by_tap))


def _of_phases(shape: PlanarShape, by_tap: IntArray) -> IntArray:
    """Add up the taps of each phase: the last two axes become one."""
    rows, columns = ((axis.tap_phase[:, None] == np.arange(axis.stride)).astype(np.int64) for axis in shape.axes)
    joined: IntArray = np.einsum("...rs,rp,sq->...pq", by_tap, rows, columns, optimize=True)
    return joined.reshape(*by_tap.shape[:-2], shape.phases)


def _barrier_cycles(shape: PlanarShape, planar: PlanarPe) -> IntArray:
    """Return what the end of each filter group costs. [cycles]"""
    return shape.halo_psums(planar.halo) * shape.filters_of_groups + planar.drain_cycles


def _cycles(barrier: Barrier, values: IntArray, weights: IntArray) -> tuple[IntArray, IntArray]:
    """Return the cycles of each filter group, shape (groups, filter groups), and the work of each PE.

    Parameters
    ----------
    barrier
        Where PEs wait.
    values, weights
        Vectors, shapes (groups, channels, PEs, phases) and (groups, filter groups, channels, phases).

    Notes
    -----
    Products are summed in float64: exact below 2**53.
    """
    groups, channels, pes, _ = values.shape
    filter_groups = weights.shape[1]
    by_phase = np.swapaxes(values, 2, 3).astype(np.float64).reshape(groups, -1, pes)
    work: FloatArray = weights.reshape(groups, filter_groups, -1).astype(np.float64) @ by_phase
    of_pes = work.sum(axis=(0, 1)).astype(np.int64)
    if barrier is Barrier.GROUP:
        return work.max(axis=2).astype(np.int64), of_pes
    if values.shape[3] == 1:
        return (weights[..., 0] * values[..., 0].max(axis=2)[:, None]).sum(axis=2), of_pes
    slowest = np.zeros((groups, filter_groups), dtype=np.int64)
    chunk = max(1, MOST_CELLS // (groups * filter_groups * pes))
    for first in range(0, channels, chunk):
        part = slice(first, first + chunk)
        each = np.swapaxes(weights[:, :, part], 1, 2) @ np.swapaxes(values[:, part], 2, 3)
        slowest += each.max(axis=3).sum(axis=1)
    return slowest, of_pes

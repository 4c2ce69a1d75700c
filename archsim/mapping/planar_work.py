"""What a layer takes of an array of planar tiles, whatever its PEs do with zeros: one record for `planar_tiles.py` and its steps.

Zeros are skipped by their masks (`planar_counts.py`); an array that takes or gates them is counted in closed form.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.mapping.effectual_macs import effectual_macs
from archsim.mapping.planar_counts import PlanarCounts, count_dense, count_planes, dot_cycles
from archsim.mapping.planar_shape import PlanarShape, ifmap_planes, stored_pixels, weight_planes
from archsim.mapping.skip_cycles import SkipCycles, ideal_cycles
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.tensor_zeros import LayerZeros

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanarWork:
    """A layer's work.

    Parameters
    ----------
    cycles
        Shape (images, groups, filter groups): what each takes, its barrier included. [cycles]
    macs
        Products that belong to an ofmap value.
    ifmap_words
        Shape (images, groups): values that are taken. [words]
    weight_words
        Shape (groups, filter groups): the same of weights. [words]
    weight_reads, psum_accesses
        Words read from the weight FIFOs of the PEs; psums read, and as many written. [words]
    dense_cycles
        Same shape as ``cycles``: what each takes where every value is taken. [cycles]
    effectual_macs, skip
        As in `FoldPlan`.
    """

    cycles: IntArray
    dense_cycles: IntArray
    macs: int
    ifmap_words: IntArray
    weight_words: IntArray
    weight_reads: int
    psum_accesses: int
    effectual_macs: int | None = None
    skip: SkipCycles | None = None


def planar_work(layer: ArrayLayer, array: PeArray, shape: PlanarShape, zeros: LayerZeros) -> PlanarWork:
    """Count a layer.

    Parameters
    ----------
    layer, shape
        And its cut, from `planar_shape`.
    array
        Of planar tiles.
    zeros
        Where the zeros stand; looked at by an array that skips them.
    """
    if array.require_planar().is_dot:
        return _dot_work(layer, array, shape)
    dense = count_dense(layer, shape, array.require_planar())
    landing = _landing(layer)
    if not array.skips:
        return _of_counts(dense, dense, landing)
    nonzero = {operand: zeros.nonzero(layer, operand) for operand in (Operand.IFMAP, Operand.WEIGHT)}
    planes = ifmap_planes(layer, shape, nonzero[Operand.IFMAP]), weight_planes(layer, shape, nonzero[Operand.WEIGHT])
    counts = count_planes(shape, array.require_planar(), *planes)
    effectual = effectual_macs(layer, nonzero[Operand.IFMAP], nonzero[Operand.WEIGHT])
    share = effectual, landing
    return _of_counts(counts, dense, effectual, _skip(counts, dense, share, array), effectual)


def _of_counts(
    counts: PlanarCounts, dense: PlanarCounts, macs: int, skip: SkipCycles | None = None, effectual: int | None = None
) -> PlanarWork:
    return PlanarWork(
        cycles=counts.group_cycles + counts.barrier_cycles, dense_cycles=dense.group_cycles + dense.barrier_cycles, macs=macs, ifmap_words=counts.ifmap_words,
        weight_words=counts.weight_words, weight_reads=counts.weight_reads, psum_accesses=macs, effectual_macs=effectual,
        skip=skip,
    )  # fmt: skip


def _dot_work(layer: ArrayLayer, array: PeArray, shape: PlanarShape) -> PlanarWork:
    planar = array.require_planar()
    each = dot_cycles(layer, shape, planar) // (shape.images * shape.groups * shape.filters)
    filters = shape.filters_of_groups
    stored = int(stored_pixels(layer, shape).sum()) * shape.channels
    window = layer.gemm.window
    cycles = np.broadcast_to(each * filters, (shape.images, shape.groups, len(filters)))
    return PlanarWork(
        cycles=cycles, dense_cycles=cycles, macs=layer.macs,
        ifmap_words=np.full((shape.images, shape.groups), stored),
        weight_words=np.broadcast_to(window * filters, (shape.groups, len(filters))), weight_reads=layer.macs,
        psum_accesses=layer.macs // window * -(-window // array.multipliers_per_pe),
    )  # fmt: skip


def _landing(layer: ArrayLayer) -> int:
    """Products of a layer without zeros that belong to an ofmap value: its MACs but those on padding."""
    if not isinstance(layer, ConvLayer):
        return layer.macs
    taps = layer.batch * layer.gemm.filters * layer.in_channels
    return taps * prod(_meetings(layer, axis) for axis in range(len(layer.ifmap)))


def _meetings(layer: ConvLayer, axis: int) -> int:
    """Count the pairs of an ofmap place and a tap of one axis that meet on a stored value."""
    taps = np.arange(layer.kernel[axis]) * layer.dilation[axis] - layer.padding[axis][0]
    at = np.arange(layer.ofmap[axis])[:, None] * layer.stride[axis] + taps
    return int(((at >= 0) & (at < layer.ifmap[axis])).sum())


def _skip(counts: PlanarCounts, dense: PlanarCounts, share: tuple[int, int], array: PeArray) -> SkipCycles:
    """Say where the cycles went: vectors not full, PEs with more work than others, waits at barriers, banks.

    What the dense array loses by its shape, in PEs without a tile or with a smaller one and at its barriers, its ideal has
    too: only what is lost beyond the ``share`` of it (MACs without a zero, of so many) is a loss of skipping.
    """
    pipeline = array.pipeline_cycles
    ideal = ideal_cycles(dense.cycles + pipeline, *share)
    idle, waits = (
        max(0, after - ideal_cycles(before, *share))
        for before, after in ((_idle_cycles(dense), _idle_cycles(counts)), (_wait_cycles(dense), _wait_cycles(counts)))
    )
    return SkipCycles(
        dense_cycles=dense.cycles + pipeline, ideal_cycles=ideal, imbalance_cycles=idle, sync_cycles=waits,
        conflict_cycles=counts.conflict_cycles,
        fragmentation_cycles=counts.cycles - counts.conflict_cycles + pipeline - ideal - idle - waits,
    )  # fmt: skip


def _idle_cycles(counts: PlanarCounts) -> int:
    """Return what the busiest PE has beyond the mean of all. [cycles]"""
    return int(counts.pe_cycles.max()) - counts.vector_pairs // len(counts.pe_cycles)


def _wait_cycles(counts: PlanarCounts) -> int:
    """Return what the layer takes beyond the busiest PE: waits at barriers, drain, halo. [cycles]"""
    return counts.cycles - counts.conflict_cycles - int(counts.pe_cycles.max())

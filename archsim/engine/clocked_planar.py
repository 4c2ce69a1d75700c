"""One layer on the clocked array of planar tiles: every PE, every bank, every cycle, values included.

Tests call it: it is the proof of the counts in `mapping/planar_counts.py`, from which it takes no more than the cut of the
layer (`planar_shape.py`).

Not modelled: the exchange of the halo beyond the cycles that it takes: psums of neighbours are added up here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.planar_pe import Barrier
from archsim.engine.clocked_operands import check_sums
from archsim.errors import SimulationError
from archsim.kernels import planar_array as kernel
from archsim.mapping.planar_shape import PlanarShape, ifmap_planes, planar_shape, weight_planes
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.zero_masks import mask_shape

IntArray = NDArray[np.int64]
MODEL = "clocked planar tiles"
"""What messages open with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedPlanar:
    """A layer, clocked.

    Parameters
    ----------
    ofmap
        Shape (images, filters, rows, columns) of a convolution, (batches, rows, columns) of a matrix product.
    total_cycles
        Of all groups of filters, one after the other. [cycles]
    group_cycles
        Shape (images, groups, filter groups): without what a barrier costs. [cycles]
    issued, landed
        Products multiplied, and those of them that belong to an ofmap value.
    busy, stalled
        Cycles in which PEs multiplied, and in which full banks kept them from it, over all PEs. [cycles]
    """

    ofmap: IntArray
    total_cycles: int
    group_cycles: IntArray
    issued: int
    landed: int
    busy: int
    stalled: int


def run_clocked_planar(
    layer: ArrayLayer, array: PeArray, ifmap: NDArray[np.integer], weight: NDArray[np.integer]
) -> ClockedPlanar:
    """Clock a layer.

    Parameters
    ----------
    layer
        Shapes resolved.
    array
        Of planar tiles and Cartesian products, zeros skipped.
    ifmap, weight
        Integers, shapes as `mask_shape`.

    Raises
    ------
    SimulationError
        The array is another one, operands have other shapes, or their psums might not fit int64.
    """
    if array.dataflow is not Dataflow.PLANAR_TILES or not array.skips:
        raise SimulationError(f"{MODEL}: needs a planar_tiles array with zero_skip = skip")
    for operand, given in ((Operand.IFMAP, ifmap), (Operand.WEIGHT, weight)):
        if given.shape != mask_shape(layer, operand) or given.dtype.kind not in "iu":
            raise SimulationError(f"{MODEL}: {operand} must be integers of shape {mask_shape(layer, operand)}")
    values, taps = ifmap.astype(np.int64), weight.astype(np.int64)
    check_sums(values, taps, products=layer.gemm.window, model=MODEL)
    shape, planar = planar_shape(layer, array), array.require_planar()
    planes = ifmap_planes(layer, shape, values)
    weights = weight_planes(layer, shape, taps)
    counts = np.zeros(kernel.COUNTS, dtype=np.int64)
    cycles = np.zeros((shape.images, shape.groups, shape.filter_groups), dtype=np.int64)
    rows, columns = shape.axes
    ofmap = np.zeros((shape.images, shape.groups, shape.filters, rows.ofmap, columns.ofmap), dtype=np.int64)
    for image, group, turn in np.ndindex(*cycles.shape):
        first = turn * shape.group_filters
        settings = _settings(shape, array, group * shape.filters + first)
        part = np.ascontiguousarray(weights[group, first : first + shape.group_filters])
        psums, cycles[image, group, turn] = kernel.step_planar_array(
            np.ascontiguousarray(planes[image, group]), part, _tiles(shape), settings, counts
        )
        _gather(psums, ofmap[image, group, first : first + len(part)], _tiles(shape), settings)
    barriers = shape.halo_psums(planar.halo) * shape.filters_of_groups + planar.drain_cycles
    issued, landed, busy, stalled = (int(count) for count in counts)
    return ClockedPlanar(
        ofmap=_as_ofmap(layer, ofmap), total_cycles=int((cycles + barriers).sum()) + array.pipeline_cycles,
        group_cycles=cycles, issued=issued, landed=landed, busy=busy, stalled=stalled,
    )  # fmt: skip


def _settings(shape: PlanarShape, array: PeArray, first_filter: int) -> IntArray:
    planar, settings = array.require_planar(), np.zeros(kernel.SETTINGS, dtype=np.int64)
    for axis, side in zip(shape.axes, ("ROWS", "COLUMNS"), strict=True):
        given = {"KERNEL": axis.kernel, "STRIDE": axis.stride, "DILATION": axis.dilation, "PADDING": axis.padding[0],
                 "OFMAP": axis.ofmap, "REACH": axis.reach}  # fmt: skip
        for name, value in given.items():
            settings[getattr(kernel, f"{name}_{side}")] = value
    settings[kernel.IFMAP_VECTOR], settings[kernel.WEIGHT_VECTOR] = planar.ifmap_vector, planar.weight_vector
    settings[kernel.BANKS], settings[kernel.QUEUE] = planar.banks, planar.bank_queue or 0
    settings[kernel.FIRST_FILTER] = first_filter
    settings[kernel.BY_CHANNEL] = planar.barrier is Barrier.CHANNEL
    return settings


def _tiles(shape: PlanarShape) -> IntArray:
    """First place of each PE's tile and the one behind the last, of rows and of columns; shape (PEs, 4)."""
    rows, columns = (axis.edges for axis in shape.axes)
    return np.array([[*rows[row : row + 2], *columns[column : column + 2]] for row in range(len(rows) - 1)
                     for column in range(len(columns) - 1)])  # fmt: skip


def _gather(psums: IntArray, ofmap: IntArray, tiles: IntArray, settings: IntArray) -> None:
    """Add the psums of every tile and its halo to the ofmap they belong to."""
    for of_pe, tile in zip(psums, tiles, strict=True):
        firsts = kernel.first_psums(tile, settings)
        places = [np.arange(first, first + size) for first, size in zip(firsts, of_pe.shape[1:], strict=True)]
        inside = [(at >= 0) & (at < size) for at, size in zip(places, ofmap.shape[1:], strict=True)]
        rows, columns = (at[good] for at, good in zip(places, inside, strict=True))
        ofmap[:, rows[:, None], columns] += of_pe[:, inside[0]][:, :, inside[1]]


def _as_ofmap(layer: ArrayLayer, ofmap: IntArray) -> IntArray:
    if isinstance(layer, ConvLayer):
        return ofmap.reshape(layer.batch, layer.out_channels, *layer.ofmap)
    return np.moveaxis(ofmap[0].reshape(layer.batches, layer.columns, -1)[..., : layer.rows], 1, 2)

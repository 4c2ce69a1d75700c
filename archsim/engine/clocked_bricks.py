"""A layer on the clocked array of brick lanes: every lane, every cycle, values included.

Tests call it, and `exact_arrays.py` for values: it is the proof of the counts in `mapping/brick_work.py`, which it does not
know. It encodes the values itself, brick by brick.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.brick_lanes import LaneSync
from archsim.arch.pe_array import PeArray
from archsim.engine.clocked_operands import check_sums
from archsim.errors import SimulationError
from archsim.kernels import brick_lanes as kernel
from archsim.mapping.brick_shape import window_places
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.zero_masks import mask_shape

IntArray = NDArray[np.int64]
MODEL = "clocked bricks"
"""What messages open with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedBricks:
    """A layer, clocked.

    Parameters
    ----------
    ofmap
        Shape (batch, filters, *ofmap) of a convolution, (batches, rows, columns) of a matrix product.
    total_cycles
        Until the last value is summed. [cycles]
    products, zero_products
        Multiplications of real filters, and those of them by a zero of the ifmap, padding included.
    empty_cycles
        That lanes spent on empty bricks, all lanes. [cycles]
    trace
        Shape (cycles asked for, lanes, 4): window, brick, offset and value of each lane in each cycle; offset -1 = idle, -2 = an
        empty brick. In lock step a brick is what all lanes take in one cycle. Zeros behind the last cycle.
    """

    ofmap: IntArray
    total_cycles: int
    products: int
    zero_products: int
    empty_cycles: int
    trace: IntArray


def run_clocked_bricks(
    layer: ArrayLayer,
    ifmap: NDArray[np.integer],
    weight: NDArray[np.integer],
    pe_array: PeArray,
    *,
    encoded: bool,
    traced_cycles: int = 0,
) -> ClockedBricks:
    """Clock a layer.

    Parameters
    ----------
    layer
        Shapes resolved.
    ifmap, weight
        Integers, shapes as those of masks: see `mask_shape`.
    pe_array
        Of brick lanes; its ``zero_skip`` is not asked.
    encoded
        Whether lanes skip the zeros of their own bricks, or run in lock step.
    traced_cycles
        First cycles to be written down.

    Raises
    ------
    SimulationError
        Operands of other shapes or kinds; psums that might not fit int64; an array of another dataflow.
    """
    if pe_array.dataflow is not Dataflow.BRICK_LANES:
        raise SimulationError(f"{MODEL}: needs a brick_lanes array, this one is {pe_array.dataflow}")
    values, weights = _operands(layer, ifmap, weight)
    check_sums(values, weights, products=weights.shape[2] * weights.shape[3], model=MODEL)
    settings, places = _settings(layer, pe_array), window_places(layer)
    sums = np.zeros((len(values), layer.gemm.groups, layer.gemm.filters, len(places)), dtype=np.int64)
    trace = np.zeros((traced_cycles, pe_array.rows, kernel.TRACED), dtype=np.int64)
    if encoded:
        bricks = encode_bricks(values, pe_array.require_bricks().brick_values)
        counts = kernel.step_brick_lanes(bricks, weights, places, settings, (sums, trace))
    else:
        counts = kernel.step_lock_step_lanes(values, weights, places, settings, (sums, trace))
    return ClockedBricks(
        ofmap=_ofmap(layer, sums), total_cycles=int(counts[kernel.EDGES]), products=int(counts[kernel.PRODUCTS]),
        zero_products=int(counts[kernel.ZERO_PRODUCTS]), empty_cycles=int(counts[kernel.EMPTY_CYCLES]), trace=trace,
    )  # fmt: skip


def encode_bricks(values: IntArray, brick_values: int) -> tuple[IntArray, IntArray, IntArray]:
    """Cut channels into bricks and put each brick's nonzero values in front, each with its place.

    Parameters
    ----------
    values
        Shape (images, groups, channels, places).
    brick_values
        Channels of a brick.

    Returns
    -------
    Values and offsets, shape (images, groups, places, bricks, brick_values), zero behind a brick's nonzero values, and how
    many those are, shape (images, groups, places, bricks).
    """
    images, groups, channels, places = values.shape
    bricks = -(-channels // brick_values)
    whole = np.zeros((images, groups, places, bricks * brick_values), dtype=np.int64)
    whole[..., :channels] = values.transpose(0, 1, 3, 2)
    whole = whole.reshape(images, groups, places, bricks, brick_values)
    order = np.argsort(whole == 0, axis=-1, kind="stable")
    packed = np.take_along_axis(whole, order, axis=-1)
    counts = (packed != 0).sum(axis=-1)
    return packed, np.where(packed != 0, order, 0), counts


def _operands(layer: ArrayLayer, ifmap: NDArray[np.integer], weight: NDArray[np.integer]) -> tuple[IntArray, IntArray]:
    """Return ifmap (images, groups, channels, places) and weights (groups, filters, channels, taps) as int64."""
    given = []
    for name, array in ((Operand.IFMAP, ifmap), (Operand.WEIGHT, weight)):
        shape = mask_shape(layer, name)
        if array.dtype.kind not in "iu" or not np.can_cast(array.dtype, np.int64):
            raise SimulationError(f"{MODEL}: {name} is {array.dtype}; it must be integers that fit int64")
        if array.shape != shape:
            raise SimulationError(f"{MODEL}: {name} has shape {array.shape}; layer {layer.name!r} has {shape}")
        given.append(array.astype(np.int64))
    values, weights = given
    groups = layer.gemm.groups
    if isinstance(layer, ConvLayer):
        channels = layer.in_channels // groups
        by_tap = weights.reshape(groups, layer.gemm.filters, channels, prod(layer.kernel))
        return values.reshape(layer.batch, groups, channels, prod(layer.ifmap)), by_tap
    return values.swapaxes(1, 2)[None].copy(), weights.swapaxes(1, 2)[..., None].copy()


def _settings(layer: ArrayLayer, pe_array: PeArray) -> IntArray:
    bricks = pe_array.require_bricks()
    settings = np.zeros(kernel.SETTINGS, dtype=np.int64)
    settings[kernel.LANES], settings[kernel.COLUMNS] = pe_array.rows, pe_array.columns
    settings[kernel.EMPTY] = bricks.empty_brick_cycles
    settings[kernel.FREE] = bricks.sync is LaneSync.LAYER
    settings[kernel.LATENCY] = 1 + pe_array.pipeline_cycles
    settings[kernel.BRICK_VALUES] = bricks.brick_values
    settings[kernel.PASSES] = -(-layer.gemm.filters // pe_array.columns)
    return settings


def _ofmap(layer: ArrayLayer, sums: IntArray) -> IntArray:
    if isinstance(layer, ConvLayer):
        return sums.reshape(layer.batch, layer.out_channels, *layer.ofmap)
    products: IntArray = sums[0].swapaxes(1, 2)
    return products

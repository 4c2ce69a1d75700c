"""A channel-parallel array, multiplier by multiplier, edge by edge, values included.

`engine/clocked_channels.py` calls it. A sequencer hands out slots: a slot is one multiplier for one cycle, an ofmap value takes as many as its window
has words and padding, values follow each other filter by filter, then pixel by pixel. Every edge loads the
product registers of all columns that work; ``latency`` edges later adder trees sum the products of a tree that
belong to one value, and an accumulator takes each sum.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]

ROWS, COLUMNS, CHANNEL_ATOM, FILTERS, SLOTS, SLOTS_OVER, LATENCY = range(SETTINGS := 7)
"""Entries of ``settings``: multipliers of a column; columns that work; inputs of an adder tree; filters with those of
padding; slots of an ofmap value, as a fraction SLOTS / SLOTS_OVER; edges from operands to their sum."""

PRODUCTS, PSUMS, EDGES = range(COUNTS := 3)
"""Entries of ``counts``: products issued; sums of trees that accumulators took; edges until the last slot is summed."""

_IDLE, _PADDING = -1, -2
"""Origins of a product register without a product: no slot was left for it, or its slot is one of padding."""


@compiled
def step_channel_parallel_array(
    ifmap: IntArray, weight: IntArray, settings: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Clock a matrix product until its last ofmap value is out.

    Parameters
    ----------
    ifmap
        Shape (pixels, window).
    weight
        Shape (window, filters).
    settings
        Shape (7,): ROWS ... LATENCY.

    Returns
    -------
    ofmap
        Shape (pixels, filters).
    output_cycles
        Shape (pixels, filters): the edge after which each value is final, counted from 1 = the edge that takes the first
        operands.
    counts
        Shape (3,): PRODUCTS ... EDGES.

    Notes
    -----
    Not modelled: stalls of the feeding buffers, Winograd's transforms, the order of taps within a window.
    """
    pixels, filters = len(ifmap), weight.shape[1]
    lanes = settings[ROWS] * settings[COLUMNS]
    products = np.zeros((settings[LATENCY], lanes), np.int64)
    origins = np.full((settings[LATENCY], lanes), _IDLE)
    ofmap, output_cycles = np.zeros((pixels, filters), np.int64), np.zeros((pixels, filters), np.int64)
    counts = np.zeros(COUNTS, np.int64)
    values = pixels * settings[FILTERS]
    cursor = np.array([0, 0, _first_slot(1, settings)])
    cycle = 0
    while cursor[0] < values or (origins != _IDLE).any():
        cycle += 1
        stage = cycle % settings[LATENCY]
        _issue(products[stage], origins[stage], cursor, (ifmap, weight, settings, counts))
        stage = (cycle + 1) % settings[LATENCY]
        _sum_trees(products[stage], origins[stage], settings[CHANNEL_ATOM], (ofmap, output_cycles, counts), cycle)
        origins[stage] = _IDLE
    counts[EDGES] = cycle
    return ofmap, output_cycles, counts


@compiled
def _first_slot(value: int, settings: IntArray) -> int:
    """First slot of an ofmap value: those of all before it, rounded up."""
    return int(-(-value * settings[SLOTS] // settings[SLOTS_OVER]))


@compiled
def _issue(
    products: IntArray, origins: IntArray, cursor: IntArray, layer: tuple[IntArray, IntArray, IntArray, IntArray]
) -> None:
    """Load the product registers of one edge; ``cursor``: ofmap value, next slot, first slot of the value after it."""
    ifmap, weight, settings, counts = layer
    values = len(ifmap) * settings[FILTERS]
    for lane in range(len(products)):
        origins[lane] = _IDLE
        if cursor[0] >= values:
            continue
        origins[lane] = _PADDING
        pixel, filter_ = cursor[0] // settings[FILTERS], cursor[0] % settings[FILTERS]
        word = cursor[1] - _first_slot(cursor[0], settings)
        if word < len(weight) and filter_ < weight.shape[1]:
            products[lane] = ifmap[pixel, word] * weight[word, filter_]
            origins[lane] = pixel * weight.shape[1] + filter_
            counts[PRODUCTS] += 1
        cursor[1] += 1
        if cursor[1] == cursor[2]:
            cursor[0] += 1
            cursor[2] = _first_slot(cursor[0] + 1, settings)


@compiled
def _sum_trees(
    products: IntArray, origins: IntArray, atom: int, results: tuple[IntArray, IntArray, IntArray], cycle: int
) -> None:
    """Sum each tree's products by the value they belong to, and add the sums to the accumulators."""
    ofmap, output_cycles, counts = results
    for lane in range(len(products)):
        origin = origins[lane]
        if origin < 0:
            continue
        opens = lane % atom == 0 or origins[lane - 1] != origin
        counts[PSUMS] += opens
        ofmap.flat[origin] += products[lane]
        output_cycles.flat[origin] = cycle

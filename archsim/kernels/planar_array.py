"""An array of planar tiles, clocked: every PE, every accumulator bank, every cycle, values included.

`engine/clocked_planar.py` calls it. In each cycle a PE whose banks have room sends the products of one vector of nonzero
ifmap values and one of nonzero weights to the banks of their psums; then each bank adds one product. Zeros are never taken:
a PE finds its next nonzero values without a cycle, as they are stored side by side. PEs run on their own up to a barrier.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.planar_tiles import bank_of

IntArray = NDArray[np.int64]

(KERNEL_ROWS, KERNEL_COLUMNS, STRIDE_ROWS, STRIDE_COLUMNS, DILATION_ROWS, DILATION_COLUMNS, PADDING_ROWS, PADDING_COLUMNS,
 OFMAP_ROWS, OFMAP_COLUMNS, REACH_ROWS, REACH_COLUMNS, IFMAP_VECTOR, WEIGHT_VECTOR, BANKS, QUEUE, FIRST_FILTER,
 BY_CHANNEL) = range(SETTINGS := 18)  # fmt: skip
"""Entries of ``settings``: the layer; ofmap places that a tile's psums span; the PE; products that wait at a bank, 0 = a
bank adds all that come in a cycle; number of the first filter; whether PEs wait for each other behind every channel."""

ISSUED, LANDED, BUSY, STALLED = range(COUNTS := 4)
"""Entries of ``counts``: products multiplied, and those of a psum; cycles in which PEs multiplied, and in which banks kept them from it."""

_SLOT, _VALUE, _WEIGHT, _END = range(_CURSOR := 4)
"""Where a PE is: channel and phase, as one number; first value and weight of its next vectors; the slot that it stops before."""


@compiled
def step_planar_array(
    ifmap: IntArray, weight: IntArray, tiles: IntArray, settings: IntArray, counts: IntArray
) -> tuple[IntArray, int]:
    """Clock one group of filters over one image until all psums are added.

    Parameters
    ----------
    ifmap, weight
        Shapes (channels, rows, columns) and (filters, channels, kernel rows, kernel columns).
    tiles
        Shape (PEs, 4): first row and the one behind the last, first column and the one behind the last.
    settings
        Shape (18,): KERNEL_ROWS ... BY_CHANNEL.
    counts
        Shape (4,): ISSUED ... STALLED; added to.

    Returns
    -------
    psums
        Shape (PEs, filters, rows, columns): of each PE's tile and its halo.
    cycles
        Until the last PE is done. [cycles]
    """
    psums = np.zeros((len(tiles), len(weight), settings[REACH_ROWS], settings[REACH_COLUMNS]), np.int64)
    depth = settings[QUEUE] + settings[IFMAP_VECTOR] * settings[WEIGHT_VECTOR]
    queues = np.zeros((len(tiles), settings[BANKS], depth, 2), np.int64)  # psum and product
    waiting = np.zeros((len(tiles), settings[BANKS]), np.int64)
    phases = settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
    weights, weight_starts = _compress_weights(weight, settings)
    values, value_starts = _compress_tiles(ifmap, tiles, settings)
    cursors = np.zeros((len(tiles), _CURSOR), np.int64)
    cursors[:, _VALUE], cursors[:, _WEIGHT] = value_starts[:, 0], weight_starts[0]
    ends = 1 if settings[BY_CHANNEL] else len(ifmap)
    cycle = 0
    for end in range(ends, len(ifmap) + 1, ends):
        cursors[:, _END] = end * phases
        working = True
        while working:
            working = False
            for pe in range(len(tiles)):
                stores = (values, value_starts[pe], weights, weight_starts)
                taken = _issue(stores, tiles[pe], (cursors[pe], settings, counts), (queues[pe], waiting[pe]))
                if taken or waiting[pe].any():
                    working = True
                _add((queues[pe], waiting[pe]), psums[pe], settings)
            cycle += working
    return psums, cycle


@compiled
def _compress_weights(weight: IntArray, settings: IntArray) -> tuple[IntArray, IntArray]:
    """Store nonzero weights side by side: value, filter, tap; by channel, phase, tap and filter. And where each slot begins."""
    filters, channels = weight.shape[:2]
    phases = settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
    stored = np.zeros((weight.size, 4), np.int64)
    starts = np.zeros(channels * phases + 1, np.int64)
    found = 0
    for channel in range(channels):
        for phase in range(phases):
            for row in range(settings[KERNEL_ROWS]):
                for column in range(settings[KERNEL_COLUMNS]):
                    of_tap = row * settings[DILATION_ROWS] % settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
                    of_tap += column * settings[DILATION_COLUMNS] % settings[STRIDE_COLUMNS]
                    for each in range(filters if of_tap == phase else 0):
                        if weight[each, channel, row, column] != 0:
                            stored[found, 0], stored[found, 1] = weight[each, channel, row, column], each
                            stored[found, 2], stored[found, 3] = row, column
                            found += 1
            starts[channel * phases + phase + 1] = found
    return stored[:found], starts


@compiled
def _compress_tiles(ifmap: IntArray, tiles: IntArray, settings: IntArray) -> tuple[IntArray, IntArray]:
    """Store each PE's nonzero values side by side: value, row, column; by channel, phase and place. And where each slot begins."""
    phases = settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
    slots = len(ifmap) * phases
    stored = np.zeros((ifmap.size, 3), np.int64)
    starts = np.zeros((len(tiles), slots + 1), np.int64)
    found = 0
    for pe in range(len(tiles)):
        first_row, last_row, first_column, last_column = tiles[pe]
        for slot in range(slots):
            starts[pe, slot] = found
            for row in range(first_row, last_row):
                of_row = (row + settings[PADDING_ROWS]) % settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
                for column in range(first_column, last_column):
                    phase = of_row + (column + settings[PADDING_COLUMNS]) % settings[STRIDE_COLUMNS]
                    value = ifmap[slot // phases, row, column]
                    if phase == slot % phases and value != 0:
                        stored[found, 0], stored[found, 1], stored[found, 2] = value, row, column
                        found += 1
        starts[pe, slots] = found
    return stored[:found], starts


@compiled
def _issue(
    stores: tuple[IntArray, IntArray, IntArray, IntArray], tile: IntArray, state: tuple[IntArray, IntArray, IntArray],
    banks: tuple[IntArray, IntArray],
) -> bool:  # fmt: skip
    """Send the products of one pair of vectors to the banks; False = none was left, or there was no room."""
    values, value_starts, weights, weight_starts = stores
    cursor, settings, counts = state
    if banks[1].max() >= max(1, settings[QUEUE]):
        counts[STALLED] += cursor[_SLOT] < cursor[_END]
        return False
    while cursor[_SLOT] < cursor[_END]:
        slot = cursor[_SLOT]
        last_value, last_weight = value_starts[slot + 1], weight_starts[slot + 1]
        if cursor[_VALUE] >= last_value or weight_starts[slot] == last_weight:
            cursor[_SLOT], cursor[_VALUE], cursor[_WEIGHT] = slot + 1, last_value, last_weight
        elif cursor[_WEIGHT] >= last_weight:
            cursor[_VALUE] += settings[IFMAP_VECTOR]
            cursor[_WEIGHT] = weight_starts[slot]
        else:
            taken = values[cursor[_VALUE] : min(last_value, cursor[_VALUE] + settings[IFMAP_VECTOR])]
            met = weights[cursor[_WEIGHT] : min(last_weight, cursor[_WEIGHT] + settings[WEIGHT_VECTOR])]
            _multiply((taken, met), tile, (settings, counts), banks)
            cursor[_WEIGHT] += settings[WEIGHT_VECTOR]
            counts[BUSY] += 1
            return True
    return False


@compiled
def _multiply(
    vectors: tuple[IntArray, IntArray], tile: IntArray, state: tuple[IntArray, IntArray],
    banks: tuple[IntArray, IntArray],
) -> None:  # fmt: skip
    """Multiply every value with every weight, and queue the products at the banks of their psums."""
    settings, counts = state
    first_row, first_column = first_psums(tile, settings)
    for value in vectors[0]:
        for weight in vectors[1]:
            counts[ISSUED] += 1
            row = value[1] + settings[PADDING_ROWS] - weight[2] * settings[DILATION_ROWS]
            column = value[2] + settings[PADDING_COLUMNS] - weight[3] * settings[DILATION_COLUMNS]
            row, column = row // settings[STRIDE_ROWS], column // settings[STRIDE_COLUMNS]
            if 0 <= row < settings[OFMAP_ROWS] and 0 <= column < settings[OFMAP_COLUMNS]:
                counts[LANDED] += 1
                bank = bank_of(settings[FIRST_FILTER] + weight[1], row, column) % settings[BANKS]
                psum = (
                    (weight[1] * settings[REACH_ROWS] + row - first_row) * settings[REACH_COLUMNS]
                    + column
                    - first_column
                )
                banks[0][bank, banks[1][bank], 0], banks[0][bank, banks[1][bank], 1] = psum, value[0] * weight[0]
                banks[1][bank] += 1


@compiled
def first_psums(tile: IntArray, settings: IntArray) -> tuple[int, int]:
    """Return the first ofmap row and column that a tile's products reach, which may lie before the ofmap."""
    row = tile[0] + settings[PADDING_ROWS] - (settings[KERNEL_ROWS] - 1) * settings[DILATION_ROWS]
    column = tile[2] + settings[PADDING_COLUMNS] - (settings[KERNEL_COLUMNS] - 1) * settings[DILATION_COLUMNS]
    return -(-row // settings[STRIDE_ROWS]), -(-column // settings[STRIDE_COLUMNS])


@compiled
def _add(banks: tuple[IntArray, IntArray], psums: IntArray, settings: IntArray) -> None:
    """Add one product in each bank, or all of them where banks have no queue to keep them in."""
    queues, waiting = banks
    for bank in range(len(waiting)):
        added = min(1, waiting[bank]) if settings[QUEUE] else waiting[bank]
        for each in range(added):
            psums.flat[queues[bank, each, 0]] += queues[bank, each, 1]
        for each in range(added, waiting[bank]):
            queues[bank, each - added] = queues[bank, each]
        waiting[bank] -= added

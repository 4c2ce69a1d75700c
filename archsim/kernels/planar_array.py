"""An array of planar tiles, clocked: every PE, every accumulator bank, every cycle, values included.

`engine/clocked_planar.py` calls it. In each cycle a PE whose banks have room sends the products of one vector of nonzero
ifmap values and one of nonzero weights to the banks of their psums; then each bank adds one product. Zeros are never taken:
a PE finds its next nonzero values without a cycle, as they are stored side by side. PEs run on their own up to a barrier.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled, compiled_in_place, compiled_inline
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
    psums = np.zeros((len(tiles), len(weight) * settings[REACH_ROWS] * settings[REACH_COLUMNS]), np.int64)
    depth = settings[QUEUE] + settings[IFMAP_VECTOR] * settings[WEIGHT_VECTOR]
    queues = np.zeros((len(tiles), settings[BANKS], depth, 2), np.int64)  # psum and product
    waiting = np.zeros((len(tiles), settings[BANKS]), np.int64)
    weights, weight_starts = _compress_weights(weight, settings)
    values, value_starts = _compress_tiles(ifmap, tiles, settings)
    cursors = np.zeros((len(tiles), _CURSOR), np.int64)
    cursors[:, _VALUE], cursors[:, _WEIGHT] = value_starts[:, 0], weight_starts[0]
    cycle = _clock(
        (values, value_starts, weights, weight_starts), tiles, (cursors, settings, counts), (queues, waiting, psums)
    )
    return psums.reshape(len(tiles), len(weight), settings[REACH_ROWS], settings[REACH_COLUMNS]), cycle


@compiled_in_place
def _clock(
    stores: tuple[IntArray, IntArray, IntArray, IntArray], tiles: IntArray, state: tuple[IntArray, IntArray, IntArray],
    banks: tuple[IntArray, IntArray, IntArray],
) -> int:  # fmt: skip
    """Step all PEs until the last one is done, channel by channel where they wait for each other; return the cycles."""
    values, value_starts, weights, weight_starts = stores
    cursors, settings, counts = state
    queues, waiting, psums = banks
    slots = value_starts.shape[1] - 1
    phases = settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
    each = phases if settings[BY_CHANNEL] else slots
    cycle = 0
    for end in range(each, slots + 1, each):
        cursors[:, _END] = end
        working = True
        while working:
            working = False
            for pe in range(len(tiles)):
                stored = (values, value_starts[pe], weights, weight_starts)
                taken = _issue(stored, tiles[pe], (cursors[pe], settings, counts), (queues[pe], waiting[pe]))
                if taken or _most(waiting[pe]):
                    working = True
                _add(queues[pe], waiting[pe], psums[pe], settings)
            cycle += working
    return cycle


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


@compiled_inline
def _issue(
    stores: tuple[IntArray, IntArray, IntArray, IntArray], tile: IntArray, state: tuple[IntArray, IntArray, IntArray],
    banks: tuple[IntArray, IntArray],
) -> bool:  # fmt: skip
    """Send the products of one pair of vectors to the banks; False = none was left, or there was no room."""
    values, value_starts, weights, weight_starts = stores
    cursor, settings, counts = state
    if _most(banks[1]) >= max(1, settings[QUEUE]):
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


@compiled_inline
def _multiply(
    vectors: tuple[IntArray, IntArray], tile: IntArray, state: tuple[IntArray, IntArray],
    banks: tuple[IntArray, IntArray],
) -> None:  # fmt: skip
    """Multiply every value with every weight, and queue the products at the banks of their psums."""
    settings, counts = state
    first_row, first_column = first_psums(tile, settings)
    values, weights = vectors
    for value in range(len(values)):
        for weight in range(len(weights)):
            counts[ISSUED] += 1
            row = values[value, 1] + settings[PADDING_ROWS] - weights[weight, 2] * settings[DILATION_ROWS]
            column = values[value, 2] + settings[PADDING_COLUMNS] - weights[weight, 3] * settings[DILATION_COLUMNS]
            if settings[STRIDE_ROWS] > 1:  # a division by 1 takes as long as all the rest
                row //= settings[STRIDE_ROWS]
            if settings[STRIDE_COLUMNS] > 1:
                column //= settings[STRIDE_COLUMNS]
            if 0 <= row < settings[OFMAP_ROWS] and 0 <= column < settings[OFMAP_COLUMNS]:
                counts[LANDED] += 1
                filter_ = weights[weight, 1]
                bank = bank_of(settings[FIRST_FILTER] + filter_, row, column)
                if bank >= settings[BANKS]:
                    bank %= settings[BANKS]
                line = filter_ * settings[REACH_ROWS] + row - first_row
                banks[0][bank, banks[1][bank], 0] = line * settings[REACH_COLUMNS] + column - first_column
                banks[0][bank, banks[1][bank], 1] = values[value, 0] * weights[weight, 0]
                banks[1][bank] += 1


@compiled_inline
def _most(waiting: IntArray) -> int:
    """Return how many products wait at the fullest bank."""
    most = 0
    for bank in range(len(waiting)):
        most = max(most, waiting[bank])
    return most


@compiled
def first_psums(tile: IntArray, settings: IntArray) -> tuple[int, int]:
    """Return the first ofmap row and column that a tile's products reach, which may lie before the ofmap."""
    row = tile[0] + settings[PADDING_ROWS] - (settings[KERNEL_ROWS] - 1) * settings[DILATION_ROWS]
    column = tile[2] + settings[PADDING_COLUMNS] - (settings[KERNEL_COLUMNS] - 1) * settings[DILATION_COLUMNS]
    return -(-row // settings[STRIDE_ROWS]), -(-column // settings[STRIDE_COLUMNS])


@compiled_inline
def _add(queues: IntArray, waiting: IntArray, psums: IntArray, settings: IntArray) -> None:
    """Add one product in each bank, or all of them where banks have no queue to keep them in."""
    for bank in range(len(waiting)):
        added = min(1, waiting[bank]) if settings[QUEUE] else waiting[bank]
        for each in range(added):
            psums[queues[bank, each, 0]] += queues[bank, each, 1]
        for each in range(added, waiting[bank]):
            queues[bank, each - added, 0] = queues[bank, each, 0]
            queues[bank, each - added, 1] = queues[bank, each, 1]
        waiting[bank] -= added

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

_CHANNEL, _PHASE, _PLACE, _TAP, _NEXT_PLACE, _END = range(_CURSOR := 6)
"""Where a PE is: channel, phase, first place and tap that its next vectors may begin at, place behind the present ifmap
vector, and the channel that it stops before."""


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
    cursors = np.zeros((len(tiles), _CURSOR), np.int64)
    ends = 1 if settings[BY_CHANNEL] else len(ifmap)
    cycle = 0
    for end in range(ends, len(ifmap) + 1, ends):
        cursors[:, _END] = end
        working = True
        while working:
            working = False
            for pe in range(len(tiles)):
                taken = _issue((ifmap, weight), tiles[pe], (cursors[pe], settings, counts), (queues[pe], waiting[pe]))
                if taken or waiting[pe].any():
                    working = True
                _add((queues[pe], waiting[pe]), psums[pe], settings)
            cycle += working
    return psums, cycle


@compiled
def _issue(
    operands: tuple[IntArray, IntArray], tile: IntArray, state: tuple[IntArray, IntArray, IntArray],
    banks: tuple[IntArray, IntArray],
) -> bool:  # fmt: skip
    """Send the products of one pair of vectors to the banks; False = none was left, or there was no room."""
    cursor, settings, counts = state
    values = np.zeros((settings[IFMAP_VECTOR], 3), np.int64)
    weights = np.zeros((settings[WEIGHT_VECTOR], 4), np.int64)
    if banks[1].max() >= max(1, settings[QUEUE]):
        counts[STALLED] += cursor[_CHANNEL] < cursor[_END]
        return False
    while cursor[_CHANNEL] < cursor[_END]:
        found = _next_values(operands[0], tile, (cursor, settings), values)
        taps = _next_weights(operands[1], (cursor, settings), weights) if found else 0
        if taps:
            _multiply((values[:found], weights[:taps]), tile, (settings, counts), banks)
            counts[BUSY] += 1
            return True
        _step_over(cursor, settings, found)
    return False


@compiled
def _step_over(cursor: IntArray, settings: IntArray, found: int) -> None:
    """Go to the next ifmap vector if there was one for which no weight is left, else to the next phase or channel."""
    cursor[_TAP] = 0
    cursor[_PLACE] = cursor[_NEXT_PLACE] if found else 0
    if not found:
        cursor[_PHASE] += 1
        if cursor[_PHASE] == settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]:
            cursor[_PHASE] = 0
            cursor[_CHANNEL] += 1


@compiled
def _next_values(ifmap: IntArray, tile: IntArray, state: tuple[IntArray, IntArray], values: IntArray) -> int:
    """Find a vector of nonzero values of the tile, channel and phase; note the place behind it."""
    cursor, settings = state
    found, columns = 0, tile[3] - tile[2]
    place = cursor[_PLACE]
    while place < (tile[1] - tile[0]) * columns and found < len(values):
        row, column = tile[0] + place // columns, tile[2] + place % columns
        phase = (row + settings[PADDING_ROWS]) % settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
        phase += (column + settings[PADDING_COLUMNS]) % settings[STRIDE_COLUMNS]
        if phase == cursor[_PHASE] and ifmap[cursor[_CHANNEL], row, column] != 0:
            values[found, 0], values[found, 1], values[found, 2] = ifmap[cursor[_CHANNEL], row, column], row, column
            found += 1
        place += 1
    cursor[_NEXT_PLACE] = place
    return found


@compiled
def _next_weights(weight: IntArray, state: tuple[IntArray, IntArray], weights: IntArray) -> int:
    """Find a vector of nonzero weights of the channel and phase, tap by tap, and go behind it."""
    cursor, settings = state
    found, filters = 0, len(weight)
    at = cursor[_TAP]
    while at < filters * settings[KERNEL_ROWS] * settings[KERNEL_COLUMNS] and found < len(weights):
        tap, filter_ = at // filters, at % filters
        row, column = tap // settings[KERNEL_COLUMNS], tap % settings[KERNEL_COLUMNS]
        phase = row * settings[DILATION_ROWS] % settings[STRIDE_ROWS] * settings[STRIDE_COLUMNS]
        phase += column * settings[DILATION_COLUMNS] % settings[STRIDE_COLUMNS]
        value = weight[filter_, cursor[_CHANNEL], row, column]
        if phase == cursor[_PHASE] and value != 0:
            weights[found, 0], weights[found, 1] = value, filter_
            weights[found, 2], weights[found, 3] = row, column
            found += 1
        at += 1
    cursor[_TAP] = at
    return found


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

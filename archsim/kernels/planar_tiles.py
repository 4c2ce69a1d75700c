"""Planar tiles, counted: nonzero values of every PE's tile, and the cycles of their products on banked accumulators.

`mapping/planar_counts.py` and `mapping/planar_conflicts.py` call these.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]
SmallArray = NDArray[np.int32]
ByteArray = NDArray[np.uint8]


@compiled
def count_tiles(planes: ByteArray, row_slot: IntArray, column_slot: IntArray, counts: IntArray) -> None:
    """Count the nonzero values of each plane by the slots of its rows and columns.

    Parameters
    ----------
    planes
        Shape (planes, rows, columns), 1 = not zero.
    row_slot, column_slot
        Shapes (rows,) and (columns,): a PE's place and a phase, as one number. Rows are taken tile by tile: neighbours of
        one slot, or of a few in turn.
    counts
        Shape (planes, row slots, column slots), zeros; added to.
    """
    rows, columns = planes.shape[1], planes.shape[2]
    sums = np.zeros((counts.shape[1], columns), np.uint16)
    for plane in range(len(planes)):
        sums[:] = 0
        for row in range(rows):
            line, values = sums[row_slot[row]], planes[plane, row]
            for column in range(columns):
                line[column] += values[column]
        for slot in range(counts.shape[1]):
            for column in range(columns):
                counts[plane, slot, column_slot[column]] += sums[slot, column]


@compiled
def list_nonzero(
    planes: ByteArray, slots: tuple[IntArray, IntArray], steps: tuple[IntArray, IntArray], starts: IntArray
) -> SmallArray:
    """List the places of each plane's nonzero values, slot by slot, in the order of rows and columns.

    Parameters
    ----------
    planes
        Shape (planes, rows, columns), 1 = not zero.
    slots
        Of rows and of columns; a place's slot is their sum.
    steps
        What is listed of rows and of columns.
    starts
        Shape (planes, slots): where each list begins; moved to its end.

    Returns
    -------
    Shape (values, 2).
    """
    listed = np.empty((int(planes.sum()), 2), np.int32)
    for plane in range(len(planes)):
        for row in range(planes.shape[1]):
            for column in range(planes.shape[2]):
                if planes[plane, row, column]:
                    slot = slots[0][row] + slots[1][column]
                    at = starts[plane, slot]
                    listed[at, 0], listed[at, 1] = steps[0][row], steps[1][column]
                    starts[plane, slot] += 1
    return listed


@compiled
def list_weights(
    weights: ByteArray, slots: tuple[IntArray, IntArray], steps: tuple[IntArray, IntArray], starts: IntArray, first: int
) -> SmallArray:
    """List the nonzero weights of each channel and phase: tap by tap, and of a tap filter by filter.

    Parameters
    ----------
    weights
        Shape (filters, channels, kernel rows, kernel columns), 1 = not zero.
    slots, steps
        As in `list_nonzero`, of kernel rows and columns.
    starts
        Shape (channels, phases): where each list begins; moved to its end.
    first
        Number of the first filter.

    Returns
    -------
    Shape (weights, 3): filter, and the steps of its tap.
    """
    listed = np.empty((int(weights.sum()), 3), np.int32)
    filters, channels, rows, columns = weights.shape
    for channel in range(channels):
        for row in range(rows):
            for column in range(columns):
                slot = slots[0][row] + slots[1][column]
                for filter_ in range(filters):
                    if weights[filter_, channel, row, column]:
                        at = starts[channel, slot]
                        listed[at, 0] = first + filter_
                        listed[at, 1], listed[at, 2] = steps[0][row], steps[1][column]
                        starts[channel, slot] += 1
    return listed


BANKS, QUEUE, IFMAP_VECTOR, WEIGHT_VECTOR, OFMAP_ROWS, OFMAP_COLUMNS, BY_CHANNEL = range(SETTINGS := 7)
"""Entries of ``settings``: banks; products that wait at one; values of both vectors; sides of the ofmap; whether PEs wait
for each other behind every channel."""


@compiled
def bank_of(filter_: int, row: int, column: int) -> int:
    """Return the bank of a psum, 0 .. 31: low bits of its place side by side, bits 1 of row and column and bit 2 of the filter joined.

    References
    ----------
    DNNsim (University of Toronto), core/src/SCNN.cpp: the mapping of its accumulator banks.
    """
    of_filter = (filter_ & 3) | ((filter_ & 4) << 2)
    return of_filter ^ ((row & 3) << 3) ^ ((column & 1) << 2) ^ ((column & 2) << 3)


@compiled
def count_group_cycles(
    ifmap: tuple[SmallArray, IntArray], weight: tuple[SmallArray, IntArray], settings: IntArray, cycles: IntArray
) -> int:
    """Count the cycles of one group of filters over all channels, bank conflicts included.

    Parameters
    ----------
    ifmap
        Places of nonzero values, shape (values, 2), and shape (channels, PEs, phases, 2) where each list begins and ends.
    weight
        Filters and taps of nonzero weights, shape (weights, 3), and shape (channels, phases, 2).
    settings
        Shape (7,): BANKS ... BY_CHANNEL.
    cycles
        Shape (PEs,); set to what each PE takes, without waits for other PEs. [cycles]

    Returns
    -------
    Cycles of the group, waits at its barriers included. [cycles]
    """
    channels, pes, phases = ifmap[1].shape[:3]
    passed, total = np.zeros(pes, np.int64), 0
    busy = np.zeros((pes, 32), np.int64)  # the cycle from which each bank has nothing left to add
    cycles[:] = 0
    for channel in range(channels):
        for pe in range(pes):
            for phase in range(phases):
                if weight[1][channel, phase, 0] < weight[1][channel, phase, 1]:
                    places = ifmap[0][ifmap[1][channel, pe, phase, 0] : ifmap[1][channel, pe, phase, 1]]
                    taps = weight[0][weight[1][channel, phase, 0] : weight[1][channel, phase, 1]]
                    cycles[pe] = _multiply(places, taps, settings, busy[pe], cycles[pe])
        if settings[BY_CHANNEL] or channel == channels - 1:
            slowest = 0
            for pe in range(pes):
                cycles[pe] = max(cycles[pe], busy[pe].max())
                slowest = max(slowest, cycles[pe] - passed[pe])
                passed[pe] = cycles[pe]
            total += slowest
    return int(total)


@compiled
def _multiply(places: SmallArray, taps: SmallArray, settings: IntArray, busy: IntArray, now: int) -> int:
    """Return the cycle after all vectors of values have met all vectors of weights; banks may still be busy."""
    queue, banks = settings[QUEUE], settings[BANKS]
    rows, columns = np.uint32(settings[OFMAP_ROWS]), np.uint32(settings[OFMAP_COLUMNS])
    for first in range(0, len(places), settings[IFMAP_VECTOR]):
        last = min(first + settings[IFMAP_VECTOR], len(places))
        for start in range(0, len(taps), settings[WEIGHT_VECTOR]):
            fullest = now
            for tap in range(start, min(start + settings[WEIGHT_VECTOR], len(taps))):
                filter_, up, left = taps[tap, 0], taps[tap, 1], taps[tap, 2]
                for value in range(first, last):
                    row, column = np.uint32(places[value, 0] - up), np.uint32(places[value, 1] - left)
                    if row < rows and column < columns:  # a place before the ofmap is a large number too
                        bank = np.uintp(bank_of(filter_, np.int32(row), np.int32(column)))
                        if bank >= banks:
                            bank %= np.uintp(banks)
                        free = max(busy[bank], now) + 1
                        busy[bank] = free
                        fullest = max(fullest, free)
            now += max(1, fullest - now - queue + 1)  # no more than the queue may be left when the next vectors come
    return now

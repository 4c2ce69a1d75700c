"""Cycles of row-stationary PEs that step over zeros of the ifmap: counted from its mask, row by row, pass by pass.

`mapping/row_skip.py` calls both kernels, in this order. A PE's work on a row does not ask who its neighbours are, so
that every row is counted once; then the passes look up what their PEs take.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]

MULTIPLIERS, ACCUMULATE_CYCLES = range(2)
"""Entries of ``settings``: nonzero taps that a PE multiplies per cycle; cycles to add the neighbour's psum."""


@compiled
def count_row_cycles(
    nonzero: NDArray[np.bool_], sets: IntArray, places: tuple[IntArray, IntArray], settings: IntArray, found: IntArray
) -> None:
    """Count the cycles of one filter along each ifmap row, windows of all its ofmap columns.

    Parameters
    ----------
    nonzero
        Shape (images, groups, channels, rows, columns).
    sets
        First channel of each set and the one behind its last, shape (sets, 2).
    places
        Ifmap column of each tap under each ofmap column, -1 = padding, shape (ofmap columns, taps); where the parts of a
        filter's columns begin and end among the taps, shape (parts + 1,).
    settings
        MULTIPLIERS, ACCUMULATE_CYCLES.
    found
        Shape (parts, images, groups, sets, rows + 1), written; the last row is one of padding.
    """
    images, groups, _, rows, width = nonzero.shape
    columns, bounds = places
    multipliers, accumulate = settings[MULTIPLIERS], settings[ACCUMULATE_CYCLES]
    there = np.zeros(width + 1, np.int64)  # the last one is padding: a place of -1
    found[:, :, :, :, rows] = len(columns) * max(1, accumulate)
    for n in range(images):
        for g in range(groups):
            for k in range(len(sets)):
                for h in range(rows):
                    there[:] = 0
                    for c in range(sets[k, 0], sets[k, 1]):
                        for w in range(width):
                            there[w] += nonzero[n, g, c, h, w]
                    for part in range(len(bounds) - 1):
                        cycles = 0
                        for f in range(len(columns)):
                            met = 0
                            for s in range(bounds[part], bounds[part + 1]):
                                met += there[columns[f, s]]
                            cycles += max(1, -(-met // multipliers) + accumulate)
                        found[part, n, g, k, h] = cycles


@compiled
def look_up_passes(
    cycles: IntArray, rows: IntArray, cuts: tuple[IntArray, IntArray, IntArray], found: tuple[IntArray, IntArray]
) -> None:
    """Find the busiest PE of every pass, and all PEs of one filter set together.

    Parameters
    ----------
    cycles
        As `count_row_cycles` finds them, images added up to blocks of them.
    rows
        Ifmap row of each filter row under each ofmap row, the last of ``cycles`` = padding; shape (filter rows, ofmap rows).
    cuts
        The filter's rows into parts, ofmap rows into strips, sets into channel blocks: where each begins, and the end of
        the last.
    found
        The busiest and the sum, each of shape (groups, image blocks, strips, channel blocks, parts of a filter), those of
        its columns inside those of its rows; written.
    """
    wide_parts, image_blocks, groups, _, _ = cycles.shape
    parts, strips, blocks = cuts
    busiest, total = found
    for g in range(groups):
        for b in range(image_blocks):
            for strip in range(len(strips) - 1):
                for block in range(len(blocks) - 1):
                    for tall in range(len(parts) - 1):
                        for wide in range(wide_parts):
                            most, all_of_them = 0, 0
                            for k in range(blocks[block], blocks[block + 1]):
                                for i in range(parts[tall], parts[tall + 1]):
                                    for y in range(strips[strip], strips[strip + 1]):
                                        taken = cycles[wide, b, g, k, rows[i, y]]
                                        most = max(most, taken)
                                        all_of_them += taken
                            place = tall * wide_parts + wide
                            busiest[g, b, strip, block, place] = most
                            total[g, b, strip, block, place] = all_of_them

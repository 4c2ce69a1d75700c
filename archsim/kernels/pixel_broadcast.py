"""A pixel broadcast, cycle by cycle and PE by PE, values included.

`engine/clocked_broadcast.py` calls it, stream by stream: a stream is one row of pixels of one channel, past all sets of the
array. Every cycle the front end looks at a window of the row and puts nonzero pixels behind those that wait; the array takes
the first one, and each PE of a set that keeps a psum of which the pixel is part multiplies it by that psum's tap.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.pixel_scan import look

IntArray = NDArray[np.int64]

FIRST, LAST, STRIDE, DILATION, PADDING, SPACING, WINDOW, FIFO, EMPTY, SKIPS = range(SETTINGS := 10)
"""Entries of ``settings``: the segment's first ofmap value, and the one behind its last; of the row; places from one ofmap
value that a pixel meets to the next; zeros passed in a cycle; pixels that wait beside the one taken; least cycles of a row
without a nonzero pixel; 1 = zeros are stepped over, 0 = every place takes its cycle."""
PIXEL, TAP, PSUM = range(FIELDS := 3)
"""What a PE has in a cycle: place in the row, tap, ofmap value of the row; -1 = it is idle."""
NONE = -(2**40)
"""No place: the front end found no pixel in time."""


@compiled
def stream_row(
    row: IntArray,
    places: IntArray,
    taps: IntArray,
    weights: IntArray,
    settings: IntArray,
    psums: IntArray,
    trace: IntArray,
) -> tuple[int, int]:
    """Stream one row of pixels past the sets of the array.

    Parameters
    ----------
    row
        Stored pixels of the row; all of a row of padding are absent: length 0.
    places
        Places that stream, in order; beyond the row = padding.
    taps
        Taps of the filter row that this stream is for.
    weights
        Shape (sets, taps of the filter row).
    settings
        Shape (10,): FIRST ... SKIPS.
    psums
        Shape (sets, ofmap values of the row); added to.
    trace
        Shape (cycles, PEs of a set, 3): what each PE of a set has, as PIXEL, TAP and PSUM; at least as many cycles as places
        and ``empty_cycles``.

    Returns
    -------
    Cycles, and MACs that a set issued.
    """
    nonzero = np.zeros(len(places), np.uint8)
    for index in range(len(places)):
        place = places[index]
        nonzero[index] = 0 <= place < len(row) and row[place] != 0
    order = np.arange(len(places))
    waiting = np.zeros(len(places) + 1, np.int64)
    head, tail, first, cycles, issued = 0, 0, 0, 0, 0
    while first < len(places) or head < tail:
        place = NONE
        if settings[SKIPS] == 0:
            place, first = places[first], first + 1
        else:
            until, _ = look(nonzero, order, first, settings[WINDOW], settings[FIFO] + 1 - (tail - head))
            for index in range(first, until):
                if nonzero[index]:
                    waiting[tail] = places[index]
                    tail += 1
            first = until
            if head == tail and settings[WINDOW] >= len(places):
                break  # nothing is left, and a front end without a limit saw it at once
            if head < tail:
                place = waiting[head]
                head += 1
        issued += _meet(place, row, taps, weights, settings, psums, trace[cycles])
        cycles += 1
    if tail == 0 and settings[SKIPS]:
        cycles = max(cycles, settings[EMPTY])
    return cycles, issued


@compiled
def _meet(
    place: int, row: IntArray, taps: IntArray, weights: IntArray, settings: IntArray, psums: IntArray, trace: IntArray
) -> int:
    """Let a pixel meet all psums that it is part of; return the MACs of a set. Padding meets them as a zero."""
    trace[:] = -1
    pes, issued = len(trace), 0
    if place == NONE:
        return 0
    for tap in taps:
        reach = place + settings[PADDING] - tap * settings[DILATION]
        if reach < 0 or reach % settings[STRIDE]:
            continue
        psum = reach // settings[STRIDE]
        if psum < settings[FIRST] or psum >= settings[LAST]:
            continue
        pe = (psum // settings[SPACING]) % pes
        if trace[pe, TAP] >= 0:
            raise ValueError  # two psums of one pixel in one PE: the set is too small
        trace[pe, PIXEL], trace[pe, TAP], trace[pe, PSUM] = place, tap, psum
        issued += 1
        if 0 <= place < len(row):
            for each in range(len(weights)):
                psums[each, psum] += row[place] * weights[each, tap]
    return issued

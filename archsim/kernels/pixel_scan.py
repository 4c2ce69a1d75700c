"""The front end of a pixel broadcast: finds the nonzero pixels of a row, a window of places at a time.

Called by `mapping/broadcast_streams.py` for counts; `kernels/pixel_broadcast.py` has the same front end, cycle by cycle.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]


@compiled
def scan_rows(rows: NDArray[np.uint8], places: IntArray, window: int, fifo: int, empty_cycles: int) -> IntArray:
    """Return the cycles in which the pixels of each row reach the array.

    Every cycle the front end looks at the next ``window + 1`` places: it passes zeros and puts nonzero pixels behind those
    that wait, as long as there is room for them; the array takes the first of them in the same cycle. Each row begins
    afresh.

    Parameters
    ----------
    rows
        Shape (rows, stored places); 0 = a zero pixel.
    places
        Places of a row in the order in which they stream; -1 = padding, a zero.
    window
        Most zeros that are passed in front of a pixel in one cycle.
    fifo
        Pixels that wait beside the one that the array takes.
    empty_cycles
        Least cycles of a row without a nonzero pixel.

    Returns
    -------
    Shape (rows,). [cycles]
    """
    cycles = np.zeros(len(rows), np.int64)
    for row in range(len(rows)):
        first, waiting, found, taken = 0, 0, 0, 0
        nonzero = 0
        for place in places:
            nonzero += place >= 0 and rows[row, place] != 0
        if window >= len(places):
            taken = nonzero
        else:
            while first < len(places) or waiting:
                first, found = look(rows[row], places, first, window, fifo + 1 - waiting)
                waiting += found
                waiting -= waiting > 0
                taken += 1
        cycles[row] = max(taken, empty_cycles) if nonzero == 0 else taken
    return cycles


@compiled
def look(row: NDArray[np.uint8], places: IntArray, first: int, window: int, room: int) -> tuple[int, int]:
    """Look at the next places of a row; return the first one not passed, and the nonzero pixels found."""
    found, last = 0, min(len(places), first + window + 1)
    while first < last:
        place = places[first]
        if place >= 0 and row[place] != 0:
            if found == room:
                break
            found += 1
        first += 1
    return first, found

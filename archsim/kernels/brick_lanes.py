"""An array of brick lanes, lane by lane, cycle by cycle, values included: skipping zeros, or in lock step.

`engine/clocked_bricks.py` calls it. A job is one window in one pass of filters; a lane that has a value of it loads its product
registers, one per column; ``LATENCY`` edges later the adder trees take the products, and an accumulator each sum.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]
PlaceArray = NDArray[np.int32]

LANES, COLUMNS, EMPTY, FREE, LATENCY, BRICK_VALUES, PASSES = range(SETTINGS := 7)
"""Entries of ``settings``: lanes; filters across; cycles of an empty brick; 1 = lanes run freely to the layer's end; edges from a
value to its sums; values of a brick; passes of filters."""

EDGES, PRODUCTS, ZERO_PRODUCTS, EMPTY_CYCLES = range(COUNTS := 4)
"""Entries of ``counts``: edges until the last value is summed; products of real filters; those of a zero value; lane cycles that
empty bricks took."""

WINDOW, BRICK, OFFSET, VALUE = range(TRACED := 4)
"""What ``trace`` has of a lane in a cycle: job; brick of the window, tap by tap; place in the brick; value."""
IDLE_LANE, EMPTY_BRICK = -1, -2
"""Offsets of a lane without a value."""

_JOB, _SLOT, _SPENT = range(3)
"""State of a lane: its job, its brick there, cycles spent in that brick."""


@compiled
def step_brick_lanes(
    bricks: tuple[IntArray, IntArray, IntArray],
    weight: IntArray,
    places: PlaceArray,
    settings: IntArray,
    results: tuple[IntArray, IntArray],
) -> IntArray:
    """Clock a layer through lanes that skip zeros.

    Parameters
    ----------
    bricks
        ``values``, ``offsets``, shape (images, groups, places, bricks, values): each brick's nonzero values in front, and their
        places in it; ``counts``, shape (images, groups, places, bricks): how many there are.
    weight
        Shape (groups, filters, channels, taps).
    places
        Shape (windows, taps): place that each tap of a window reads; -1 = padding.
    settings
        Shape (7,): LANES ... PASSES.
    results
        ``ofmap``, shape (images, groups, filters, windows), added to; ``trace``, shape (cycles, lanes, 4), filled as far as it goes.

    Returns
    -------
    counts
        Shape (4,): EDGES ... EMPTY_CYCLES.

    Notes
    -----
    Not modelled: stalls of the buffers that feed the lanes.
    """
    jobs = bricks[2].shape[0] * bricks[2].shape[1] * settings[PASSES] * len(places)
    lanes = np.zeros((settings[LANES], 3), np.int64)
    lanes[:, _SLOT] = np.arange(settings[LANES])
    held = np.full((settings[LATENCY], settings[LANES], 3), -1, np.int64)  # job, word of the window, value
    counts = np.zeros(COUNTS, np.int64)
    cycle = 0
    while True:
        busy = False
        for lane in range(len(lanes)):
            busy |= _seek(lanes[lane], lane, jobs, bricks[2], places, settings)
        if not busy:
            if settings[FREE] or lanes[0, _JOB] + 1 >= jobs:
                break
            lanes[:, _JOB] += 1
            lanes[:, _SLOT] = np.arange(settings[LANES])
            continue
        for lane in range(len(lanes)):
            _take(lanes[lane], lane, cycle, bricks, places, (settings, held, results[1], counts))
        cycle += 1
        _sum(held, cycle, weight, len(places), (settings, results[0], counts))
    for edge in range(1, settings[LATENCY]):
        held[(cycle + edge - 1) % settings[LATENCY]] = -1
        _sum(held, cycle + edge, weight, len(places), (settings, results[0], counts))
    counts[EDGES] = cycle + settings[LATENCY] - 1
    return counts


@compiled
def step_lock_step_lanes(
    values: IntArray,
    weight: IntArray,
    places: PlaceArray,
    settings: IntArray,
    results: tuple[IntArray, IntArray],
) -> IntArray:
    """Clock a layer through lanes that take neighbouring channels of one tap, zeros and padding included.

    Parameters
    ----------
    values
        Shape (images, groups, channels, places).
    weight, places, settings, results
        As in `step_brick_lanes`; a brick of ``trace`` is what the lanes take in one cycle.

    Returns
    -------
    counts
        Shape (4,): EDGES ... EMPTY_CYCLES.
    """
    images, groups, channels, _ = values.shape
    windows, taps = places.shape
    held = np.full((settings[LATENCY], settings[LANES], 3), -1, np.int64)
    counts, cycle = np.zeros(COUNTS, np.int64), 0
    depth = -(-channels // settings[LANES])
    for job in range(images * groups * settings[PASSES] * windows):
        image, group, _, window = _parts(job, images, settings[PASSES], windows)
        for tap in range(taps):
            for first in range(0, channels, settings[LANES]):
                stage = held[cycle % settings[LATENCY]]
                stage[:] = -1
                for lane in range(min(settings[LANES], channels - first)):
                    place = places[window, tap]
                    value = np.int64(0) if place < 0 else values[image, group, first + lane, place]
                    stage[lane] = (job, (first + lane) * taps + tap, value)
                    _note(results[1], cycle, lane, (job, tap * depth + first // settings[LANES], lane, value))
                cycle += 1
                _sum(held, cycle, weight, windows, (settings, results[0], counts))
    for edge in range(1, settings[LATENCY]):
        held[(cycle + edge - 1) % settings[LATENCY]] = -1
        _sum(held, cycle + edge, weight, windows, (settings, results[0], counts))
    counts[EDGES] = cycle + settings[LATENCY] - 1
    return counts


@compiled
def _parts(job: int, images: int, passes: int, windows: int) -> tuple[int, int, int, int]:
    """Image, group, pass and window of a job: groups outside, then passes, images, windows."""
    rest, window = job // windows, job % windows
    rest, image = rest // images, rest % images
    return image, rest // passes, rest % passes, window


@compiled
def _found(
    state: IntArray, counts: IntArray, places: PlaceArray, settings: IntArray
) -> tuple[int, int, int, int, int, int]:
    """Where a lane's brick lies and how many values it has; of padding 0."""
    image, group, _, window = _parts(state[_JOB], counts.shape[0], settings[PASSES], len(places))
    tap, brick = state[_SLOT] // counts.shape[3], state[_SLOT] % counts.shape[3]
    place = int(places[window, tap])
    count = 0 if place < 0 else int(counts[image, group, place, brick])
    return image, group, tap, brick, place, count


@compiled
def _seek(state: IntArray, lane: int, jobs: int, counts: IntArray, places: PlaceArray, settings: IntArray) -> bool:
    """Move a lane on to a brick that takes a cycle: within its window, or beyond where lanes run freely."""
    while state[_JOB] < jobs:
        while state[_SLOT] < places.shape[1] * counts.shape[3]:
            if settings[EMPTY] or _found(state, counts, places, settings)[5]:
                return True
            state[_SLOT] += settings[LANES]
        if not settings[FREE]:
            return False
        state[_JOB] += 1
        state[_SLOT] = lane
    return False


@compiled
def _take(
    state: IntArray,
    lane: int,
    cycle: int,
    bricks: tuple[IntArray, IntArray, IntArray],
    places: PlaceArray,
    array: tuple[IntArray, IntArray, IntArray, IntArray],
) -> None:
    """Load a lane's value of this cycle, if it has one, and count the cycle against its brick."""
    settings, held, trace, counts = array
    stage = held[cycle % settings[LATENCY], lane]
    stage[:] = -1
    images, groups, _, depth = bricks[2].shape
    slots = places.shape[1] * depth
    if state[_SLOT] >= slots or state[_JOB] >= images * groups * settings[PASSES] * len(places):
        _note(trace, cycle, lane, (state[_JOB], -1, IDLE_LANE, 0))
        return
    image, group, tap, brick, place, count = _found(state, bricks[2], places, settings)
    if count == 0:
        counts[EMPTY_CYCLES] += 1
        _note(trace, cycle, lane, (state[_JOB], state[_SLOT], EMPTY_BRICK, 0))
    else:
        offset = bricks[1][image, group, place, brick, state[_SPENT]]
        value = bricks[0][image, group, place, brick, state[_SPENT]]
        word = (brick * settings[BRICK_VALUES] + offset) * places.shape[1] + tap
        stage[:] = (state[_JOB], word, value)
        _note(trace, cycle, lane, (state[_JOB], state[_SLOT], offset, value))
    state[_SPENT] += 1
    if state[_SPENT] == (count or settings[EMPTY]):
        state[_SPENT] = 0
        state[_SLOT] += settings[LANES]


@compiled
def _note(trace: IntArray, cycle: int, lane: int, what: tuple[int, int, int, int]) -> None:
    """Write down what a lane has in a cycle, as far as the trace goes."""
    if cycle < len(trace):
        trace[cycle, lane, WINDOW], trace[cycle, lane, BRICK] = what[0], what[1]
        trace[cycle, lane, OFFSET], trace[cycle, lane, VALUE] = what[2], what[3]


@compiled
def _sum(held: IntArray, edge: int, weight: IntArray, windows: int, array: tuple[IntArray, IntArray, IntArray]) -> None:
    """Add what was loaded ``LATENCY`` - 1 edges before to the accumulators of its window."""
    settings, ofmap, counts = array
    stage = held[edge % settings[LATENCY]]
    for lane in range(len(stage)):
        job, word, value = stage[lane, 0], stage[lane, 1], stage[lane, 2]
        if job < 0:
            continue
        image, group, filters, window = _parts(job, len(ofmap), settings[PASSES], windows)
        first = filters * settings[COLUMNS]
        channel, tap = word // weight.shape[3], word % weight.shape[3]
        last = min(first + settings[COLUMNS], weight.shape[1])
        counts[PRODUCTS] += last - first
        counts[ZERO_PRODUCTS] += (last - first) * (value == 0)
        for number in range(first, last):
            ofmap[image, group, number, window] += value * weight[group, number, channel, tap]

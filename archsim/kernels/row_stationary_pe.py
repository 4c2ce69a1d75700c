"""One row-stationary PE with its spads, register by register, edge by edge, values included.

`engine/clocked_row_pe.py` calls it: it is the array's PE (`row_stationary.py`) with spads that fill while it works, and
with the start, the restart and the groups of psums that RTL of third parties shows.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.row_datapath import (
    ENTERED,
    HELD,
    IFMAP_WRITES,
    PE_COUNTS,
    WEIGHT_WRITES,
    WINDOW_STATE,
    add_up,
    fill_window,
    multiply_taps,
    slide_window,
)
from archsim.kernels.row_loop import (
    CHANNELS,
    CLEARS,
    DONE,
    FILTER,
    FILTERS,
    FINISHES,
    IMAGE,
    MULTIPLYING,
    OUTPUT,
    PE_LATENCY,
    SLIDING,
    STARTING,
    STATE,
    STEP_WORDS,
    issue_step,
    last_tap,
    new_control,
    place_in_window,
    window_words,
)

IntArray = NDArray[np.int64]


@compiled
def step_row_stationary_pe(
    rows: IntArray, weights: IntArray, below: IntArray, settings: tuple[IntArray, int]
) -> tuple[IntArray, IntArray, IntArray]:
    """Clock one PE until its last psum is out.

    Parameters
    ----------
    rows
        An ifmap row per image, channels side by side, shape (images, words * channels).
    weights
        Filter rows, shape (taps * channels, filters), channels side by side.
    below
        Psums that the PE below hands over, shape (images, outputs, filters); they are always there.
    settings
        The loop (`row_loop.py`), and the words that enter each spad per cycle, to be read from the cycle after;
        0 = both spads are filled ahead.

    Returns
    -------
    psums, cycles
        Shape (images, outputs, filters); the edge after which each is out, counted from 1 = the edge at which the first
        word may enter a spad.
    counts
        Shape (8,): MACS ... PSUM_WRITES of `row_datapath.py`. [words]

    Notes
    -----
    Not modelled: a neighbour or a buffer that is not ready.
    """
    loop, fill_words = settings
    depth = loop[PE_LATENCY]
    window, state = np.zeros(window_words(loop), np.int64), np.zeros(WINDOW_STATE, np.int64)
    weight_spad, weights_held = np.zeros_like(weights), 0
    steps, made = np.zeros((depth, STEP_WORDS), np.int64), np.zeros((depth, 2), np.int64)
    psum_spad = np.zeros((loop[FILTERS], 2), np.int64)
    psums, cycles = np.zeros_like(below), np.zeros_like(below)
    counts, control = np.zeros(PE_COUNTS, np.int64), new_control(loop)
    missing, cycle = below.size, 0
    if fill_words == 0:
        fill_window(window, state, rows, len(window))
        counts[IFMAP_WRITES] = state[ENTERED]
        weights_held = _fill_weights(weight_spad, weights, 0, weights.size)
    while missing > 0:
        cycle += 1
        issued, added = cycle % depth, (cycle + 1) % depth
        is_sliding = control[STATE] == SLIDING
        steps[issued] = 0
        if control[STATE] != DONE and _is_there(loop, control, state[HELD], weights_held):
            issue_step(loop, control, steps[issued])
        step = steps[issued]
        multiply_taps(loop, step, (window, weight_spad), (loop[FILTERS], loop[CHANNELS]), made[issued], counts)
        before = 0 if step[CLEARS] else state[ENTERED]
        if fill_words > 0:
            weights_held = _fill_weights(weight_spad, weights, weights_held, fill_words)
            if not is_sliding and not step[CLEARS]:
                fill_window(window, state, rows, fill_words)
        slide_window(step, window, state)
        if fill_words == 0:
            fill_window(window, state, rows, len(window))
        counts[IFMAP_WRITES] += state[ENTERED] - before

        step = steps[added]
        psum = add_up(step, made[added], psum_spad, counts)
        if step[FINISHES]:
            place = (step[IMAGE], step[OUTPUT], step[FILTER])
            psums[place], cycles[place] = below[place] + psum, cycle
            missing -= 1
    counts[WEIGHT_WRITES] = weights_held
    return psums, cycles, counts


@compiled
def _is_there(loop: IntArray, control: IntArray, held: int, weights_held: int) -> bool:
    """Tell whether the spads hold, before this edge, what its step reads; any word each, to start."""
    if control[STATE] == STARTING:
        return held > 0 and weights_held > 0
    if control[STATE] != MULTIPLYING:
        return True
    last = last_tap(loop, control)
    weight = last * loop[FILTERS] + control[FILTER]
    return bool(held > place_in_window(loop, last) and weights_held > weight)


@compiled
def _fill_weights(spad: IntArray, weights: IntArray, held: int, most: int) -> int:
    """Let words enter the weight spad, filter after filter for each tap; return how many it holds."""
    filters = weights.shape[1]
    after = min(held + most, weights.size)
    for i in range(held, after):
        spad[i // filters, i % filters] = weights[i // filters, i % filters]
    return after

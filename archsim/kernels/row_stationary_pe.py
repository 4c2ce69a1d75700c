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
    VALUE,
    WEIGHT_WRITES,
    add_up,
    fill_windows,
    multiply_taps,
    new_registers,
    plan_rows,
    slide_windows,
    sum_counts,
)
from archsim.kernels.row_loop import (
    CHANNELS,
    CLEARS,
    DONE,
    FILTER,
    FILTERS,
    FINISHES,
    IMAGE,
    KIND,
    MULTIPLY,
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
    plan = plan_rows(loop, np.array([loop[CHANNELS]]), np.ones(loop[FILTERS], np.int64))
    registers, ifmap = new_registers(loop, 1, 1), rows.reshape((1, 1, *rows.shape))
    state, weight_spad, weights_held = registers.states[0], registers.weights[0, :, :, 0], 0
    steps, control = np.zeros((depth, STEP_WORDS), np.int64), new_control(loop)
    psums, cycles = np.zeros_like(below), np.zeros_like(below)
    ifmap_writes, missing, cycle = 0, below.size, 0
    if fill_words == 0:
        fill_windows(registers, 0, ifmap, registers.windows.shape[1])
        ifmap_writes = state[ENTERED]
        weights_held = _fill_weights(weight_spad, weights, 0, weights.size)
    while missing > 0:
        cycle += 1
        issued, added = cycle % depth, (cycle + 1) % depth
        is_sliding = control[STATE] == SLIDING
        steps[issued] = 0
        if control[STATE] != DONE and _is_there(loop, control, state[HELD], weights_held):
            issue_step(loop, control, steps[issued])
        step = steps[issued]
        if step[KIND] == MULTIPLY:
            multiply_taps(plan, step, registers, (0, issued))
        before = 0 if step[CLEARS] else state[ENTERED]
        if fill_words > 0:
            weights_held = _fill_weights(weight_spad, weights, weights_held, fill_words)
            if not is_sliding and not step[CLEARS]:
                fill_windows(registers, 0, ifmap, fill_words)
        slide_windows(step, registers, 0)
        if fill_words == 0:
            fill_windows(registers, 0, ifmap, registers.windows.shape[1])
        ifmap_writes += state[ENTERED] - before

        step = steps[added]
        if step[KIND] == MULTIPLY or step[FINISHES]:
            add_up(plan, step, registers, (0, added))
        if step[FINISHES]:
            place = (step[IMAGE], step[OUTPUT], step[FILTER])
            psums[place], cycles[place] = below[place] + registers.psums[0, step[FILTER], VALUE, 0], cycle
            missing -= 1
    registers.counts[0, IFMAP_WRITES, 0], registers.counts[0, WEIGHT_WRITES, 0] = ifmap_writes, weights_held
    return psums, cycles, sum_counts(plan, registers)[0, 0]


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

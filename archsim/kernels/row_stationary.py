"""One processing pass of a row-stationary array, register by register, edge by edge, values included.

`engine/clocked_rows.py` calls it, pass by pass. A PE holds a few filter rows and slides over an ifmap row; the psums of
an ofmap row travel up a chain of PEs, one filter row (and set of channels) after the other, and each adds its own.

One controller issues the steps of the loop (`row_loop.py`) for the bottom row of PEs; they climb with the psums,
``hop`` cycles a row, so that a row's psum is ready when that from below arrives. The weights of the pass come
first, bottom row first, and climb as the steps do: a row takes its words when it is done with those of the pass before.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.row_datapath import (
    ENTERED,
    IFMAP_WRITES,
    PE_COUNTS,
    WEIGHT_WRITES,
    WINDOW_STATE,
    add_up,
    fill_window,
    multiply_taps,
    slide_window,
    words_until,
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
    LOAD,
    OUTPUT,
    PE_LATENCY,
    SLIDE,
    STATE,
    STEP_WORDS,
    TAP,
    TAPS,
    issue_step,
    new_control,
    wants_psum,
    window_words,
)

IntArray = NDArray[np.int64]

LOAD_ROW, LOAD_SET, LOAD_TAP, LOAD_FILTER, LOAD_WORD = range(5)
"""Columns of ``loads``, one row per weight: the row of PEs and the set of filters that take it, its place, the word."""

ADVANCE, WAITED, IFMAP_WORDS, PSUM_HOPS = range(PASS_COUNTS := 4)
"""Entries of ``totals``: cycles until the controller is done, those among them that it waited for psums, ifmap words
over the network, psums that moved from one PE to the next."""


@compiled
def step_row_stationary_pass(
    operands: tuple[IntArray, IntArray, NDArray[np.bool_]],
    entering: tuple[IntArray, IntArray],
    extents: tuple[IntArray, IntArray],
    settings: tuple[IntArray, int, int],
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Clock every PE of a pass until its last psum is out at the top.

    Parameters
    ----------
    operands
        Weights in the order in which the network sends them, shape (words, 5): LOAD_ROW ... LOAD_WORD; ifmap rows of
        every PE, channels side by side, shape (PE rows, e, images, words); whether the network sends a PE's ifmap word
        for its sake, shape (PE rows, e): the others take the same word with it.
    entering
        Psums that enter at the bottom, shape (t, e, images, outputs, p); the cycle after which each is in the
        buffer, counted as below, so that of an earlier pass may be 0 or less.
    extents
        Channels of each row of PEs, filters of each set of them.
    settings
        The loop; weight words per cycle, 0 = they are loaded ahead, and the windows filled; cycles of a psum from a PE
        to the next.

    Returns
    -------
    psums, cycles
        As ``entering``: psums at the top; the edge after which each is out, counted from 1 = the first edge of the
        load; 0 = a place beyond the filters.
    counts
        Shape (PE rows, t, e, 8): MACS ... PSUM_WRITES of `row_datapath.py`, per PE.
    totals
        Shape (4,): ADVANCE ... PSUM_HOPS.

    Notes
    -----
    Not modelled: ifmap words that are late; psums that wait for the network. A step whose psum is not back in the
    buffer waits, and all behind it.
    """
    loads, rows, _ = operands
    loop, load_words, hop = settings
    sets, pe_rows, (columns, depth) = len(extents[1]), len(extents[0]), (rows.shape[1], loop[PE_LATENCY])
    grid = (pe_rows, sets, columns)
    windows, states = np.zeros((*grid, window_words(loop)), np.int64), np.zeros((*grid, WINDOW_STATE), np.int64)
    weights = np.zeros((pe_rows, sets, columns, loop[TAPS] * loop[CHANNELS], loop[FILTERS]), np.int64)
    made, psum_spads = np.zeros((depth, *grid, 2), np.int64), np.zeros((*grid, loop[FILTERS], 2), np.int64)
    chain = np.zeros((hop + 1, *grid), np.int64)
    steps = np.zeros(((pe_rows - 1) * hop + depth, STEP_WORDS), np.int64)
    psums, cycles = np.zeros_like(entering[0]), np.zeros_like(entering[0])
    counts, totals, control = np.zeros((*grid, PE_COUNTS), np.int64), np.zeros(PASS_COUNTS, np.int64), new_control(loop)
    missing, cycle = loop[FILTERS] * entering[0][0, 0, :, :, 0].size, 0
    if load_words == 0:
        steps[0, KIND] = LOAD
        for k in range(pe_rows):
            _take_weights(k, steps[0], weights, (loads, len(loads), counts))
            _step_row(k, steps[0], (windows, states, weights, made[0]), (operands, extents, loop, counts, totals))
        steps[0, KIND] = 0
    while missing > 0:
        cycle += 1
        _control(control, steps[cycle % len(steps)], (loads, entering[1], extents[1], settings), (cycle, totals))
        for k in range(pe_rows):
            step = steps[(cycle - k * hop) % len(steps)]
            if step[KIND] == LOAD:
                _take_weights(k, step, weights, (loads, load_words, counts))
            _step_row(
                k, step, (windows, states, weights, made[cycle % depth]), (operands, extents, loop, counts, totals)
            )
        for k in range(pe_rows):
            step = steps[(cycle - k * hop - depth + 1) % len(steps)]
            _add_row(k, step, (psum_spads, made[(cycle + 1) % depth], chain, counts), (entering[0], extents[1], cycle))
            if step[FINISHES]:
                totals[PSUM_HOPS] += (k > 0) * columns * np.sum(extents[1] > step[FILTER])
                missing -= k == pe_rows - 1
        _collect(
            steps[(cycle - (pe_rows - 1) * hop - depth + 1) % len(steps)], (psums, cycles), chain, (extents[1], cycle)
        )
    return psums, cycles, counts, totals


@compiled
def _control(
    control: IntArray,
    step: IntArray,
    plan: tuple[IntArray, IntArray, IntArray, tuple[IntArray, int, int]],
    now: tuple[int, IntArray],
) -> None:
    """Decide what the bottom row does at this edge: load, a step of the loop, or wait for a psum that is still out."""
    loads, ready, filters, (loop, load_words, _) = plan
    cycle, totals = now
    step[:] = 0
    if load_words > 0 and (cycle - 1) * load_words < len(loads):
        step[KIND], step[TAP] = LOAD, (cycle - 1) * load_words
    elif control[STATE] == DONE:
        return
    elif wants_psum(loop, control) and not _are_back(control, ready, filters, cycle):
        totals[WAITED] += 1
    else:
        issue_step(loop, control, step)
    totals[ADVANCE] = cycle


@compiled
def _are_back(control: IntArray, ready: IntArray, filters: IntArray, cycle: int) -> bool:
    """Tell whether the buffer holds every psum that enters with the step of this edge."""
    for t in range(len(filters)):
        if control[FILTER] < filters[t]:
            for y in range(ready.shape[1]):
                if ready[t, y, control[IMAGE], control[OUTPUT], control[FILTER]] >= cycle:
                    return False
    return True


@compiled
def _take_weights(k: int, step: IntArray, weights: IntArray, plan: tuple[IntArray, int, IntArray]) -> None:
    """Let a row's PEs take their words of those that the network sent it; a word goes to all PEs of its set."""
    loads, load_words, counts = plan
    for i in range(step[TAP], min(step[TAP] + load_words, len(loads))):
        if loads[i, LOAD_ROW] == k:
            t = loads[i, LOAD_SET]
            for y in range(weights.shape[2]):
                weights[k, t, y, loads[i, LOAD_TAP], loads[i, LOAD_FILTER]] = loads[i, LOAD_WORD]
                counts[k, t, y, WEIGHT_WRITES] += 1


@compiled
def _step_row(
    k: int,
    step: IntArray,
    registers: tuple[IntArray, IntArray, IntArray, IntArray],
    plan: tuple[tuple[IntArray, IntArray, NDArray[np.bool_]], tuple[IntArray, IntArray], IntArray, IntArray, IntArray],
) -> None:
    """Multiply, then slide the windows; words enter as there is room."""
    windows, states, weights, made = registers
    (_, rows, is_sent_for), (channels, filters), loop, counts, totals = plan
    for t in range(len(filters)):
        for y in range(windows.shape[2]):
            window, state, count = windows[k, t, y], states[k, t, y], counts[k, t, y]
            multiply_taps(loop, step, (window, weights[k, t, y]), (filters[t], channels[k]), made[k, t, y], count)
            before = 0 if step[CLEARS] else state[ENTERED]
            slide_window(step, window, state)
            if step[KIND] > 0 or step[SLIDE] > 0 or step[CLEARS]:
                fill_window(window, state, rows[k, y], len(window))
            if filters[t] > 0:
                taken = words_until(state[ENTERED], loop, channels[k]) - words_until(before, loop, channels[k])
                count[IFMAP_WRITES] += taken
                totals[IFMAP_WORDS] += taken * (t == 0 and is_sent_for[k, y])


@compiled
def _add_row(
    k: int,
    step: IntArray,
    registers: tuple[IntArray, IntArray, IntArray, IntArray],
    plan: tuple[IntArray, IntArray, int],
) -> None:
    """Add the products of the multipliers to the psums; a psum that leaves takes that of the row below along."""
    psum_spads, made, chain, counts = registers
    entering, filters, cycle = plan
    ring = len(chain)
    for t in range(len(filters)):
        if step[FILTER] >= filters[t]:
            continue
        for y in range(chain.shape[3]):
            psum = add_up(step, made[k, t, y], psum_spads[k, t, y], counts[k, t, y])
            if step[FINISHES]:
                from_below = chain[(cycle + 1) % ring, k - 1, t, y]
                if k == 0:
                    from_below = entering[t, y, step[IMAGE], step[OUTPUT], step[FILTER]]
                chain[cycle % ring, k, t, y] = from_below + psum


@compiled
def _collect(step: IntArray, results: tuple[IntArray, IntArray], chain: IntArray, plan: tuple[IntArray, int]) -> None:
    """Write down the psums that leave the top row at this edge."""
    psums, cycles = results
    filters, cycle = plan
    if not step[FINISHES]:
        return
    for t in range(len(filters)):
        if step[FILTER] < filters[t]:
            for y in range(chain.shape[3]):
                place = (t, y, step[IMAGE], step[OUTPUT], step[FILTER])
                psums[place], cycles[place] = chain[cycle % len(chain), -1, t, y], cycle

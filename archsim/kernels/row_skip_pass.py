"""One processing pass of a row-stationary array whose PEs step over zeros, edge by edge, values included.

`engine/clocked_rows.py` calls it where `row_stationary.py` would clock an array that takes every value, and it takes and
gives the same. There one controller leads all rows; here each PE has its own. It looks for the next nonzero values of its
window, multiplies them with a filter per edge, and lets the psum go when none is left; a window without any takes an edge
for each psum. PEs of a column start ``hop`` edges one after another. A psum that is done waits for that of the PE below.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.row_datapath import (
    IFMAP_READS,
    IFMAP_WRITES,
    MACS,
    PE_COUNTS,
    PSUM_READS,
    PSUM_WRITES,
    WEIGHT_READS,
    WEIGHT_WRITES,
)
from archsim.kernels.row_loop import (
    ACCUMULATE_CYCLES,
    ADDING,
    CHANNELS,
    CLOSING,
    DONE,
    FILTERS,
    IMAGES,
    MULTIPLIERS,
    MULTIPLYING,
    OUTPUTS,
    PE_LATENCY,
    RESTART_CYCLES,
    SHIFT_CYCLES,
    SLIDING,
    START_CYCLES,
    STARTING,
    STRIDE,
    TAPS,
    place_in_window,
)
from archsim.kernels.row_stationary import (
    ADVANCE,
    IFMAP_WORDS,
    LOAD_FILTER,
    LOAD_ROW,
    LOAD_SET,
    LOAD_TAP,
    LOAD_WORD,
    PASS_COUNTS,
    PSUM_HOPS,
    WAITED,
)

IntArray = NDArray[np.int64]

STATE, COUNT, TAP, FILTER, OUTPUT, IMAGE = range(CONTROL_WORDS := 6)
"""Registers of a PE's controller; TAP = the first one of its window that was not looked at yet."""

VALUE, EDGE = range(2)
"""Of a psum that is done: what it is, and the edge after which it is, counted from 1 = the PE's first."""


class _Pe(NamedTuple):
    """What a PE works on.

    Parameters
    ----------
    loop
        As in `row_loop.py`.
    rows
        Ifmap row of each image, shape (images, words).
    weights
        Shape (taps * channels, filters).
    """

    loop: IntArray
    rows: IntArray
    weights: IntArray


@compiled
def step_skipping_pass(
    operands: tuple[IntArray, IntArray, NDArray[np.bool_]],
    entering: tuple[IntArray, IntArray],
    extents: tuple[IntArray, IntArray],
    settings: tuple[IntArray, int, int],
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Clock every PE of a pass until its last psum is out at the top.

    Parameters
    ----------
    operands, entering, extents, settings
        As those of `row_stationary.step_row_stationary_pass`.

    Returns
    -------
    psums, cycles, counts, totals
        As there, but for totals[WAITED]: by how much the latest psum came behind the time at which its bottom PE
        would have added it.

    Notes
    -----
    Not modelled: how the next nonzero value is found in one edge, and room for psums that wait for each other.
    """
    loads, ifmap, is_sent_for = operands
    loop, load_words, hop = settings
    channels, filters = extents
    pe_rows, columns, _, words = ifmap.shape
    done = np.zeros((pe_rows, loop[IMAGES], loop[OUTPUTS], loop[FILTERS], 2), np.int64)
    psums, cycles = np.zeros_like(entering[0]), np.zeros_like(entering[0])
    counts = np.zeros((pe_rows, len(filters), columns, PE_COUNTS), np.int64)
    totals = np.zeros(PASS_COUNTS, np.int64)
    loading = -(-len(loads) // load_words) if load_words > 0 else 0
    for t in range(len(filters)):
        for y in range(columns):
            for k in range(pe_rows):
                weights, taken = _weights_of(loads, k, t, (loop[TAPS] * loop[CHANNELS], filters[t]))
                last = _clock_pe(_Pe(loop, ifmap[k, y], weights), done[k], counts[k, t, y])
                counts[k, t, y, WEIGHT_WRITES] = taken
                counts[k, t, y, IFMAP_WRITES] = loop[IMAGES] * (words // loop[CHANNELS]) * channels[k]
                totals[ADVANCE] = max(totals[ADVANCE], loading + last)
            late = _climb(done, (entering[0][t, y], entering[1][t, y]), (psums[t, y], cycles[t, y]),
                          (filters[t], loop[PE_LATENCY], loading, hop))  # fmt: skip
            totals[WAITED] = max(totals[WAITED], late)
            totals[PSUM_HOPS] += (pe_rows - 1) * loop[IMAGES] * loop[OUTPUTS] * filters[t]
    for k in range(pe_rows):
        totals[IFMAP_WORDS] += np.sum(is_sent_for[k]) * loop[IMAGES] * (words // loop[CHANNELS]) * channels[k]
    return psums, cycles, counts, totals


@compiled
def _weights_of(loads, row, filter_set, size):
    """Return the filter rows of a PE and how many words they were."""
    weights, taken = np.zeros(size, np.int64), 0
    for i in range(len(loads)):
        if loads[i, LOAD_ROW] == row and loads[i, LOAD_SET] == filter_set:
            weights[loads[i, LOAD_TAP], loads[i, LOAD_FILTER]] = loads[i, LOAD_WORD]
            taken += 1
    return weights, taken


@compiled
def _clock_pe(pe, done, counts):
    """Clock one PE until its last psum is done; return the edge of its last step."""
    loop, filters = pe.loop, pe.weights.shape[1]
    control = np.zeros(CONTROL_WORDS, np.int64)
    control[STATE] = STARTING if loop[START_CYCLES] > 0 else MULTIPLYING
    psums, is_begun = np.zeros(filters, np.int64), np.zeros(filters, np.int64)
    edge = 0
    while control[STATE] != DONE:
        edge += 1
        if control[STATE] in (STARTING, SLIDING, CLOSING):
            control[COUNT] += 1
            if control[COUNT] == _waiting_cycles(loop, control[STATE]):
                control[STATE] = MULTIPLYING
            continue
        if control[STATE] == MULTIPLYING and loop[ACCUMULATE_CYCLES] > 0 and _next_tap(pe, control, 0) < 0:
            control[STATE], control[COUNT] = ADDING, 0
        j, leaves, is_over = control[FILTER], False, False
        if control[STATE] == MULTIPLYING:
            after = _multiply(pe, control, (psums, is_begun), counts)
            is_over = _next_tap(pe, control, after) < 0
            leaves = is_over and loop[ACCUMULATE_CYCLES] == 0
        else:
            control[COUNT] += 1
            leaves = control[COUNT] == loop[ACCUMULATE_CYCLES]
        if leaves:
            place = done[control[IMAGE], control[OUTPUT], j]
            place[VALUE], place[EDGE] = psums[j], edge + loop[PE_LATENCY] - 1
            counts[PSUM_READS] += is_begun[j]
            psums[j], is_begun[j] = 0, 0
            control[COUNT] = 0
        if not leaves and control[STATE] == ADDING:
            continue
        control[FILTER] = (j + 1) % filters
        if control[FILTER] > 0:
            continue
        if leaves:
            _leave_output(loop, control)
        elif is_over:
            control[STATE], control[COUNT] = ADDING, 0
        else:
            control[TAP] = after
    return edge


@compiled
def _waiting_cycles(loop, state):
    """Edges for which a state without work lasts."""
    if state == STARTING:
        return loop[START_CYCLES]
    return loop[RESTART_CYCLES] if state == CLOSING else loop[STRIDE] * loop[CHANNELS] * loop[SHIFT_CYCLES]


@compiled
def _word(pe, control, tap):
    """Return the ifmap value under a tap of the window."""
    return pe.rows[
        control[IMAGE], control[OUTPUT] * pe.loop[STRIDE] * pe.loop[CHANNELS] + place_in_window(pe.loop, tap)
    ]


@compiled
def _next_tap(pe, control, first):
    """Return the first tap from ``first`` on whose ifmap value is not zero; -1 = there is none."""
    for tap in range(first, len(pe.weights)):
        if _word(pe, control, tap) != 0:
            return tap
    return -1


@compiled
def _multiply(pe, control, psums, counts):
    """Multiply the next nonzero values of the window with one filter; return the tap behind them."""
    values, is_begun = psums
    j, after, made = control[FILTER], control[TAP], 0
    for _ in range(pe.loop[MULTIPLIERS]):
        tap = _next_tap(pe, control, after)
        if tap < 0:
            break
        values[j] += _word(pe, control, tap) * pe.weights[tap, j]
        after, made = tap + 1, made + 1
    for count in (MACS, IFMAP_READS, WEIGHT_READS):
        counts[count] += made
    if made > 0:
        counts[PSUM_READS] += is_begun[j]
        counts[PSUM_WRITES] += 1
        is_begun[j] = 1
    return after


@compiled
def _leave_output(loop, control):
    """All psums of an ofmap place are done: slide on, or go to the next image."""
    control[STATE], control[COUNT], control[TAP] = MULTIPLYING, 0, 0
    control[OUTPUT] += 1
    if control[OUTPUT] < loop[OUTPUTS]:
        if loop[SHIFT_CYCLES] > 0:
            control[STATE] = SLIDING
        return
    control[OUTPUT] = 0
    control[IMAGE] += 1
    if control[IMAGE] == loop[IMAGES]:
        control[STATE] = DONE
    elif loop[RESTART_CYCLES] > 0:
        control[STATE] = CLOSING


@compiled
def _climb(done, entering, leaving, settings):
    """Add up a column's psums from the bottom: each goes on when it is done and that from below is there.

    Returns
    -------
    The most edges by which one that enters came too late for its bottom PE.
    """
    filters, latency, loading, hop = settings
    late = 0
    for n in range(done.shape[1]):
        for o in range(done.shape[2]):
            for j in range(filters):
                value, edge = entering[0][n, o, j], entering[1][n, o, j] + latency - hop
                late = max(late, edge + hop - loading - done[0, n, o, j, EDGE])
                for k in range(len(done)):
                    value += done[k, n, o, j, VALUE]
                    edge = max(edge + hop, loading + k * hop + done[k, n, o, j, EDGE])
                leaving[0][n, o, j], leaving[1][n, o, j] = value, edge
    return late

"""One processing pass of a row-stationary array, register by register, edge by edge, values included.

`engine/clocked_rows.py` calls it, pass by pass. A PE holds a few filter rows and slides over an ifmap row; the psums of
an ofmap row travel up a chain of PEs, one filter row (and set of channels) after the other, and each adds its own.

One controller issues the steps of the loop (`row_loop.py`) for the bottom row of PEs; they climb with the psums,
``hop`` cycles a row, so that a row's psum is ready when that from below arrives. The weights of the pass come
first, bottom row first, and climb as the steps do: a row takes its words when it is done with those of the pass before.

What a step does to a row of PEs is in `row_datapath.py`. A row without a step at an edge has nothing to change.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled, compiled_in_place, compiled_inline
from archsim.kernels.row_datapath import (
    ENTERED,
    IFMAP_WRITES,
    PE_COUNTS,
    VALUE,
    WEIGHT_WRITES,
    add_up,
    fill_windows,
    multiply_taps,
    new_registers,
    plan_rows,
    slide_windows,
    sum_counts,
    words_until,
)
from archsim.kernels.row_loop import (
    CLEARS,
    DONE,
    FILTER,
    FILTERS,
    FINISHES,
    IMAGE,
    IMAGES,
    KIND,
    LOAD,
    MULTIPLY,
    OUTPUT,
    OUTPUTS,
    PE_LATENCY,
    SLIDE,
    STATE,
    STEP_WORDS,
    TAP,
    issue_step,
    new_control,
    wants_psum,
)

IntArray = NDArray[np.int64]

LOAD_ROW, LOAD_SET, LOAD_TAP, LOAD_FILTER, LOAD_WORD = range(5)
"""Columns of ``loads``, one row per weight: the row of PEs and the set of filters that take it, its place, the word."""

ADVANCE, WAITED, IFMAP_WORDS, PSUM_HOPS = range(PASS_COUNTS := 4)
"""Entries of ``totals``: cycles until the controller is done, those among them that it waited for psums, ifmap words
over the network, psums that moved from one PE to the next."""


class _Operands(NamedTuple):
    """What enters the array: as the arguments of `step_row_stationary_pass`, but ``sent`` ifmap words per row of PEs."""

    loads: IntArray
    load_words: int
    ifmap: IntArray
    sent: IntArray
    entering: IntArray
    ready: IntArray


class _Array(NamedTuple):
    """What is in the array besides the PEs, and what comes out of it.

    Parameters
    ----------
    control
        As in `row_loop.py`.
    steps
        Those that still climb, a ring of shape (edges, STEP_WORDS).
    chain
        Psums on their way to the next row, a ring of shape (hop + 1, PE rows, PEs).
    psums, cycles, totals
        Results of `step_row_stationary_pass`.
    """

    control: IntArray
    steps: IntArray
    chain: IntArray
    psums: IntArray
    cycles: IntArray
    totals: IntArray


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
        Channels of each row of PEs, filters of each set of them, which are none more than those of the set before.
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
    loads, ifmap, is_sent_for = operands
    loop, load_words, hop = settings
    pe_rows, columns = is_sent_for.shape
    pes = len(extents[1]) * columns
    working = np.array([columns * np.sum(extents[1] > j) for j in range(loop[FILTERS])])
    plan, registers = plan_rows(loop, extents[0], working), new_registers(loop, pe_rows, pes)
    array = _Array(
        new_control(loop),
        np.zeros(((pe_rows - 1) * hop + loop[PE_LATENCY], STEP_WORDS), np.int64),
        np.zeros((hop + 1, pe_rows, pes), np.int64),
        np.zeros_like(entering[0]),
        np.zeros_like(entering[0]),
        np.zeros(PASS_COUNTS, np.int64),
    )
    sent = np.array([np.sum(is_sent_for[k]) for k in range(pe_rows)])
    _clock(plan, registers, array, _Operands(loads, load_words, ifmap, sent, entering[0], entering[1]))
    counts = sum_counts(plan, registers).reshape((pe_rows, len(extents[1]), columns, PE_COUNTS))
    return array.psums, array.cycles, counts, array.totals


@compiled_in_place
def _clock(plan, registers, array, operands):
    """Go from edge to edge: first every row's multipliers and spads, then every row's adders."""
    steps, chain = array.steps, array.chain
    edges, (ring, pe_rows, _), depth = len(steps), chain.shape, len(registers.made)
    if operands.load_words == 0:
        _load_ahead(plan, registers, array, operands)
    missing, cycle = plan.loop[FILTERS] * plan.loop[OUTPUTS] * plan.loop[IMAGES], 0
    while missing > 0:
        cycle += 1
        newest, issued, added = cycle % edges, cycle % depth, (cycle + 1) % depth
        now, before = cycle % ring, (cycle + 1) % ring
        _control(plan, array, operands, cycle)
        for k in range(pe_rows):
            at = _ago(newest, k * (ring - 1), edges)
            _step_row(plan, steps[at], (registers, array, operands), (k, issued))
        for k in range(pe_rows):
            step = steps[_ago(newest, k * (ring - 1) + depth - 1, edges)]
            if step[KIND] == MULTIPLY or step[FINISHES]:
                add_up(plan, step, registers, (k, added))
            if step[FINISHES]:
                _send_up(plan, step, (registers, array, operands), (k, now, before))
                if k == pe_rows - 1:
                    _collect(step, array, plan.working[step[FILTER]], (now, cycle))
                    missing -= 1


@compiled_inline
def _ago(newest, edges, ring):
    """Return where a ring holds what it took so many edges before the newest."""
    return newest - edges if newest >= edges else newest - edges + ring


@compiled_inline
def _load_ahead(plan, registers, array, operands):
    """Find all weights in their spads and the windows full before the first edge."""
    step = array.steps[0]
    step[KIND] = LOAD
    for k in range(len(registers.states)):
        _take_weights(registers, operands, k, (0, len(operands.loads)))
        _fill_row(plan, step, (registers, array, operands), k)
    step[KIND] = 0


@compiled_inline
def _control(plan, array, operands, cycle):
    """Decide what the bottom row does at this edge: load, a step of the loop, or wait for a psum that is still out."""
    control, totals, loaded = array.control, array.totals, (cycle - 1) * operands.load_words
    step = array.steps[cycle % len(array.steps)]
    for i in range(STEP_WORDS):
        step[i] = 0
    if operands.load_words > 0 and loaded < len(operands.loads):
        step[KIND] = LOAD
        step[TAP] = loaded
    elif control[STATE] == DONE:
        return
    elif wants_psum(plan.loop, control) and not _are_back(plan, control, operands.ready, cycle):
        totals[WAITED] += 1
    else:
        issue_step(plan.loop, control, step)
    totals[ADVANCE] = cycle


@compiled_inline
def _are_back(plan, control, ready, cycle):
    """Tell whether the buffer holds every psum that enters with the step of this edge."""
    columns = ready.shape[1]
    for t in range(plan.working[control[FILTER]] // columns):
        for y in range(columns):
            if ready[t, y, control[IMAGE], control[OUTPUT], control[FILTER]] >= cycle:
                return False
    return True


@compiled_inline
def _take_weights(registers, operands, k, words):
    """Let a row's PEs take their words of those that the network sent it; a word goes to all PEs of its set."""
    loads, columns = operands.loads, operands.ifmap.shape[1]
    first, after = words
    for i in range(first, min(after, len(loads))):
        if loads[i, LOAD_ROW] == k:
            for x in range(loads[i, LOAD_SET] * columns, (loads[i, LOAD_SET] + 1) * columns):
                registers.weights[k, loads[i, LOAD_TAP], loads[i, LOAD_FILTER], x] = loads[i, LOAD_WORD]
                registers.counts[k, WEIGHT_WRITES, x] += 1


@compiled_inline
def _step_row(plan, step, parts, row):
    """Take weights, or multiply; then slide the windows, and words enter as there is room."""
    registers, _, operands = parts
    if step[KIND] == LOAD:
        _take_weights(registers, operands, row[0], (step[TAP], step[TAP] + operands.load_words))
    if step[KIND] == MULTIPLY:
        multiply_taps(plan, step, registers, row)
    if step[KIND] == LOAD or step[SLIDE] > 0 or step[CLEARS]:
        _fill_row(plan, step, parts, row[0])


@compiled_inline
def _fill_row(plan, step, parts, k):
    """Slide a row's windows on and fill them up."""
    registers, array, operands = parts
    entered = 0 if step[CLEARS] else registers.states[k, ENTERED]
    slide_windows(step, registers, k)
    fill_windows(registers, k, operands.ifmap, registers.windows.shape[1])
    taken = words_until(registers.states[k, ENTERED], plan, k) - words_until(entered, plan, k)
    array.totals[IFMAP_WORDS] += taken * operands.sent[k]
    for x in range(registers.counts.shape[2]):
        registers.counts[k, IFMAP_WRITES, x] += taken


@compiled_inline
def _send_up(plan, step, parts, place):
    """Let a row's psums leave for the next, each with that of the row below; the lowest row's come from the buffer."""
    registers, array, operands = parts
    chain, entering, psums = array.chain, operands.entering, registers.psums
    k, now, before = place
    j = step[FILTER]
    working, columns = plan.working[j], entering.shape[1]
    if k > 0:
        array.totals[PSUM_HOPS] += working
        for x in range(working):
            chain[now, k, x] = chain[before, k - 1, x] + psums[k, j, VALUE, x]
        return
    for t in range(working // columns):
        for y in range(columns):
            x = t * columns + y
            chain[now, 0, x] = entering[t, y, step[IMAGE], step[OUTPUT], j] + psums[0, j, VALUE, x]


@compiled_inline
def _collect(step, array, working, edge):
    """Write down the psums that leave the top row at this edge."""
    psums, cycles, chain = array.psums, array.cycles, array.chain
    (now, cycle), columns = edge, psums.shape[1]
    for t in range(working // columns):
        for y in range(columns):
            value = chain[now, chain.shape[1] - 1, t * columns + y]
            psums[t, y, step[IMAGE], step[OUTPUT], step[FILTER]] = value
            cycles[t, y, step[IMAGE], step[OUTPUT], step[FILTER]] = cycle

"""The registers of a row of row-stationary PEs: what a step of their loop does to windows, spads and psums.

`row_stationary.py` calls it at every edge for each row of its array; `row_stationary_pe.py` for a row of one PE. All PEs
of a row follow the same step, each with words of its own, so the last axis of every register is the PE: an edge is a
loop along it, over neighbouring words.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled, compiled_inline
from archsim.kernels.row_loop import (
    CHANNELS,
    CLEARS,
    FILTER,
    FILTERS,
    FINISHES,
    GATES,
    KIND,
    MULTIPLIERS,
    MULTIPLY,
    PE_LATENCY,
    SLIDE,
    TAP,
    TAPS,
    place_in_window,
    window_words,
)

IntArray = NDArray[np.int64]

(MACS, GATED_MACS, IFMAP_READS, IFMAP_WRITES, WEIGHT_READS, WEIGHT_WRITES, PSUM_READS,
 PSUM_WRITES) = range(PE_COUNTS := 8)  # fmt: skip
"""Counts of a PE: MACs, gated ones among them, and words of the spads. A gated MAC reads its ifmap word only. Several
products that are added in one cycle read and write their psum once."""

PRODUCT, IS_MADE = range(2)
"""What the multipliers hand to the adder: the sum of their products, and whether there is any."""

VALUE, IS_BEGUN = range(2)
"""Of a psum in its spad; one that is not begun holds nothing, and is not read."""

HELD, ENTERED, IMAGE_ROW = range(3)
"""Of the windows of a row: words in each, words of the ifmap row that are in it or were, and which image's row it is."""

PLACE, CHANNEL = range(2)
"""Of a tap: where its word lies in the window, and of which channel it is."""


class RowPlan(NamedTuple):
    """What the PEs do that never changes in a pass.

    Parameters
    ----------
    loop
        As in `row_loop.py`.
    taps
        Shape (taps * channels, 2): PLACE, CHANNEL.
    channels
        Of the PEs of each row; the loop may go on beyond them for the sake of others.
    working
        PEs of a row that have the filter, from the first on, shape (filters,).
    """

    loop: IntArray
    taps: IntArray
    channels: IntArray
    working: IntArray


class RowRegisters(NamedTuple):
    """Rows of PEs, and what they have counted.

    Parameters
    ----------
    windows, states
        Shape (rows, words, PEs) and (rows, 3): HELD ... IMAGE_ROW.
    weights
        Shape (rows, taps * channels, filters, PEs).
    made
        Between multiplier and adder, shape (pe_latency, rows, 2, PEs): PRODUCT, IS_MADE.
    psums
        Shape (rows, filters, 2, PEs): VALUE, IS_BEGUN.
    counts
        Shape (rows, 8, PEs); of MACs, IFMAP_READS and WEIGHT_READS only `sum_counts` knows.
    macs
        Of each PE that has the filter, shape (rows, filters).
    """

    windows: IntArray
    states: IntArray
    weights: IntArray
    made: IntArray
    psums: IntArray
    counts: IntArray
    macs: IntArray


@compiled
def plan_rows(loop, channels, working):
    """Return the plan of rows of PEs."""
    taps = np.zeros((loop[TAPS] * loop[CHANNELS], 2), np.int64)
    for tap in range(len(taps)):
        taps[tap, PLACE], taps[tap, CHANNEL] = place_in_window(loop, tap), tap % loop[CHANNELS]
    return RowPlan(loop, taps, channels, working)


@compiled
def new_registers(loop, rows, pes):
    """Return the registers of so many rows of so many PEs before the first edge."""
    filters, taps = loop[FILTERS], loop[TAPS] * loop[CHANNELS]
    return RowRegisters(
        np.zeros((rows, window_words(loop), pes), np.int64),
        np.zeros((rows, 3), np.int64),
        np.zeros((rows, taps, filters, pes), np.int64),
        np.zeros((loop[PE_LATENCY], rows, 2, pes), np.int64),
        np.zeros((rows, filters, 2, pes), np.int64),
        np.zeros((rows, PE_COUNTS, pes), np.int64),
        np.zeros((rows, filters), np.int64),
    )


@compiled_inline
def multiply_taps(plan, step, registers, row):
    """Multiply the taps of a step.

    Parameters
    ----------
    plan : RowPlan
        Of the PEs.
    step
        As in `row_loop.py`; a MULTIPLY.
    registers : RowRegisters
        ``made`` and counts are written.
    row
        Which row of PEs, and which of the registers between multiplier and adder.
    """
    windows, weights, made = registers.windows, registers.weights, registers.made
    k, issued = row
    j = step[FILTER]
    working, gates = plan.working[j], plan.loop[GATES]
    for x in range(working):
        made[issued, k, PRODUCT, x] = 0
        made[issued, k, IS_MADE, x] = 0
    for tap in range(step[TAP], min(step[TAP] + plan.loop[MULTIPLIERS], len(plan.taps))):
        if plan.taps[tap, CHANNEL] >= plan.channels[k]:
            continue
        place = plan.taps[tap, PLACE]
        registers.macs[k, j] += 1
        for x in range(working):
            made[issued, k, PRODUCT, x] += windows[k, place, x] * weights[k, tap, j, x]
        for x in range(working):
            is_gated = gates & (windows[k, place, x] == 0)
            made[issued, k, IS_MADE, x] |= 1 - is_gated
            registers.counts[k, GATED_MACS, x] += is_gated


@compiled_inline
def add_up(plan, step, registers, row):
    """Add what the multipliers made to the step's psum, which stays in its spad even if it leaves.

    Parameters
    ----------
    plan, registers
        As above; psums and counts are written.
    step
        As above, of the same step; a MULTIPLY, or one that FINISHES.
    row
        As above.
    """
    made, psums, counts = registers.made, registers.psums, registers.counts
    k, added = row
    j = step[FILTER]
    working = plan.working[j]
    if step[KIND] == MULTIPLY and step[TAP] == 0:
        for x in range(working):
            psums[k, j, VALUE, x] = 0
            psums[k, j, IS_BEGUN, x] = 0
    if step[KIND] == MULTIPLY:
        for x in range(working):
            psums[k, j, VALUE, x] += made[added, k, PRODUCT, x]
        for x in range(working):
            is_made = made[added, k, IS_MADE, x]
            counts[k, PSUM_READS, x] += is_made & psums[k, j, IS_BEGUN, x]
            counts[k, PSUM_WRITES, x] += is_made
            psums[k, j, IS_BEGUN, x] |= is_made
    if step[FINISHES]:
        for x in range(working):
            counts[k, PSUM_READS, x] += psums[k, j, IS_BEGUN, x]


@compiled_inline
def slide_windows(step, registers, k):
    """Move the words of a row's windows on after a step; empty them after an image.

    Parameters
    ----------
    step
        As above.
    registers : RowRegisters
        Windows and states are written.
    k
        Which row of PEs.
    """
    windows, states = registers.windows, registers.states
    if step[CLEARS]:
        states[k, HELD] = 0
        states[k, ENTERED] = 0
        states[k, IMAGE_ROW] += 1
        return
    slide = step[SLIDE]
    left, passed = max(0, states[k, HELD] - slide), max(0, slide - states[k, HELD])
    for i in range(left):
        for x in range(windows.shape[2]):
            windows[k, i, x] = windows[k, i + slide, x]
    states[k, HELD] = left
    states[k, ENTERED] += passed  # a stride beyond the window: they pass through empty registers


@compiled_inline
def fill_windows(registers, k, ifmap, most):
    """Let words enter behind those in the windows.

    Parameters
    ----------
    registers, k
        As above.
    ifmap
        All words of each image's row, in the order in which they enter, shape (rows, columns, images, words); the PEs
        of a row take those of its columns in turn.
    most
        Words that may enter each window.
    """
    windows, states = registers.windows, registers.states
    columns = ifmap.shape[1]
    for _ in range(min(most, windows.shape[1] - states[k, HELD])):
        for y in range(columns):
            word = ifmap[k, y, states[k, IMAGE_ROW], states[k, ENTERED]]
            for x in range(y, windows.shape[2], columns):
                windows[k, states[k, HELD], x] = word
        states[k, HELD] += 1
        states[k, ENTERED] += 1


@compiled_inline
def words_until(entered, plan, k):
    """Return how many of an ifmap row's first words belong to the PEs' own channels; beyond them there are none. [words]"""
    shared = plan.loop[CHANNELS]
    return entered // shared * plan.channels[k] + min(entered % shared, plan.channels[k])


@compiled
def sum_counts(plan, registers):
    """Return the counts of every PE, shape (rows, PEs, 8)."""
    rows, _, pes = registers.counts.shape
    counts = np.zeros((rows, pes, PE_COUNTS), np.int64)
    for k in range(rows):
        for x in range(pes):
            counts[k, x] = registers.counts[k, :, x]
            for j in range(len(plan.working)):
                if x < plan.working[j]:
                    counts[k, x, MACS] += registers.macs[k, j]
            counts[k, x, IFMAP_READS] = counts[k, x, MACS]
            counts[k, x, WEIGHT_READS] = counts[k, x, MACS] - counts[k, x, GATED_MACS]
    return counts

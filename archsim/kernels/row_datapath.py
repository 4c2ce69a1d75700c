"""The registers of one row-stationary PE: what a step of its loop does to window, spads and psums.

`row_stationary_pe.py` and `row_stationary.py` call it at every edge, for every PE.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.row_loop import (
    CHANNELS,
    CLEARS,
    FILTER,
    FINISHES,
    GATES,
    KIND,
    MULTIPLIERS,
    MULTIPLY,
    SLIDE,
    TAP,
    TAPS,
    place_in_window,
)

IntArray = NDArray[np.int64]

(MACS, GATED_MACS, IFMAP_READS, IFMAP_WRITES, WEIGHT_READS, WEIGHT_WRITES, PSUM_READS,
 PSUM_WRITES) = range(PE_COUNTS := 8)  # fmt: skip
"""Entries of ``counts``, per PE: MACs, gated ones among them, and words of the spads. A gated MAC reads its ifmap word
only. Several products that are added in one cycle read and write their psum once."""

PRODUCT, IS_MADE = range(2)
"""What the multipliers hand to the adder: the sum of their products, and whether there is any."""

VALUE, IS_BEGUN = range(2)
"""Of a psum in its spad; one that is not begun holds nothing, and is not read."""

HELD, ENTERED, ROW = range(WINDOW_STATE := 3)
"""Of a window: words in it, words of the row that are in it or were, and which image's row it slides along."""


@compiled
def multiply_taps(loop: IntArray, step: IntArray, spads: tuple[IntArray, IntArray], extent: tuple[int, int],
                  made: IntArray, counts: IntArray) -> None:  # fmt: skip
    """Multiply the taps of a step.

    Parameters
    ----------
    loop, step
        As in `row_loop.py`.
    spads
        The window, and the weights, shape (taps * channels, filters).
    extent
        Filters and channels of this PE; the loop may go on beyond them for the sake of others.
    made
        Shape (2,): PRODUCT, IS_MADE; written.
    counts
        Shape (8,): MACS ... PSUM_WRITES; added to.
    """
    window, weights = spads
    filters, channels = extent
    made[PRODUCT], made[IS_MADE] = 0, 0
    j = step[FILTER]
    if step[KIND] != MULTIPLY or j >= filters:
        return
    for tap in range(step[TAP], min(step[TAP] + loop[MULTIPLIERS], loop[TAPS] * loop[CHANNELS])):
        if tap % loop[CHANNELS] >= channels:
            continue
        word = window[place_in_window(loop, tap)]
        counts[MACS] += 1
        counts[IFMAP_READS] += 1
        if loop[GATES] and word == 0:
            counts[GATED_MACS] += 1
            continue
        counts[WEIGHT_READS] += 1
        made[PRODUCT] += word * weights[tap, j]
        made[IS_MADE] = 1


@compiled
def add_up(step: IntArray, made: IntArray, psums: IntArray, counts: IntArray) -> int:
    """Add what the multipliers made to the step's psum; return the psum if it leaves, else 0.

    Parameters
    ----------
    step, made
        As above, of the same step.
    psums
        Shape (filters, 2): VALUE, IS_BEGUN; written.
    counts
        As above; added to.
    """
    j = step[FILTER]
    if step[KIND] == MULTIPLY:
        if step[TAP] == 0:
            psums[j, VALUE], psums[j, IS_BEGUN] = 0, 0
        if made[IS_MADE]:
            counts[PSUM_READS] += psums[j, IS_BEGUN]
            psums[j, VALUE] += made[PRODUCT]
            psums[j, IS_BEGUN] = 1
            counts[PSUM_WRITES] += 1
    if not step[FINISHES]:
        return 0
    counts[PSUM_READS] += psums[j, IS_BEGUN]
    return int(psums[j, VALUE])


@compiled
def slide_window(step: IntArray, window: IntArray, state: IntArray) -> None:
    """Move the window's words on after a step; empty it after an image.

    Parameters
    ----------
    step
        As above.
    window
        Written.
    state
        Shape (3,): HELD, ENTERED, ROW; written.
    """
    if step[CLEARS]:
        state[HELD], state[ENTERED] = 0, 0
        state[ROW] += 1
        return
    slide = step[SLIDE]
    left, passed = max(0, state[HELD] - slide), max(0, slide - state[HELD])
    for i in range(left):
        window[i] = window[i + slide]
    state[HELD] = left
    state[ENTERED] += passed  # a stride beyond the window: they pass through empty registers


@compiled
def fill_window(window: IntArray, state: IntArray, rows: IntArray, most: int) -> None:
    """Let words enter behind those in the window.

    Parameters
    ----------
    window, state
        As above.
    rows
        All words of each image's row, in the order in which they enter, shape (images, words).
    most
        Words that may enter.
    """
    words = min(most, len(window) - state[HELD])
    for _ in range(words):
        window[state[HELD]] = rows[state[ROW], state[ENTERED]]
        state[HELD] += 1
        state[ENTERED] += 1


@compiled
def words_until(entered: int, loop: IntArray, channels: int) -> int:
    """Return how many of a row's first words belong to a PE's own channels; beyond them there are none. [words]"""
    shared = int(loop[CHANNELS])
    return entered // shared * channels + min(entered % shared, channels)

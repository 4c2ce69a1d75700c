"""An output-stationary systolic array, register by register, edge by edge, values included.

`engine/clocked.py` calls it. Every cycle is one rising clock edge: all registers are read first, then
written. Ifmap words travel along the rows, weight words down the columns (one row per edge), and each PE
adds their products up; the first word of an ofmap value carries the token that clears the sum. Finished
values stay where they are, or move through one drain register per PE to the bottom or right edge: each line
(a column, or a row) starts to shift once its last PE is done.

Shift registers are ring buffers; those along the rows are written twice, at ``position`` and one ring
further, so that the word pushed k edges ago always lies at ``position + k``.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.pe_arithmetic import Arithmetic, accumulate, enter_psum, multiply

IntArray = NDArray[np.int64]

ROWS, COLUMNS, USED_ROWS, USED_COLUMNS, LENGTH, CLEARS, DRAINS = range(7)
"""Columns of ``extents``, one row per pass: the PEs that take time, those with real words, words of the stream,
whether the sums start from zero, whether they are complete (and drain) at the end."""

ACT_HOP, PE_LATENCY, INPUT_REGS, OUTPUT_REGS, DRAIN, OVERLAP, STREAM_LEAD = range(SETTINGS := 7)
"""Entries of ``settings``. STREAM_LEAD is 0 on real arrays: with drain overlap it makes the controller start
streams too early, and so shows that its waiting is needed."""

DRAIN_NONE, DRAIN_ROWS, DRAIN_COLUMNS = range(3)
"""Values of DRAIN."""

IFMAP_READS, WEIGHT_READS, DRAIN_WRITES, OUTPUT_WRITES = range(4)
"""Entries of ``counts``: words read at the array's edge, drain registers written, words written at the edge.
Words of padding are not counted."""

_STREAMING, _ENTERED, _SINCE, _FED_AT, _HELD, _MISSING = range(6)
"""Registers of the controller: the pass whose words enter, how many have, the edge of its first; the edge of
the last word of all; values in drain registers; values not out yet."""

_WORD, _REACH, _KEEP, _LAST = range(4)
"""What travels along a row: the word; in how many columns its MAC is wanted; 1, or where it clears the sum minus the
pass that it opens; the pass that it closes, else -1."""

_VALUE, _ORIGIN = range(2)
"""A drain register: the ofmap value and its place in the flat results; -1 = empty."""


@compiled
def step_output_stationary_array(
    ifmap: IntArray, weight: IntArray, extents: IntArray, settings: IntArray, arithmetic: Arithmetic = None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Run passes back to back and clock every PE until the last ofmap value is out.

    Parameters
    ----------
    ifmap, weight
        Words entering the rows, shape (passes, T, R), and the columns, shape (passes, T, C); zeros
        where a pass is smaller.
    extents
        Shape (passes, 7): ROWS ... DRAINS.
    settings
        Shape (7,): ACT_HOP ... STREAM_LEAD.
    arithmetic
        A rule and a table (`pe_arithmetic.py`), and from what sums start, shape (passes * R, C); None = int64, 0.

    Returns
    -------
    outputs, output_cycles
        Shape (passes, R, C): ofmap values; the edge after which each is final and lies in its PE or,
        with a drain, in the register behind the array's edge, counted from 1 = the edge that samples
        the first word; 0 = no such output.
    macs
        Shape (R, C): MACs that each PE issued, padding not counted.
    counts
        Shape (4,): IFMAP_READS ... OUTPUT_WRITES. [words]

    Notes
    -----
    Not modelled: stalls of the feeding buffers. Output registers only delay; they are added to the
    cycle. A value that another overwrites in a drain register never comes out: its cycle stays 0.
    """
    passes, rows, columns = len(ifmap), ifmap.shape[2], weight.shape[2]
    grid = (rows, columns)
    ring = settings[ACT_HOP] * (columns - 1) + settings[PE_LATENCY]
    lanes = np.zeros((4, rows, 2 * ring), np.int64)
    lanes[_KEEP], lanes[_LAST] = 1, -1
    fed = np.full((settings[INPUT_REGS] + max(rows, settings[ACT_HOP] * (columns - 1) + 1), 2), -1)
    pes = (np.zeros(grid, np.int64), np.zeros((settings[PE_LATENCY], *grid), np.int64), np.zeros(grid, np.int64))
    drains = np.full((2, *grid), -1)
    results = (np.zeros((passes, *grid), np.int64), np.zeros((passes, *grid), np.int64))
    progress = (np.zeros((passes, 2), np.int64), np.zeros((passes, max(grid)), np.bool_))
    macs = np.zeros(grid, np.int64)
    counts = np.zeros(4, np.int64)
    control = np.array([-1, 0, 0, 0, 0, np.sum(extents[:, ROWS] * extents[:, COLUMNS] * extents[:, DRAINS])])
    cycle = 0
    while control[_MISSING] > 0:
        cycle += 1
        now = (cycle, ring - 1 - cycle % ring)
        _sample_feed(control, fed, cycle, (extents, settings, progress[0]))
        _push_ifmap_words(lanes, fed, now, (ifmap, extents, settings, counts))
        _push_weight_words(pes[0], fed, cycle, (weight, extents, settings, counts))
        _clock_pes(lanes, pes, macs, (cycle, now[1], settings[ACT_HOP]), arithmetic)
        if control[_HELD] > 0:
            _shift_drains((drains, results, progress, control), cycle, (extents, settings, counts))
        if cycle - control[_FED_AT] < len(fed) + ring + rows:
            _finish_sums((drains, results, progress, control), (lanes, pes[2]), now, (extents, settings, counts))
    for fold in range(passes):
        counts[OUTPUT_WRITES] += np.count_nonzero(
            results[1][fold, : extents[fold, USED_ROWS], : extents[fold, USED_COLUMNS]]
        )
    return results[0], results[1], macs, counts


@compiled
def _sample_feed(control: IntArray, fed: IntArray, cycle: int, plan: tuple[IntArray, IntArray, IntArray]) -> None:
    """Decide which word of which pass enters at this edge, if any."""
    extents = plan[0]
    fold = control[_STREAMING]
    is_entered = fold < 0 or control[_ENTERED] == extents[fold, LENGTH]
    if is_entered and fold + 1 < len(extents) and (fold < 0 or _may_follow(control, cycle, plan)):
        fold += 1
        is_entered = False
        control[_STREAMING] = fold
        control[_ENTERED] = 0
        control[_SINCE] = cycle
    slot = cycle % len(fed)
    fed[slot, 0] = -1
    if not is_entered:
        fed[slot, 0] = fold
        fed[slot, 1] = control[_ENTERED]
        control[_ENTERED] += 1
        control[_FED_AT] = cycle


@compiled
def _may_follow(control: IntArray, cycle: int, plan: tuple[IntArray, IntArray, IntArray]) -> bool:
    """Whether the next pass may start: this one is out, or no drain register is needed twice."""
    extents, settings, ends = plan
    fold = control[_STREAMING]
    if not settings[OVERLAP]:
        return bool(0 < ends[fold, 1] < cycle)
    hold = 0
    if extents[fold, DRAINS] and settings[DRAIN] == DRAIN_ROWS:
        hold = extents[fold, ROWS]
    elif extents[fold, DRAINS] and settings[DRAIN] == DRAIN_COLUMNS:
        # column 0 is done act_hop * (columns - 1) edges before its row may shift
        hold = max(extents[fold, COLUMNS], settings[ACT_HOP] * (extents[fold, COLUMNS] - 1) + 1)
    waited = cycle - control[_SINCE] + settings[STREAM_LEAD]
    # a next stream shorter than this one would finish its sums before the drain registers are free
    return bool(waited >= hold and waited + extents[fold + 1, LENGTH] >= extents[fold, LENGTH] + hold)


@compiled
def _push_ifmap_words(
    lanes: IntArray, fed: IntArray, now: tuple[int, int], plan: tuple[IntArray, IntArray, IntArray, IntArray]
) -> None:
    """Move every row's words one register on; row i takes the word fed input_regs + i edges ago."""
    (cycle, position), ring = now, lanes.shape[2] // 2
    ifmap, extents, settings, counts = plan
    for i in range(lanes.shape[1]):
        lanes[:, i, position] = 0
        lanes[_KEEP, i, position] = 1
        lanes[_LAST, i, position] = -1
        fold, t = fed[(cycle - settings[INPUT_REGS] - i) % len(fed)]
        if fold >= 0 and i < extents[fold, ROWS]:
            is_used = i < extents[fold, USED_ROWS]
            counts[IFMAP_READS] += is_used
            lanes[_WORD, i, position] = ifmap[fold, t, i]
            lanes[_REACH, i, position] = extents[fold, USED_COLUMNS] if is_used else 0
            lanes[_KEEP, i, position] = -fold if t == 0 and extents[fold, CLEARS] else 1
            lanes[_LAST, i, position] = fold if t == extents[fold, LENGTH] - 1 else -1
        lanes[:, i, position + ring] = lanes[:, i, position]


@compiled
def _push_weight_words(
    falling: IntArray, fed: IntArray, cycle: int, plan: tuple[IntArray, IntArray, IntArray, IntArray]
) -> None:
    """Move every column's words one row down; column j takes the word fed input_regs + j * act_hop edges ago."""
    weight, extents, settings, counts = plan
    rows, columns = falling.shape
    for j in range(columns):
        fold, t = fed[(cycle - settings[INPUT_REGS] - settings[ACT_HOP] * j) % len(fed)]
        falling[cycle % rows, j] = 0
        if fold >= 0 and j < extents[fold, COLUMNS]:
            falling[cycle % rows, j] = weight[fold, t, j]
            counts[WEIGHT_READS] += j < extents[fold, USED_COLUMNS]


@compiled
def _clock_pes(
    lanes: IntArray, pes: tuple[IntArray, IntArray, IntArray], macs: IntArray, now: tuple[int, int, int],
    arithmetic: Arithmetic,
) -> None:  # fmt: skip
    """Clock every PE: multiply, and add the product of pe_latency - 1 edges ago to its sum."""
    falling, products, sums = pes
    (cycle, position, hop), depth = now, len(products)
    rows, columns = sums.shape
    issued, finished = cycle % depth, (cycle + 1) % depth
    for i in range(rows):
        row = (cycle - i) % rows
        for j in range(columns):
            tap = position + hop * j
            products[issued, i, j] = multiply(lanes[_WORD, i, tap], falling[row, j], arithmetic)
            macs[i, j] += j < lanes[_REACH, i, tap]
            keep = lanes[_KEEP, i, tap + depth - 1]
            before = sums[i, j] if keep > 0 else enter_psum(arithmetic, i - keep * rows, j)
            sums[i, j] = accumulate(before, products[finished, i, j], arithmetic)


@compiled
def _finish_sums(
    leaving: tuple[IntArray, tuple[IntArray, IntArray], tuple[IntArray, NDArray[np.bool_]], IntArray],
    registers: tuple[IntArray, IntArray],
    now: tuple[int, int],
    plan: tuple[IntArray, IntArray, IntArray],
) -> None:
    """See which PEs finish a pass at this edge: their sums stay, are out, or go to the drain registers."""
    drains, _, (ends, line_done), control = leaving
    lanes, sums = registers
    extents, settings, counts = plan
    rows, columns = sums.shape
    for i in range(rows):
        for j in range(columns):
            fold = lanes[_LAST, i, now[1] + settings[ACT_HOP] * j + settings[PE_LATENCY] - 1]
            if fold < 0 or j >= extents[fold, COLUMNS]:
                continue
            place = (fold * rows + i) * columns + j
            if not extents[fold, DRAINS]:
                _count_end(ends, extents, fold, now[0] + settings[OUTPUT_REGS])
            elif settings[DRAIN] == DRAIN_NONE:
                _put_out(leaving, (place, sums[i, j], now[0]), extents, settings)
            else:
                _hold(drains, control, (i, j), (place, sums[i, j]))
                counts[DRAIN_WRITES] += i < extents[fold, USED_ROWS] and j < extents[fold, USED_COLUMNS]
                if settings[DRAIN] == DRAIN_ROWS and i == extents[fold, ROWS] - 1:
                    line_done[fold, j] = True
                elif settings[DRAIN] == DRAIN_COLUMNS and j == extents[fold, COLUMNS] - 1:
                    line_done[fold, i] = True


@compiled
def _shift_drains(
    leaving: tuple[IntArray, tuple[IntArray, IntArray], tuple[IntArray, NDArray[np.bool_]], IntArray],
    cycle: int,
    plan: tuple[IntArray, IntArray, IntArray],
) -> None:
    """Move every value of a line that is done one drain register on, or out of the array, last place first."""
    drains, _, (_, line_done), control = leaving
    extents, settings, counts = plan
    rows, columns = drains.shape[1:]
    down = 1 if settings[DRAIN] == DRAIN_ROWS else 0
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            place = drains[_ORIGIN, i, j]
            fold = place // (rows * columns)
            if place < 0 or not line_done[fold, j if down else i]:
                continue
            drains[_ORIGIN, i, j] = -1
            control[_HELD] -= 1
            if (i == extents[fold, ROWS] - 1) if down else (j == extents[fold, COLUMNS] - 1):
                _put_out(leaving, (place, drains[_VALUE, i, j], cycle), extents, settings)
            else:
                _hold(drains, control, (i + down, j + 1 - down), (place, drains[_VALUE, i, j]))
                is_used = place // columns % rows < extents[fold, USED_ROWS]
                counts[DRAIN_WRITES] += is_used and place % columns < extents[fold, USED_COLUMNS]


@compiled
def _hold(drains: IntArray, control: IntArray, pe: tuple[int, int], held: tuple[int, int]) -> None:
    """Write a drain register; a value still in it is lost."""
    if drains[_ORIGIN, pe[0], pe[1]] >= 0:
        control[_MISSING] -= 1
    else:
        control[_HELD] += 1
    drains[_ORIGIN, pe[0], pe[1]], drains[_VALUE, pe[0], pe[1]] = held


@compiled
def _put_out(
    leaving: tuple[IntArray, tuple[IntArray, IntArray], tuple[IntArray, NDArray[np.bool_]], IntArray],
    result: tuple[int, int, int],
    extents: IntArray,
    settings: IntArray,
) -> None:
    """Write an ofmap value and its cycle to the results."""
    _, (outputs, output_cycles), (ends, _), control = leaving
    place, value, cycle = result
    outputs.flat[place] = value
    output_cycles.flat[place] = cycle + settings[OUTPUT_REGS]
    control[_MISSING] -= 1
    _count_end(ends, extents, place // outputs[0].size, cycle + settings[OUTPUT_REGS])


@compiled
def _count_end(ends: IntArray, extents: IntArray, fold: int, cycle: int) -> None:
    """Count a PE whose part in the pass is over; after the last one, note the pass's end."""
    ends[fold, 0] += 1
    if ends[fold, 0] == extents[fold, ROWS] * extents[fold, COLUMNS]:
        ends[fold, 1] = cycle

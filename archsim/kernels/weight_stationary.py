"""A weight-stationary systolic array, register by register, edge by edge, values included.

`engine/clocked.py` calls it, for weight-stationary arrays and (operands swapped) input-stationary ones.
Every cycle is one rising clock edge: all registers are read first, then written. A stationary word waits
in its PE; streamed words travel along the rows, psums down the columns. A small controller decides what
the array samples at each edge; nothing here knows a closed form for the time of a pass.

One register per PE: the registers of a column are its load chain, the bottom row's word goes in first.
Two: the words of the next tile travel past the PEs as streamed words do (`psum_hop` a row, `act_hop`
a column), so their wave follows the switch wave, and each PE latches its own word into its second register.

Shift registers are ring buffers written twice, at ``position`` and one ring further, so that the word
pushed k edges ago always lies at ``position + k``.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled
from archsim.kernels.pe_arithmetic import Arithmetic, accumulate, enter_psum, multiply

IntArray = NDArray[np.int64]
Plan = tuple[IntArray, IntArray, IntArray]

ROWS, COLUMNS, USED_ROWS, USED_COLUMNS, LOAD_CYCLES, LENGTH = range(6)
"""Columns of ``extents``, a pass a row: PEs that take time, those with real words, cycles of the load, words streamed."""

(PSUM_HOP, ACT_HOP, PE_LATENCY, INPUT_REGS, OUTPUT_REGS, WEIGHT_REGS, SWITCH_GAP,
 LOAD_BY_COLUMN, COUNT_FROM_STREAM, STREAM_LEAD, RELOAD_LEAD) = range(SETTINGS := 11)  # fmt: skip
"""Entries of ``settings``. The two leads are 0 on real arrays: they make the controller start a stream, or a
reload of a lone weight register, too early, and so show that its waiting is needed."""

STATIONARY_READS, STATIONARY_WRITES, STREAMED_READS, OUTPUT_WRITES = range(4)
"""Entries of ``counts``: words read at the array's edge, stationary registers written, words read at the
edge, words written at the edge. Words of padding are not counted."""

_STREAMING, _ENTERED, _STREAM_SINCE, _TILE, _LOADED, _LOADED_AT, _LAST_USE_SEEN = range(7)
"""Registers of the controller: the pass whose words enter and how many have, the edge of its first; the tile
that loads or loaded last, its load cycles so far, the edge of the last of them; whether the streaming pass
has used its weights."""

_WORD, _REACH, _SWITCH, _TAG, _WIDTH = range(5)
"""What travels along a row: the word; in how many columns its MAC is wanted; whether it opens a pass; which word of
all passes it is; in the pass's bottom row, how many columns give an output."""

_ACTIVE, _SHADOW = range(2)


@compiled
def step_weight_stationary_array(
    stationary: IntArray, streamed: IntArray, extents: IntArray, settings: IntArray, arithmetic: Arithmetic = None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Run passes back to back and clock every PE until the last output is in its register.

    Parameters
    ----------
    stationary
        Words that stay in the PEs, shape (passes, R, C), zeros where a pass does not use the PE.
    streamed
        Words that pass by, shape (passes, T, R), zeros as above and behind a pass's LENGTH.
    extents
        Shape (passes, 5), ROWS ... LOAD_CYCLES: every pass streams T words; or (passes, 6), ROWS ... LENGTH.
    settings
        Shape (11,): PSUM_HOP ... RELOAD_LEAD.
    arithmetic
        A rule and a table (`pe_arithmetic.py`), and the psums that enter row 0, shape (passes * T, C); None = int64, 0.

    Returns
    -------
    outputs, output_cycles
        Shape (passes, T, C): psums leaving the bottom row; the edge after which each lies in its
        output register, counted from 1 = the edge that samples the first operand word (with
        COUNT_FROM_STREAM: the first streamed one); 0 = no such output.
    macs
        Shape (R, C): MACs that each PE issued, padding not counted.
    counts
        Shape (4,): STATIONARY_READS ... OUTPUT_WRITES. [words]

    Notes
    -----
    Not modelled: stalls of the feeding buffers; outputs of smaller passes that meet on a shared exit (each
    bottom row has its own). Output registers only delay; they are added to the cycle.
    """
    (passes, length, rows), columns = streamed.shape, stationary.shape[2]
    ring = settings[ACT_HOP] * (columns - 1) + settings[PE_LATENCY]
    skew = settings[INPUT_REGS] + settings[PSUM_HOP] * (rows - 1)
    lanes = np.zeros((5, rows, 2 * ring), np.int64)
    lanes[_TAG] = -1
    feeds = (np.full(skew + 1, -1), np.full((skew + settings[ACT_HOP] * (columns - 1) + 1, 2), -1))
    weights = np.zeros((2, rows, columns), np.int64)
    pipes = (
        np.zeros((settings[PE_LATENCY], rows, columns), np.int64),
        np.zeros((settings[PSUM_HOP] + 1, rows, columns), np.int64),
    )
    outputs = np.zeros((passes * length, columns), np.int64)
    output_cycles = np.zeros_like(outputs)
    macs = np.zeros((rows, columns), np.int64)
    is_bottom = np.zeros(rows, np.bool_)
    is_bottom[extents[:, ROWS] - 1] = True
    counts = np.zeros(4, np.int64)
    lengths = np.full(passes, length)
    if extents.shape[1] > LENGTH:
        lengths[:] = extents[:, LENGTH]
    control = np.array([-1, lengths[-1], 0, -1, 0, 0, 0])
    cycle, first_streamed, missing = 0, 0, np.sum(lengths * extents[:, COLUMNS])
    while missing > 0:
        cycle += 1
        now = (cycle, ring - 1 - cycle % ring)
        _sample_feeds(control, feeds, (length, cycle), (extents, settings, lengths))
        if first_streamed == 0 and control[_STREAMING] == 0:
            first_streamed = cycle
        _push_streamed_words(lanes, feeds[0], now, (streamed, extents, settings, counts))
        _clock_pes(lanes, (weights, pipes, macs), now, settings, arithmetic)
        missing -= _collect_outputs((outputs, output_cycles), (lanes, pipes[1]), now, (is_bottom, settings))
        _watch_last_use(control, lanes[_TAG], (length, now[1]), (extents, settings, lengths))
        if cycle - control[_LOADED_AT] >= len(feeds[1]):
            continue  # no word of a tile is on its way
        if settings[WEIGHT_REGS] == 1:
            _shift_load_chains(weights[_ACTIVE], feeds[1], cycle, (stationary, extents, settings, counts))
        else:
            _latch_travelling_words(weights[_SHADOW], feeds[1], cycle, (stationary, extents, settings, counts))
    cycles = output_cycles.reshape((passes, length, columns))
    for fold in range(passes):
        counts[OUTPUT_WRITES] += np.count_nonzero(cycles[fold, :, : extents[fold, USED_COLUMNS]])
    if settings[COUNT_FROM_STREAM]:
        cycles = np.where(cycles > 0, cycles - (first_streamed - 1), 0)
    return outputs.reshape((passes, length, columns)), cycles, macs, counts


@compiled
def _sample_feeds(control: IntArray, feeds: tuple[IntArray, IntArray], now: tuple[int, int], plan: Plan) -> None:
    """Decide which streamed word and which load step the array samples at this edge, if any."""
    words, loads = feeds
    (length, cycle), (extents, settings, lengths) = now, plan
    tile = control[_TILE]
    is_ready = tile > control[_STREAMING] and control[_LOADED] >= extents[tile, LOAD_CYCLES] - settings[STREAM_LEAD]
    if is_ready and control[_ENTERED] == lengths[control[_STREAMING]]:
        control[_STREAMING] += 1
        control[_ENTERED] = 0
        control[_STREAM_SINCE] = cycle
        control[_LAST_USE_SEEN] = 0
    words[cycle % len(words)] = -1
    if control[_ENTERED] < lengths[control[_STREAMING]]:
        words[cycle % len(words)] = control[_STREAMING] * length + control[_ENTERED]
        control[_ENTERED] += 1

    is_loaded = tile < 0 or control[_LOADED] == extents[tile, LOAD_CYCLES]
    if settings[WEIGHT_REGS] == 1:
        may_load = control[_LAST_USE_SEEN] == 1
    else:
        may_load = cycle >= control[_STREAM_SINCE] + settings[SWITCH_GAP]
    if is_loaded and tile + 1 < len(extents) and (tile < 0 or (tile == control[_STREAMING] and may_load)):
        control[_TILE] += 1
        control[_LOADED] = 0
        is_loaded = False
    loads[cycle % len(loads), 0] = -1
    if not is_loaded:
        loads[cycle % len(loads), 0] = control[_TILE]
        loads[cycle % len(loads), 1] = control[_LOADED]
        control[_LOADED] += 1
        control[_LOADED_AT] = cycle


@compiled
def _push_streamed_words(
    lanes: IntArray, fed: IntArray, now: tuple[int, int], plan: tuple[IntArray, IntArray, IntArray, IntArray]
) -> None:
    """Move every row's words one register on; row i takes the word fed input_regs + i * psum_hop edges ago."""
    cycle, position = now
    streamed, extents, settings, counts = plan
    length, rows = streamed.shape[1:]
    ring = lanes.shape[2] // 2
    for i in range(rows):
        lanes[:, i, position] = 0
        lanes[_TAG, i, position] = -1
        tag = fed[(cycle - settings[INPUT_REGS] - settings[PSUM_HOP] * i) % len(fed)]
        fold = tag // length
        if tag >= 0 and i < extents[fold, ROWS]:
            is_used = i < extents[fold, USED_ROWS]
            counts[STREAMED_READS] += is_used
            lanes[_WORD, i, position] = streamed[fold, tag % length, i]
            lanes[_REACH, i, position] = extents[fold, USED_COLUMNS] if is_used else 0
            lanes[_SWITCH, i, position] = settings[WEIGHT_REGS] == 2 and tag % length == 0
            lanes[_TAG, i, position] = tag
            if i == extents[fold, ROWS] - 1:
                lanes[_WIDTH, i, position] = extents[fold, COLUMNS]
        lanes[:, i, position + ring] = lanes[:, i, position]


@compiled
def _clock_pes(
    lanes: IntArray,
    registers: tuple[IntArray, tuple[IntArray, IntArray], IntArray],
    now: tuple[int, int],
    settings: IntArray,
    arithmetic: Arithmetic,
) -> None:
    """Clock every PE: switch weights if told, multiply, add the psum from the row above."""
    weights, (products, psums), macs = registers
    cycle, position = now
    hop, depth = settings[ACT_HOP], len(products)
    rows, columns = macs.shape
    issued, finished = cycle % depth, (cycle + 1) % depth
    written, arriving = cycle % len(psums), (cycle - settings[PSUM_HOP]) % len(psums)
    for i in range(rows):
        if settings[WEIGHT_REGS] == 2:
            for j in range(columns):
                if lanes[_SWITCH, i, position + hop * j]:
                    weights[_ACTIVE, i, j] = weights[_SHADOW, i, j]
        for j in range(columns):
            tap = position + hop * j
            products[issued, i, j] = multiply(lanes[_WORD, i, tap], weights[_ACTIVE, i, j], arithmetic)
            macs[i, j] += j < lanes[_REACH, i, tap]
            above = psums[arriving, i - 1, j] if i > 0 else enter_psum(arithmetic, lanes[_TAG, 0, tap + depth - 1], j)
            psums[written, i, j] = accumulate(above, products[finished, i, j], arithmetic)


@compiled
def _collect_outputs(
    results: tuple[IntArray, IntArray],
    registers: tuple[IntArray, IntArray],
    now: tuple[int, int],
    plan: tuple[NDArray[np.bool_], IntArray],
) -> int:
    """Write down the psums that leave a pass's bottom row at this edge; return how many."""
    outputs, output_cycles = results
    lanes, psums = registers
    cycle, position = now
    is_bottom, settings = plan
    rows, columns = psums.shape[1:]
    collected = 0
    for i in range(rows):
        if not is_bottom[i]:
            continue
        for j in range(columns):
            tap = position + settings[ACT_HOP] * j + settings[PE_LATENCY] - 1
            if j < lanes[_WIDTH, i, tap]:
                tag = lanes[_TAG, i, tap]
                outputs[tag, j] = psums[cycle % len(psums), i, j]
                output_cycles[tag, j] = cycle + settings[OUTPUT_REGS]
                collected += 1
    return collected


@compiled
def _watch_last_use(control: IntArray, tags: IntArray, now: tuple[int, int], plan: Plan) -> None:
    """See the pass's last word arrive in its bottom row: at the last column, or at column 0 if columns reload alone."""
    (length, position), (extents, settings, lengths) = now, plan
    fold = control[_STREAMING]
    if fold < 0:
        return
    column = 0 if settings[LOAD_BY_COLUMN] else extents[fold, COLUMNS] - 1
    arrived = tags[extents[fold, ROWS] - 1, position + settings[ACT_HOP] * column]
    if arrived == fold * length + lengths[fold] - 1 - settings[RELOAD_LEAD]:
        control[_LAST_USE_SEEN] = 1


@compiled
def _shift_load_chains(
    weights: IntArray, loads: IntArray, cycle: int, plan: tuple[IntArray, IntArray, IntArray, IntArray]
) -> None:
    """Shift new words into the top of every loading column, bottom row's word first."""
    stationary, extents, settings, counts = plan
    stagger = settings[ACT_HOP] if settings[LOAD_BY_COLUMN] else 0
    for j in range(weights.shape[1]):
        slot = (cycle - settings[INPUT_REGS] - stagger * j) % len(loads)
        tile, step = loads[slot]
        if tile < 0 or j >= extents[tile, COLUMNS]:
            continue
        rows, load_cycles = extents[tile, ROWS], extents[tile, LOAD_CYCLES]
        fed_before, fed = -(-step * rows // load_cycles), -(-(step + 1) * rows // load_cycles)
        shift, top = fed - fed_before, rows - fed  # `top`: the tile's row at the top of the chain from now on
        for i in range(rows - 1, shift - 1, -1):
            weights[i, j] = weights[i - shift, j]
        for i in range(shift):
            weights[i, j] = stationary[tile, top + i, j]
        if shift > 0 and j < extents[tile, USED_COLUMNS]:
            used = extents[tile, USED_ROWS]
            counts[STATIONARY_READS] += max(0, min(shift, used - top))
            counts[STATIONARY_WRITES] += max(0, used - top)


@compiled
def _latch_travelling_words(
    shadow: IntArray, loads: IntArray, cycle: int, plan: tuple[IntArray, IntArray, IntArray, IntArray]
) -> None:
    """Latch the words of the next tile that reach their PE at this edge; row 0's word goes in first."""
    stationary, extents, settings, counts = plan
    rows, columns = shadow.shape
    for i in range(rows):
        for j in range(columns):
            slot = (cycle - settings[INPUT_REGS] - settings[PSUM_HOP] * i - settings[ACT_HOP] * j) % len(loads)
            tile, step = loads[slot]
            if tile < 0 or i >= extents[tile, ROWS] or j >= extents[tile, COLUMNS]:
                continue
            if step == i * extents[tile, LOAD_CYCLES] // extents[tile, ROWS]:
                shadow[i, j] = stationary[tile, i, j]
                is_used = i < extents[tile, USED_ROWS] and j < extents[tile, USED_COLUMNS]
                counts[STATIONARY_READS] += is_used
                counts[STATIONARY_WRITES] += is_used

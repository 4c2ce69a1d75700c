"""The loop of a row-stationary PE: what its controller does at each rising clock edge.

`row_stationary_pe.py` clocks one PE with it, `row_stationary.py` an array whose rows follow one controller.
A PE slides a window of a few channels along an ifmap row. Per ofmap place it goes through the window's taps,
for each tap (or group of taps, with several multipliers) through its filters, and then adds to each filter's
psum what the PE below hands over. Nothing here knows a closed form for the time of a pass.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.compiled import compiled

IntArray = NDArray[np.int64]

(FILTERS, CHANNELS, TAPS, STRIDE, DILATION, OUTPUTS, IMAGES, MULTIPLIERS, ACCUMULATE_CYCLES, SHIFT_CYCLES,
 PE_LATENCY, START_CYCLES, RESTART_CYCLES, PSUM_GROUP, GATES) = range(LOOP_WORDS := 15)  # fmt: skip
"""Entries of ``loop``: p filters, q channels, S taps of a filter row, step of the window, distance of taps, ofmap
places of a row, rows (one per image); taps per cycle; cycles to add the neighbour's psum, 0 = an adder of its own
does it as the sum is done; cycles per word that slides, 0 = hidden; cycles from operands to sum; cycles from the
first word to the first MAC and from one image to the next; psums leave in groups of so many, filled up with padding
at the end of an image; 1 = zeros of the ifmap stop the multiplier, the weight spad and the psum spad."""

KIND, TAP, FILTER, OUTPUT, IMAGE, FINISHES, SLIDE, CLEARS = range(STEP_WORDS := 8)
"""Entries of a step: what is done, for which tap of the window, filter, ofmap place and image; whether the psum
leaves; words that slide out of the window after it; whether the window then goes on to the next image."""

NOTHING, MULTIPLY, ADD, PAD, LOAD = range(5)
"""Kinds of step. LOAD is the array's own."""

STATE, COUNT = 0, 5
"""Registers of the controller besides TAP ... IMAGE, which lie where they lie in a step."""
CONTROL_WORDS = 6

STARTING, MULTIPLYING, ADDING, SLIDING, CLOSING, DONE = range(6)


@compiled
def new_control(loop: IntArray) -> IntArray:
    """Return the controller's registers before the first edge."""
    control = np.zeros(CONTROL_WORDS, np.int64)
    control[STATE] = STARTING if loop[START_CYCLES] > 0 else MULTIPLYING
    return control


@compiled
def last_tap(loop: IntArray, control: IntArray) -> int:
    """Return the last tap that is multiplied at this edge, counted over taps and channels."""
    return int(min(control[TAP] + loop[MULTIPLIERS], loop[TAPS] * loop[CHANNELS]) - 1)


@compiled
def place_in_window(loop: IntArray, tap: int) -> int:
    """Return where a tap's word lies in the window: column by column, channels side by side."""
    channels = int(loop[CHANNELS])
    return tap // channels * int(loop[DILATION]) * channels + tap % channels


@compiled
def window_words(loop: IntArray) -> int:
    """Return the words of the window. [words]"""
    return int(((loop[TAPS] - 1) * loop[DILATION] + 1) * loop[CHANNELS])


@compiled
def wants_psum(loop: IntArray, control: IntArray) -> bool:
    """Tell whether a psum leaves with the step of this edge, so that the neighbour's is wanted."""
    if control[STATE] == ADDING:
        return bool(control[COUNT] == loop[ACCUMULATE_CYCLES] - 1)
    is_last = last_tap(loop, control) == loop[TAPS] * loop[CHANNELS] - 1
    return bool(control[STATE] == MULTIPLYING and loop[ACCUMULATE_CYCLES] == 0 and is_last)


@compiled
def issue_step(loop: IntArray, control: IntArray, step: IntArray) -> None:
    """Write down what is done at this edge, and move the controller on.

    Parameters
    ----------
    loop
        Shape (15,): FILTERS ... GATES.
    control
        Shape (6,), as `new_control` makes it; moved on.
    step
        Shape (8,): KIND ... CLEARS; written.
    """
    step[KIND], step[FINISHES], step[SLIDE], step[CLEARS] = NOTHING, 0, 0, 0
    for register in (TAP, FILTER, OUTPUT, IMAGE):
        step[register] = control[register]
    if control[STATE] == STARTING:
        control[COUNT] += 1
        if control[COUNT] == loop[START_CYCLES]:
            _enter(control, MULTIPLYING)
    elif control[STATE] == MULTIPLYING:
        step[KIND], step[FINISHES] = MULTIPLY, wants_psum(loop, control)
        after = last_tap(loop, control) + 1
        if not _next_filter(loop, control):
            return
        control[TAP] = after
        if after == loop[TAPS] * loop[CHANNELS]:
            control[TAP] = 0
            if loop[ACCUMULATE_CYCLES] > 0:
                _enter(control, ADDING)
            else:
                _leave_output(loop, control, step)
    elif control[STATE] == ADDING:
        control[COUNT] += 1
        if control[COUNT] == loop[ACCUMULATE_CYCLES]:
            control[COUNT] = 0
            step[KIND], step[FINISHES] = ADD, 1
            if _next_filter(loop, control):
                _leave_output(loop, control, step)
    elif control[STATE] == SLIDING:
        control[COUNT] += 1
        step[SLIDE] = control[COUNT] % loop[SHIFT_CYCLES] == 0
        if control[COUNT] == loop[STRIDE] * loop[CHANNELS] * loop[SHIFT_CYCLES]:
            _enter(control, MULTIPLYING)
    elif control[STATE] == CLOSING:
        control[COUNT] += 1
        if control[COUNT] <= _padding(loop):
            step[KIND] = PAD
        if control[COUNT] == _padding(loop) + loop[RESTART_CYCLES]:
            step[CLEARS] = 1
            _enter(control, MULTIPLYING)


@compiled
def _enter(control: IntArray, state: int) -> None:
    control[STATE], control[COUNT] = state, 0


@compiled
def _next_filter(loop: IntArray, control: IntArray) -> bool:
    """Go to the next filter; return whether all had their turn."""
    control[FILTER] = (control[FILTER] + 1) % loop[FILTERS]
    return bool(control[FILTER] == 0)


@compiled
def _padding(loop: IntArray) -> int:
    """Psums of padding that fill up the last group of an image."""
    return int(-(loop[FILTERS] * loop[OUTPUTS]) % loop[PSUM_GROUP])


@compiled
def _leave_output(loop: IntArray, control: IntArray, step: IntArray) -> None:
    """All psums of an ofmap place are out: slide on, or go to the next image."""
    _enter(control, MULTIPLYING)
    control[OUTPUT] += 1
    if control[OUTPUT] < loop[OUTPUTS]:
        if loop[SHIFT_CYCLES] > 0:
            _enter(control, SLIDING)
        else:
            step[SLIDE] = loop[STRIDE] * loop[CHANNELS]
        return
    control[OUTPUT] = 0
    control[IMAGE] += 1
    if control[IMAGE] == loop[IMAGES]:
        _enter(control, DONE)
    elif _padding(loop) + loop[RESTART_CYCLES] > 0:
        _enter(control, CLOSING)
    else:
        step[CLEARS] = 1

"""DRAM channels in lock-step under policy ``frfcfs``, clock by clock, idle clocks skipped.

In a clock, first each channel issues its command, then the injector offers requests to the queues (one per
channel in all); a request accepted in a clock can have its first command in the next. Every change happens
at a clock that is known beforehand (next planned command, refresh, arrival, data coming back), so going from
one to the next loses nothing. `engine/dram_channel.py` runs whole traces with it, the tile engine transfers.
"""

from archsim.kernels.compiled import compiled_in_place, compiled_inline
from archsim.kernels.dram_issue import tick
from archsim.kernels.dram_queues import (
    CLOCK,
    END_AT,
    END_TAG,
    EVERY_CLOCK,
    FINISHING,
    IDLE_DRAIN,
    INJECT_AT,
    INJECTED,
    OFFERING,
    PENDING,
    STALE,
    STOP_AT,
    TICKED,
    WAKE,
)  # fmt: skip
from archsim.kernels.dram_record import LAST_DATA
from archsim.kernels.dram_rules import NEVER
from archsim.kernels.dram_streams import inject

SLOT_EMPTY, TAG_ENDED, NOTHING_LEFT, HORIZON = range(4)
"""Why `advance` returned."""


@compiled_in_place
def advance(state, horizon):
    """Run the channels until the caller has something to do.

    Parameters
    ----------
    state : DramState
        Changed in place; ``scalars[CLOCK]`` is the clock at which it returns, and goes on from.
    horizon : int
        Clock at which to return in any case, before anything happens in it; `NEVER` = no such clock. [tCK]

    Returns
    -------
    int
        `SLOT_EMPTY`: a stream's last request was accepted; a slot loaded now goes on in this very clock.
        `TAG_ENDED`: `take_ended` says which. `NOTHING_LEFT`: all data has moved (only without a horizon).
        `HORIZON`.
    """
    scalars, channels, every_clock = state.scalars, state.channels, state.settings[EVERY_CLOCK]
    while True:
        clock = scalars[CLOCK]
        if scalars[STOP_AT] <= clock:
            return TAG_ENDED
        if clock >= horizon:
            return HORIZON
        if scalars[TICKED] == 0:
            for channel in range(len(channels)):
                if channels[channel, WAKE] <= clock or every_clock:
                    tick(state, channel, clock)
            scalars[TICKED] = 1
            scalars[INJECTED] = 0
        if (scalars[INJECT_AT] <= clock or every_clock) and inject(state, clock):
            _let_last_writes_go(state, clock)
            return SLOT_EMPTY
        soonest = min(scalars[INJECT_AT], scalars[STOP_AT], horizon)
        for channel in range(len(channels)):
            soonest = min(soonest, channels[channel, WAKE])
        if scalars[PENDING] == 0 and scalars[OFFERING] == 0 and horizon == NEVER:
            if clock >= scalars[LAST_DATA] and scalars[STOP_AT] == NEVER:
                return NOTHING_LEFT
            soonest = min(soonest, max(scalars[LAST_DATA], clock + 1))
        scalars[CLOCK] = clock + 1 if every_clock else soonest
        scalars[TICKED] = 0


@compiled_in_place
def take_ended(state):
    """Return a tag whose last data has moved by now, once; -1 = no more."""
    scalars, endings = state.scalars, state.endings
    tag, stop = -1, NEVER
    for i in range(scalars[FINISHING] - 1, -1, -1):
        if tag < 0 and endings[i, END_AT] <= scalars[CLOCK]:
            tag = endings[i, END_TAG]
            scalars[FINISHING] -= 1
            endings[i, END_TAG] = endings[scalars[FINISHING], END_TAG]
            endings[i, END_AT] = endings[scalars[FINISHING], END_AT]
    for i in range(scalars[FINISHING]):
        stop = min(stop, endings[i, END_AT])
    scalars[STOP_AT] = stop
    return tag


@compiled_inline
def _let_last_writes_go(state, clock):
    """With nothing more on offer, writes that wait for company go alone."""
    if state.settings[IDLE_DRAIN] and state.scalars[OFFERING] == 0:
        for channel in range(len(state.channels)):
            state.channels[channel, STALE] = 1
            state.channels[channel, WAKE] = min(state.channels[channel, WAKE], clock + 1)

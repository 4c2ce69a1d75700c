"""What a run on the DRAM channels leaves behind under either policy: the end of its data, read latencies, the log.

The first places of a policy's vector of scalars are these; its own begin at `OWN`.
"""

from archsim.kernels.compiled import compiled_inline

LAST_DATA, LATENCY_SUM, LATENCY_MAX, LOGGED, OWN = range(5)
"""End of the last burst; over all reads; commands issued, those that found no room in the log included."""
LOG_COLUMNS = 5
"""Of a line of the log: clock, code of the command, bank (or rank, of a refresh), row, column; -1 = has none."""


@compiled_inline
def note_latency(scalars, latency):
    """Count a read's latency. [tCK]"""
    scalars[LATENCY_SUM] += latency
    scalars[LATENCY_MAX] = max(scalars[LATENCY_MAX], latency)


@compiled_inline
def note_command(state, line):
    """Write a line into the log, while there is room, and count it."""
    at = state.scalars[LOGGED]
    if at < len(state.log):
        for i in range(LOG_COLUMNS):
            state.log[at, i] = line[i]
    state.scalars[LOGGED] = at + 1

"""When every step starts: the array and the DRAM channel as two queues that wait for each other.

The same rules as `engine/event.py`, as one pass over arrays; `engine/` calls it where only the times
are wanted. Time is counted in ticks, ``ticks_per_cycle`` to the cycle, so that a channel whose bytes
take a fraction of a cycle is exact.
"""

import numpy as np

from archsim.kernels.compiled import compiled


@compiled
def schedule_steps(
    advance, tail, hold, first_start, transfer_step, transfer_after, transfer_lead, transfer_ticks, transfer_operand,
    is_write, latency_ticks, ticks_per_cycle,
):  # fmt: skip
    """Run the steps in order against the transfers in their order.

    Parameters
    ----------
    advance, tail, hold : int64 arrays, shape (steps,)
        As `Steps`; cycles, cycles, transfer index.
    first_start : int
        Earliest start of step 0. [cycles]
    transfer_step, transfer_after, transfer_lead, transfer_ticks, transfer_operand : int64 arrays, shape (transfers,)
        As `Transfers`; the time on the channel in ticks.
    is_write : bool array, shape (transfers,)
    latency_ticks, ticks_per_cycle : int

    Returns
    -------
    start, wait, cause : int64 arrays, shape (steps,)
        Start of each step [cycles], how long it waited beyond the array [cycles], and for what: an
        operand code, 4 = a write-back, -1 = nothing.
    array_end, channel_end : int
        Last result, and last byte written. [cycles]
    """
    steps, transfers = len(advance), len(transfer_step)
    start = np.zeros(steps, np.int64)
    wait = np.zeros(steps, np.int64)
    cause = np.full(steps, -1, np.int64)
    done = np.zeros(transfers, np.int64)
    channel_free, array_free, array_end, channel_end = 0, first_start, 0, 0
    last_read = np.full(steps, -1, np.int64)
    for i in range(transfers):
        if not is_write[i]:
            last_read[transfer_step[i]] = i
    ready = np.zeros(steps, np.int64)
    ready_cause = np.full(steps, -1, np.int64)
    served = 0
    for s in range(steps):
        needed = max(last_read[s], hold[s])
        while served <= needed:
            after = transfer_after[served]
            begin = channel_free
            if after >= 0:
                begin = max(begin, (start[after] + tail[after]) * ticks_per_cycle)
            channel_free = begin + transfer_ticks[served]
            done[served] = -((-(channel_free + latency_ticks)) // ticks_per_cycle)
            if is_write[served]:
                channel_end = max(channel_end, done[served])
            else:
                step = transfer_step[served]
                arrival = done[served] + transfer_lead[served]
                if arrival > ready[step]:
                    ready[step], ready_cause[step] = arrival, transfer_operand[served]
            served += 1
        begin = max(array_free, ready[s])
        if begin > array_free:
            cause[s] = ready_cause[s]
        if hold[s] >= 0 and done[hold[s]] > begin:
            begin, cause[s] = done[hold[s]], 4
        start[s], wait[s] = begin, begin - array_free
        array_free = begin + advance[s]
        array_end = max(array_end, begin + tail[s])
    while served < transfers:
        after = transfer_after[served]
        channel_free = max(channel_free, (start[after] + tail[after]) * ticks_per_cycle) + transfer_ticks[served]
        channel_end = max(channel_end, -((-(channel_free + latency_ticks)) // ticks_per_cycle))
        served += 1
    return start, wait, cause, array_end, channel_end

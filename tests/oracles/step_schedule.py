"""Slow reference of a layer's timeline: two queues and a clock that ticks once at a time.

At every tick the channel may take the next transfer and the array the next step; each asks only whether
what it waits for has happened by now. Nothing is computed ahead.
"""

from collections import deque


def run_two_queues(steps, transfers, *, first_start=0, latency_ticks=0, ticks_per_cycle=1):
    """Return start, wait and cause per step, the array's end and the channel's end. [cycles]

    steps: dicts with advance, tail, hold. transfers: dicts with step, after, lead, ticks, operand, is_write.
    """
    waiting_steps, waiting_transfers = deque(range(len(steps))), deque(range(len(transfers)))
    start, arrived = {}, {}  # of a step; of a transfer's last byte [cycles]
    array_free, channel_free, tick = first_start * ticks_per_cycle, 0, 0
    while waiting_steps or waiting_transfers:
        moved = True
        while moved:  # a transfer of no bytes lets something else begin at the same tick
            moved = False
            if waiting_transfers and channel_free <= tick:
                index = waiting_transfers[0]
                after = transfers[index]["after"]
                if after < 0 or (after in start and (start[after] + steps[after]["tail"]) * ticks_per_cycle <= tick):
                    waiting_transfers.popleft()
                    channel_free = tick + transfers[index]["ticks"]
                    arrived[index] = _next_edge(channel_free + latency_ticks, ticks_per_cycle)
                    moved = True
            if waiting_steps and tick % ticks_per_cycle == 0 and array_free <= tick:
                step = waiting_steps[0]
                if all(tick // ticks_per_cycle >= cycle for cycle in _needs(step, steps, transfers, arrived)):
                    waiting_steps.popleft()
                    start[step] = tick // ticks_per_cycle
                    array_free = tick + steps[step]["advance"] * ticks_per_cycle
                    moved = True
        tick += 1
        assert tick < 10**6, "deadlock"
    wait, cause, free = [], [], first_start
    for step in range(len(steps)):
        wait.append(start[step] - free)
        cause.append(_cause(step, free, steps, transfers, arrived))
        free = start[step] + steps[step]["advance"]
    array_end = max(start[step] + steps[step]["tail"] for step in range(len(steps)))
    channel_end = max((arrived[i] for i in range(len(transfers)) if transfers[i]["is_write"]), default=0)
    return [start[step] for step in range(len(steps))], wait, cause, array_end, channel_end


def _needs(step, steps, transfers, arrived):
    """Cycles that a step has to wait for; endless for a transfer that has not been taken."""
    for index, transfer in enumerate(transfers):
        if transfer["step"] == step and not transfer["is_write"]:
            yield arrived.get(index, float("inf")) + transfer["lead"]
        if index == steps[step]["hold"]:
            yield arrived.get(index, float("inf"))


def _next_edge(tick, ticks_per_cycle):
    """The first cycle that begins at a tick or later."""
    while tick % ticks_per_cycle:
        tick += 1
    return tick // ticks_per_cycle


def _cause(step, free, steps, transfers, arrived):
    """What came last: the first of the latest reads, or the write-back where it was later still; -1 = nothing."""
    latest, cause = free, -1
    for index, transfer in enumerate(transfers):
        if transfer["step"] == step and not transfer["is_write"] and arrived[index] + transfer["lead"] > latest:
            latest, cause = arrived[index] + transfer["lead"], transfer["operand"]
    hold = steps[step]["hold"]
    return 4 if hold >= 0 and arrived[hold] > latest else cause

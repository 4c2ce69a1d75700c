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
    start, finished = {}, {}  # step -> cycle; transfer -> tick of its last byte on the channel
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
                    channel_free = finished[index] = tick + transfers[index]["ticks"]
                    moved = True
            if waiting_steps and tick % ticks_per_cycle == 0 and array_free <= tick:
                step = waiting_steps[0]
                if all(tick >= at for at in _needs(step, steps, transfers, finished, latency_ticks, ticks_per_cycle)):
                    waiting_steps.popleft()
                    start[step] = tick // ticks_per_cycle
                    array_free = tick + steps[step]["advance"] * ticks_per_cycle
                    moved = True
        tick += 1
        assert tick < 10**6, "deadlock"
    arrived = [_arrival(finished[i], latency_ticks, ticks_per_cycle) // ticks_per_cycle for i in range(len(transfers))]
    wait, cause, free = [], [], first_start
    for step in range(len(steps)):
        wait.append(start[step] - free)
        cause.append(_cause(step, free, steps, transfers, arrived))
        free = start[step] + steps[step]["advance"]
    array_end = max(start[step] + steps[step]["tail"] for step in range(len(steps)))
    channel_end = max((arrived[i] for i in range(len(transfers)) if transfers[i]["is_write"]), default=0)
    return [start[step] for step in range(len(steps))], wait, cause, array_end, channel_end


def _needs(step, steps, transfers, finished, latency_ticks, ticks_per_cycle):
    """Ticks that a step has to wait for; never for a transfer that has not been taken."""
    never = float("inf")
    for index, transfer in enumerate(transfers):
        if transfer["step"] == step and not transfer["is_write"]:
            at = _arrival(finished[index], latency_ticks, ticks_per_cycle) if index in finished else never
            yield at + transfer["lead"] * ticks_per_cycle
        if index == steps[step]["hold"]:
            yield _arrival(finished[index], latency_ticks, ticks_per_cycle) if index in finished else never


def _arrival(finished, latency_ticks, ticks_per_cycle):
    """Tick of the first cycle edge at which a transfer is there."""
    tick = finished + latency_ticks
    while tick % ticks_per_cycle:
        tick += 1
    return tick


def _cause(step, free, steps, transfers, arrived):
    """What came last: the first of the latest reads, or the write-back where it was later still; -1 = nothing."""
    latest, cause = free, -1
    for index, transfer in enumerate(transfers):
        if transfer["step"] == step and not transfer["is_write"] and arrived[index] + transfer["lead"] > latest:
            latest, cause = arrived[index] + transfer["lead"], transfer["operand"]
    hold = steps[step]["hold"]
    return 4 if hold >= 0 and arrived[hold] > latest else cause

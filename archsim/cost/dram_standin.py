"""DRAM commands of a layer that were not simulated; called by `energy.py`.

Where the arch names no device they are estimated on another, so that DRAM is never a flat price per bit unless
asked for; where it does, the time after its last burst is added.
"""

from dataclasses import replace
from math import ceil, isfinite

from archsim.arch.dram_device import DramDevice
from archsim.engine.dram_run import DramActivity, DramCounts
from archsim.terms import PagePolicy


def standin_counts(*, read_bytes: int, write_bytes: int, seconds: float, device: DramDevice, copies: int) -> DramCounts:
    """Return the commands that would move the bytes at best.

    Parameters
    ----------
    read_bytes, write_bytes
        Over the channel. [B]
    seconds
        The layer's time, during which rows stay open and refreshes come. [s]
    device
        Whose commands they are.
    copies
        Of the device side by side: see `device_copies`.

    Notes
    -----
    Best case: every row that is opened is read or written from end to end, reads and writes in rows of their
    own. A bank is open all the time. Not modelled: rows opened twice, bursts partly used in the
    middle of a tensor, power-down.
    """
    burst, row = device.request_bytes, device.row_bytes
    clocks = ceil(seconds / (device.tck_ns * 1e-9)) * device.ranks * device.channels * copies
    activates = ceil(read_bytes / row) + ceil(write_bytes / row)
    return DramCounts(
        activates=activates,
        precharges=activates,
        reads=ceil(read_bytes / burst),
        writes=ceil(write_bytes / burst),
        refreshes=round(clocks / device.timing.trefi) if device.has_refresh else 0,
        missed_refreshes=0,
        open_cycles=clocks,
        closed_cycles=0,
    )


def until_the_end(activity: DramActivity, device: DramDevice, seconds: float) -> DramCounts:
    """Return a device's counts with background and refreshes from its last burst to the layer's end.

    Rows stay open meanwhile, as an open-page controller leaves them; all are closed under a closed-page one.

    Parameters
    ----------
    activity
        From the layer's start to the last burst.
    device
        What it was counted on.
    seconds
        The layer's time. [s]
    """
    rest = max(0, ceil(seconds / (device.tck_ns * 1e-9)) - activity.cycles) * device.ranks * device.channels
    counts, is_open = activity.counts, device.page_policy is PagePolicy.OPEN
    return replace(
        counts,
        refreshes=counts.refreshes + (round(rest / device.timing.trefi) if device.has_refresh else 0),
        open_cycles=counts.open_cycles + (rest if is_open else 0),
        closed_cycles=counts.closed_cycles + (0 if is_open else rest),
    )


def device_copies(device: DramDevice, bytes_per_second: float) -> int:
    """Return how many of the device it takes to reach a bandwidth, one at least; one where it has no limit."""
    needed = bytes_per_second / device.peak_bytes_per_second
    return max(1, ceil(needed)) if isfinite(needed) else 1

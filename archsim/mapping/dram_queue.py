"""Put one layer's DRAM transfers into the order in which the channel serves them.

The order is fixed before the run, from the times that the array would have with ideal memories; it does
not depend on how fast the channel is. A write is due when its step's results are out. A read is due
between the time that its buffer is free and the time that its step starts, and the reads that one
release allows are spread evenly over that time.

No transfer stands before a read of step s that waits for step s or a later one, so the order can never
deadlock; and as it is fixed, a faster channel can never make a layer slower.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.fold_plan import OPERAND_CODES, Transfers, back_to_back
from archsim.terms import Operand

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fetch:
    """Reads of one operand; arrays of shape (steps,).

    Parameters
    ----------
    operand
        Which one.
    length_bytes
        What each step fetches; 0 = nothing. [B]
    release
        Step whose end frees the buffer; -1 = free from the start.
    lead_cycles
        Cycles between arrival and the start of the step. [cycles]
    """

    operand: Operand
    length_bytes: IntArray
    release: IntArray
    lead_cycles: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WriteBack:
    """Writes of the layer's results, shape (steps,); psums and ofmap apart. [B]"""

    psum_bytes: IntArray
    ofmap_bytes: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IdealTimes:
    """When steps would start and be done with ideal memories, neither ever decreasing; shape (steps,). [cycles]"""

    start: IntArray
    end: IntArray


def ideal_times(advance_cycles: IntArray, tail_cycles: IntArray) -> IdealTimes:
    """Run steps back to back."""
    start = back_to_back(advance_cycles)
    return IdealTimes(start=start, end=np.maximum.accumulate(start + tail_cycles))


def queue_transfers(fetches: list[Fetch], write_back: WriteBack, times: IdealTimes) -> tuple[Transfers, IntArray]:
    """Merge all reads and writes into one order.

    Returns
    -------
    Transfers
        In the channel's order.
    last_write
        Shape (steps,): index in that order of the last write of each step; -1 = it writes nothing.
    """
    parts = [_read_part(fetch, times) for fetch in fetches]
    parts.append(_write_part(write_back.psum_bytes, Operand.PSUM, times))
    parts.append(_write_part(write_back.ofmap_bytes, Operand.OFMAP, times))
    due, step, after, lead, length, code, write = (np.concatenate(column) for column in zip(*parts, strict=True))
    # At one and the same time: what waits for earlier steps first, and a step's write before what follows from it.
    order = np.lexsort((code, step, ~write.astype(np.bool_), after, due))
    transfers = Transfers(
        step=step[order].astype(np.int64),
        after_step=after[order].astype(np.int64),
        lead_cycles=lead[order].astype(np.int64),
        length_bytes=length[order].astype(np.int64),
        operand=code[order].astype(np.int64),
        is_write=write[order].astype(np.bool_),
    )
    last_write = np.full(len(times.start), -1, dtype=np.int64)
    writes = np.flatnonzero(transfers.is_write)
    np.maximum.at(last_write, transfers.step[writes], writes)
    return transfers, last_write


def _read_part(fetch: Fetch, times: IdealTimes) -> tuple[NDArray[np.generic], ...]:
    step = np.flatnonzero(fetch.length_bytes)
    release = fetch.release[step]
    free = np.where(release >= 0, times.end[release], 0)
    needed = np.maximum(times.start[step], free)
    due = free + (needed - free) * _share_of_release(release)
    return (due, step, release, fetch.lead_cycles[step], fetch.length_bytes[step],
            np.full(len(step), OPERAND_CODES.index(fetch.operand)), np.zeros(len(step), dtype=bool))  # fmt: skip


def _share_of_release(release: IntArray) -> NDArray[np.float64]:
    """Place of each read among the neighbours that the same release allows, 0..1."""
    if not len(release):
        return np.zeros(0)
    first = np.flatnonzero(np.concatenate([[True], release[1:] != release[:-1]]))
    sizes = np.diff(np.append(first, len(release)))
    rank = np.arange(len(release)) - np.repeat(first, sizes)
    return np.asarray((rank + 0.5) / np.repeat(sizes, sizes))


def _write_part(length_bytes: IntArray, operand: Operand, times: IdealTimes) -> tuple[NDArray[np.generic], ...]:
    step = np.flatnonzero(length_bytes)
    return (times.end[step].astype(np.float64), step, step, np.zeros_like(step), length_bytes[step],
            np.full(len(step), OPERAND_CODES.index(operand)), np.ones(len(step), dtype=bool))  # fmt: skip

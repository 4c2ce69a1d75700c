"""Put one layer's DRAM transfers into the order in which the channel serves them.

The order is fixed before the run, and does not depend on how fast the channel is: a read is due
between the step that frees its buffer and the step that needs it, and the reads of one generation are
spread evenly over that time; a write is due when its step ends. Because every transfer that comes
before a read waits only for steps before that read's step, the order can never deadlock, and because
it is fixed, a faster channel can never make a layer slower.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.fold_plan import OPERAND_CODES, Transfers
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


def queue_transfers(fetches: list[Fetch], write_back: WriteBack) -> tuple[Transfers, IntArray]:
    """Merge all reads and writes into one order.

    Returns
    -------
    Transfers
        In the channel's order.
    last_write
        Shape (steps,): index in that order of the last write of each step; -1 = it writes nothing.
    """
    parts = [_read_part(fetch) for fetch in fetches]
    parts += [_write_part(write_back.psum_bytes, Operand.PSUM), _write_part(write_back.ofmap_bytes, Operand.OFMAP)]
    due, step, after, lead, length, code, write = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((code, step, write, due))
    transfers = Transfers(
        step=step[order].astype(np.int64),
        after_step=after[order].astype(np.int64),
        lead_cycles=lead[order].astype(np.int64),
        length_bytes=length[order].astype(np.int64),
        operand=code[order].astype(np.int64),
        is_write=write[order].astype(np.bool_),
    )
    last_write = np.full(len(write_back.ofmap_bytes), -1, dtype=np.int64)
    writes = np.flatnonzero(transfers.is_write)
    np.maximum.at(last_write, transfers.step[writes], writes)
    return transfers, last_write


def _read_part(fetch: Fetch) -> tuple[NDArray[np.generic], ...]:
    step = np.flatnonzero(fetch.length_bytes)
    release = fetch.release[step]
    # Rank of the read among those that one release allows, 0..1: spreads them over the window.
    starts = np.flatnonzero(np.concatenate([[True], release[1:] != release[:-1]])) if len(step) else step
    group = np.searchsorted(starts, np.arange(len(step)), side="right") - 1
    sizes = np.diff(np.append(starts, len(step)))
    share = (np.arange(len(step)) - starts[group] + 0.5) / sizes[group] if len(step) else np.zeros(0)
    due = release + (step - release) * share
    return (due, step, release, fetch.lead_cycles[step], fetch.length_bytes[step],
            np.full(len(step), OPERAND_CODES.index(fetch.operand)), np.zeros(len(step), dtype=bool))  # fmt: skip


def _write_part(length_bytes: IntArray, operand: Operand) -> tuple[NDArray[np.generic], ...]:
    step = np.flatnonzero(length_bytes)
    return (step.astype(np.float64), step, step, np.zeros_like(step), length_bytes[step],
            np.full(len(step), OPERAND_CODES.index(operand)), np.ones(len(step), dtype=bool))  # fmt: skip

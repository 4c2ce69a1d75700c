"""Which words the feeders of a clocked array let in, where it leaves out wavefronts of zeros; called by `clocked.py`.

A feeder sees all words that enter the rows at one time. Where none of them has a value, and the pass streams words enough
without it, it goes on to the next in the same cycle.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import OsDrain, PeArray

IntArray = NDArray[np.int64]
Kept = slice | IntArray
"""Places along a stream: all of them, or these."""
ALL = slice(None)


def kept_words(words: IntArray, fewest: int = 1) -> IntArray:
    """Return the places of a stream that are let in: those with a value, and the last zeros where they are too few.

    Parameters
    ----------
    words
        Shape (T, rows): what enters the rows at one time.
    fewest
        Words that the pass has to stream, as far as it has them.
    """
    has_value: NDArray[np.bool_] = np.any(words, axis=1)
    zeros = np.flatnonzero(~has_value)
    missing = max(0, fewest - int(has_value.sum()))
    has_value[zeros[max(0, len(zeros) - missing) :]] = True
    return np.flatnonzero(has_value)


def drain_words(extents: Sequence[Sequence[int]], leaves: Sequence[bool], pe_array: PeArray) -> list[int]:
    """Return the words that each pass of an output-stationary array has to stream.

    Where drains overlap, its sums and those of the pass before must not meet in the drain registers: it streams for as
    long as both are in use.

    Parameters
    ----------
    extents
        Rows and columns first, pass by pass.
    leaves
        Whether the sums of each pass leave.
    pe_array
        Its drain.
    """
    if not pe_array.drain_overlap or pe_array.os_drain is OsDrain.NONE:
        return [1] * len(extents)
    by_row = pe_array.os_drain is OsDrain.SHIFT_ROWS
    in_use = [0]
    for (rows, columns, *_), drains in zip(extents, leaves, strict=True):
        cycles = rows if by_row else max(columns, pe_array.act_hop * (columns - 1) + 1)
        in_use.append(cycles if drains else 0)
    longest = [max(pair) for pair in pairwise(in_use)]
    return [max(1, -(-cycles // pe_array.add_cycles)) for cycles in longest]


def fitting(streams: Sequence[IntArray], width: int) -> IntArray:
    """Lay streams of shape (T, words) of any size side by side, shape (passes, longest T, ``width``), zeros behind."""
    laid_out = np.zeros((len(streams), max(map(len, streams)), width), dtype=np.int64)
    for fold, words in enumerate(streams):
        laid_out[fold, : len(words), : words.shape[1]] = words
    return laid_out

"""What a convolution on the clocked row-stationary array gave: values, cycles, and what spads and networks moved.

`clocked_rows.py` makes them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedRowCounts:
    """What the registers of a row-stationary array did.

    Parameters
    ----------
    macs_per_pe
        MACs of each PE, shape (R * r, t * e): along the first axis the filter rows of one set of channels after those of
        another, along the second the ofmap rows of one set of filters after those of another. Words of padding count.
    gated_macs
        MACs among them that stood still for a zero.
    ifmap_spad_reads, ifmap_spad_writes, weight_spad_reads, weight_spad_writes, psum_spad_reads, psum_spad_writes
        Of all PEs. Words that a stride beyond the window steps over pass through the ifmap spad and are written.
        Products that a PE adds in one cycle read and write their psum once. [words]
    ifmap_words, weight_words
        Into the array; a word that several PEs take is sent once, padding of the ifmap included. [words]
    psum_words_in, psum_words_out
        Into the bottom of the array, none in the first pass over an ofmap value, and out of its top. [words]
    psum_hops
        Psums from one PE to the next. [words]
    """

    macs_per_pe: IntArray
    gated_macs: int
    ifmap_spad_reads: int
    ifmap_spad_writes: int
    weight_spad_reads: int
    weight_spad_writes: int
    psum_spad_reads: int
    psum_spad_writes: int
    ifmap_words: int
    weight_words: int
    psum_words_in: int
    psum_words_out: int
    psum_hops: int

    @property
    def macs(self) -> int:
        """MACs of all PEs."""
        return int(self.macs_per_pe.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedRows:
    """One convolution, clocked.

    Parameters
    ----------
    ofmap
        Shape (N, M, E, F).
    output_cycles
        Same shape: the cycle after which each final value is out at the top, counted from 1. [cycles]
    pass_starts
        Cycles before each pass, in running order. [cycles]
    waited_cycles
        Cycles among all that the array waited for psums of an earlier pass that were still on their way up; of PEs that
        skip zeros and do not wait, by how much the latest of each pass was late, at least what the last value lost. [cycles]
    counts
        Words of spads and networks, MACs.
    """

    ofmap: IntArray
    output_cycles: IntArray
    pass_starts: IntArray
    waited_cycles: int
    counts: ClockedRowCounts

    @property
    def total_cycles(self) -> int:
        """Of the last value out of the array. [cycles]"""
        return int(self.output_cycles.max())

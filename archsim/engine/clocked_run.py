"""What a matrix product on the clocked array gave: values, cycles, and the accesses of registers and edges.

`clocked.py` makes them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedCounts:
    """What the registers did; words and MACs of padding are not counted.

    Parameters
    ----------
    macs_per_pe
        MACs that each PE issued, shape (rows, columns).
    ifmap_edge_reads, weight_edge_reads, output_edge_writes
        Words into and out of the array; a psum of each row fold is a word out. [words]
    stationary_register_reads, stationary_register_writes
        Reads, one per MAC; writes, those of a load chain's registers on the way down included (one
        weight register) or one per word (two). 0 for output stationary. [words]
    streamed_register_writes
        Words into the registers of the PEs they pass: one per PE and operand, none along rows that broadcast. [words]
    psum_register_writes
        Sums written, one per MAC. [words]
    drain_register_writes
        Finished values into drain registers, each move counted; output stationary only. [words]
    """

    macs_per_pe: IntArray
    ifmap_edge_reads: int
    weight_edge_reads: int
    output_edge_writes: int
    stationary_register_reads: int
    stationary_register_writes: int
    streamed_register_writes: int
    psum_register_writes: int
    drain_register_writes: int

    @property
    def macs(self) -> int:
        """MACs of all PEs."""
        return int(self.macs_per_pe.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedRun:
    """One matrix product, clocked.

    Parameters
    ----------
    ofmap
        The product, shape (pixels, filters).
    output_cycles
        Same shape: the cycle after which the last part of each value is out, counted from 1; 0 where all its wavefronts
        were left out. [cycles]
    total_cycles
        Of the last value out of the array, padding included where folds cost the full array. [cycles]
    counts
        Accesses of the registers and at the array's edge.
    """

    ofmap: IntArray
    output_cycles: IntArray
    total_cycles: int
    counts: ClockedCounts

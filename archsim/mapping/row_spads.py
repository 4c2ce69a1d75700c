"""Words in and between the PEs of a row-stationary array, over a whole layer; called by `row_stationary.py`.

Every MAC looks at its ifmap value; where that is zero and the array gates, the weight spad, the multiplier and the
psum spad stand still [1]_. An array that skips reads no spad for it.

References
----------
.. [1] Y.-H. Chen, T. Krishna, J. Emer, V. Sze, Eyeriss, JSSC 52(1), 2017, section V.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.fold_plan import TrafficCount
from archsim.mapping.level_use import count_traffic
from archsim.mapping.row_passes import RowPasses
from archsim.mapping.row_work import RowWork
from archsim.terms import Direction, Operand

IntArray = NDArray[np.int64]
GATED_ACCESSES = ((Operand.WEIGHT, Direction.READ), (Operand.PSUM, Direction.READ), (Operand.PSUM, Direction.WRITE))
"""Spad accesses that a gated MAC leaves out."""
NETWORK = "noc"
"""The level of its rows in traffic.csv, and its component in the tables of energy."""


def gated_macs(passes: RowPasses, work: RowWork) -> int:
    """MACs that stand still for a zero; 0 where the array does not gate."""
    return round(int(passes.macs.sum()) * work.zero_ifmap)


def spad_traffic(passes: RowPasses, work: RowWork, macs: int) -> dict[Operand, tuple[int, int]]:
    """Spad reads and writes per operand over the layer, of which so many MACs are issued. [words]"""
    working = macs - gated_macs(passes, work)
    return {
        Operand.IFMAP: (macs, int(_ifmap_taken(passes).sum())),
        Operand.WEIGHT: (working, int(_weights_taken(passes).sum())),
        Operand.PSUM: (working, working),
    }


def network_rows(passes: RowPasses, work: RowWork) -> tuple[TrafficCount, ...]:
    """Words that the networks deliver to PEs, and psums that PEs hand on. [words]"""
    hops = passes.psums * (passes.filter_rows * passes.channel_sets - 1)
    moved = ((Operand.IFMAP, Direction.READ, _ifmap_taken(passes)), (Operand.WEIGHT, Direction.READ, _weights_taken(passes)),
             (Operand.PSUM, Direction.WRITE, hops))  # fmt: skip
    rows = (count_traffic(work.arch, NETWORK, operand, way, int(words.sum())) for operand, way, words in moved)
    return tuple(row for row in rows if row.words)


def _ifmap_taken(passes: RowPasses) -> IntArray:
    """Ifmap words that PEs take: each PE one row of each of its channels, each filter set again. [words]"""
    columns = passes.shape.ifmap_columns(passes.filter_columns)
    words: IntArray = passes.images * passes.channels * passes.filter_rows * passes.rows * passes.filter_sets * columns
    return words


def _weights_taken(passes: RowPasses) -> IntArray:
    """Weights that PEs take: each goes to the PEs of all ofmap rows. [words]"""
    return passes.weights * passes.rows

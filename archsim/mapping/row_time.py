"""How long a row-stationary array takes for each pass, its weights and its networks included; called by `row_stationary.py`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.array_words import ArrayWords
from archsim.mapping.fold_plan import last_end
from archsim.mapping.row_passes import RowPasses, load_cycles, with_overhead
from archsim.mapping.row_work import RowWork
from archsim.terms import Operand

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PassTimes:
    """Times of passes; arrays of shape (passes,). [cycles]

    Parameters
    ----------
    advance, tail
        As in `Steps`.
    exposed, lead
        Loads of weights within each pass, and ahead of it.
    first
        Before the first pass.
    """

    advance: IntArray
    tail: IntArray
    exposed: IntArray
    lead: IntArray
    first: int

    @property
    def ideal_end(self) -> int:
        """When the last psum is out if no pass ever waits. [cycles]"""
        return last_end(self.first, self.advance, self.tail)


def pass_times(macs: IntArray, passes: RowPasses, work: RowWork) -> PassTimes:
    """Tell when passes end whose busiest PE multiplies for so many cycles, each behind the loads of its weights. [cycles]"""
    array = work.arch.pe_array
    load = work.network_cycles(Operand.WEIGHT, passes.weights)
    exposed, behind, first = load_cycles(load, array)
    busy = with_overhead(macs, array) + exposed
    rise = (passes.filter_rows * passes.channel_sets - 1) * array.psum_hop + array.pe_latency - 1
    return PassTimes(
        advance=np.maximum(busy, behind), tail=busy + rise, exposed=exposed, lead=load - exposed, first=first
    )


def network_cycles(passes: RowPasses, work: RowWork, words: ArrayWords, macs: IntArray) -> IntArray:
    """Cycles that the slower of the ifmap and psum networks needs, spread over the passes by their MACs. [cycles]

    Words wait in front of the PEs and behind them, so that a network limits the layer as a whole rather than pass by
    pass: the published times of the chip ask for it. 0 where the MACs take longer.
    """
    slowest, busy = _slower_network(passes, work, words), int(macs.sum())
    if slowest <= busy:
        return np.zeros_like(macs)
    return with_overhead(np.diff(_spread(slowest, macs), prepend=0), work.arch.pe_array)


def delivered_cycles(
    passes: RowPasses, work: RowWork, words: ArrayWords, macs: IntArray, dense_macs: IntArray
) -> IntArray:
    """Cycles of passes that wait for what the slower network has delivered since the layer began. [cycles]

    Parameters
    ----------
    passes, work, words
        As for `network_cycles`.
    macs, dense_macs
        Of the busiest PE with zeros stepped over, and without: words are spread over the passes by the latter.
    """
    delivered = _spread(_slower_network(passes, work, words), dense_macs)
    done = np.cumsum(macs)
    until = done + np.maximum.accumulate(np.maximum(delivered - done, 0))
    return with_overhead(np.diff(until, prepend=0), work.arch.pe_array)


def _slower_network(passes: RowPasses, work: RowWork, words: ArrayWords) -> int:
    """Cycles of the layer's words over the slower of both networks. [cycles]"""
    ifmap = work.network_cycles(Operand.IFMAP, words.ifmap_reads)
    psum = work.network_cycles(Operand.PSUM, np.maximum(words.psum_reads, passes.psums))
    return max(int(ifmap.sum()), int(psum.sum()))


def _spread(total: int, macs: IntArray) -> IntArray:
    """Return what of a total has come until the end of each pass, spread by its MACs. [cycles]"""
    until: IntArray = np.rint(np.cumsum(macs) * (total / int(macs.sum()))).astype(np.int64)
    return until

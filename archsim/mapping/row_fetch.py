"""What a row-stationary array fetches over the DRAM channel, and when the room for it is free.

Called by `row_stationary.py`. A tile is fetched by the first pass that needs it; its room is free when the last
pass that used what lay there is done.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.fold_walk import changed, freeing_step
from archsim.mapping.row_fit import weights_stay
from archsim.mapping.row_passes import RowPasses
from archsim.mapping.row_work import RowWork
from archsim.terms import Operand

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowTiles:
    """Fetches of each pass; arrays of shape (passes,).

    Parameters
    ----------
    ifmap_words, weight_words
        Fetched for the pass; 0 where it is there already. [words]
    ifmap_release, weight_release
        Pass whose end frees the room; -1 = free from the start.
    psum_block
        Number of the block of psums that the pass works on.
    psum_copies
        Blocks that the level holds at one time.
    filter_in_block
        Which of its block's filter passes it is.
    """

    ifmap_words: IntArray
    weight_words: IntArray
    ifmap_release: IntArray
    weight_release: IntArray
    psum_block: IntArray
    psum_copies: int
    filter_in_block: IntArray

    def holds(self, last_write: IntArray) -> IntArray:
        """Return the write-back that each pass waits for: of the psums that lay where its own will.

        Parameters
        ----------
        last_write
            Index of the last write of each pass; -1 = it writes nothing. Shape (passes,).
        """
        blocks = int(self.psum_block[-1]) + 1
        width = int(self.filter_in_block.max()) + 1
        written = np.full((blocks, width), -1, dtype=np.int64)
        np.maximum.at(written, (self.psum_block, self.filter_in_block), last_write)
        np.maximum.accumulate(written, axis=1, out=written)
        before = self.psum_block - self.psum_copies
        earlier = written[np.maximum(before, 0), self.filter_in_block]
        return np.where(before >= 0, earlier, -1)


def row_tiles(passes: RowPasses, work: RowWork) -> RowTiles:
    """Follow ifmap tiles, weights and psum blocks through the passes."""
    ifmap_new = _ifmap_changes(passes)
    mapping = np.array([passes.mapping.letters], dtype=np.int64)
    stay = bool(weights_stay(mapping, work.shape, work.arch)[0])
    weight_new = changed(passes.group, passes.channel_block, passes.kernel_part, passes.filter_pass)
    if stay:
        weight_new = (passes.image_block == 0) & (passes.strip == 0)
    psum_block = np.cumsum(changed(passes.group, passes.image_block, passes.strip, passes.filter_block)) - 1
    first_pass = np.searchsorted(psum_block, psum_block)
    return RowTiles(
        ifmap_words=np.where(ifmap_new, _ifmap_fetch(passes), 0),
        weight_words=np.where(weight_new, passes.weights, 0),
        ifmap_release=freeing_step(ifmap_new, work.tiles_held(Operand.IFMAP)),
        weight_release=_weight_release(weight_new, passes, work, stay=stay),
        psum_block=psum_block,
        psum_copies=work.tiles_held(Operand.PSUM),
        filter_in_block=passes.filter_pass - passes.filter_pass[first_pass],
    )


def _ifmap_changes(passes: RowPasses) -> BoolArray:
    """Whether each pass is the first on its ifmap tile; with one channel block the tile stays for all filters."""
    return changed(passes.group, passes.image_block, passes.strip, passes.channel_block)


def _ifmap_fetch(passes: RowPasses) -> IntArray:
    """Ifmap words of a whole tile, padding and rows that no window touches left out. [words]"""
    geometry, e = passes.shape.geometry, passes.mapping.e
    start = passes.strip * e
    lines = geometry.last[start + passes.rows - 1] - geometry.first[start]
    words: IntArray = passes.images * passes.channels * lines * geometry.line_words
    return words


def _weight_release(new: BoolArray, passes: RowPasses, work: RowWork, *, stay: bool) -> IntArray:
    """Return the pass whose end frees the room of each pass's weights: they wait in a buffer while the PEs work on others."""
    if stay:
        before_group: IntArray = np.searchsorted(passes.group, passes.group) - 1
        return before_group
    has_buffer = work.arch.sram_of(Operand.WEIGHT) is not None
    return freeing_step(new, work.tiles_held(Operand.WEIGHT) + 1 if has_buffer else 1)

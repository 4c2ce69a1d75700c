"""The steps of a channel-parallel layer in running order: which lines, which filters, and what each fetches.

Called by `channel_parallel.py`; `channel_tiles.py` has chosen the loops.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.channel_shape import ChannelShape, padded
from archsim.mapping.channel_tiles import AHEAD, INDEXED_BY, OTHER, ChannelNest, ChannelRoom
from archsim.mapping.fold_walk import changed, freeing_step
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelWalk:
    """Steps of all groups; arrays of shape (steps,).

    Parameters
    ----------
    group, tile, block
        Which group, tile of the outer dimension, and block of the inner one.
    first, count
        Per dimension: the units of the step, filter atoms or ofmap lines.
    """

    group: IntArray
    tile: IntArray
    block: IntArray
    first: dict[Dim, IntArray]
    count: dict[Dim, IntArray]

    def __len__(self) -> int:
        return len(self.group)

    def filters(self, shape: ChannelShape, unit: int, atom: int) -> IntArray:
        """Return the filters of each step, all of them padded to a multiple of ``atom``; ``unit`` are one atom's."""
        first, stop = self.first[Dim.FILTERS] * unit, (self.first[Dim.FILTERS] + self.count[Dim.FILTERS]) * unit
        filters: IntArray = np.minimum(stop, padded(shape.filters, atom)) - first
        return filters

    def pixels(self, shape: ChannelShape) -> IntArray:
        """Ofmap pixels of each step."""
        return self.count[Dim.PIXELS] * shape.line_pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelFetches:
    """How one operand comes; arrays of shape (steps,).

    Parameters
    ----------
    words
        That each step fetches. [words]
    release
        Step whose end frees their place; -1 = free from the start.
    sweep
        Which walk through the operand they are part of: each begins at its first word again.
    """

    words: IntArray
    release: IntArray
    sweep: IntArray


def walk_channels(room: ChannelRoom, nest: ChannelNest) -> ChannelWalk:
    """Lay out the steps of a nest."""
    outer, inner = nest.outer, OTHER[nest.outer]
    units = {dim: room.units(dim) for dim in OTHER}
    parts = -(-nest.tile // nest.part)
    shape = (room.shape.groups, -(-units[outer] // nest.tile), -(-units[inner] // nest.block), parts)
    group, tile, block, part = np.indices(shape, dtype=np.int64).reshape(4, -1)
    first = {outer: tile * nest.tile + part * nest.part, inner: block * nest.block}
    stop = {outer: np.minimum((tile + 1) * nest.tile, first[outer] + nest.part), inner: first[inner] + nest.block}
    count = {dim: np.minimum(stop[dim], units[dim]) - first[dim] for dim in OTHER}
    real = count[outer] > 0
    return ChannelWalk(group=group[real], tile=tile[real], block=block[real],
                       first={dim: values[real] for dim, values in first.items()},
                       count={dim: values[real] for dim, values in count.items()})  # fmt: skip


def channel_fetches(room: ChannelRoom, nest: ChannelNest, walk: ChannelWalk) -> dict[Operand, ChannelFetches]:
    """Say what each step fetches of ifmap and weights, and when there is room for it."""
    found = {}
    for dim, operand in INDEXED_BY.items():
        if operand in nest.passing:
            found[operand] = _passing(room, walk, dim)
        elif dim is nest.outer:
            found[operand] = _tiles(room, nest, walk)
        else:
            found[operand] = _blocks(room, nest, walk)
    return found


def _tiles(room: ChannelRoom, nest: ChannelNest, walk: ChannelWalk) -> ChannelFetches:
    """Fetch the outer operand once, part by part, while the tile's first block is worked on."""
    first_block = walk.block == 0
    follows = walk.first[nest.outer] > 0
    return ChannelFetches(words=np.where(first_block, _words(room, walk, nest.outer, follows), 0),
                  release=freeing_step(changed(walk.group, walk.tile), nest.tiles_held), sweep=walk.group)  # fmt: skip


def _blocks(room: ChannelRoom, nest: ChannelNest, walk: ChannelWalk) -> ChannelFetches:
    """Fetch the inner operand block by block: for the first tile only where it stays, else for every tile."""
    inner = OTHER[nest.outer]
    begins = changed(walk.group, walk.tile, walk.block)
    words = _words(room, walk, inner, walk.block > 0)
    if not nest.whole:
        return ChannelFetches(words=np.where(begins, words, 0), release=freeing_step(begins, nest.blocks_held),
                      sweep=np.cumsum(changed(walk.group, walk.tile)) - 1)  # fmt: skip
    free = freeing_step(changed(walk.group), nest.blocks_held)
    return ChannelFetches(words=np.where(begins & (walk.tile == 0), words, 0),
                  release=np.maximum(free, freeing_step(begins, AHEAD)), sweep=walk.group)  # fmt: skip


def _passing(room: ChannelRoom, walk: ChannelWalk, dim: Dim) -> ChannelFetches:
    """Fetch in every step what the array takes in it, when the step before is done."""
    shape, unit = room.shape, room.arch.pe_array.require_atoms().filter_atom
    pieces = walk.filters(shape, unit, 1) if dim is Dim.FILTERS else walk.pixels(shape)
    steps = np.arange(len(walk), dtype=np.int64)
    return ChannelFetches(words=pieces * shape.filter_words, release=steps - 1, sweep=np.zeros_like(steps))


def _words(room: ChannelRoom, walk: ChannelWalk, dim: Dim, follows: BoolArray) -> IntArray:
    """Words behind a step's units; of ifmap lines, those that the units before them left to fetch."""
    shape = room.shape
    if dim is Dim.FILTERS:
        return walk.filters(shape, room.arch.pe_array.require_atoms().filter_atom, 1) * shape.filter_words
    start, stop = shape.ifmap_lines(walk.first[dim], walk.count[dim])
    _, before = shape.ifmap_lines(np.maximum(walk.first[dim] - 1, 0), np.ones_like(start))
    lines = np.maximum(0, stop - np.where(follows, before, start))
    words: IntArray = lines * shape.line_words
    return words

"""The steps of a channel-parallel layer in running order: which lines, which filters, and what each fetches.

Called by `channel_parallel.py`; `channel_tiles.py` has chosen the loops.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.channel_room import INDEXED_BY, OTHER, ChannelRoom
from archsim.mapping.channel_shape import ChannelShape, padded
from archsim.mapping.channel_tiles import AHEAD, ChannelNest
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """What an operand is fetched in; arrays of shape (steps,).

    Parameters
    ----------
    fetch, last_use
        Steps that fetch a piece, and those that use one last: as many of each, in the same order.
    words, need
        That a step fetches, and that lie behind its units. [words]
    """

    fetch: BoolArray
    last_use: BoolArray
    words: IntArray
    need: IntArray


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
    need, words = _needed(room, walk, nest.outer, walk.first[nest.outer] > 0)
    first, last = walk.block == 0, walk.block == walk.block.max()
    tiles = changed(walk.group, walk.tile)
    release = _when_free(Pieces(fetch=first, last_use=last, words=words, need=need), nest.tile_room)
    held = AHEAD if room.loads_ahead(nest.outer) else 1
    return ChannelFetches(words=np.where(first, words, 0), sweep=walk.group,
                          release=np.maximum(release, freeing_step(tiles, held)))  # fmt: skip


def _blocks(room: ChannelRoom, nest: ChannelNest, walk: ChannelWalk) -> ChannelFetches:
    """Fetch the inner operand block by block: for the first tile only where it stays, else for every tile."""
    inner = OTHER[nest.outer]
    begins = changed(walk.group, walk.tile, walk.block)
    need, words = _needed(room, walk, inner, walk.block > 0)
    fetch, last, sweep = begins, np.append(begins[1:], True), np.cumsum(changed(walk.group, walk.tile)) - 1
    order = freeing_step(begins, AHEAD)
    if nest.whole:
        fetch, last, sweep = begins & (walk.tile == 0), last & (walk.tile == walk.tile.max()), walk.group
    if not room.loads_ahead(inner):
        order = np.maximum(order, freeing_step(changed(walk.group) if nest.whole else begins, 1))
    release = _when_free(Pieces(fetch=fetch, last_use=last, words=words, need=need), nest.block_room)
    return ChannelFetches(words=np.where(fetch, words, 0), release=np.maximum(release, order), sweep=sweep)


def _when_free(pieces: Pieces, room_words: int) -> IntArray:
    """Return the step whose end leaves room for what each step fetches; -1 = there is room from the start.

    The operand moves through its place as through a ring: a piece's end frees all but what the next one keeps of it.
    """
    words, need, last = pieces.words[pieces.fetch], pieces.need[pieces.fetch], np.flatnonzero(pieces.last_use)
    loaded = np.cumsum(words)
    freed = loaded - np.append((need - words)[1:], 0)
    missing = loaded - room_words
    piece = np.searchsorted(freed, missing)
    release = np.full(len(pieces.fetch), -1, dtype=np.int64)
    release[pieces.fetch] = np.where(missing > 0, last[np.minimum(piece, len(last) - 1)], -1)
    return release


def _passing(room: ChannelRoom, walk: ChannelWalk, dim: Dim) -> ChannelFetches:
    """Fetch in every step what the array takes in it, when the step before is done."""
    shape, unit = room.shape, room.arch.pe_array.require_atoms().filter_atom
    pieces = walk.filters(shape, unit, 1) if dim is Dim.FILTERS else walk.pixels(shape)
    steps = np.arange(len(walk), dtype=np.int64)
    return ChannelFetches(words=pieces * shape.filter_words, release=steps - 1, sweep=np.zeros_like(steps))


def _needed(room: ChannelRoom, walk: ChannelWalk, dim: Dim, follows: BoolArray) -> tuple[IntArray, IntArray]:
    """Words behind a step's units, and how many of them it fetches; of ifmap lines, those not left by the units before."""
    shape = room.shape
    if dim is Dim.FILTERS:
        words = walk.filters(shape, room.arch.pe_array.require_atoms().filter_atom, 1) * shape.filter_words
        return words, words
    start, stop = shape.ifmap_lines(walk.first[dim], walk.count[dim])
    _, before = shape.ifmap_lines(np.maximum(walk.first[dim] - 1, 0), np.ones_like(start))
    lines = np.maximum(0, stop - np.where(follows, before, start))
    return (stop - start) * shape.line_words, lines * shape.line_words

"""What a channel-parallel chip keeps in its buffers, and in which order it works: called by `channel_parallel.py`.

The smaller of ifmap and weights stays, whole where it fits beside a block of the other, else in as few parts as
fit; the other one comes once for every part [1]_. A block is some ofmap lines, or some filters, with the whole
window behind them: psums are complete when a step ends, and live in the accumulators behind the array. Where not
even one line fits beside one filter atom, operands pass through their buffer as the array takes them.

References
----------
.. [1] nvdla/hw, perf/NVDLA_OpenSource_Performance.xlsx: "smaller sized" of its ResNet-50 sheet.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.channel_shape import ChannelShape
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand

SHARES = (3, 8, 64, 1)
"""Into how many tiles the outer dimension is cut, to be tried, where nothing is fetched twice either way."""
MOST_BLOCKS, STEPS = 64, 512
"""Blocks that a tile's inner loop is cut into, and steps that a layer's loops aim at."""
AHEAD = 16
"""Tiles or blocks that are asked for ahead of the array, at most: their place in the channel's order is among its work."""
MOST_STEPS = 1_000_000
"""Steps of a layer that are simulated, at most."""
INDEXED_BY = {Dim.FILTERS: Operand.WEIGHT, Dim.PIXELS: Operand.IFMAP}
OTHER = {Dim.FILTERS: Dim.PIXELS, Dim.PIXELS: Dim.FILTERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelNest:
    """Loops over tiles of one dimension, blocks of the other, and parts of the tile.

    Filters count in atoms, pixels in ofmap lines.

    Parameters
    ----------
    outer
        Dimension of the tiles; its operand is fetched once.
    tile, part, block
        Units of a tile, of a part of it, and of a block of the other dimension.
    whole
        Whether the other dimension's operand stays throughout, rather than comes again for every tile.
    tiles_held, blocks_held
        Tiles of the one and blocks (or wholes) of the other that the buffers hold at one time.
    passing
        Operands that pass through their buffer as the array takes them.
    """

    outer: Dim
    tile: int
    part: int
    block: int
    whole: bool
    tiles_held: int
    blocks_held: int
    passing: frozenset[Operand] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelRoom:
    """A layer's needs and a chip's room for them.

    Parameters
    ----------
    layer
        Name, for errors.
    shape, arch, kept
        The layer, the chip, and what is on chip already.
    """

    layer: str
    shape: ChannelShape
    arch: Architecture
    kept: frozenset[Operand]

    def units(self, dim: Dim) -> int:
        """Filter atoms, or ofmap lines."""
        if dim is Dim.PIXELS:
            return self.shape.lines
        return -(-self.shape.filters // self.arch.pe_array.require_atoms().filter_atom)

    def words(self, dim: Dim, units: int) -> int:
        """Most words of the dimension's operand behind so many units. [words]"""
        if dim is Dim.FILTERS:
            filters = min(self.shape.filters, units * self.arch.pe_array.require_atoms().filter_atom)
            return filters * self.shape.filter_words
        first = np.arange(0, self.shape.lines, units, dtype=np.int64)
        start, stop = self.shape.ifmap_lines(first, np.minimum(units, self.shape.lines - first))
        return int((stop - start).max()) * self.shape.line_words

    def size_bytes(self, dim: Dim, units: int) -> int:
        """Room that the dimension's operand needs behind so many units; 0 where it is on chip already. [B]"""
        operand = INDEXED_BY[dim]
        level = self.arch.sram_of(operand)
        if operand in self.kept or level is None:
            return 0
        return self.arch.group(level.name, operand).bytes_of(self.words(dim, units))

    def whole_bytes(self, dim: Dim) -> int:
        """Room for all of the dimension's operand, one group. [B]"""
        return self.size_bytes(dim, self.units(dim))

    def fits(self, outer_bytes: int, inner_bytes: int, outer: Dim) -> bool:
        """Whether so much of both operands has room."""
        need = {INDEXED_BY[outer]: outer_bytes, INDEXED_BY[OTHER[outer]]: inner_bytes}
        return all(size <= self._left(operand, need) for operand, size in need.items())

    def held(self, unit: tuple[Dim, int], other_bytes: int, most: int) -> int:
        """How many pieces (dimension, bytes of each) fit beside the other operand, ``most`` at most; at least one."""
        dim, size = unit
        level = self.arch.sram_of(INDEXED_BY[dim])
        if not size or level is None:
            return most
        most = most if level.double_buffered else 1
        left = self._left(INDEXED_BY[dim], {INDEXED_BY[OTHER[dim]]: other_bytes})
        return max(1, min(most, int(left // size)))

    def _left(self, operand: Operand, need: dict[Operand, int]) -> float:
        """Room for an operand beside what the others in its place need; no end where no level holds it. [B]"""
        level = self.arch.sram_of(operand)
        if level is None or operand in self.kept:
            return inf
        sharers = [other for other in need if other is not operand and self.arch.sram_of(other) is level]
        beside = 0 if level.partition_bytes is not None else sum(need[other] for other in sharers)
        if level.partition_bytes is None and self.arch.sram_of(Operand.OFMAP) is level:
            beside += self.arch.group(level.name, Operand.OFMAP).bytes_of(2 * self.arch.pe_array.columns)
        return level.room_for(operand) - beside

    def stays(self, dim: Dim) -> bool:
        """Whether the dimension's operand has a place to stay in."""
        return INDEXED_BY[dim] in self.kept or self.arch.sram_of(INDEXED_BY[dim]) is not None


def channel_nests(room: ChannelRoom) -> Iterator[ChannelNest]:
    """Yield the nests that are worth a run.

    Raises
    ------
    MappingError
        Not even what the array takes in one cycle fits, or the layer has too many steps.
    """
    once = dict.fromkeys(nest for inner in sorted(OTHER, key=room.whole_bytes) for nest in _once_nests(room, inner))
    yield from once or [_parts_nest(room) or _passing_nest(room)]


def _once_nests(room: ChannelRoom, inner: Dim) -> Iterator[ChannelNest]:
    """Keep one operand throughout and cut the other one into tiles: nothing is fetched twice."""
    outer, inner_bytes = OTHER[inner], room.whole_bytes(inner)
    units, groups = room.units(outer), room.shape.groups
    if not (room.stays(inner) and room.stays(outer)):
        return
    wanted = [-(-units // min(share, units)) for share in SHARES]
    for tile in dict.fromkeys(tile if _fits_whole(room, inner, tile) else 1 for tile in wanted):
        if not _fits_whole(room, inner, tile):
            return
        tile_bytes = room.size_bytes(outer, tile)
        wholes = room.held((inner, inner_bytes), tile_bytes, 2) if groups > 1 else 1
        tiles = room.held((outer, tile_bytes), wholes * inner_bytes, min(AHEAD, -(-units // tile) * groups))
        yield _cut(
            room,
            ChannelNest(outer=outer, tile=tile, part=tile, block=1, whole=True, tiles_held=tiles, blocks_held=wholes),
        )


def _fits_whole(room: ChannelRoom, inner: Dim, tile: int) -> bool:
    """Whether all of one operand fits beside a tile of the other."""
    return room.fits(room.size_bytes(OTHER[inner], tile), room.whole_bytes(inner), OTHER[inner])


def _parts_nest(room: ChannelRoom) -> ChannelNest | None:
    """Keep the smaller operand in the fewest parts that fit beside a block of the other; None where no part does."""
    if not all(room.stays(dim) for dim in OTHER):
        return None
    for outer in sorted(OTHER, key=room.whole_bytes):
        inner, units = OTHER[outer], room.units(outer)
        least = room.size_bytes(inner, 1)
        parts = next(
            (n for n in range(1, units + 1) if room.fits(room.size_bytes(outer, -(-units // n)), least, outer)), 0
        )
        if parts:
            tile = -(-units // parts)
            held = room.held((inner, least), room.size_bytes(outer, tile), 2)
            return _cut(room, ChannelNest(outer=outer, tile=tile, part=tile, block=1, whole=False, tiles_held=1,
                                          blocks_held=held))  # fmt: skip
    return None


def _cut(room: ChannelRoom, nest: ChannelNest) -> ChannelNest:
    """Cut a tile's inner loop into blocks, and the tile into parts, for loads to hide behind work."""
    units, inner_units = room.units(nest.outer), room.units(OTHER[nest.outer])
    tiles = -(-units // nest.tile) * room.shape.groups
    blocks = max(1, min(MOST_BLOCKS, inner_units, STEPS // tiles))
    block = -(-inner_units // blocks)
    if not nest.whole:
        block = _block_that_fits(room, nest, block)
    parts = max(1, STEPS // (tiles * -(-inner_units // block)))
    least = 1
    if nest.outer is Dim.FILTERS:  # fewer filters than columns would only read the ifmap more often
        least = -(-room.arch.pe_array.columns // room.arch.pe_array.require_atoms().filter_atom)
    part = min(nest.tile, max(least, -(-nest.tile // parts)))
    return _checked(room, replace(nest, part=part, block=block))


def _block_that_fits(room: ChannelRoom, nest: ChannelNest, block: int) -> int:
    """Halve blocks until as many as are held fit beside the tile."""
    inner, tile_bytes = OTHER[nest.outer], room.size_bytes(nest.outer, nest.tile)
    while block > 1 and not room.fits(tile_bytes, nest.blocks_held * room.size_bytes(inner, block), nest.outer):
        block = -(-block // 2)
    return block


def _passing_nest(room: ChannelRoom) -> ChannelNest:
    """Work line by line and atom by atom: what does not fit as a line or an atom passes through its buffer."""
    largest = max(OTHER, key=lambda dim: room.size_bytes(dim, 1))
    for passing in ({dim for dim in OTHER if not room.stays(dim)} or {largest}, set(OTHER)):
        unit = {dim: _cycle_bytes(room, dim) if dim in passing else room.size_bytes(dim, 1) for dim in OTHER}
        if room.fits(unit[Dim.FILTERS], unit[Dim.PIXELS], Dim.FILTERS):
            nest = ChannelNest(outer=Dim.FILTERS if Dim.PIXELS in passing else Dim.PIXELS, tile=1, part=1, block=1,
                               whole=False, tiles_held=1, blocks_held=1,
                               passing=frozenset(INDEXED_BY[dim] for dim in passing))  # fmt: skip
            return _checked(room, nest)
    raise MappingError(_no_fit(room, unit))


def _cycle_bytes(room: ChannelRoom, dim: Dim) -> int:
    """Room for what the array takes in one cycle: a word per row, of weights one for each filter of an atom. [B]"""
    array, operand = room.arch.pe_array, INDEXED_BY[dim]
    level = room.arch.sram_of(operand)
    if level is None or operand in room.kept:
        return 0
    words = array.rows * (array.require_atoms().filter_atom if dim is Dim.FILTERS else 1)
    return room.arch.group(level.name, operand).bytes_of(words)


def _checked(room: ChannelRoom, nest: ChannelNest) -> ChannelNest:
    units, inner = room.units(nest.outer), room.units(OTHER[nest.outer])
    steps = room.shape.groups * -(-units // nest.part) * -(-inner // nest.block)
    if steps > MOST_STEPS:
        raise MappingError(
            f"layer {room.layer!r} takes {steps:,} steps on {room.arch.name!r}; archsim simulates {MOST_STEPS:,} of a "
            "channel-parallel layer at most. Run fewer images (--batch) or a larger buffer."
        )
    return nest


def _no_fit(room: ChannelRoom, unit: dict[Dim, int]) -> str:
    levels = {level.name: level for dim in OTHER if (level := room.arch.sram_of(INDEXED_BY[dim]))}
    parts = []
    for name, level in levels.items():
        need = {INDEXED_BY[dim]: size for dim, size in unit.items() if room.arch.sram_of(INDEXED_BY[dim]) is level}
        least = " and ".join(f"{size:,} B of {operand}" for operand, size in need.items())
        parts.append(f"{name} has {level.room_bytes:,} B for tiles and needs at least {least}")
    return (
        f"layer {room.layer!r} does not fit {room.arch.name!r}, even passed through as the array takes it: "
        + "; ".join(parts)
        + ". Enlarge capacity_bytes (or partition_bytes), or use a smaller array."
    )

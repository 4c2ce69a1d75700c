"""In which tiles and blocks a channel-parallel chip may take a layer: called by `channel_parallel.py`.

A tile of one operand stays while blocks of the other pass, or all of the other stays too and nothing comes twice. A
block is some ofmap lines, or some filters, with the whole window behind them: psums are complete when a step ends, and
live in the accumulators behind the array. Where not even one line fits beside one filter atom, operands pass through
their buffer as the array takes them. `channel_time.py` says which of the nests are worth a run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archsim.errors import MappingError
from archsim.mapping.channel_room import INDEXED_BY, OTHER, ChannelRoom
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand

MOST_BLOCKS, STEPS = 64, 512
"""Blocks that a tile's inner loop is cut into, and steps that a layer's loops aim at."""
GROUP_SHARES = (0.0, 0.25, 0.5, 1.0)
"""Of the room left beside a tile and a whole: what may take the next group's whole ahead, to be tried."""
AHEAD = 16
"""Tiles or blocks that are asked for ahead of the array, at most: their place in the channel's order is among its work."""
FINE_STEPS = 16_384
"""Steps that a layer may take for the results of two to have room."""
MOST_STEPS = 1_000_000
"""Steps of a layer that are simulated, at most."""


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
    tile_room, block_room
        Room for the one's tiles and the other's blocks (or wholes), those that come ahead included. [words]
    passing
        Operands that pass through their buffer as the array takes them.
    """

    outer: Dim
    tile: int
    part: int
    block: int
    whole: bool
    tile_room: int = 0
    block_room: int = 0
    passing: frozenset[Operand] = frozenset()


def channel_nests(room: ChannelRoom) -> Iterator[ChannelNest]:
    """Yield the nests that fit, each once: every cut of either operand, beside all of the other one or a block of it.

    Raises
    ------
    MappingError
        Not even what the array takes in one cycle fits, or the layer has too many steps.
    """
    inners = sorted(OTHER, key=room.whole_bytes) if all(room.stays(dim) for dim in OTHER) else []
    kinds = [(inner, whole) for whole in (True, False) for inner in inners]
    found = dict.fromkeys(nest for inner, whole in kinds for nest in _nests(room, inner, whole=whole))
    short = [nest for nest in found if steps_of(room, nest) <= MOST_STEPS]
    if found and not short:
        _checked(room, min(found, key=lambda nest: steps_of(room, nest)))
    yield from short or [_passing_nest(room)]


def _nests(room: ChannelRoom, inner: Dim, *, whole: bool) -> Iterator[ChannelNest]:
    """Cut the other operand into ever more tiles; what is left beside a tile and its block takes loads ahead."""
    outer = OTHER[inner]
    least = room.units(inner) if whole else 1
    fewest = _fewest_parts(room, outer, least, 1), _fewest_parts(room, outer, least, 2)
    for tile in _cuts(room.units(outer), fewest):
        if room.fits(room.size_bytes(outer, tile), room.size_bytes(inner, least), outer):
            cut = _cut(room, ChannelNest(outer=outer, tile=tile, part=tile, block=least, whole=whole))
            for share in GROUP_SHARES if whole and room.shape.groups > 1 else (0.0,) if whole else (1.0,):
                full = _with_room(room, cut, share)
                yield full  # reading far ahead hides loads, and keeps results waiting for the channel
                yield replace(full, tile_room=min(full.tile_room, 2 * room.words(outer, tile)))


def _fewest_parts(room: ChannelRoom, outer: Dim, block: int, blocks: int) -> int:
    """Fewest tiles of which one fits beside so many blocks; as many as there are units where none does."""
    units, beside = room.units(outer), blocks * room.size_bytes(OTHER[outer], block)
    few, many = 1, units
    while few < many:
        middle = (few + many) // 2
        fits = room.fits(room.size_bytes(outer, -(-units // middle)), beside, outer)
        few, many = (few, middle) if fits else (middle + 1, many)
    return few


def _cuts(units: int, fewest: tuple[int, ...]) -> Iterator[int]:
    """Yield tile sizes: the units in 1, 2, 3, 4, 6, 8, 12 ... or the fewest parts, as equal as can be, each size once."""
    parts = {base << power for base in (1, 3) for power in range(units.bit_length())} | {*fewest}
    yield from dict.fromkeys(-(-units // count) for count in sorted(parts | {units}) if count <= units)


def _cut(room: ChannelRoom, nest: ChannelNest) -> ChannelNest:
    """Cut a tile's inner loop into blocks, and the tile into parts, for loads to hide behind work."""
    units, inner_units = room.units(nest.outer), room.units(OTHER[nest.outer])
    tiles = -(-units // nest.tile) * room.shape.groups
    blocks = max(1, min(MOST_BLOCKS, inner_units, STEPS // tiles))
    block = -(-inner_units // blocks)
    if not nest.whole:
        block = _block_that_fits(room, nest, block)
    parts = max(1, STEPS // (tiles * -(-inner_units // block)))
    part = min(nest.tile, max(_least_part(room, nest.outer), -(-nest.tile // parts)))
    return _drained(room, replace(nest, part=part, block=block))


def _least_part(room: ChannelRoom, outer: Dim) -> int:
    """Units of a part, at least: fewer filters than columns would only read the ifmap more often."""
    array = room.arch.pe_array
    return -(-array.columns // array.require_atoms().filter_atom) if outer is Dim.FILTERS else 1


def _block_that_fits(room: ChannelRoom, nest: ChannelNest, block: int) -> int:
    """Halve blocks until two fit beside the tile."""
    inner, tile_bytes = OTHER[nest.outer], room.size_bytes(nest.outer, nest.tile)
    while block > 1 and not room.fits(tile_bytes, 2 * room.size_bytes(inner, block), nest.outer):
        block = -(-block // 2)
    return block


def _drained(room: ChannelRoom, nest: ChannelNest) -> ChannelNest:
    """Halve parts, then blocks, until the results of two steps have room to wait in, or there are many steps."""
    least = min(nest.part, _least_part(room, nest.outer))
    while room.results_bytes(nest.part, nest.block) * 2 > room.results_room and 2 * steps_of(room, nest) <= FINE_STEPS:
        if nest.part > least:
            nest = replace(nest, part=max(least, -(-nest.part // 2)))
        elif nest.block > 1:
            nest = replace(nest, block=-(-nest.block // 2))
        else:
            break
    return nest


def _with_room(room: ChannelRoom, nest: ChannelNest, share: float) -> ChannelNest:
    """Share out what is left beside a tile and its block (or whole): so much to the inner operand, a block of it at most."""
    outer, inner = nest.outer, OTHER[nest.outer]
    tile = room.size_bytes(outer, nest.tile)
    block = room.size_bytes(inner, room.units(inner) if nest.whole else nest.block)
    left = min(room.left(inner, tile) - block, room.shape.groups * room.whole_bytes(inner))
    inner_bytes = block + share * (left if nest.whole else min(left, block))
    outer_bytes = room.left(outer, int(inner_bytes))
    return replace(nest, tile_room=room.words_in(outer, outer_bytes), block_room=room.words_in(inner, inner_bytes))


def _passing_nest(room: ChannelRoom) -> ChannelNest:
    """Work line by line and atom by atom: what does not fit as a line or an atom passes through its buffer."""
    largest = max(OTHER, key=lambda dim: room.size_bytes(dim, 1))
    for passing in ({dim for dim in OTHER if not room.stays(dim)} or {largest}, set(OTHER)):
        unit = {dim: _cycle_bytes(room, dim) if dim in passing else room.size_bytes(dim, 1) for dim in OTHER}
        if room.fits(unit[Dim.FILTERS], unit[Dim.PIXELS], Dim.FILTERS):
            nest = ChannelNest(outer=Dim.FILTERS if Dim.PIXELS in passing else Dim.PIXELS, tile=1, part=1, block=1,
                               whole=False,
                               passing=frozenset(INDEXED_BY[dim] for dim in passing))  # fmt: skip
            inner = OTHER[nest.outer]
            return _checked(room, replace(nest, tile_room=room.words(nest.outer, 1), block_room=room.words(inner, 1)))
    raise MappingError(_no_fit(room, unit))


def _cycle_bytes(room: ChannelRoom, dim: Dim) -> int:
    """Room for what the array takes in one cycle: a word per row, of weights one for each filter of an atom. [B]"""
    array, operand = room.arch.pe_array, INDEXED_BY[dim]
    level = room.arch.sram_of(operand)
    if level is None or operand in room.kept:
        return 0
    words = array.rows * (array.require_atoms().filter_atom if dim is Dim.FILTERS else 1)
    return room.arch.group(level.name, operand).bytes_of(words)


def steps_of(room: ChannelRoom, nest: ChannelNest) -> int:
    """Return the steps of a nest, at most: of a tile's parts the last one may be short."""
    tiles, blocks = -(-room.units(nest.outer) // nest.tile), -(-room.units(OTHER[nest.outer]) // nest.block)
    return room.shape.groups * tiles * blocks * -(-nest.tile // nest.part)


def nest_lines(room: ChannelRoom, nest: ChannelNest, inner_loops: str) -> Iterator[str]:
    """Yield the mapping as a person reads it; ``inner_loops``: what the array does within a part."""
    atoms, units = room.arch.pe_array.require_atoms(), {dim: room.units(dim) for dim in OTHER}
    size = {Dim.FILTERS: atoms.filter_atom, Dim.PIXELS: 1}
    what = {Dim.FILTERS: "filters", Dim.PIXELS: "ofmap lines"}
    inner, depth = OTHER[nest.outer], ""
    if room.shape.groups > 1:
        yield f"for group in {room.shape.groups}:"
        depth = "  "
    yield f"{depth}for tile in {-(-units[nest.outer] // nest.tile)}:  # of {nest.tile * size[nest.outer]} {what[nest.outer]}"
    yield f"{depth}  for block in {-(-units[inner] // nest.block)}:  # of {nest.block * size[inner]} {what[inner]}"
    yield f"{depth}    for part in {-(-nest.tile // nest.part)}:  # of {nest.part * size[nest.outer]} {what[nest.outer]}"
    yield f"{depth}      {inner_loops}"
    if nest.passing:
        yield "# not kept on chip: " + ", ".join(sorted(nest.passing))
    if nest.whole:
        yield f"# whole on chip: {INDEXED_BY[inner]}"


def _checked(room: ChannelRoom, nest: ChannelNest) -> ChannelNest:
    steps = steps_of(room, nest)
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

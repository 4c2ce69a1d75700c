"""What each tiling option moves and needs: closed forms over all options at once.

The word counts equal the sums over the steps that `array_plan` lays out for the same nest; a test
holds them to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import SramLevel
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.fold_walk import DIMS
from archsim.mapping.loop_nest import Dim
from archsim.mapping.operand_flow import RELEVANT, reused_dim
from archsim.mapping.tile_options import TileOptions
from archsim.mapping.tile_sizes import channels_of, first_fetch_bytes, lines_of, stored_bits, tiles_bytes
from archsim.terms import Operand

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
INPUTS = (Operand.IFMAP, Operand.WEIGHT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileTraffic:
    """Words of every option; arrays of shape (options,), groups counted.

    Parameters
    ----------
    work
        The layer on its arch.
    units
        Units of each dimension.
    splits_passes
        Whether cutting the stream makes the array stop between the pieces.
    array_reads
        Into the array: IFMAP, WEIGHT, PSUM. [words]
    fetches, write_backs
        Over the DRAM channel: reads of IFMAP, WEIGHT, PSUM; writes of PSUM, OFMAP. [words]
    loads
        How often a tile (or streamed step) of IFMAP, WEIGHT and PSUM comes into its buffer.
    tiles_bytes
        Buffer space that IFMAP, WEIGHT and PSUM need, copies included. [B]
    first_fetch_bytes
        What the first step waits for. [B]
    unit_words
        Largest block of each operand that one step uses. [words]
    """

    work: ArrayWork
    units: dict[Dim, IntArray]
    splits_passes: BoolArray
    array_reads: dict[Operand, IntArray]
    fetches: dict[Operand, IntArray]
    write_backs: dict[Operand, IntArray]
    loads: dict[Operand, IntArray]
    tiles_bytes: dict[Operand, FloatArray]
    first_fetch_bytes: FloatArray
    unit_words: dict[Operand, IntArray]

    def residents(self, level: SramLevel) -> list[Operand]:
        """Operands that need room in a level."""
        arch, kept = self.work.arch, self.work.kept
        found = [
            operand for operand in (*INPUTS, Operand.PSUM) if arch.sram_of(operand) is level and operand not in kept
        ]
        apart = arch.sram_of(Operand.OFMAP) is level and Operand.PSUM not in found
        return [*found, Operand.OFMAP] if apart else found

    def buffer_bytes(self, operand: Operand) -> FloatArray:
        """Room that an operand needs; an ofmap apart from the psums only passes through. [B]"""
        if operand is Operand.OFMAP:
            line = 2 * self.work.arch.pe_array.columns * stored_bits(self.work, Operand.OFMAP) / 8
            return np.full(len(self.splits_passes), line)
        return self.tiles_bytes[operand]

    def step_bytes(self, operand: Operand) -> FloatArray:
        """Return what one step moves of an operand that streams through its buffer. [B]"""
        return _in_bytes(self.unit_words[operand], stored_bits(self.work, operand))

    def operand_bytes(self, operand: Operand) -> FloatArray:
        """Bytes over the channel, both ways, for the tiles of one operand; ofmaps leave from psum tiles. [B]"""
        moves = [(operand, self.fetches[operand])]
        if operand is Operand.PSUM:
            moves += list(self.write_backs.items())
        total = np.zeros(len(self.splits_passes))
        for moved, words in moves:
            if moved not in self.work.kept:
                total += _in_bytes(words, self.work.link_bits(moved))
        return total

    def dram_bytes(self) -> FloatArray:
        """Bytes over the channel, both ways. [B]"""
        return sum_arrays([self.operand_bytes(operand) for operand in RELEVANT])

    def level_bytes(self, level: SramLevel) -> dict[Operand, FloatArray]:
        """Bytes that each operand moves through a level. [B]"""
        arch, kept = self.work.arch, self.work.kept
        moved = {}
        for operand in INPUTS:
            if arch.sram_of(operand) is level:
                words = self.array_reads[operand] + (0 if operand in kept else self.fetches[operand])
                moved[operand] = _in_bytes(words, stored_bits(self.work, operand))
        if arch.sram_of(Operand.PSUM) is level:
            words = 2 * self.array_reads[Operand.PSUM]
            moved[Operand.PSUM] = _in_bytes(words, stored_bits(self.work, Operand.PSUM))
        if arch.sram_of(Operand.OFMAP) is level:
            words = self.write_backs[Operand.OFMAP] * (1 if Operand.OFMAP in kept else 2)
            moved[Operand.OFMAP] = _in_bytes(words, stored_bits(self.work, Operand.OFMAP))
        return moved

    def port_bytes(self, level: SramLevel) -> FloatArray:
        """Bytes through the ports of a level: all of them, or those of the busiest partition. [B]"""
        moved = self.level_bytes(level)
        if not moved:
            return np.zeros(len(self.splits_passes))
        if level.partition_bytes is None:
            return sum_arrays(list(moved.values()))
        busiest: FloatArray = np.maximum.reduce(list(moved.values()))
        return busiest

    def sram_bytes(self) -> FloatArray:
        """Bytes through all on-chip levels. [B]"""
        total = np.zeros(len(self.splits_passes))
        for level in self.work.arch.srams:
            for moved in self.level_bytes(level).values():
                total += moved
        return total


def sum_arrays(arrays: list[FloatArray]) -> FloatArray:
    """Add arrays of one shape."""
    total: FloatArray = np.sum(arrays, axis=0)
    return total


def tile_traffic(work: ArrayWork, options: TileOptions) -> TileTraffic:
    """Work out all closed forms."""
    units = {dim: options.of(dim, [tiling.units for tiling in options.tilings[dim]]) for dim in DIMS}
    tiles = {dim: options.tiles(dim) for dim in DIMS}
    splits = _splits_passes(work, options, units, tiles)
    reads, psum_visits = _array_reads(work, units, tiles, splits)
    repeats = {operand: _repeats(options, tiles, operand) for operand in RELEVANT}
    outputs = work.groups * work.sizes[Dim.PIXELS] * work.sizes[Dim.FILTERS]
    weights = work.groups * work.sizes[Dim.WINDOW] * work.sizes[Dim.FILTERS]
    spills = np.where(options.streamed[Operand.PSUM], psum_visits, repeats[Operand.PSUM]) - 1
    resident = {Operand.IFMAP: _ifmap_words(work, options, tiles) * repeats[Operand.IFMAP],
                Operand.WEIGHT: weights * repeats[Operand.WEIGHT]}  # fmt: skip
    unit = {dim: options.of(dim, [min(tiling.size, tiling.unit) for tiling in options.tilings[dim]]) for dim in DIMS}
    fetches = {op: np.where(options.streamed[op], reads[op], resident[op]) for op in INPUTS}
    return TileTraffic(
        work=work,
        units=units,
        splits_passes=splits,
        array_reads=reads,
        fetches=fetches | {Operand.PSUM: outputs * spills},
        write_backs={Operand.PSUM: outputs * spills, Operand.OFMAP: np.full_like(spills, outputs)},
        loads=_loads(work, options, tiles, units, repeats),
        tiles_bytes=tiles_bytes(work, options, tiles, psum_visits),
        first_fetch_bytes=first_fetch_bytes(work, options),
        unit_words={operand: unit[first] * unit[second] for operand, (first, second) in RELEVANT.items()},
    )


def _splits_passes(
    work: ArrayWork, options: TileOptions, units: dict[Dim, IntArray], tiles: dict[Dim, IntArray]
) -> BoolArray:
    stream = work.dataflow.stream
    follows = np.ones(len(options.order), dtype=bool)
    for dim in (work.dataflow.rows, work.dataflow.columns):
        one_unit = options.of(dim, [t.units_in_tile for t in options.tilings[dim]]) == 1
        outside = (options.position(dim) < options.position(stream)) | (tiles[dim] == 1)
        follows &= one_unit & outside
    return (tiles[stream] > 1) & ~follows


def _array_reads(
    work: ArrayWork, units: dict[Dim, IntArray], tiles: dict[Dim, IntArray], splits: BoolArray
) -> tuple[dict[Operand, IntArray], IntArray]:
    """Words into the array, and how often each psum is in it."""
    dataflow, sizes = work.dataflow, work.sizes
    loads = np.where(splits, tiles[dataflow.stream], 1)
    reads = {}
    for operand in INPUTS:
        first, second = RELEVANT[operand]
        times = loads if dataflow.stationary is operand else units[reused_dim(operand)]
        words = sizes[first] * sizes[second]
        if operand is Operand.IFMAP and work.fold.patches:
            words = work.geometry.channels * work.fold.patches.all_ifmap_words
        reads[operand] = work.groups * words * times
    if dataflow.stationary is not Operand.PSUM:
        visits = units[Dim.WINDOW]
    else:
        visits = loads if work.keeps_psum else units[Dim.WINDOW]
    reads[Operand.PSUM] = work.groups * sizes[Dim.PIXELS] * sizes[Dim.FILTERS] * (visits - 1)
    return reads, visits


def _repeats(options: TileOptions, tiles: dict[Dim, IntArray], operand: Operand) -> IntArray:
    """How often a resident operand's tiles come and go: its reusing loop, where one of its own lies inside."""
    reused = reused_dim(operand)
    inside = np.logical_or.reduce(
        [(options.position(dim) > options.position(reused)) & (tiles[dim] > 1) for dim in RELEVANT[operand]]
    )
    return np.where(inside & ~options.whole[operand], tiles[reused], 1)


def _loads(
    work: ArrayWork,
    options: TileOptions,
    tiles: dict[Dim, IntArray],
    units: dict[Dim, IntArray],
    repeats: dict[Operand, IntArray],
) -> dict[Operand, IntArray]:
    steps = work.groups * np.prod([units[dim] for dim in DIMS], axis=0)
    loads = {}
    for operand, (first, second) in RELEVANT.items():
        tile_loads = work.groups * tiles[first] * tiles[second] * repeats[operand]
        stays = np.where(options.whole[operand], work.groups, tile_loads)
        loads[operand] = np.where(options.streamed[operand], steps, stays)
    return loads


def _ifmap_words(work: ArrayWork, options: TileOptions, tiles: dict[Dim, IntArray]) -> IntArray:
    """Words of one sweep over a resident ifmap, overlaps of tiles that do not follow each other fetched again."""
    channels = options.of(Dim.WINDOW, [int(channels_of(work, t.span).sum()) for t in options.tilings[Dim.WINDOW]])
    apart = options.of(
        Dim.PIXELS, [int(lines_of(work, t.pieces(t.units_per_tile)).sum()) for t in options.tilings[Dim.PIXELS]]
    )
    slides = (tiles[Dim.WINDOW] == 1) | (options.position(Dim.PIXELS) > options.position(Dim.WINDOW))
    lines = np.where(slides, work.geometry.touched_lines, apart)
    swept = work.groups * channels * lines * work.geometry.line_words
    return np.where(options.whole[Operand.IFMAP], work.groups * work.geometry.unique_words, swept)


def _in_bytes(words: IntArray, bits: float) -> FloatArray:
    return words.astype(np.float64) * (bits / 8)

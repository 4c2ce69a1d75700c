"""How large the tiles of each option are: ranges of channels and lines, buffer space, the first fetch."""

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.array_work import ArrayWork
from archsim.mapping.fold_walk import DIMS
from archsim.mapping.loop_nest import Dim
from archsim.mapping.operand_flow import RELEVANT
from archsim.mapping.tile_options import TileOptions
from archsim.terms import Operand

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def tiles_bytes(
    work: ArrayWork, options: TileOptions, tiles: dict[Dim, IntArray], psum_visits: IntArray
) -> dict[Operand, FloatArray]:
    """Return the buffer space that the tiles of each operand need, copies included. [B]

    Parameters
    ----------
    work, options
        The layer and the options.
    tiles
        Tiles of each dimension.
    psum_visits
        How often each psum is in the array.
    """
    length = {dim: options.of(dim, [min(t.size, t.span) for t in options.tilings[dim]]) for dim in DIMS}
    channels = options.of(Dim.WINDOW, [int(channels_of(work, t.span).max()) for t in options.tilings[Dim.WINDOW]])
    lines = options.of(
        Dim.PIXELS, [int(lines_of(work, t.pieces(t.units_per_tile)).max()) for t in options.tilings[Dim.PIXELS]]
    )
    words = {
        Operand.IFMAP: channels * lines * work.geometry.line_words,
        Operand.WEIGHT: length[Dim.WINDOW] * length[Dim.FILTERS],
        Operand.PSUM: length[Dim.PIXELS] * length[Dim.FILTERS],
    }
    whole = {operand: work.sizes[first] * work.sizes[second] for operand, (first, second) in RELEVANT.items()}
    whole[Operand.IFMAP] = work.geometry.unique_words
    sizes = {}
    for operand, count in words.items():
        level = work.arch.sram_of(operand)
        ahead = level.tile_copies if level else 1
        first, second = RELEVANT[operand]
        copies = np.where(work.groups * tiles[first] * tiles[second] > 1, ahead, 1)
        copies = np.where(options.whole[operand], ahead if work.groups > 1 else 1, copies)
        copies = np.where(options.streamed[operand], ahead, copies)
        held = np.where(options.whole[operand], whole[operand], count)
        held = np.where(options.streamed[operand], _line_words(work, operand), held)
        sizes[operand] = copies * (_tile_bits(work, operand, held, psum_visits) / 8)
    return sizes


def _tile_bits(work: ArrayWork, operand: Operand, words: IntArray, psum_visits: IntArray) -> IntArray:
    """Bits of a buffered tile; outputs that are never read back are stored as ofmap."""
    bits = work.stored(operand).bits_of(words)
    if operand is not Operand.PSUM or work.arch.sram_of(Operand.PSUM) is not work.arch.sram_of(Operand.OFMAP):
        return bits
    return np.where(psum_visits > 1, bits, work.stored(Operand.OFMAP).bits_of(words))


def _line_words(work: ArrayWork, operand: Operand) -> int:
    """Words of an operand that cross the array's edge in one cycle. [words]"""
    dataflow = work.dataflow
    along_rows = operand is not dataflow.stationary and operand is not Operand.PSUM
    if dataflow.stationary is Operand.PSUM:
        along_rows = operand is Operand.IFMAP
    return work.fold.rows if along_rows else work.fold.columns


def first_fetch_bytes(work: ArrayWork, options: TileOptions) -> FloatArray:
    """Return what the first step waits for. [B]"""
    unit = {dim: options.of(dim, [min(t.size, t.unit) for t in options.tilings[dim]]) for dim in DIMS}
    channels = options.of(Dim.WINDOW, [int(channels_of(work, t.unit, 1)[0]) for t in options.tilings[Dim.WINDOW]])
    lines = options.of(Dim.PIXELS, [int(lines_of(work, t.pieces(1, most=1))[0]) for t in options.tilings[Dim.PIXELS]])
    words = {
        Operand.IFMAP: channels * lines * work.geometry.line_words,
        Operand.WEIGHT: unit[Dim.WINDOW] * unit[Dim.FILTERS],
    }
    total = np.zeros(len(options.order))
    for operand in words.keys() - work.kept:
        total += words[operand] * (work.link_bits(operand) / 8)
    return total


def channels_of(work: ArrayWork, span: int, most: int | None = None) -> IntArray:
    """Return the channels that each piece of ``span`` window elements touches; the first ``most`` pieces."""
    size = work.sizes[Dim.WINDOW]
    first, last = work.geometry.channel_ranges(*_pieces(size, span, most), size)
    return last - first


def lines_of(work: ArrayWork, pieces: tuple[IntArray, IntArray]) -> IntArray:
    """Return the ifmap lines that each range of pixels touches: first pixels and lengths, as `DimTiling.pieces` has them."""
    first, last = work.geometry.line_ranges(*pieces)
    return last - first


def stored_bits(work: ArrayWork, operand: Operand) -> float:
    """Return the mean width of an operand's values in its on-chip level. [b]"""
    return work.stored(operand).mean_bits


def _pieces(size: int, span: int, most: int | None) -> tuple[IntArray, IntArray]:
    start = np.arange(0, size if most is None else min(size, span * most), span, dtype=np.int64)
    return start, np.minimum(span, size - start)

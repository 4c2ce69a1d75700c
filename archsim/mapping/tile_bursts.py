"""What whole bursts add to the bytes of each tiling option, on a DRAM device: an estimate for the search.

A run of neighbouring bytes that begins anywhere moves, on average, a burst less a byte more than its own.
How long the runs of a tile are depends on the layout, as in `dram_layout.py`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import TensorLayout
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.loop_nest import Dim, DimTiling
from archsim.mapping.operand_flow import RELEVANT
from archsim.mapping.tile_options import TileOptions
from archsim.mapping.tile_sizes import channels_of, lines_of
from archsim.terms import Operand

FloatArray = NDArray[np.float64]


def burst_bytes_per_byte(work: ArrayWork, options: TileOptions, operand: Operand) -> FloatArray:
    """Return the bytes that bursts move per byte of an operand that is asked for, 1 and more; shape (options,).

    Parameters
    ----------
    work, options
        The layer on its arch, and the ways to run it.
    operand
        IFMAP, WEIGHT, PSUM or OFMAP.
    """
    dram = work.arch.dram
    if not dram.has_banks:
        return np.ones(len(options.order))
    burst, word_bytes = dram.require_device().request_bytes, work.link_bits(operand) / 8
    if dram.layout is TensorLayout.TILED or operand not in (Operand.IFMAP, Operand.OFMAP):
        unit = {dim: options.of(dim, [min(t.size, t.unit) for t in options.tilings[dim]]) for dim in Dim}
        first, second = RELEVANT[Operand.PSUM if operand is Operand.OFMAP else operand]
        block = np.maximum(1.0, unit[first] * unit[second] * word_bytes)
        return np.asarray(np.ceil(block / burst) * burst / block)
    words = _ifmap_run(work, options) if operand is Operand.IFMAP else _ofmap_run(work, options)
    return np.asarray(1.0 + (burst - 1) / np.maximum(1.0, words * word_bytes))


def _ifmap_run(work: ArrayWork, options: TileOptions) -> FloatArray:
    """Neighbouring words that a tile fetches, on average. [words]"""
    geometry = work.geometry
    lines = _per_tile(options, Dim.PIXELS, Operand.IFMAP, lambda span: _lines(work, span))
    channels = _per_tile(options, Dim.WINDOW, Operand.IFMAP, lambda span: float(channels_of(work, span).mean()))
    if work.arch.dram.layout is TensorLayout.NCHW:
        run = np.minimum(lines, geometry.image_lines) * geometry.line_words
        return np.asarray(np.where(lines >= geometry.image_lines, run * channels, run))
    return np.asarray(np.where(channels >= geometry.channels, channels * lines * geometry.line_words, channels))


def _lines(work: ArrayWork, span: int) -> float:
    pixels = DimTiling(size=work.sizes[Dim.PIXELS], unit=span, units_per_tile=1)
    return float(lines_of(work, pixels.pieces(1)).mean())


def _ofmap_run(work: ArrayWork, options: TileOptions) -> FloatArray:
    """Neighbouring words that a tile writes. [words]"""
    pixels = _per_tile(options, Dim.PIXELS, Operand.PSUM, float)
    filters = _per_tile(options, Dim.FILTERS, Operand.PSUM, float)
    per_image = work.sizes[Dim.PIXELS] / work.geometry.images
    if work.arch.dram.layout is TensorLayout.NCHW:
        run = np.minimum(pixels, per_image)
        return np.asarray(np.where(pixels >= per_image, run * filters, run))
    return np.asarray(np.where(filters >= work.sizes[Dim.FILTERS], filters * pixels, filters))


def _per_tile(options: TileOptions, dim: Dim, operand: Operand, measure: Callable[[int], float]) -> FloatArray:
    """Measure the part of a dimension that moves as one: a tile, a unit of what streams, all of what stays."""
    tilings = options.tilings[dim]
    tile = _spread(options, dim, [measure(min(t.size, t.span)) for t in tilings])
    unit = _spread(options, dim, [measure(min(t.size, t.unit)) for t in tilings])
    whole = _spread(options, dim, [measure(t.size) for t in tilings])
    return np.where(options.streamed[operand], unit, np.where(options.whole[operand], whole, tile))


def _spread(options: TileOptions, dim: Dim, values: list[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)[options.choice[dim]]

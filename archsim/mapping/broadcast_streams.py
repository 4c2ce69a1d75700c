"""Cycles and words of the pixel streams of a layer: dense, or with the zeros stepped over.

Called by `pixel_broadcast.py`. A stream is a row of pixels of one channel that passes the array for one ofmap line and one
filter row. All PEs share it, so a zero pixel is skipped by the whole array and nothing gets out of balance. The nonzero
pixels are counted from the ifmap's mask, none sampled.

Padding streams as zeros do. A dense array takes it at a cycle per pixel, as the published equation has it; one that skips
steps over it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archsim.arch.broadcast_tiles import BroadcastTiles
from archsim.kernels.nonzero_planes import count_nonzero_planes
from archsim.kernels.pixel_scan import scan_rows
from archsim.mapping.broadcast_shape import BroadcastShape

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streams:
    """What streams for each block of ofmap lines, one pass of filters; shape (images, groups, blocks, segments).

    Parameters
    ----------
    dense_cycles
        Pixels, padding included, at a cycle each. [cycles]
    stored_words
        Pixels without padding. [words]
    cycles
        What the array takes: those of the dense array, or fewer. [cycles]
    nonzero_pixels
        Pixels that are not zero, streamed as often as they are; = ``stored_words`` where zeros are not looked at.
    """

    dense_cycles: IntArray
    stored_words: IntArray
    cycles: IntArray
    nonzero_pixels: IntArray


def dense_streams(shape: BroadcastShape) -> Streams:
    """Count the streams of an array that takes every pixel."""
    places = [[shape.columns(segment, part) for part in range(len(shape.parts))] for segment in _segments(shape)]
    pixels = np.array([sum(map(len, parts)) for parts in places], dtype=np.int64)
    inside = np.array([sum(int(_inside(shape, at).sum()) for at in parts) for parts in places], dtype=np.int64)
    index = shape.line_index()
    everywhere = np.ones((shape.images, shape.groups, 1, 1), dtype=np.int64) * shape.channels
    lines = np.full(len(index), index.shape[1], dtype=np.int64)
    dense = everywhere * _by_block(shape, lines[:, None] * pixels)
    stored = everywhere * _by_block(shape, (index >= 0).sum(axis=1)[:, None] * inside)
    return Streams(dense_cycles=dense, stored_words=stored, cycles=dense, nonzero_pixels=stored)


def sparse_streams(shape: BroadcastShape, nonzero: BoolArray, tiles: BroadcastTiles) -> Streams:
    """Count the streams of an array that steps over zero pixels.

    Parameters
    ----------
    shape
        The layer.
    nonzero
        The ifmap's mask, shape (images, groups, channels, lines, places of a row).
    tiles
        How zeros are found.
    """
    dense = dense_streams(shape)
    pixels = _pixels_by_line(shape, nonzero)
    cycles = pixels
    if tiles.skip_window is not None or tiles.empty_row_cycles:
        cycles = _scanned_by_line(shape, nonzero, tiles)
    index = shape.line_index()
    of_padding = sum(
        np.minimum(tiles.empty_row_cycles, [len(shape.columns(segment, part)) for segment in _segments(shape)])
        if tiles.skip_window is None
        else np.array([_scan_empty(len(shape.columns(segment, part)), tiles) for segment in _segments(shape)])
        for part in range(len(shape.parts))
    )
    padding = np.broadcast_to(np.asarray(of_padding, dtype=np.int64) * shape.channels, cycles[:, :, :1].shape)
    return Streams(
        dense_cycles=dense.dense_cycles,
        stored_words=dense.stored_words,
        cycles=_of_lines(shape, index, np.concatenate([cycles, padding], axis=2)),
        nonzero_pixels=_of_lines(shape, index, np.concatenate([pixels, np.zeros_like(padding)], axis=2)),
    )


def _pixels_by_line(shape: BroadcastShape, nonzero: BoolArray) -> IntArray:
    """Nonzero pixels of every ifmap line over all channels, shape (images, groups, lines, segments)."""
    images, groups, channels, lines, places = nonzero.shape
    counts = np.zeros((images * groups, lines * places), dtype=np.int64)
    values = np.ascontiguousarray(nonzero).view(np.uint8).reshape(images * groups, channels, lines * places)
    count_nonzero_planes(values, counts)
    planes = counts.reshape(images, groups, lines, places)
    return np.stack([_sum_places(shape, planes, segment) for segment in _segments(shape)], axis=-1)


def _sum_places(shape: BroadcastShape, planes: IntArray, segment: int) -> IntArray:
    total = np.zeros(planes.shape[:-1], dtype=np.int64)
    for part in range(len(shape.parts)):
        at = shape.columns(segment, part)
        total += planes[..., at[_inside(shape, at)]].sum(axis=-1)
    return total


def _scanned_by_line(shape: BroadcastShape, nonzero: BoolArray, tiles: BroadcastTiles) -> IntArray:
    """Cycles of every ifmap line over all channels where the front end finds zeros a window at a time."""
    images, groups, channels, lines, places = nonzero.shape
    rows = nonzero.view(np.uint8).reshape(-1, places)
    found = np.zeros((images, groups, lines, len(shape.segments) - 1), dtype=np.int64)
    for segment in _segments(shape):
        for part in range(len(shape.parts)):
            at = shape.columns(segment, part)
            stored = np.where(_inside(shape, at), at, -1)
            window = len(at) if tiles.skip_window is None else tiles.skip_window
            cycles = scan_rows(rows, stored, window, tiles.skip_fifo, min(tiles.empty_row_cycles, len(at)))
            found[..., segment] += cycles.reshape(images, groups, channels, lines).sum(axis=2)
    return found


def _scan_empty(places: int, tiles: BroadcastTiles) -> int:
    """Cycles of a row of padding. [cycles]"""
    window = places if tiles.skip_window is None else tiles.skip_window
    row = np.full(places, -1, dtype=np.int64)
    blank = np.zeros((1, 1), dtype=np.uint8)
    return int(scan_rows(blank, row, window, tiles.skip_fifo, min(tiles.empty_row_cycles, places))[0])


def _of_lines(shape: BroadcastShape, index: IntArray, by_line: IntArray) -> IntArray:
    """Add up what the ifmap lines of every ofmap line take; the last line of ``by_line`` stands for padding."""
    return _by_block(shape, by_line[:, :, index].sum(axis=3))


def _by_block(shape: BroadcastShape, by_line: IntArray) -> IntArray:
    """Add up ofmap lines by block, along the axis before the last."""
    starts = np.arange(0, shape.ofmap_lines, shape.block_lines)
    sums: IntArray = np.add.reduceat(by_line, starts, axis=-2)
    return sums


def _segments(shape: BroadcastShape) -> range:
    return range(len(list(pairwise(shape.segments))))


def _inside(shape: BroadcastShape, at: IntArray) -> BoolArray:
    """Which places of a row are stored, not padding."""
    return (at >= 0) & (at < shape.row.ifmap)

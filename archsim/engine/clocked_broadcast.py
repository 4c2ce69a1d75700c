"""A convolution on a clocked pixel broadcast: every cycle of every PE, values included, for small layers.

The proof of `mapping/pixel_broadcast.py`, of which it knows how a layer is cut and not how it is counted; and the table of
the FEIE example: which tap meets which pixel for which psum, or that a PE is idle.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.engine.clocked_operands import checked_integers
from archsim.errors import SimulationError
from archsim.kernels import pixel_broadcast as kernel
from archsim.mapping.broadcast_shape import BroadcastShape, broadcast_shape, psum_stride
from archsim.terms import Dataflow
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer

IntArray = NDArray[np.int64]
MODEL = "clocked broadcast"
"""What messages open with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedBroadcast:
    """A layer, clocked.

    Parameters
    ----------
    ofmap
        Shape (images, filters, *ofmap); of a matrix (batches, rows, columns).
    total_cycles
        Of the layer on the array alone. [cycles]
    issued_macs
        MACs that PEs with a filter started, those on padding included where the array takes padding.
    pixels, taps, psums
        Shape (cycles, PEs of a set): what each PE of a set has in every cycle; -1 = it is idle. A pixel is its place in
        the whole ifmap (C order; -2 = padding), a psum that in the ofmap of the pass's first filter.
    """

    ofmap: IntArray
    total_cycles: int
    issued_macs: int
    pixels: IntArray
    taps: IntArray
    psums: IntArray


def run_clocked_broadcast(
    layer: ArrayLayer, ifmap: NDArray[np.integer], weight: NDArray[np.integer], array: PeArray
) -> ClockedBroadcast:
    """Clock a layer through the array.

    Parameters
    ----------
    layer
        Small: every cycle is kept.
    ifmap
        Integers, shape (images, channels, *spatial); of a matrix (batches, rows, inner).
    weight
        Integers, shape (filters, channels of a group, *kernel); of a matrix (batches, inner, columns).
    array
        A pixel broadcast with one stream, or whose sets the filters fill: a pass is whole.

    Raises
    ------
    SimulationError
        Another dataflow, a pass that is not whole, or operands that are no integers.

    Notes
    -----
    Not modelled: overflow of psums.
    """
    if array.dataflow is not Dataflow.PIXEL_BROADCAST:
        raise SimulationError(f"{MODEL}: needs a pixel_broadcast array")
    shape = broadcast_shape(layer, array)
    if array.require_tiles().pixel_streams > 1 and shape.filters % shape.sets:
        raise SimulationError(
            f"{MODEL}: {shape.filters} filters do not fill passes of {shape.sets}; needs pixel_streams 1"
        )
    rows, filters = _operands(layer, shape, ifmap, weight)
    run = _Run(shape=shape, array=array, rows=rows, filters=filters).clock()
    if isinstance(layer, ConvLayer):
        return replace(run, ofmap=run.ofmap.reshape(layer.batch, layer.out_channels, *layer.ofmap))
    return replace(run, ofmap=run.ofmap.reshape(layer.batches, layer.columns, layer.rows).swapaxes(1, 2))


def broadcast_product(ifmap: IntArray, weight: IntArray, array: PeArray) -> IntArray:
    """Return ``ifmap @ weight``, shape (pixels, filters), as the psum registers of an array hold it; nothing else is kept."""
    layer = MatmulLayer(name="product", rows=len(ifmap), inner=len(weight), columns=weight.shape[1])
    shape = broadcast_shape(layer, array)
    rows, filters = _operands(layer, shape, ifmap[None], weight[None])
    run = _Run(shape=shape, array=array, rows=rows, filters=filters)
    ofmap = run.blank()
    for stream in run.streams():
        run.take(stream, ofmap)
    return ofmap.reshape(weight.shape[1], len(ifmap)).T


def _operands(
    layer: ArrayLayer, shape: BroadcastShape, ifmap: NDArray[np.integer], weight: NDArray[np.integer]
) -> tuple[IntArray, IntArray]:
    """Lay operands out as (images, groups, channels, lines, places) and (groups, filters, channels, filter rows, taps)."""
    ifmap = checked_integers(ifmap, "ifmap", axes=ifmap.ndim, model=MODEL)
    weight = checked_integers(weight, "weight", axes=weight.ndim, model=MODEL)
    if not isinstance(layer, ConvLayer):
        ifmap, weight = ifmap.swapaxes(1, 2), weight.swapaxes(1, 2)
    return (
        np.ascontiguousarray(ifmap.reshape(shape.images, shape.groups, shape.channels, -1, shape.row.ifmap)),
        np.ascontiguousarray(weight.reshape(shape.groups, shape.filters, shape.channels, -1, shape.row.kernel)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stream:
    """One row of pixels, as it passes the array."""

    image: int
    group: int
    first_filter: int
    channel: int
    line: int
    tap_line: int
    ifmap_line: int
    segment: int
    part: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    shape: BroadcastShape
    array: PeArray
    rows: IntArray
    filters: IntArray

    def clock(self) -> ClockedBroadcast:
        """Pass all streams, one after another."""
        shape, ofmap = self.shape, self.blank()
        traces, cycles, macs = [], 0, 0
        for stream in self.streams():
            taken, issued, trace = self.take(stream, ofmap)
            cycles += taken
            macs += issued * min(shape.sets, shape.filters - stream.first_filter)
            traces.append(self._named(stream, trace[:taken]))
        whole = np.concatenate(traces)
        return ClockedBroadcast(
            ofmap=ofmap, total_cycles=cycles + self.array.pipeline_cycles, issued_macs=macs,
            pixels=whole[..., kernel.PIXEL], taps=whole[..., kernel.TAP], psums=whole[..., kernel.PSUM],
        )  # fmt: skip

    def blank(self) -> IntArray:
        """Return psums of zero, shape (images, groups, filters, ofmap lines, ofmap values of a line)."""
        shape = self.shape
        return np.zeros((shape.images, shape.groups, shape.filters, shape.ofmap_lines, shape.row.ofmap), dtype=np.int64)

    def streams(self) -> Iterator[_Stream]:
        """Yield streams in running order: a block of ofmap lines is done before the next one begins."""
        shape, index = self.shape, self.shape.line_index()
        for image, group in np.ndindex(shape.images, shape.groups):
            for first_line in range(0, shape.ofmap_lines, shape.block_lines):
                lines = range(first_line, min(shape.ofmap_lines, first_line + shape.block_lines))
                for segment, _ in enumerate(pairwise(shape.segments)):
                    for first_filter in range(0, shape.filters, shape.sets):
                        for channel, tap_line in np.ndindex(shape.channels, shape.line_taps):
                            for line in lines:
                                for part in range(len(shape.parts)):
                                    yield _Stream(
                                        image=image, group=group, first_filter=first_filter, channel=channel, line=line,
                                        tap_line=tap_line, ifmap_line=int(index[line, tap_line]), segment=segment, part=part,
                                    )  # fmt: skip

    def take(self, stream: _Stream, ofmap: IntArray) -> tuple[int, int, IntArray]:
        """Pass one stream; return its cycles, the MACs of a set and what each PE had, cycle by cycle."""
        shape, tiles = self.shape, self.array.require_tiles()
        places = shape.columns(stream.segment, stream.part)
        absent = stream.ifmap_line < 0
        row = self.rows[stream.image, stream.group, stream.channel, stream.ifmap_line][: 0 if absent else None]
        chosen = slice(stream.first_filter, stream.first_filter + shape.sets)
        settings = np.zeros(kernel.SETTINGS, dtype=np.int64)
        settings[kernel.FIRST], settings[kernel.LAST] = shape.segments[stream.segment : stream.segment + 2]
        settings[kernel.STRIDE], settings[kernel.DILATION] = shape.row.stride, shape.row.dilation
        settings[kernel.PADDING], settings[kernel.SPACING] = shape.row.padding, psum_stride(shape.row)
        settings[kernel.WINDOW] = len(places) if tiles.skip_window is None else tiles.skip_window
        settings[kernel.FIFO], settings[kernel.SKIPS] = tiles.skip_fifo, self.array.skips
        settings[kernel.EMPTY] = min(tiles.empty_row_cycles, len(places))
        trace = np.full((len(places), shape.set_pes, kernel.FIELDS), -1, dtype=np.int64)
        cycles, issued = kernel.stream_row(
            row, places, shape.parts[stream.part],
            self.filters[stream.group, chosen, stream.channel, stream.tap_line], settings,
            ofmap[stream.image, stream.group, chosen, stream.line], trace,
        )  # fmt: skip
        return cycles, issued, trace

    def _named(self, stream: _Stream, trace: IntArray) -> IntArray:
        """Name pixels and psums by their places in the whole tensors; padding is -2."""
        shape, named = self.shape, trace.copy()
        image = (stream.image * shape.groups + stream.group) * shape.channels + stream.channel
        busy, place = trace[..., kernel.TAP] >= 0, trace[..., kernel.PIXEL]
        inside = busy & (stream.ifmap_line >= 0) & (place >= 0) & (place < shape.row.ifmap)
        line = image * self.rows.shape[3] + stream.ifmap_line
        named[..., kernel.PIXEL] = np.where(inside, line * shape.row.ifmap + place, np.where(busy, -2, -1))
        filters = (stream.image * shape.groups + stream.group) * shape.filters + stream.first_filter
        line = filters * shape.ofmap_lines + stream.line
        named[..., kernel.PSUM] = np.where(busy, line * shape.row.ofmap + trace[..., kernel.PSUM], -1)
        return named

"""The processing passes of a row-stationary mapping in running order, and how long the array takes for each.

A pass is what the array does with one load of its weight spads: filters x channels x images x ofmap rows.
Loops, outermost first: groups, image blocks (n), strips of ofmap rows (e), blocks of filters whose psums share
the GLB (m), channel blocks (q*r), parts of a tall or wide filter, filters of a pass (p*t).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import RowMapping
from archsim.mapping.row_shape import RowShape

IntArray = NDArray[np.int64]
OVERHEAD_STEPS = 1_000_000
"""`RowPe.pass_overhead` counts in millionths, so that cycles stay whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowPasses:
    """Passes in running order; every array has shape (passes,).

    Parameters
    ----------
    shape, mapping
        What they are passes of.
    group, image_block, strip, filter_block, channel_block, kernel_part, filter_pass
        Place in each loop, from 0; ``filter_pass`` counts over all filters of the group.
    images, rows, channels, filters
        How much of each dimension the pass works on.
    filter_rows, filter_columns
        Of the part of the filter.
    """

    shape: RowShape
    mapping: RowMapping
    group: IntArray
    image_block: IntArray
    strip: IntArray
    filter_block: IntArray
    channel_block: IntArray
    kernel_part: IntArray
    filter_pass: IntArray
    images: IntArray
    rows: IntArray
    channels: IntArray
    filters: IntArray
    filter_rows: IntArray
    filter_columns: IntArray

    def __len__(self) -> int:
        return len(self.group)

    @property
    def is_first_sum(self) -> NDArray[np.bool_]:
        """Whether a pass starts its psums, rather than adds to those of an earlier one."""
        first: NDArray[np.bool_] = (self.channel_block == 0) & (self.kernel_part == 0)
        return first

    @property
    def is_last_sum(self) -> NDArray[np.bool_]:
        """Whether a pass finishes its psums."""
        last_part: NDArray[np.bool_] = self.kernel_part == self.shape.kernel_parts - 1
        last_block: NDArray[np.bool_] = self.channel_block == int(self.channel_block.max())
        return last_part & last_block

    @property
    def macs(self) -> IntArray:
        """MACs of each pass."""
        return self.psums * self.channels * self.filter_rows * self.filter_columns

    @property
    def psums(self) -> IntArray:
        """Psums that leave the array with each pass. [words]"""
        return self.images * self.rows * self.shape.ofmap_columns * self.filters

    @property
    def ifmap_words(self) -> IntArray:
        """Ifmap words that each pass sends into the array, padding included. [words]"""
        rows = self.shape.ifmap_rows(self.rows, self.filter_rows)
        words: IntArray = self.images * self.channels * rows * self.shape.ifmap_columns(self.filter_columns)
        return words

    @property
    def weights(self) -> IntArray:
        """Weights that each pass loads. [words]"""
        return self.filter_rows * self.filter_columns * self.channels * self.filters

    @property
    def interleaved_filters(self) -> IntArray:
        """Filters that the busiest PE interleaves: p, less in a pass that is not full."""
        return -(-self.filters // self.mapping.t)

    @property
    def interleaved_channels(self) -> IntArray:
        """Channels that the busiest PE interleaves: q, less in a pass that is not full."""
        return -(-self.channels // self.mapping.r)

    @property
    def channel_sets(self) -> IntArray:
        """PE sets on different channels that a pass uses."""
        return -(-self.channels // self.interleaved_channels)

    @property
    def filter_sets(self) -> IntArray:
        """PE sets on different filters that a pass uses."""
        return -(-self.filters // self.interleaved_filters)

    @property
    def active_pes(self) -> IntArray:
        """PEs that work in each pass."""
        return self.filter_rows * self.rows * self.channel_sets * self.filter_sets


def list_passes(shape: RowShape, mapping: RowMapping) -> RowPasses:
    """Lay out all passes of a layer."""
    images, rows = _blocks(shape.images, mapping.n), _blocks(shape.ofmap_rows, mapping.e)
    channels = _blocks(shape.channels, mapping.q * mapping.r)
    parts = [(tall, wide) for tall in shape.row_parts for wide in shape.column_parts]
    block, channel, part, filter_pass, filters = _inner_loops(shape, mapping, len(channels))
    outer = np.indices((shape.groups, len(images), len(rows)), dtype=np.int64).reshape(3, -1)
    group, image_block, strip = (np.repeat(index, len(block)) for index in outer)
    repeat = outer.shape[1]
    block, channel, part, filter_pass, filters = (
        np.tile(each, repeat) for each in (block, channel, part, filter_pass, filters)
    )
    tall, wide = np.array(parts, dtype=np.int64).T
    return RowPasses(
        shape=shape, mapping=mapping, group=group, image_block=image_block, strip=strip, filter_block=block,
        channel_block=channel, kernel_part=part, filter_pass=filter_pass, images=images[image_block], rows=rows[strip],
        channels=channels[channel], filters=filters, filter_rows=tall[part], filter_columns=wide[part],
    )  # fmt: skip


def mac_cycles(passes: RowPasses, array: PeArray) -> IntArray:
    """Cycles of the busiest PE of each pass: F psums of p filters, S*q taps each, its fill and the restart. [cycles]"""
    filters, channels = passes.interleaved_filters, passes.interleaved_channels
    per_psum = -(-passes.filter_columns * channels // array.multipliers_per_pe) + array.row_loop.accumulate_cycles
    return along_rows(passes, passes.images * passes.shape.ofmap_columns * filters * per_psum, array)


def along_rows(passes: RowPasses, psum_cycles: IntArray, array: PeArray) -> IntArray:
    """Cycles of PEs that take so many for the psums of a pass: windows slide and fill, and the array restarts. [cycles]"""
    pe, channels = array.row_loop, passes.interleaved_channels
    slides = (passes.shape.ofmap_columns - 1) * passes.shape.layer.stride[1] * channels * pe.shift_cycles
    fill = (passes.filter_columns - 1) * passes.shape.layer.dilation[1] * channels * pe.line_fill
    return np.asarray(psum_cycles + passes.images * (slides + fill) + pe.restart_cycles, dtype=np.int64)


def load_cycles(weight_cycles: IntArray, array: PeArray) -> tuple[IntArray, IntArray, int]:
    """Tell when the weights of each pass load. [cycles]

    Parameters
    ----------
    weight_cycles
        That their network takes for each pass.
    array
        Whether they load ahead.

    Returns
    -------
    exposed
        In each pass before its first step.
    behind
        Behind each pass: the load of the next one, which starts no sooner.
    first
        Before the first pass.
    """
    if not array.row_loop.weights_ahead:
        return weight_cycles, np.zeros_like(weight_cycles), 0
    return np.zeros_like(weight_cycles), np.append(weight_cycles[1:], 0), int(weight_cycles[0])


def with_overhead(cycles: IntArray, array: PeArray) -> IntArray:
    """Lengthen passes by the array's `RowPe.pass_overhead`, each rounded up. [cycles]"""
    share = round(array.row_loop.pass_overhead * OVERHEAD_STEPS)
    return cycles + -(-cycles * share // OVERHEAD_STEPS)


def _blocks(size: int, block: int) -> IntArray:
    """Sizes of the blocks that a dimension is cut into, the last one possibly smaller."""
    start = np.arange(0, size, block, dtype=np.int64)
    return np.minimum(block, size - start)


def _inner_loops(shape: RowShape, mapping: RowMapping, channel_blocks: int) -> tuple[IntArray, ...]:
    """Places in the loops over filter blocks, channel blocks, kernel parts and filter passes, and filters of each."""
    columns: list[list[IntArray]] = [[], [], [], [], []]
    done = 0
    for block, size in enumerate(_blocks(shape.filters, mapping.m)):
        sizes = _blocks(int(size), mapping.p * mapping.t)
        channel, part, index = np.indices((channel_blocks, shape.kernel_parts, len(sizes)), dtype=np.int64).reshape(
            3, -1
        )
        for column, values in zip(
            columns, (np.full_like(index, block), channel, part, index + done, sizes[index]), strict=True
        ):
            column.append(values)
        done += len(sizes)
    return tuple(np.concatenate(column) for column in columns)

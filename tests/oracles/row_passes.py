"""The passes of a row-stationary mapping as nested loops over plain numbers, the way the paper tells them."""

from dataclasses import dataclass

from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import RowMapping
from archsim.mapping.row_shape import RowShape


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass: where it stands in the loops, and what it works on."""

    group: int
    images: range
    rows: range
    filter_block: int
    channels: range
    kernel_part: int
    filters: range
    taps: tuple[int, int]
    first_sum: bool
    last_sum: bool


def passes_of(shape: RowShape, mapping: RowMapping) -> list[Pass]:
    """Every pass in running order."""
    found = []
    taps = [(tall, wide) for tall in shape.row_parts for wide in shape.column_parts]
    for group in range(shape.groups):
        for images in blocks(range(shape.images), mapping.n):
            for rows in blocks(range(shape.ofmap_rows), mapping.e):
                for number, block in enumerate(blocks(range(shape.filters), mapping.m)):
                    channel_blocks = blocks(range(shape.channels), mapping.q * mapping.r)
                    for channels in channel_blocks:
                        for part, size in enumerate(taps):
                            for filters in blocks(block, mapping.p * mapping.t):
                                first = channels is channel_blocks[0] and part == 0
                                last = channels is channel_blocks[-1] and part == len(taps) - 1
                                found.append(Pass(
                                    group=group, images=images, rows=rows, filter_block=number, channels=channels,
                                    kernel_part=part, filters=filters, taps=size, first_sum=first, last_sum=last,
                                ))  # fmt: skip
    return found


def blocks(whole: range, size: int) -> list[range]:
    """Cut a range into blocks, the last one possibly smaller."""
    return [range(start, min(start + size, whole.stop)) for start in range(whole.start, whole.stop, size)]


def busiest_pe_cycles(made: Pass, shape: RowShape, mapping: RowMapping, array: PeArray) -> int:
    """Cycles of the busiest PE: deal filters and channels out to PE sets one block after another."""
    deal = lambda items, sets: max(len(part) for part in blocks(items, -(-len(items) // sets)))  # noqa: E731
    filters, channels = deal(made.filters, mapping.t), deal(made.channels, mapping.r)
    cycles = array.row_pe.restart_cycles
    for _ in made.images:
        if array.row_pe.line_fill:
            cycles += (made.taps[1] - 1) * shape.layer.dilation[1] * channels
        for column in range(shape.ofmap_columns):
            for _ in range(filters):
                cycles += -(-channels * made.taps[1] // array.multipliers_per_pe) + array.row_pe.accumulate_cycles
            if column:
                cycles += array.row_pe.shift_cycles * channels * shape.layer.stride[1]
    return cycles

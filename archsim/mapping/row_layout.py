"""Where the tiles of a row-stationary layer lie in DRAM; called by `row_stationary.py` for a DRAM with banks.

Ifmap and ofmap lie by planes or by pixels, as the arch says; a group's channels lie together. Weights lie pass by
pass in the order of their first use, and so do ifmap and ofmap in the layout ``tiled``.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import TensorLayout
from archsim.mapping.dram_layout import check_capacity, next_region
from archsim.mapping.dram_runs import DramRuns, WordRuns, runs_in_order, runs_of_words
from archsim.mapping.fold_plan import OPERAND_CODES, Transfers
from archsim.mapping.level_use import LevelUse
from archsim.mapping.row_passes import RowPasses
from archsim.terms import Operand

IntArray = NDArray[np.int64]


def place_row_transfers(transfers: Transfers, passes: RowPasses, use: LevelUse) -> Transfers:
    """Give every transfer its place in DRAM.

    Raises
    ------
    MappingError
        The layer's tensors exceed the device.
    """
    arch = use.arch
    device, fetched = arch.dram.require_device(), use.fetch_bytes()
    nothing = np.zeros(len(passes), dtype=np.int64)
    sizes = {operand: fetched.get(operand, nothing) for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)}
    sizes[Operand.OFMAP] = use.write_back_bytes()[1]
    placed: dict[Operand, DramRuns] = {}
    base = 0
    for operand, length in sizes.items():
        words = _words(operand, passes, arch.dram.layout)
        width = arch.group(arch.dram.name, operand).place_bits
        placed[operand] = (
            _in_order_of_use(_block(operand, passes), length, base)
            if words is None
            else runs_of_words(words, length_bytes=length, width_bits=width, region_bytes=base)
        )
        moved = length > 0
        base = next_region(device, int(placed[operand].end_bytes[moved].max()) if moved.any() else base)
    check_capacity(passes.shape.layer.name, device, base)
    return replace(
        transfers, runs=runs_in_order([placed[each] for each in OPERAND_CODES], transfers.operand, transfers.step)
    )


def _words(operand: Operand, passes: RowPasses, layout: TensorLayout) -> WordRuns | None:
    """Return the runs of each pass's tile in its tensor; None = blocks in the order of their use."""
    if operand not in (Operand.IFMAP, Operand.OFMAP) or layout is TensorLayout.TILED:
        return None
    shape, mapping = passes.shape, passes.mapping
    strip = passes.strip * mapping.e
    if operand is Operand.IFMAP:
        geometry = shape.geometry
        height, width, channels = geometry.image_lines, geometry.line_words, shape.channels
        row, rows = geometry.first[strip], geometry.last[strip + passes.rows - 1] - geometry.first[strip]
        channel, count = passes.channel_block * mapping.q * mapping.r, passes.channels
    else:
        height, width, channels = shape.ofmap_rows, shape.ofmap_columns, shape.filters
        row, rows = strip, passes.rows
        channel, count = _first_filter(passes), passes.filters
    image = (passes.image_block * mapping.n * shape.groups + passes.group) * channels * height * width
    joins = np.zeros(len(passes), dtype=np.bool_)
    pitch = shape.groups * channels * height * width
    if layout is TensorLayout.NCHW:
        start, run, runs, run_pitch = image + (channel * height + row) * width, rows * width, count, height * width
    else:
        start, run, runs, run_pitch = image + row * width * channels + channel, count, rows * width, channels
    return WordRuns(
        start=start, run=run, runs=runs, run_pitch=run_pitch, joins=joins, planes=passes.images, plane_pitch=pitch
    )


def _first_filter(passes: RowPasses) -> IntArray:
    """Return the first filter of each pass within its group."""
    mapping = passes.mapping
    blocks = -(-min(mapping.m, passes.shape.filters) // (mapping.p * mapping.t))
    within = passes.filter_pass - passes.filter_block * blocks
    return passes.filter_block * mapping.m + within * mapping.p * mapping.t


def _block(operand: Operand, passes: RowPasses) -> IntArray:
    """Return a number for the block of each pass, so that passes on the same words have the same number."""
    if operand is Operand.WEIGHT:
        keys = (passes.group, passes.channel_block, passes.kernel_part, passes.filter_pass)
    elif operand is Operand.IFMAP:
        keys = (passes.group, passes.image_block, passes.strip, passes.channel_block)
    else:
        keys = (passes.group, passes.image_block, passes.strip, passes.filter_pass)
    number = np.zeros(len(passes), dtype=np.int64)
    for key in keys:
        number = number * (int(key.max()) + 1) + key
    return number


def _in_order_of_use(block: IntArray, length: IntArray, base: int) -> DramRuns:
    """Put blocks one behind another, each where it was first moved."""
    moved = np.flatnonzero(length)
    nothing = np.zeros_like(length)
    start = nothing.copy()
    if len(moved):
        number, first, index = np.unique(block[moved], return_index=True, return_inverse=True)
        longest = np.zeros(len(number), dtype=np.int64)
        np.maximum.at(longest, index, length[moved])
        order = np.argsort(first)
        place = np.zeros(len(number), dtype=np.int64)
        place[order] = np.cumsum(longest[order]) - longest[order]
        start[moved] = place[index]
    return DramRuns(base_bytes=base + start, run_bytes=length, runs=nothing + 1, run_pitch_bytes=nothing, planes=nothing + 1,
                    plane_pitch_bytes=nothing, joins=nothing)  # fmt: skip

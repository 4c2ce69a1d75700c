"""Where each operand's words lie in DRAM: the layout of the tensors, and the runs that each step moves.

Ifmap and ofmap lie as the arch's ``layout`` says: by planes (``nchw``), by pixels (``nhwc``), or block by
block in the order of their first use (``tiled``). Weights are constants, arranged beforehand in such blocks, and so
is the space of spilled psums. A layer of several groups lies group by group within an image, whatever the layout.
Tensors follow one another, each from a new row of all banks on.

Not modelled: words that no window touches (they are left out of the tensor, as they are out of the
traffic), what other layers keep in DRAM. A fetch that crosses images is taken as equal parts of each.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.arch.memory_level import TensorLayout
from archsim.errors import MappingError
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.dram_runs import DramRuns, WordRuns, runs_in_order, runs_of_words
from archsim.mapping.fold_plan import OPERAND_CODES, Transfers
from archsim.mapping.fold_walk import FoldWalk
from archsim.mapping.ifmap_box import IfmapBoxes, first_unit_held
from archsim.mapping.level_use import LevelUse
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.operand_flow import Visits
from archsim.terms import Operand

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepBlocks:
    """What the steps of a layer move, as far as its place in DRAM depends on it.

    Parameters
    ----------
    work, nest, walk
        The layer, its loops and its steps.
    boxes
        The block of the ifmap that each step reads.
    visits
        Per operand; ofmap blocks are those of the psums.
    """

    work: ArrayWork
    nest: LoopNest
    walk: FoldWalk
    boxes: IfmapBoxes
    visits: dict[Operand, Visits]


def place_transfers(transfers: Transfers, blocks: StepBlocks, use: LevelUse) -> Transfers:
    """Give every transfer its place in DRAM.

    Raises
    ------
    MappingError
        The layer's tensors exceed the device.
    """
    fetched = use.fetch_bytes()
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    nothing = np.zeros_like(ofmap_bytes)
    step_bytes = {
        Operand.IFMAP: fetched.get(Operand.IFMAP, nothing),
        Operand.WEIGHT: fetched.get(Operand.WEIGHT, nothing),
        Operand.PSUM: np.maximum(fetched.get(Operand.PSUM, nothing), psum_bytes),
        Operand.OFMAP: ofmap_bytes,
    }
    placed = place_operands(blocks, step_bytes)
    in_code_order = [placed[operand] for operand in OPERAND_CODES]
    return replace(transfers, runs=runs_in_order(in_code_order, transfers.operand, transfers.step))


def place_operands(blocks: StepBlocks, step_bytes: dict[Operand, IntArray]) -> dict[Operand, DramRuns]:
    """Return where each step's words of each operand lie, for all steps, also those that move none.

    Parameters
    ----------
    blocks
        What the steps move.
    step_bytes
        Bytes over the channel in each step, per operand. [B]

    Raises
    ------
    MappingError
        The layer's tensors exceed the device.
    """
    arch = blocks.work.arch
    dram = arch.dram
    device = dram.require_device()
    placed: dict[Operand, DramRuns] = {}
    base = 0
    for operand, sizes in step_bytes.items():
        width = arch.group(dram.name, operand).place_bits
        words = _LAYOUTS[dram.layout].get(operand, _no_words)(blocks)
        if words is None:
            runs = _in_blocks(blocks, operand, sizes, base)
        else:
            runs = runs_of_words(words, length_bytes=sizes, width_bits=width, region_bytes=base)
        placed[operand] = runs
        moved = sizes > 0
        base = next_region(device, int(runs.end_bytes[moved].max()) if moved.any() else base)
    check_capacity(blocks.work.layer, device, base)
    return placed


def place_streams(layer: str, transfers: Transfers, device: DramDevice) -> Transfers:
    """Give transfers that walk through each operand once, from its first word to its last, their places.

    Raises
    ------
    MappingError
        The layer's tensors exceed the device.
    """
    length, nothing = transfers.length_bytes, np.zeros_like(transfers.length_bytes)
    start, start_of_operand, base = nothing.copy(), nothing.copy(), 0
    for code in range(len(OPERAND_CODES)):
        mine = transfers.operand == code
        start_of_operand[mine] = base
        start[mine] = base + np.cumsum(length[mine]) - length[mine]
        base = next_region(device, base + int(length[mine].sum()))
    check_capacity(layer, device, base)
    runs = DramRuns(base_bytes=start, run_bytes=length, runs=nothing + 1, run_pitch_bytes=nothing, planes=nothing + 1,
                    plane_pitch_bytes=nothing, joins=(start > start_of_operand).astype(np.int64))  # fmt: skip
    return replace(transfers, runs=runs)


def next_region(device: DramDevice, end_bytes: int) -> int:
    """Return where the next tensor begins: at a new row of all banks. [B]"""
    rows = device.row_bytes * device.banks_per_rank * device.ranks * device.channels
    return -(-end_bytes // rows) * rows


def check_capacity(layer: str, device: DramDevice, end_bytes: int) -> None:
    """Refuse tensors that the device cannot hold."""
    if end_bytes > device.capacity_bytes:
        raise MappingError(
            f"layer {layer!r}: its tensors take {end_bytes:,} B of DRAM, {device.name} holds {device.capacity_bytes:,} B. "
            "Run fewer images (--batch), or give the dram level more channels."
        )


def _no_words(_blocks: StepBlocks) -> None:
    return None


def _in_blocks(blocks: StepBlocks, operand: Operand, sizes: IntArray, base: int) -> DramRuns:
    """Lay an operand out in the blocks in which it is moved, in the order of their first use, each from a new burst on."""
    device = blocks.work.arch.dram.require_device()
    visits = blocks.visits[Operand.PSUM if operand is Operand.OFMAP else operand]
    pitch = -(-int(sizes.max(initial=1)) // device.request_bytes) * device.request_bytes
    one = np.ones_like(sizes)
    return DramRuns(base_bytes=base + _by_first_use(visits.unit) * pitch, run_bytes=np.maximum(1, sizes), runs=one,
                    run_pitch_bytes=0 * one, planes=one, plane_pitch_bytes=0 * one, joins=0 * one)  # fmt: skip


def _ifmap_by_planes(blocks: StepBlocks) -> WordRuns:
    geometry, boxes = blocks.work.geometry, blocks.boxes
    per_image, channels = geometry.image_lines, geometry.channels
    image, line, images = _images(_first_line(blocks), boxes.lines, per_image)
    plane = (image * blocks.work.groups + blocks.walk.group) * channels + boxes.first_channel
    return WordRuns(
        start=(plane * per_image + line) * geometry.line_words,
        run=-(-boxes.lines // images) * geometry.line_words,
        runs=boxes.channels,
        run_pitch=per_image * geometry.line_words,
        joins=boxes.has_above,
        planes=np.where(images > 1, images, _passes(blocks)),
        plane_pitch=np.where(images > 1, blocks.work.groups * channels * per_image * geometry.line_words, 0),
    )


def _ifmap_by_pixels(blocks: StepBlocks) -> WordRuns:
    geometry, boxes = blocks.work.geometry, blocks.boxes
    per_image, channels = geometry.image_lines, geometry.channels
    image, line, images = _images(_first_line(blocks), boxes.lines, per_image)
    first_line = (image * blocks.work.groups + blocks.walk.group) * per_image + line
    return WordRuns(
        start=first_line * geometry.line_words * channels + boxes.first_channel,
        run=boxes.channels,
        runs=-(-boxes.lines // images) * geometry.line_words,
        run_pitch=channels,
        joins=np.where(boxes.channels == channels, boxes.has_above, boxes.has_left),
        planes=np.where(images > 1, images, _passes(blocks)),
        plane_pitch=np.where(images > 1, blocks.work.groups * per_image * geometry.line_words * channels, 0),
    )


def _by_first_use(unit: IntArray) -> IntArray:
    """Return a new number for each unit: its place in the order of first appearances."""
    _, first, which = np.unique(unit, return_index=True, return_inverse=True)
    place = np.empty_like(first)
    place[np.argsort(first)] = np.arange(len(first))
    return place[which]


def _first_line(blocks: StepBlocks) -> IntArray:
    """First line of each block; of one that lies in the padding behind the last line, that line."""
    last: IntArray = np.minimum(blocks.boxes.first_line, max(0, blocks.work.geometry.touched_lines - 1))
    return last


def _images(first: IntArray, count: IntArray, per_image: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return first image, place in it, and images that ranges touch; what crosses images begins with its first."""
    image, place = np.divmod(first, per_image)
    images = np.maximum(first + count - 1, first) // per_image - image + 1
    return image, np.where(images > 1, 0, place), images


def _passes(blocks: StepBlocks) -> IntArray:
    """How often a step reads its block of an ifmap that does not stay: about once per kernel position."""
    if Operand.IFMAP not in blocks.nest.streamed:
        return np.ones(len(blocks.walk), dtype=np.int64)
    block_words = blocks.boxes.channels * blocks.boxes.lines * blocks.work.geometry.line_words
    passes: IntArray = blocks.walk.words(Dim.PIXELS, Dim.WINDOW) // np.maximum(1, block_words)
    return np.maximum(1, passes)


def _ofmap_by_planes(blocks: StepBlocks) -> WordRuns:
    work, walk = blocks.work, blocks.walk
    filters, per_image = work.sizes[Dim.FILTERS], work.sizes[Dim.PIXELS] // work.geometry.images
    image, place, images = _images(walk.start[Dim.PIXELS], walk.size[Dim.PIXELS], per_image)
    plane = (image * work.groups + walk.group) * filters + walk.start[Dim.FILTERS]
    return WordRuns(
        start=plane * per_image + place,
        run=-(-walk.size[Dim.PIXELS] // images),
        runs=walk.size[Dim.FILTERS],
        run_pitch=per_image,
        joins=_in_tile(blocks, Dim.PIXELS),
        planes=images,
        plane_pitch=work.groups * filters * per_image,
    )


def _ofmap_by_pixels(blocks: StepBlocks) -> WordRuns:
    work, walk = blocks.work, blocks.walk
    filters, per_image = work.sizes[Dim.FILTERS], work.sizes[Dim.PIXELS] // work.geometry.images
    image, place, images = _images(walk.start[Dim.PIXELS], walk.size[Dim.PIXELS], per_image)
    pixel = (image * work.groups + walk.group) * per_image + place
    return WordRuns(
        start=pixel * filters + walk.start[Dim.FILTERS],
        run=walk.size[Dim.FILTERS],
        runs=-(-walk.size[Dim.PIXELS] // images),
        run_pitch=filters,
        joins=np.where(walk.size[Dim.FILTERS] == filters, _in_tile(blocks, Dim.PIXELS), _in_tile(blocks, Dim.FILTERS)),
        planes=images,
        plane_pitch=work.groups * per_image * filters,
    )


def _in_tile(blocks: StepBlocks, dim: Dim) -> NDArray[np.bool_]:
    """Whether the output unit before each step's, along one dimension, is in the same tile."""
    if Operand.PSUM in blocks.nest.streamed:
        return np.zeros(len(blocks.walk), dtype=bool)
    return blocks.walk.unit[dim] > first_unit_held(blocks.walk, blocks.nest, dim, Operand.PSUM)


_LAYOUTS: dict[TensorLayout, dict[Operand, Callable[[StepBlocks], WordRuns | None]]] = {
    TensorLayout.NCHW: {Operand.IFMAP: _ifmap_by_planes, Operand.OFMAP: _ofmap_by_planes},
    TensorLayout.NHWC: {Operand.IFMAP: _ifmap_by_pixels, Operand.OFMAP: _ofmap_by_pixels},
    TensorLayout.TILED: {},
}
"""What lies otherwise than in blocks."""

"""In which steps planar tiles take a layer, and what each of them moves: called by `planar_tiles.py`.

For every image and group of the layer: for every part of the plane: for every filter group: for every block of channels. The
ifmap stays on the chip while all filter groups pass; where it has no room, the plane is cut in parts, the ifmap comes once, and
all weights come again for every part. Where it has no level, or not even one place of every PE has room there, the ifmap passes
through and comes again for every filter group.

An array that skips zeros keeps its ifmap on the chip as nonzero values, each with the run of zeros before it; a run
too long for its 4 bits takes a value that is zero.

Where the channel codes a tensor, its bytes follow the nonzero values of each step: the layer moves no more of them than the
dense array, but a step may wait longer for its own.

Not modelled: parts of a plane end in smaller tiles, and their psums meet across the cut: cycles are those of the whole plane.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.planar_shape import PlanarShape
from archsim.mapping.planar_work import PlanarWork
from archsim.terms import Operand

IntArray = NDArray[np.int64]
RUN_BITS = 4
"""Of the run of zeros before each value in an activation RAM."""
STEPS, MOST_STEPS = 256, 1_000_000
"""Steps that blocks of channels are made for, and most steps of a layer."""
HELD = 4
"""Steps whose weights are on the chip or on their way, so that the latency of DRAM hides; and steps whose results leave it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanarSteps:
    """Steps in running order; arrays of shape (steps,), of words or cycles.

    Parameters
    ----------
    load
        Number of the ifmap part that the step works on, over all images and groups.
    loads_ahead
        Parts of the ifmap that the chip has room for besides the one in use.
    first_pass
        Whether the step belongs to the first image and part: it meets its weights for the first time.
    cycles, dense_cycles
        Of the array; and where it takes every value, by which transfers are put in order: so that zeros never come at a
        price. [cycles]
    ifmap_reads
        Into the array. [words]
    ifmap_fetches, weight_words, ofmap_words
        From and to DRAM, as far as they have to cross. [words]
    """

    load: IntArray
    loads_ahead: int
    first_pass: NDArray[np.bool_]
    cycles: IntArray
    dense_cycles: IntArray
    ifmap_reads: IntArray
    ifmap_fetches: IntArray
    weight_words: IntArray
    ofmap_words: IntArray

    def __len__(self) -> int:
        return len(self.load)

    @property
    def ifmap_release(self) -> IntArray:
        """Step whose end leaves room for the part of each step; -1 = there is room from the start."""
        ends = np.searchsorted(self.load, np.arange(self.load[-1] + 1), side="right") - 1
        before = self.load - self.loads_ahead - 1
        return np.where(before >= 0, ends[np.maximum(before, 0)], -1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossing:
    """Words that cross the DRAM channel if every tensor crosses once: nonzero ones where a code leaves out the others. [words]

    Parameters
    ----------
    ifmap
        Shape (images, groups).
    weight
        Shape (groups, filter groups).
    ofmap
        Shape (images, groups, filter groups).
    """

    ifmap: IntArray
    weight: IntArray
    ofmap: IntArray


def planar_steps(
    layer: str,
    shape: PlanarShape,
    work: PlanarWork,
    crossing: Crossing,
    *,
    arch: Architecture,
    kept: frozenset[Operand],
) -> PlanarSteps:
    """Cut a layer.

    Parameters
    ----------
    layer
        Name, for errors.
    shape, work, crossing, arch
        What runs on what, and what of it crosses the channel.
    kept
        Operands that need no DRAM: see `plan_array_layer`.

    Raises
    ------
    MappingError
        There are too many steps.
    """
    cut = (1, 0) if Operand.IFMAP in kept else _parts(shape, work, crossing, arch)
    parts, ahead = cut or (1, 0)
    outer = (shape.images, shape.groups, parts, shape.filter_groups)
    rounds = prod(outer)
    if rounds > MOST_STEPS:
        raise MappingError(
            f"layer {layer!r} takes {rounds:,} steps on {arch.name!r}; archsim simulates {MOST_STEPS:,} of a layer of planar "
            "tiles at most. Run fewer images (--batch), or enlarge the activation RAM or the accumulators."
        )
    blocks = max(1, min(shape.channels, STEPS // rounds))
    image, group, part, turn, block = np.indices((*outer, blocks), dtype=np.int64).reshape(5, -1)
    share = (part * blocks + block, parts * blocks)
    comes = (turn == 0) | (cut is None)
    return PlanarSteps(
        load=(image * shape.groups + group) * parts + part, loads_ahead=ahead, first_pass=(image == 0) & (part == 0),
        cycles=_cut(work.cycles[image, group, turn], *share),
        dense_cycles=_cut(work.dense_cycles[image, group, turn], *share),
        ifmap_reads=_cut(work.ifmap_words[image, group], *share),
        ifmap_fetches=np.where(comes, _cut(crossing.ifmap[image, group], *share), 0),
        weight_words=_cut(crossing.weight[group, turn], block, blocks),
        ofmap_words=np.where(block == blocks - 1, _cut(crossing.ofmap[image, group, turn], part, parts), 0),
    )  # fmt: skip


def _cut(amount: IntArray, piece: IntArray, pieces: int) -> IntArray:
    """Return a piece of each amount; all pieces add up to it."""
    return amount * (piece + 1) // pieces - amount * piece // pieces


def _parts(shape: PlanarShape, work: PlanarWork, crossing: Crossing, arch: Architecture) -> tuple[int, int] | None:
    """Return the fewest parts of the plane that fit the chip, and how many of them fit besides the one in use; None = no part fits."""
    level = arch.sram_of(Operand.IFMAP)
    if level is None:
        return None
    whole, most = _stored_bytes(shape, work, arch), shape.axes[0].tile * shape.axes[1].tile
    alone = shape.images * shape.groups == 1
    for parts, copies in _tries(most, doubled=level.double_buffered, alone=alone):
        beside = 0 if level.partition_bytes is not None else _passing_bytes(crossing, parts, arch)
        if copies * -(-whole // parts) <= level.room_for(Operand.IFMAP) - beside:
            return parts, copies - 1
    return None


def _tries(most: int, *, doubled: bool, alone: bool) -> Iterator[tuple[int, int]]:
    """Yield numbers of parts with how many shall fit at a time: whole, then cut with one ahead, then cut without."""
    if doubled and not alone:
        yield 1, 2
    yield 1, 1
    cuts = {base << power for base in (1, 3) for power in range(most.bit_length())} | {most}
    for copies in (2, 1) if doubled else (1,):
        yield from ((count, copies) for count in sorted(cuts) if 1 < count <= most)


def _stored_bytes(shape: PlanarShape, work: PlanarWork, arch: Architecture) -> int:
    """Room that the ifmap of an image and group takes on the chip, at most. [B]"""
    words = int(work.ifmap_words.max())
    level = arch.sram_of(Operand.IFMAP)
    assert level is not None, "ifmaps have a level"
    size = arch.group(level.name, Operand.IFMAP).bytes_of(words)
    if not arch.pe_array.skips:
        return size
    zeros = shape.channels * prod(axis.ifmap for axis in shape.axes) - int(work.ifmap_words.min())
    coded = int(words + zeros // 2**RUN_BITS)
    return arch.group(level.name, Operand.IFMAP).bytes_of(coded) + -(-coded * RUN_BITS // 8)


def _passing_bytes(crossing: Crossing, parts: int, arch: Architecture) -> int:
    """Room beside the ifmap for what passes through its level: results, and weights. [B]"""
    level, size = arch.sram_of(Operand.IFMAP), 0
    for operand, words in (
        (Operand.OFMAP, -(-int(crossing.ofmap.max()) // parts)),
        (Operand.WEIGHT, int(crossing.weight.max())),
    ):
        held = arch.sram_of(operand)
        if held is level and held is not None:
            size += HELD * arch.group(held.name, operand).bytes_of(words)
    return size

"""A channel-parallel array that leaves out atoms of zeros: counted from the ifmap's mask, pixel by pixel.

Called by `channel_parallel.py` for ``zero_skip: skip``. All columns see the same atom of channels of one tap and pixel, so
that an atom is left out when none of its values is nonzero; zeros beside a nonzero value are multiplied. Padding channels
of an atom are zeros, and so are taps on padding. The slots of an ofmap value become those of its other atoms; a window
without any takes one atom all the same, which carries the mark that ends it. Slots of all pixels are dealt to the
multipliers in one pool, as those of the dense array are, also where columns work on different pixels.

Of a layer with a stride, whose neighbours are stored as channels, an atom lies across taps; the slots of the taps
that a kernel has in one stride x stride block are shared alike by the block's atoms.

Words at the levels, and the order of transfers, stay those of the dense array: the atoms are read, and left out behind
the buffer. So no step ever takes longer than with every value taken. Winograd's transforms leave no zeros: a layer that
uses them takes every value.

Not modelled: the marks that say which atoms are zero, the buffer reads that they could save, zero weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import lcm, prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.channel_atoms import ChannelAtoms
from archsim.mapping.brick_shape import by_place, window_places
from archsim.mapping.channel_shape import ChannelShape, padded
from archsim.mapping.channel_walk import ChannelWalk
from archsim.mapping.effectual_macs import issued_macs, known_effectual_macs
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.loop_nest import Dim
from archsim.mapping.skip_cycles import SkipCycles, ideal_cycles
from archsim.mapping.skipped_steps import ends_within_dense
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.tensor_zeros import LayerZeros

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelWork:
    """What zeros leave to a channel-parallel array.

    Parameters
    ----------
    line_slots
        Shape (groups, ofmap lines of all images): slots of one filter, in parts of a slot; None = every value is taken.
    parts
        Of a slot.
    array_macs
        MACs in atoms that are taken, padding left out.
    nonzero_share
        MACs whose ifmap value is not zero, and all MACs.
    effectual_macs
        Those of the former whose weight is not zero either.
    """

    line_slots: IntArray | None
    parts: int
    array_macs: int
    nonzero_share: tuple[int, int]
    effectual_macs: int

    def steps_until(self, walk: ChannelWalk, filters: IntArray, rate: int) -> IntArray:
        """Cycles until the end of each step that takes so many filters, ``rate`` multipliers working. [cycles]"""
        assert self.line_slots is not None
        before = np.pad(self.line_slots.cumsum(axis=1), ((0, 0), (1, 0)))
        first = walk.first[Dim.PIXELS]
        slots = before[walk.group, first + walk.count[Dim.PIXELS]] - before[walk.group, first]
        done = np.cumsum(filters.astype(object) * slots)  # Python's own integers, beyond 64 bits
        until: IntArray = (-(-done // (self.parts * rate))).astype(np.int64)
        return until


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Taps of a kernel that lie in one stride x stride block of the ifmap.

    Parameters
    ----------
    taps
        (tap, first of its channels among those of the block).
    """

    taps: tuple[tuple[int, int], ...]


def channel_work(layer: ArrayLayer, shape: ChannelShape, atoms: ChannelAtoms, known: LayerZeros) -> ChannelWork:
    """Count what is left of a layer."""
    nonzero = known.nonzero(layer, Operand.IFMAP)
    issued = issued_macs(layer, nonzero)
    line_slots, parts, macs = None, 1, shape.multiplications
    if macs == layer.macs:  # not in Winograd's domain
        line_slots, parts, macs = _count(layer, shape, atoms.channel_atom, by_place(layer, nonzero))
    return ChannelWork(
        line_slots=line_slots, parts=parts, array_macs=macs, nonzero_share=(issued, layer.macs),
        effectual_macs=known_effectual_macs(layer, nonzero, known, issued),
    )  # fmt: skip


def leave_out(plan: FoldPlan, work: ChannelWork, until: IntArray | None) -> FoldPlan:
    """Return a dense plan with the atoms of zeros left out; ``until``: the cycles until its steps end, None = as it is."""
    dense, ideal = plan.compute_cycles, ideal_cycles(plan.compute_cycles, *work.nonzero_share)
    if until is not None:
        steps = plan.steps
        advance = np.diff(ends_within_dense(until, np.cumsum(steps.advance_cycles)), prepend=0)
        behind = steps.tail_cycles - steps.advance_cycles
        plan = replace(
            plan, compute_cycles=int(until[-1] + behind[-1]),
            steps=replace(steps, advance_cycles=advance, tail_cycles=advance + behind),
        )  # fmt: skip
    line = (
        "# atoms without a nonzero value are left out"
        if until is not None
        else "# in Winograd's domain: no zeros are left, every value is taken"
    )
    lost = plan.compute_cycles - ideal
    return replace(
        plan, mapping=(*plan.mapping, line), effectual_macs=work.effectual_macs,
        skip=SkipCycles(dense_cycles=dense, ideal_cycles=ideal, fragmentation_cycles=lost),
    )  # fmt: skip


def _count(layer: ArrayLayer, shape: ChannelShape, atom: int, values: NDArray[np.uint8]) -> tuple[IntArray, int, int]:
    """Return the slots of every line in parts of a slot, how many parts a slot has, and the MACs issued."""
    channels, steps = values.shape[2], prod(layer.stride) if isinstance(layer, ConvLayer) else 1
    blocks, places = list(_blocks(layer, channels)), window_places(layer)
    costs = [_atom_slots(block, channels, steps, atom) for block in blocks]
    least = min(Fraction(atom), shape.slots)
    parts = lcm(*(cost.denominator for cost in (*costs, least)))
    slots = np.zeros((len(values), shape.groups, len(places)), dtype=np.int64)
    macs = 0
    for index, image in enumerate(values.view(np.bool_)):
        pieces = _Pieces(image, atom)
        for block, cost in zip(blocks, costs, strict=True):
            live, size = pieces.live_atoms(block, places, padded(channels * steps, atom) // atom)
            slots[index] += int(cost * parts) * live.sum(axis=1, dtype=np.int64)
            macs += int((live.sum(axis=(0, 2), dtype=np.int64) * size).sum())
    slots = np.maximum(slots, int(least * parts))
    lines = slots.swapaxes(0, 1).reshape(shape.groups, shape.lines, shape.line_pixels).sum(axis=2)
    return lines, parts, macs * shape.filters


def _blocks(layer: ArrayLayer, channels: int) -> Iterator[_Block]:
    """Yield the blocks of a kernel: without a stride each tap by itself."""
    if not isinstance(layer, ConvLayer):
        yield _Block(taps=((0, 0),))
        return
    found: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for tap, at in enumerate(product(*map(range, layer.kernel))):
        block = tuple(place // stride for place, stride in zip(at, layer.stride, strict=True))
        neighbour = 0
        for place, stride in zip(at, layer.stride, strict=True):
            neighbour = neighbour * stride + place % stride
        found.setdefault(block, []).append((tap, neighbour * channels))
    yield from (_Block(taps=tuple(taps)) for taps in found.values())


def _atom_slots(block: _Block, channels: int, steps: int, atom: int) -> Fraction:
    """Slots of an atom of a block: those of its taps, shared alike by the atoms that have any of their channels."""
    atoms = {channel // atom for _, first in block.taps for channel in range(first, first + channels)}
    return Fraction(len(block.taps) * padded(channels * steps, atom), steps * len(atoms))


class _Pieces:
    """One image's values, shape (groups, channels, places), cut where atoms begin."""

    def __init__(self, values: BoolArray, atom: int) -> None:
        self.values, self.atom = values, atom
        self.found: dict[int, tuple[BoolArray, IntArray]] = {}

    def live_atoms(self, block: _Block, places: NDArray[np.int32], atoms: int) -> tuple[BoolArray, IntArray]:
        """Return which atoms of a block have a nonzero value, shape (groups, atoms, windows), and how many values each has."""
        live = np.zeros((len(self.values), atoms, len(places)), dtype=np.bool_)
        size = np.zeros(atoms, dtype=np.int64)
        for tap, first in block.taps:
            any_nonzero, counts = self._pieces(first % self.atom)
            mine = slice(first // self.atom, first // self.atom + len(counts))
            live[:, mine] |= any_nonzero[:, :, places[:, tap]]
            size[mine] += counts
        return live, size

    def _pieces(self, offset: int) -> tuple[BoolArray, IntArray]:
        """Cut channels of which the first lies so far within an atom; a last place, of padding, has nothing."""
        if offset not in self.found:
            channels = self.values.shape[1]
            starts = np.maximum(np.arange(-offset, channels, self.atom, dtype=np.int64), 0)
            any_nonzero = np.logical_or.reduceat(self.values, starts, axis=1)
            padding = np.zeros((*any_nonzero.shape[:2], 1), dtype=np.bool_)
            self.found[offset] = np.concatenate([any_nonzero, padding], axis=2), np.diff(starts, append=channels)
        return self.found[offset]

"""Which steps fetch, write back or read back which words: one operand at one buffer at a time.

A buffer holds one tile of an operand (two, when double buffered): its *generation*. A step fetches a
unit when it is the first of the generation to need it, and the output's units are written back by the
last step of the generation that adds to them. An operand that does not stay on chip has a generation
per step; the words that the array holds for a whole pass, one per pass.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.fold_walk import FoldWalk, changed
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.terms import Operand

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

RELEVANT: dict[Operand, tuple[Dim, Dim]] = {
    Operand.IFMAP: (Dim.PIXELS, Dim.WINDOW),
    Operand.WEIGHT: (Dim.WINDOW, Dim.FILTERS),
    Operand.PSUM: (Dim.PIXELS, Dim.FILTERS),
}
"""The two dimensions that index each operand; the third one reuses it."""


def reused_dim(operand: Operand) -> Dim:
    """Return the dimension that does not index an operand: its loop uses the same words again."""
    return next(dim for dim in Dim if dim not in RELEVANT[operand])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """How one operand's units come and go; arrays of shape (steps,).

    Parameters
    ----------
    unit
        Number of the unit that the step uses.
    generation
        Number of the tile that is in the buffer.
    first, last
        Whether the step is the first or last of its generation to use its unit.
    first_ever, last_ever
        The same over the whole layer.
    """

    unit: IntArray
    generation: IntArray
    first: BoolArray
    last: BoolArray
    first_ever: BoolArray
    last_ever: BoolArray

    def last_step_of(self) -> IntArray:
        """Return the last step of each generation, shape (generations,)."""
        return np.flatnonzero(np.append(self.generation[1:] != self.generation[:-1], True))

    def first_step_of(self) -> IntArray:
        """Return the first step of each generation, shape (generations,)."""
        return np.concatenate([[0], self.last_step_of()[:-1] + 1])

    def previous_visit(self) -> IntArray:
        """Return the step before each step that used the same unit; -1 = none. Shape (steps,)."""
        order = np.argsort(self.unit, kind="stable")
        previous = np.full(len(order), -1, dtype=np.int64)
        repeats = self.unit[order][1:] == self.unit[order][:-1]
        previous[order[1:][repeats]] = order[:-1][repeats]
        return previous


def operand_visits(walk: FoldWalk, nest: LoopNest, operand: Operand, per_step: BoolArray | None) -> Visits:
    """Follow one operand through a walk.

    Parameters
    ----------
    walk, nest
        The steps, and the nest they come from.
    operand
        IFMAP, WEIGHT or PSUM.
    per_step
        The steps that start a new generation; None = a generation lasts as long as the operand's tile.
    """
    first_dim, second_dim = RELEVANT[operand]
    starts = changed(walk.group, walk.tile[first_dim], walk.tile[second_dim]) if per_step is None else per_step
    generation = np.cumsum(starts) - 1
    units = nest.tiling[second_dim].units
    unit = (walk.group * nest.tiling[first_dim].units + walk.unit[first_dim]) * units + walk.unit[second_dim]
    count = nest.groups * nest.tiling[first_dim].units * units
    first_ever, last_ever = _first_and_last(unit)
    if per_step is not None and bool(per_step.all()):
        always = np.ones(len(walk), dtype=bool)
        first, last = always, always
    else:
        first, last = _first_and_last(generation * count + unit)
    return Visits(unit=unit, generation=generation, first=first, last=last, first_ever=first_ever,
                  last_ever=last_ever)  # fmt: skip


def release_steps(visits: Visits, copies: int, *, flows: bool = False) -> IntArray:
    """Return the step whose end frees the buffer for each step's generation; -1 = free from the start.

    Parameters
    ----------
    visits
        Of the operand.
    copies
        Generations that the buffer holds.
    flows
        Whether the array takes a whole generation with its first step, the buffer being free behind it.
    """
    steps = visits.first_step_of() if flows else visits.last_step_of()
    return np.concatenate([np.full(copies, -1, dtype=np.int64), steps])[visits.generation]


def _first_and_last(keys: IntArray) -> tuple[BoolArray, BoolArray]:
    """Mark the first and the last occurrence of every key."""
    first = np.zeros(len(keys), dtype=bool)
    last = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    last[len(keys) - 1 - np.unique(keys[::-1], return_index=True)[1]] = True
    return first, last

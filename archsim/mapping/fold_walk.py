"""Walk a loop nest: which units of each dimension every step of the array works on, in running order.

One step is one unit of the streamed dimension on one fold. Consecutive units of the same fold are one
*pass*: the array neither drains nor reloads between them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.loop_nest import Dim, LoopNest

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DIMS: tuple[Dim, Dim, Dim] = (Dim.PIXELS, Dim.WINDOW, Dim.FILTERS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldWalk:
    """Steps of all groups in running order; every array has shape (steps,).

    Parameters
    ----------
    group
        Which of the independent products.
    unit, tile, start, size
        Per dimension: index of the unit and of its tile, first element, elements.
    continues
        Whether the step goes on with the stream of the step before, on the same fold.
    starts_pass, ends_pass
        Whether the array starts afresh with this step, and whether it drains after it.
    """

    group: IntArray
    unit: dict[Dim, IntArray]
    tile: dict[Dim, IntArray]
    start: dict[Dim, IntArray]
    size: dict[Dim, IntArray]
    continues: BoolArray
    starts_pass: BoolArray
    ends_pass: BoolArray

    def __len__(self) -> int:
        return len(self.group)

    def words(self, first: Dim, second: Dim) -> IntArray:
        """Elements of a (first x second) block of each step. [words]"""
        return self.size[first] * self.size[second]


def walk_folds(nest: LoopNest, *, pass_per_unit: bool = False) -> FoldWalk:
    """Lay out the steps of a nest.

    Parameters
    ----------
    nest
        Tile loops, then column folds, row folds and the stream, SCALE-Sim's order.
    pass_per_unit
        Every unit of the stream is a pass of its own (an array with a limited ``k_tile``).
    """
    inner = (nest.columns, nest.rows, nest.stream)
    shape = [nest.tiling[dim].tiles for dim in nest.order]
    shape += [nest.tiling[dim].units_in_tile for dim in inner]
    index = np.indices(shape, dtype=np.int64).reshape(6, -1)
    tile = dict(zip(nest.order, index[:3], strict=True))
    within = dict(zip(inner, index[3:], strict=True))
    unit = {dim: tile[dim] * nest.tiling[dim].units_per_tile + within[dim] for dim in DIMS}
    real = np.logical_and.reduce([unit[dim] < nest.tiling[dim].units for dim in DIMS])
    unit = {dim: np.tile(values[real], nest.groups) for dim, values in unit.items()}
    tile = {dim: np.tile(values[real], nest.groups) for dim, values in tile.items()}
    group = np.repeat(np.arange(nest.groups, dtype=np.int64), int(real.sum()))
    start = {dim: nest.tiling[dim].first_elements(unit[dim]) for dim in DIMS}
    size = {dim: nest.tiling[dim].first_elements(unit[dim] + 1) - start[dim] for dim in DIMS}
    continues = _continues(group, unit, tile, nest)
    starts = ~continues | pass_per_unit
    return FoldWalk(group=group, unit=unit, tile=tile, start=start, size=size, continues=continues,
                    starts_pass=starts, ends_pass=np.append(starts[1:], True))  # fmt: skip


def changed(*arrays: IntArray) -> BoolArray:
    """Whether any of the arrays differs from the step before; True for the first step."""
    differs = np.logical_or.reduce([values[1:] != values[:-1] for values in arrays])
    return np.concatenate([[True], differs])


def freeing_step(begins: BoolArray, held: int) -> IntArray:
    """Return the step whose end frees the place of each step's piece of an operand; -1 = free from the start.

    Parameters
    ----------
    begins
        Whether a new piece begins with the step; true of the first.
    held
        Pieces that there is room for at one time.
    """
    last = np.flatnonzero(np.append(begins[1:], True))
    piece = np.cumsum(begins) - 1
    freed: IntArray = np.concatenate([np.full(held, -1, dtype=np.int64), last])[piece]
    return freed


def _continues(group: IntArray, unit: dict[Dim, IntArray], tile: dict[Dim, IntArray], nest: LoopNest) -> BoolArray:
    stream = unit[nest.stream]
    follows = np.concatenate([[False], stream[1:] == stream[:-1] + 1])
    follows &= ~changed(group, unit[nest.rows], unit[nest.columns])
    return follows & ~changed(tile[nest.stream]) if nest.splits_passes else follows

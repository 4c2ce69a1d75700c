"""The ways to cut the three dimensions and to order their loops: what `tile_search` chooses from.

How the dimensions are cut depends on the layer and the array only, never on a buffer or on DRAM, so that
a chip with more memory chooses from a list with fewer entries struck out.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.array_work import ArrayWork
from archsim.mapping.fold_walk import DIMS
from archsim.mapping.loop_nest import Dim, DimTiling, LoopNest
from archsim.terms import Operand

IntArray = NDArray[np.int64]
ORDERS: tuple[tuple[Dim, Dim, Dim], ...] = tuple((a, b, c) for a, b, c in permutations(DIMS))
MOST_TILES = 1 << 16
"""Tiles that a dimension is cut into, at most."""
STREAMABLE: tuple[Operand, ...] = (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM)


class Stay(IntEnum):
    """How long an operand's words stay in its buffer."""

    TILE = 0
    STREAM = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileOptions:
    """All combinations, flat; arrays of shape (options,).

    Parameters
    ----------
    tilings
        Per dimension: the ways to cut it.
    choice
        Per dimension: which of them.
    order
        Index into `ORDERS`.
    streamed, whole
        Per operand: whether it passes through its buffer without staying, or stays throughout.
    """

    tilings: dict[Dim, list[DimTiling]]
    choice: dict[Dim, IntArray]
    order: IntArray
    streamed: dict[Operand, NDArray[np.bool_]]
    whole: dict[Operand, NDArray[np.bool_]]

    def of(self, dim: Dim, values: list[int]) -> IntArray:
        """Spread one value per tiling of a dimension over all options."""
        return np.array(values, dtype=np.int64)[self.choice[dim]]

    def tiles(self, dim: Dim) -> IntArray:
        """Tiles of a dimension."""
        return self.of(dim, [tiling.tiles for tiling in self.tilings[dim]])

    def position(self, dim: Dim) -> IntArray:
        """Place of a dimension's tile loop, 0 = outermost."""
        return np.array([order.index(dim) for order in ORDERS], dtype=np.int64)[self.order]


def tile_options(work: ArrayWork) -> TileOptions:
    """List every way that the search looks at."""
    tilings = {dim: dim_tilings(work, dim) for dim in DIMS}
    stays = {operand: np.array(_stays(work, operand)) for operand in STREAMABLE}
    shape = [len(tilings[dim]) for dim in DIMS] + [len(ORDERS)] + [len(stays[operand]) for operand in STREAMABLE]
    index = np.indices(shape, dtype=np.int64).reshape(len(shape), -1)
    chosen = {operand: stays[operand][index[4 + i]] for i, operand in enumerate(STREAMABLE)}
    return TileOptions(
        tilings=tilings,
        choice=dict(zip(DIMS, index[:3], strict=True)),
        order=index[3],
        streamed={operand: stay == Stay.STREAM for operand, stay in chosen.items()},
        whole={operand: stay == Stay.WHOLE for operand, stay in chosen.items()},
    )


def _stays(work: ArrayWork, operand: Operand) -> list[Stay]:
    """List how long an operand may stay; with room of its own for all of it, it need not stream."""
    level = work.arch.sram_of(operand)
    if operand in work.kept:
        return [Stay.WHOLE]
    if level is None:
        return [Stay.STREAM]
    if work.whole_bytes(operand) > level.room_for(operand):
        return [Stay.TILE, Stay.STREAM]
    sharers = {other for other in STREAMABLE if work.arch.sram_of(other) is level}
    return [Stay.TILE, Stay.WHOLE] if level.partition_bytes is not None or len(sharers) == 1 else list(Stay)


def untiled_nest(work: ArrayWork) -> LoopNest:
    """Return the nest of one tile: the layer as the array runs it when memory has no end."""
    dataflow = work.dataflow
    return LoopNest(
        groups=work.groups,
        order=DIMS,
        tiling={dim: dim_tilings(work, dim)[0] for dim in DIMS},
        rows=dataflow.rows,
        columns=dataflow.columns,
        stream=dataflow.stream,
        streamed={},
    )


def dim_tilings(work: ArrayWork, dim: Dim) -> list[DimTiling]:
    """Cut a dimension into 1 (first), 2, 3, 4, 6, 8, 12 ... tiles.

    Tiles of a spatial dimension are whole folds. The streamed dimension is cut into chunks, at line
    ends where it is pixels, or into groups of k-tiles where the array limits its passes.
    """
    size, array, dataflow = work.sizes[dim], work.arch.pe_array, work.dataflow
    if dim is dataflow.stream and array.k_tile == 0:
        line = work.geometry.line_pixels if dim is Dim.PIXELS else 1
        return [
            DimTiling(size=size, unit=min(size, lines * line), units_per_tile=1) for lines in _shares(-(-size // line))
        ]
    unit = {dataflow.rows: work.fold.rows, dataflow.columns: work.fold.columns, dataflow.stream: array.k_tile}[dim]
    whole = DimTiling(size=size, unit=unit, units_per_tile=1, patches=work.fold.patches_of(dim))
    return [replace(whole, units_per_tile=units) for units in _shares(whole.units)]


def _shares(units: int) -> list[int]:
    """Units per tile for 1, 2, 3, 4, 6, 8 ... tiles, each size once, largest first."""
    most = min(units, MOST_TILES)
    parts = {1, most}
    power = 2
    while power <= most:
        parts |= {power, power * 3 // 2}
        power *= 2
    return sorted({-(-units // part) for part in parts}, reverse=True)

"""The chosen tiling and loop order, as data and as a loop nest that a person can read."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.plane_patches import PlanePatches
from archsim.terms import Operand

IntArray = NDArray[np.int64]


class Dim(StrEnum):
    """The three loops of a matrix product, in the words of `workload/gemm.py`."""

    PIXELS = "pixels"
    WINDOW = "window"
    FILTERS = "filters"


@dataclass(frozen=True, slots=True, kw_only=True)
class DimTiling:
    """How one dimension is cut: units of the array, tiles of units.

    Parameters
    ----------
    size
        Length of the dimension.
    unit
        Elements per fold (a spatial dimension) or per chunk (the streamed one).
    units_per_tile
        Units of one tile.
    patches
        What the units are, where they are not equally long: ``unit`` is then the most that one has.
    """

    size: int
    unit: int
    units_per_tile: int
    patches: PlanePatches | None = None

    @property
    def span(self) -> int:
        """Elements of a whole tile."""
        return self.unit * self.units_per_tile

    @property
    def fold_text(self) -> str:
        """What a fold takes, for a reader."""
        patches = self.patches
        return f"{self.unit}" if patches is None else f"{patches.height} x {patches.width} of one plane"

    @property
    def units(self) -> int:
        """Units of the whole dimension, the last one possibly partial."""
        return self.patches.count if self.patches else -(-self.size // self.unit)

    @property
    def units_in_tile(self) -> int:
        """Units of the longest tile."""
        return min(self.units, self.units_per_tile)

    @property
    def tiles(self) -> int:
        """Tiles of the whole dimension."""
        return -(-self.units // self.units_per_tile)

    def first_elements(self, unit: IntArray) -> IntArray:
        """Return the first element of each unit; of the unit behind the last one, the size."""
        if self.patches:
            return self.patches.first_pixels(unit)
        first: IntArray = np.minimum(unit * self.unit, self.size)
        return first

    def pieces(self, units: int, most: int | None = None) -> tuple[IntArray, IntArray]:
        """Return first element and length of every so many units; of the first ``most`` of them."""
        stop = self.units if most is None else min(self.units, units * most)
        unit = np.arange(0, stop, units, dtype=np.int64)
        first = self.first_elements(unit)
        return first, self.first_elements(np.minimum(unit + units, self.units)) - first


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopNest:
    """Tile loops from outermost to innermost, and what stays on chip.

    Parameters
    ----------
    groups
        Independent products, the outermost loop.
    order
        Tile loops, outermost first.
    tiling
        Of each dimension, keyed by `Dim`.
    rows, columns, stream
        The dimension along the array's rows, its columns, and in time.
    streamed
        Operands that pass through their buffer without staying, and for how many steps (passes, of what
        waits in the PEs) the buffer has room.
    whole
        Operands that stay in their buffer throughout (one group at a time), whatever the tiles.
    """

    groups: int
    order: tuple[Dim, Dim, Dim]
    tiling: dict[Dim, DimTiling]
    rows: Dim
    columns: Dim
    stream: Dim
    streamed: dict[Operand, int]
    whole: frozenset[Operand] = frozenset()

    @property
    def splits_passes(self) -> bool:
        """Whether the array drains at the end of a stream tile, other folds coming in between."""
        if self.tiling[self.stream].tiles == 1:
            return False
        inside = self.order[self.order.index(self.stream) :]
        spatial = (self.rows, self.columns)
        one_fold = all(self.tiling[dim].units_in_tile == 1 for dim in spatial)
        return not one_fold or any(dim in inside and self.tiling[dim].tiles > 1 for dim in spatial)

    def lines(self) -> list[str]:
        """Return the nest as indented text, tile loops first, then the array's own."""
        loops = [f"for group in {self.groups}:"] if self.groups > 1 else []
        for dim in self.order:
            tiling = self.tiling[dim]
            if tiling.tiles > 1:
                span = min(tiling.size, tiling.span)
                loops.append(f"for {dim} tile in {tiling.tiles}:  # tiles of {span}")
        for place, dim in (("column", self.columns), ("row", self.rows)):
            tiling = self.tiling[dim]
            folds = tiling.units_in_tile
            if folds > 1:
                loops.append(f"for {dim} fold in {folds}:  # {place} folds of {tiling.fold_text}")
        stream = self.tiling[self.stream]
        span = min(stream.size, stream.span)
        loops.append(f"stream {span} {self.stream} past {self.rows} (rows) x {self.columns} (columns)")
        text = ["  " * depth + line for depth, line in enumerate(loops)]
        if self.streamed:
            text.append("# not kept on chip: " + ", ".join(sorted(self.streamed)))
        if self.whole and len(loops) > 1:
            text.append("# whole on chip: " + ", ".join(sorted(self.whole)))
        return text

"""Which block of the ifmap each step brings into its buffer: channels times lines, as `ifmap_geometry` has them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.fold_walk import FoldWalk
from archsim.mapping.ifmap_geometry import IfmapGeometry
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.operand_flow import Visits
from archsim.terms import Operand

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IfmapBoxes:
    """A block per step, half-open ranges; arrays of shape (steps,).

    Parameters
    ----------
    first_channel, last_channel
        Of the group.
    first_line, last_line
        Touched lines, numbered over all images.
    has_left, has_above
        Whether the channels before and the lines before are in the buffer.
    """

    first_channel: IntArray
    last_channel: IntArray
    first_line: IntArray
    last_line: IntArray
    has_left: BoolArray
    has_above: BoolArray

    @property
    def channels(self) -> IntArray:
        """Channels of each block."""
        return self.last_channel - self.first_channel

    @property
    def lines(self) -> IntArray:
        """Lines of each block."""
        lines: IntArray = np.maximum(0, self.last_line - self.first_line)
        return lines


def needed_boxes(walk: FoldWalk, geometry: IfmapGeometry, nest: LoopNest) -> IfmapBoxes:
    """Return what each step's unit reads, whatever is in the buffer."""
    window = nest.tiling[Dim.WINDOW].size
    first_channel, last_channel = geometry.channel_ranges(walk.start[Dim.WINDOW], walk.size[Dim.WINDOW], window)
    first_line, last_line = geometry.line_ranges(walk.start[Dim.PIXELS], walk.size[Dim.PIXELS])
    nothing = np.zeros(len(walk), dtype=bool)
    return IfmapBoxes(first_channel=first_channel, last_channel=last_channel, first_line=first_line,
                      last_line=last_line, has_left=nothing, has_above=nothing)  # fmt: skip


def added_boxes(walk: FoldWalk, geometry: IfmapGeometry, nest: LoopNest, visits: Visits) -> IfmapBoxes:
    """Return what each step's unit adds to the buffer, neighbours in it not fetched again.

    A unit shares channels with the window unit before it in the tile, and lines with the pixel unit
    before it in the tile or, where the tiles slide along the pixels, in the tile before.
    """
    needed = needed_boxes(walk, geometry, nest)
    window = nest.tiling[Dim.WINDOW].size
    first_unit = {dim: first_unit_held(walk, nest, dim, Operand.IFMAP) for dim in (Dim.WINDOW, Dim.PIXELS)}
    has_left = walk.unit[Dim.WINDOW] > first_unit[Dim.WINDOW]
    before = -(-walk.start[Dim.WINDOW] * geometry.channels // window)
    first_channel = np.where(has_left, np.maximum(needed.first_channel, before), needed.first_channel)
    in_tile = walk.unit[Dim.PIXELS] > first_unit[Dim.PIXELS]
    has_above = in_tile | ((walk.unit[Dim.PIXELS] > 0) & _slides(walk, visits)[visits.generation])
    previous_last = geometry.line_after(np.maximum(walk.start[Dim.PIXELS] - 1, 0))
    first_line = np.where(has_above, np.maximum(needed.first_line, previous_last), needed.first_line)
    return IfmapBoxes(first_channel=first_channel, last_channel=needed.last_channel, first_line=first_line,
                      last_line=needed.last_line, has_left=has_left, has_above=has_above)  # fmt: skip


def first_unit_held(walk: FoldWalk, nest: LoopNest, dim: Dim, operand: Operand) -> IntArray:
    """Return the first unit of what an operand's buffer holds at each step: of the tile, or of everything."""
    first = walk.tile[dim] * nest.tiling[dim].units_per_tile
    return np.zeros_like(first) if operand in nest.whole else first


def _slides(walk: FoldWalk, visits: Visits) -> BoolArray:
    """Whether each generation follows the pixel tile just before it, shape (generations,)."""
    first_step = visits.first_step_of()
    group, pixels, window = walk.group[first_step], walk.tile[Dim.PIXELS][first_step], walk.tile[Dim.WINDOW][first_step]
    slides = (group[1:] == group[:-1]) & (window[1:] == window[:-1]) & (pixels[1:] == pixels[:-1] + 1)
    return np.concatenate([[False], slides])

"""What the lanes of a layer do, line by line of its ofmap: in lock step, or each with the nonzero values of its own bricks.

Called by `brick_lanes.py`; the counts are those of `kernels/brick_counts.py`, value by value.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.brick_lanes import BrickLanes, LaneSync
from archsim.kernels.brick_counts import count_bricks, sum_lanes
from archsim.mapping.brick_shape import BrickShape, by_place, window_places
from archsim.mapping.channel_walk import ChannelWalk
from archsim.mapping.loop_nest import Dim
from archsim.workload.layer import ArrayLayer

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaneWork:
    """Work of the lanes in one pass of the windows, by line of the ofmap, all images.

    Parameters
    ----------
    slowest
        Shape (groups, lines): the slowest lane of each window, summed over the windows. [cycles]
    lanes
        Shape (groups, lines, lanes): each lane by itself. [cycles]
    nonzero
        Shape (groups, lines): values that are not zero in these windows.
    sync
        When lanes wait for each other.
    passes
        As in `BrickShape`.
    """

    slowest: IntArray
    lanes: IntArray
    nonzero: IntArray
    sync: LaneSync
    passes: int

    @property
    def total_cycles(self) -> int:
        """Of the layer, all passes. [cycles]"""
        return self.passes * int(self.slowest.sum()) if self.sync is LaneSync.WINDOW else self.free_cycles

    @property
    def free_cycles(self) -> int:
        """The busiest lane's, were there no waits before the end of the layer. [cycles]"""
        return self.passes * int(self.lanes.sum(axis=(0, 1)).max())

    @property
    def mean_cycles(self) -> int:
        """The mean lane's, rounded up: what is left if lanes share their work evenly. [cycles]"""
        return -(-self.passes * int(self.lanes.sum()) // int(self.lanes.shape[2]))

    def step_cycles(self, walk: ChannelWalk) -> IntArray:
        """Cycles from each step's start to the next one's, shape (steps,); they add up to the layer's. [cycles]"""
        passes = walk.count[Dim.FILTERS]
        if self.sync is LaneSync.WINDOW:
            each: IntArray = passes * _of_lines(self.slowest, walk)
            return each
        spent = np.cumsum(passes[:, None] * _of_lines(self.lanes, walk), axis=0)
        cycles: IntArray = np.diff(spent.max(axis=1), prepend=0)
        return cycles

    def step_nonzero(self, walk: ChannelWalk) -> IntArray:
        """Nonzero values in the windows of each step, one pass; shape (steps,)."""
        return _of_lines(self.nonzero, walk)


def lane_work(layer: ArrayLayer, shape: BrickShape, bricks: BrickLanes, nonzero: BoolArray) -> LaneWork:
    """Count what the lanes of a layer do when they skip zeros.

    Parameters
    ----------
    layer, shape
        The layer, and how the lanes take it.
    bricks
        How its channels are cut and when lanes wait.
    nonzero
        Mask of the ifmap, shape as `mask_shape`.
    """
    values = by_place(layer, nonzero)
    images, groups, channels, places = values.shape
    counts = np.empty((images * groups, places, -(-channels // bricks.brick_values)), dtype=np.int32)
    count_bricks(values.reshape(images * groups, channels, places), bricks.brick_values, counts)
    memory = shape.memory
    slowest = np.zeros((groups, memory.lines), dtype=np.int64)
    lanes, found = np.zeros((*slowest.shape, shape.lanes), dtype=np.int64), np.zeros_like(slowest)
    settings = np.array([bricks.empty_brick_cycles, memory.line_pixels], dtype=np.int64)
    sum_lanes(counts.reshape(images, groups, places, -1), window_places(layer), settings, (slowest, lanes, found))
    return LaneWork(slowest=slowest, lanes=lanes, nonzero=found, sync=bricks.sync, passes=shape.passes)


def _of_lines(amounts: IntArray, walk: ChannelWalk) -> IntArray:
    """Add up what lies in the lines of each step; ``amounts``: shape (groups, lines, ...)."""
    before = np.zeros((amounts.shape[0], amounts.shape[1] + 1, *amounts.shape[2:]), dtype=np.int64)
    np.cumsum(amounts, axis=1, out=before[:, 1:])
    first = walk.first[Dim.PIXELS]
    summed: IntArray = before[walk.group, first + walk.count[Dim.PIXELS]] - before[walk.group, first]
    return summed

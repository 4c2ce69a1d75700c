"""What an array of brick lanes has: how channels are cut into bricks, and when lanes wait for each other.

Part of `pe_array.py`; `mapping/brick_lanes.py` and `kernels/brick_lanes.py` read it. Array rows are the lanes: each takes one
ifmap value per cycle. Array columns are filters: each has a multiplier in every lane. Without zero skipping all lanes take
values of one brick in lock step, and nothing here has an effect.
"""

from dataclasses import dataclass, fields
from enum import StrEnum

from archsim.arch.lowest import check_lowest


class LaneSync(StrEnum):
    """When lanes that skip zeros wait for the slowest one."""

    WINDOW = "window"
    """At the end of every window, as the adder trees behind them ask for."""
    LAYER = "layer"
    """At the end of the layer only: lanes run through their windows freely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrickLanes:
    """What moves the cycles of brick lanes that skip zeros.

    Parameters
    ----------
    brick_values
        Values of neighbouring channels that are stored as one brick: those that are not zero, each with its place in
        the brick. The last brick of a pixel may be short. [words]
    empty_brick_cycles
        That a lane spends on a brick without such values. [cycles]
    sync
        When lanes wait for each other.
    first_layer_dense
        The network's own input is not encoded: layers that read it run as without zero skipping.
    """

    brick_values: int = 16
    empty_brick_cycles: int = 1
    sync: LaneSync = LaneSync.WINDOW
    first_layer_dense: bool = False

    def __post_init__(self) -> None:
        check_lowest(self, ("brick_values",), place="pe_array.bricks.")
        check_lowest(self, ("empty_brick_cycles",), place="pe_array.bricks.", lowest=0)

    @property
    def offset_bits(self) -> int:
        """Of a value's place in its brick. [b]"""
        return (self.brick_values - 1).bit_length()

    def misfits(self, *, skips: bool) -> list[str]:
        """Say which settings have no effect."""
        if skips:
            return []
        return [
            f"bricks.{each.name} (={getattr(self, each.name)!s}) needs zero_skip = skip: lanes in lock step have no bricks of their own"
            for each in fields(self)
            if getattr(self, each.name) != each.default
        ]

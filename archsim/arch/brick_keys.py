"""The keys of ``pe_array.bricks`` in an arch file; part of `pe_array_keys.py`."""

from pydantic import StrictBool

from archsim.arch.brick_lanes import BrickLanes, LaneSync
from archsim.arch.keys import Keys
from archsim.arch.value_types import Count, Cycles


class BricksKeys(Keys):
    """``pe_array.bricks``: the fields of `BrickLanes`, with the same names and defaults."""

    brick_values: Count = 16
    empty_brick_cycles: Cycles = 1
    sync: LaneSync = LaneSync.WINDOW
    first_layer_dense: StrictBool = False

    def build(self) -> BrickLanes:
        """Return the settings."""
        return BrickLanes(**dict(self))

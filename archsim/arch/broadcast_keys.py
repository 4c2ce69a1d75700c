"""The keys of ``pe_array.tiles`` in an arch file; part of `pe_array_keys.py`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from archsim.arch.broadcast_tiles import BroadcastTiles
from archsim.arch.keys import Keys
from archsim.arch.value_types import Count, Cycles, Words


class TilesKeys(Keys):
    """``pe_array.tiles``: the fields of `BroadcastTiles`, under the same names."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"psum_registers": 1}

    psum_registers: Count
    pixel_streams: Count = 1
    skip_window: Count | None = None
    skip_fifo: Words = 0
    empty_row_cycles: Cycles = 0

    def build(self) -> BroadcastTiles:
        """Return the settings."""
        return BroadcastTiles(**dict(self))

"""What an array that broadcasts pixels has: psum registers, pixel streams, and what finds its nonzero pixels.

Part of `pe_array.py`; `mapping/pixel_broadcast.py` and `kernels/pixel_broadcast.py` read it. Array rows are tiles, the PEs
of a row are its tile: sets of neighbouring PEs in it share an ofmap row.
"""

from dataclasses import dataclass

from archsim.arch.lowest import check_lowest


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastTiles:
    """What moves the cycles of a pixel broadcast.

    Parameters
    ----------
    psum_registers
        Psums that a set of PEs keeps for one filter: values of an ofmap row, or of several short rows. [words]
    pixel_streams
        Rows of pixels that the array takes at the same time. With 1, sets of PEs that a last pass of filters leaves free
        idle. With more, such a pass costs its share of one, as the published equation counts, but no less than
        1 / ``pixel_streams``: free sets work on other rows, which have to be brought at the same time.
    skip_window
        Most zeros that the front end steps over in a cycle; None = any number. Zero skipping only.
    skip_fifo
        Nonzero pixels that wait between front end and array; needs ``skip_window``.
    empty_row_cycles
        Least cycles of a row of pixels that are all zero. Zero skipping only. [cycles]
    """

    psum_registers: int
    pixel_streams: int = 1
    skip_window: int | None = None
    skip_fifo: int = 0
    empty_row_cycles: int = 0

    def __post_init__(self) -> None:
        names = ["psum_registers", "pixel_streams", *(["skip_window"] if self.skip_window is not None else [])]
        check_lowest(self, names, place="pe_array.tiles.")
        check_lowest(self, ("skip_fifo", "empty_row_cycles"), place="pe_array.tiles.", lowest=0)

    @property
    def dense(self) -> "BroadcastTiles":
        """The same tiles without what finds zeros."""
        return BroadcastTiles(psum_registers=self.psum_registers, pixel_streams=self.pixel_streams)

    def misfits(self, *, skips: bool) -> list[str]:
        """Say which settings have no effect."""
        idle = [
            f"tiles.{key} (={getattr(self, key)}) needs zero_skip = skip: nothing is stepped over"
            for key in ("skip_window", "skip_fifo", "empty_row_cycles")
            if not skips and getattr(self, key)
        ]
        if skips and self.skip_fifo and self.skip_window is None:
            idle.append(
                f"tiles.skip_fifo (={self.skip_fifo}) needs tiles.skip_window: a front end without a limit never falls behind"
            )
        return idle

"""What a channel-parallel array has that others have not: atoms of channels and filters, and how tensors are stored.

Part of `pe_array.py`; `mapping/channel_shape.py` reads it.
"""

from dataclasses import dataclass

from archsim.arch.lowest import check_lowest


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAtoms:
    """How an array of dot products takes a layer, in the words of NVDLA.

    Parameters
    ----------
    channel_atom
        Multipliers whose products one adder tree sums: the channels of a tap (of a layer with a stride: of the
        stride x stride neighbours that are stored as channels) are padded to whole atoms.
    filter_atom
        Filters of a convolution, and channels of every ofmap in memory, are padded to whole atoms.
    stored_channels
        Channels of an ifmap in memory are padded to a multiple of it.
    stripe_pixels
        Ofmap pixels for which weights stay at the multipliers before they are read again.
    pixels_across
        Whether columns that the filters leave free work on other pixels; False = they idle.
    winograd
        3 x 3 kernels of stride 1 as F(2 x 2, 3 x 3): 16 multiplications for 4 ofmap pixels instead of 36, their
        weights stored as 16 instead of 9.
    """

    channel_atom: int = 16
    filter_atom: int = 16
    stored_channels: int = 1
    stripe_pixels: int = 16
    pixels_across: bool = True
    winograd: bool = False

    def __post_init__(self) -> None:
        names = ("channel_atom", "filter_atom", "stored_channels", "stripe_pixels")
        check_lowest(self, names, place="pe_array.atoms.")

    def misfits(self, rows: int, columns: int) -> list[str]:
        """Say which sides of an array are no whole atoms."""
        sides = (
            ("rows", rows, "channel_atom", self.channel_atom),
            ("columns", columns, "filter_atom", self.filter_atom),
        )
        return [
            f"{side} (={length}) must be a multiple of atoms.{name} (={atom}): an atom is never cut"
            for side, length, name, atom in sides
            if length % atom
        ]

"""The window of a 2-D convolution over codes: stride, padding, dilation, groups."""

from dataclasses import dataclass

PadPair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Per axis (rows, columns); padding per axis as (before, after)."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[PadPair, PadPair] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

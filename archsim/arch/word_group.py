"""How values lie beside each other in a memory level: so many values in so many bits.

`Architecture.group` gives one per level and operand; `mapping/` turns words into bytes with it.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Words = TypeVar("Words", int, NDArray[np.int64])


@dataclass(frozen=True, slots=True, kw_only=True)
class WordGroup:
    """Values that are stored together; a group is never cut.

    One value of its width; the values of one word of a bus; the weights that one pointer stands for.

    Parameters
    ----------
    words
        Values of one group. [words]
    bits
        That a group takes. [b]
    """

    words: int
    bits: int

    @property
    def mean_bits(self) -> float:
        """Of one value. [b]"""
        return self.bits / self.words

    @property
    def place_bits(self) -> int:
        """Distance of neighbouring values, rounded up to a whole bit: their places for banks and rows. [b]"""
        return -(-self.bits // self.words)

    def groups_of(self, words: Words) -> Words:
        """Return the groups that values take, the last one possibly not full."""
        return -(-words // self.words)

    def bits_of(self, words: Words) -> Words:
        """Bits of so many values. [b]"""
        return self.groups_of(words) * self.bits

    def bytes_of(self, words: Words) -> Words:
        """Bytes of so many values, rounded up. [B]"""
        return -(-self.bits_of(words) // 8)

    def packed(self, bus_bits: int) -> "WordGroup":
        """Return the groups whole in words of a bus; one that is wider takes as many bus words as it needs. [b]"""
        if self.bits > bus_bits:
            return WordGroup(words=self.words, bits=-(-self.bits // bus_bits) * bus_bits)
        return WordGroup(words=self.words * (bus_bits // self.bits), bits=bus_bits)

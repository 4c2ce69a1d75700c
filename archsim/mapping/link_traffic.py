"""Bytes of coded operands on the DRAM channel, step by step.

A tensor is coded as a whole, and each part of it takes its share of the coded bytes: the n first words
that a layer moves take n x coded bytes / words, rounded up, and a step takes what the words up to its last
one take more than those before. So the steps add up to the layer, whatever is fetched again.

Not modelled: zeros that lie unevenly over a tensor; what a code loses where a tile begins and ends
(a run cut in two, a last word half full), and the table that says where a tile's code begins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.mapping.fold_plan import TrafficCount
from archsim.numerics.link_code import LINK_WORD_BITS, coded_size
from archsim.terms import Compression, Direction, Operand
from archsim.workload.tensor_zeros import LayerZeros

IntArray = NDArray[np.int64]
MOST_PRODUCT = 2**62
"""Products below it fit 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkShare:
    """What the words of one operand take on the channel.

    Parameters
    ----------
    words, nonzero_words
        Of the whole tensor. [words]
    coded_bytes
        Of its code. [B]
    width_bits
        Of a value. [b]
    """

    words: int
    nonzero_words: int
    coded_bytes: int
    width_bits: int

    @property
    def bits_per_word(self) -> float:
        """Mean over the tensor. [b]"""
        return 8 * self.coded_bytes / self.words

    def step_bytes(self, words: IntArray) -> IntArray:
        """Share out the bytes of so many words per step, in running order. [B]"""
        return np.diff(self._bytes_up_to(np.cumsum(words)), prepend=0)

    def rows(self, level: str, operand: Operand, direction: Direction, words: int) -> Iterable[TrafficCount]:
        """Yield the traffic of so many words: nonzero values, and metadata in 64-bit words begun. [words]"""
        total = -(-words * self.coded_bytes // self.words)
        payload = words * self.nonzero_words // self.words
        payload_bytes = -(-payload * self.width_bits // 8)
        rest = total - payload_bytes
        yield TrafficCount(level=level, operand=operand, direction=direction, words=payload, bytes=payload_bytes)
        yield TrafficCount(level=level, operand=Operand.METADATA, direction=direction,
                           words=-(-rest * 8 // LINK_WORD_BITS), bytes=rest)  # fmt: skip

    def _bytes_up_to(self, words: IntArray) -> IntArray:
        times, rest = np.divmod(words, self.words)
        if self.words * self.coded_bytes >= MOST_PRODUCT:
            rest = rest.astype(object)  # beyond 64 bits: Python's own integers
        part = -(-rest * self.coded_bytes // self.words)
        return times * self.coded_bytes + part.astype(np.int64)


def link_shares(arch: Architecture, zeros: LayerZeros) -> Mapping[Operand, LinkShare]:
    """Return the shares of the operands that the arch codes; the others cross the channel as they are.

    Pointers to kernels are a code already, and cross it as they are too.
    """
    shares = {}
    for operand, code in arch.dram.compression:
        counts, width = zeros.of(operand), arch.formats.of(operand).width_bits
        is_pointer = operand is Operand.WEIGHT and arch.kernel is not None
        if code is not Compression.NONE and counts.words and not is_pointer:
            size = coded_size(counts, code, width)
            shares[operand] = LinkShare(words=counts.words, nonzero_words=counts.nonzero_words,
                                        coded_bytes=size.bits // 8, width_bits=width)  # fmt: skip
    return shares

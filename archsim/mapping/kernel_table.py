"""The table of kernels between a weight buffer and the array: what a layer of clustered weights asks of it.

DRAM and the weight buffer hold and move pointers; the table turns each into the weights of one kernel. Idea:
Son, Nah and Lee, Clustering convolutional kernels, ECCV 2018.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from archsim.arch.architecture import Architecture
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import Direction, Operand
from archsim.workload.layer import ArrayLayer

WEIGHT_LUT = "weight_lut"
"""The level of its rows in traffic.csv, and its component in the tables of energy and area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelTable:
    """A codebook as one layer uses it.

    Parameters
    ----------
    words
        Weights in the table. [words]
    word_bits
        Width of each. [b]
    loads
        Whether this layer brings the table onto the chip: the first one that uses it.

    Notes
    -----
    Every weight that enters the array is read from the table; a kernel that several folds share is looked up in
    shares. Not modelled: the copies of the table that it takes to feed all columns in one cycle.
    """

    words: int
    word_bits: int
    loads: bool

    @property
    def size_bytes(self) -> int:
        """Of the table. [B]"""
        return -(-self.words * self.word_bits // 8)

    def rows(self, weight_reads: int) -> Iterable[TrafficCount]:
        """Yield the weights that the table gives the array, in the table's width. [words]"""
        size = -(-weight_reads * self.word_bits // 8)
        yield TrafficCount(level=WEIGHT_LUT, operand=Operand.WEIGHT, direction=Direction.READ,
                           words=weight_reads, bytes=size)  # fmt: skip

    def load_rows(self, dram: str) -> Iterable[TrafficCount]:
        """Yield the table on its way from DRAM into its place. [words]"""
        for level, direction in ((dram, Direction.READ), (WEIGHT_LUT, Direction.WRITE)):
            yield TrafficCount(level=level, operand=Operand.METADATA, direction=direction,
                               words=self.words, bytes=self.size_bytes)  # fmt: skip


def kernel_table(layer: ArrayLayer, arch: Architecture, *, loads: bool) -> KernelTable | None:
    """Return the table of a layer; None where its weights are stored one by one."""
    if layer.clusters is None:
        return None
    words = layer.clusters.entries * layer.clusters.kernel_words
    return KernelTable(words=words, word_bits=(arch.codes or arch.formats).weight.width_bits, loads=loads)

"""What a converted workload says of the words of one layer: formats, and a codebook of kernels.

Fields of `ConvLayer` and `MatmulLayer`; `arch/` holds what the chip's own registers and multipliers take.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightClusters:
    """Weights kept as pointers to whole kernels: what a layer fetches instead of its weights.

    Parameters
    ----------
    codebook
        Its name: layers of one codebook share its table.
    entries
        Kernels in the table.
    kernel_words
        Weights of one kernel: rows x columns of the filter. [words]
    """

    codebook: str
    entries: int
    kernel_words: int

    @property
    def pointer_bits(self) -> int:
        """Bits of one pointer. [b]"""
        return pointer_bits(self.entries)

    def table_bits(self, word_bits: int) -> int:
        """Bits of the table, each weight ``word_bits`` wide. [b]"""
        return self.entries * self.kernel_words * word_bits


def pointer_bits(entries: int) -> int:
    """Return the bits of a pointer to one of ``entries`` kernels. [b]"""
    return max(1, (entries - 1).bit_length())

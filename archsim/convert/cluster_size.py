"""What the weights of a clustered network take, to the bit, and the arithmetic behind "29 times smaller".

`stored_size.py`, `validate/numerics_sizes.py` and the scripts call it. A kernel takes a pointer of ``ceil(log2 entries)`` bits, a
codebook all of its kernels, every other weight and every bias its own word.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from archsim.convert.cluster import ClusteredNetwork, CodebookScope, clusterable, codebook_name
from archsim.convert.float_network import FloatConv, FloatDense, FloatNetwork
from archsim.workload.layer_formats import pointer_bits

FLOAT_BITS = 32
"""Of a weight or bias as the model has it. [b]"""
BIAS_BITS = 32
"""Of a stored bias. [b]"""
TARGET_RATIO = 240 / 8.2
"""Recogni's claim, from hearsay: 240 MB of floats stored in 8.2 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWidths:
    """Bits of a stored word.

    Parameters
    ----------
    table, weight, bias
        One weight of a codebook; one that is not clustered; one bias. [b]
    """

    table: int = 8
    weight: int = 8
    bias: int = BIAS_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookUse:
    """A codebook and the kernels that point to it.

    Parameters
    ----------
    kernels
        That point to it.
    entries
        Kernels it holds.
    taps
        Weights of one kernel, R * S.
    """

    kernels: int
    entries: int
    taps: int

    def bits(self, table_width: int) -> int:
        """Bits of the pointers and of the codebook. [b]"""
        return self.kernels * pointer_bits(self.entries) + self.entries * self.taps * table_width


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSize:
    """What the weights of a network take.

    Parameters
    ----------
    conv_bits
        All weights of convolutions: pointers, codebooks, and those that are not clustered. [b]
    dense_bits, bias_bits
        Of the dense layers; of all biases. [b]
    conv_weights, parameters
        Weights of convolutions; all weights and biases. [words]
    """

    conv_bits: int
    dense_bits: int
    bias_bits: int
    conv_weights: int
    parameters: int

    @property
    def total_bits(self) -> int:
        """All of it. [b]"""
        return self.conv_bits + self.dense_bits + self.bias_bits

    @property
    def total_bytes(self) -> int:
        """All of it, rounded up to a whole byte. [B]"""
        return -(-self.total_bits // 8)

    @property
    def conv_bits_per_weight(self) -> float:
        """Bits per weight of the convolutions. [b]"""
        return self.conv_bits / self.conv_weights

    @property
    def ratio(self) -> float:
        """Times smaller than weights and biases of 32 bits."""
        return self.parameters * FLOAT_BITS / (self.total_bytes * 8)


def clustered_size(clustered: ClusteredNetwork, widths: StoredWidths | None = None) -> WeightSize:
    """Size of a network as it was clustered.

    Parameters
    ----------
    clustered
        Its codebooks count with the entries they have.
    widths
        None = tables and weights of 8 bits, biases of 32.
    """
    kernels: Counter[str] = Counter()
    for layer in clustered.layers.values():
        kernels[layer.codebook] += layer.pointers.size
    uses = [
        CodebookUse(kernels=kernels[name], entries=len(codebook), taps=codebook[0].size)
        for name, codebook in clustered.codebooks.items()
    ]
    return _size(clustered.network, uses, widths or StoredWidths())


def formula_size(
    network: FloatNetwork, entries: int, scope: CodebookScope, widths: StoredWidths | None = None
) -> WeightSize:
    """Size of a network if it were clustered, from its shapes alone; every codebook is taken as full."""
    kernels: Counter[tuple[str, int]] = Counter()
    for node in clusterable(network):
        kernels[codebook_name(node, scope), node.weight[0, 0].size] += node.weight[..., 0, 0].size
    uses = [CodebookUse(kernels=count, entries=entries, taps=taps) for (_, taps), count in kernels.items()]
    return _size(network, uses, widths or StoredWidths())


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressionRow:
    """A network of 3x3 kernels only, clustered.

    Parameters
    ----------
    entries, codebooks
        Kernels of each codebook; how many codebooks.
    bits_per_weight
        Pointers and codebooks over all weights. [b]
    megabytes
        Of all of it. [MB]
    ratio
        Times smaller than 32-bit floats.
    plain_share_for_target
        Share of the weights that may stay at 8 bits for the size to be that of the claim, 0..1; negative = it is
        missed as it is.
    """

    entries: int
    codebooks: int
    bits_per_weight: float
    megabytes: float
    ratio: float
    plain_share_for_target: float


CLAIM_CASES = ((1024, 1), (512, 1), (512, 60), (256, 1), (256, 60))
"""(entries, codebooks) that come near the claim."""
CLAIM_TAPS = 9
"""Weights of a kernel of the claim, 3x3. [words]"""


def compression_table(
    weights: int = 60_000_000, cases: Iterable[tuple[int, int]] = CLAIM_CASES
) -> tuple[CompressionRow, ...]:
    """Which codebooks explain a network that is 29 times smaller.

    Parameters
    ----------
    weights
        All in 3x3 kernels; 60 M of 32 bits are 240 MB. [words]
    cases
        (entries, codebooks) of each row.

    Notes
    -----
    Codebooks and weights that stay are of 8 bits. Biases are left out.
    """
    return tuple(_compression(weights, entries, codebooks) for entries, codebooks in cases)


def compression_text(rows: Iterable[CompressionRow]) -> str:
    """Rows as a table of plain text."""
    head = " entries  codebooks  bit/weight      MB  times smaller  8-bit share for the claim"
    lines = (
        f"{row.entries:8}  {row.codebooks:9}  {row.bits_per_weight:10.3f}  {row.megabytes:6.2f}  {row.ratio:13.1f}"
        f"  {100 * row.plain_share_for_target:23.1f} %"
        for row in rows
    )
    return "\n".join([head, *lines])


def _size(network: FloatNetwork, uses: list[CodebookUse], widths: StoredWidths) -> WeightSize:
    conv = sum(node.weight.size for node in network.weighted if isinstance(node, FloatConv))
    dense = sum(node.weight.size for node in network.weighted if isinstance(node, FloatDense))
    biases = sum(node.bias.size for node in network.weighted if node.bias is not None)
    plain = conv - sum(use.kernels * use.taps for use in uses)
    return WeightSize(
        conv_bits=sum(use.bits(widths.table) for use in uses) + plain * widths.weight,
        dense_bits=dense * widths.weight,
        bias_bits=biases * widths.bias,
        conv_weights=conv,
        parameters=conv + dense + biases,
    )


def _compression(weights: int, entries: int, codebooks: int) -> CompressionRow:
    widths = StoredWidths()
    pointed = pointer_bits(entries) / CLAIM_TAPS
    table_bits = codebooks * entries * CLAIM_TAPS * widths.table / weights
    per_weight = pointed + table_bits
    return CompressionRow(
        entries=entries,
        codebooks=codebooks,
        bits_per_weight=per_weight,
        megabytes=weights * per_weight / 8e6,
        ratio=FLOAT_BITS / per_weight,
        # per_weight + share * (8 - pointed) = bits of the claim
        plain_share_for_target=(FLOAT_BITS / TARGET_RATIO - per_weight) / (widths.weight - pointed),
    )

"""How many zeros each tensor of a layer holds: what sizes its code on the DRAM channel.

A network knows its zeros from real tensors (`tensors.py`) or as shares in its file; `engine/link_zeros.py`
gathers them per layer, and `mapping/` sizes the channel's bytes by them.
"""

from dataclasses import dataclass

from archsim.numerics.link_code import ZeroCounts, expect_zeros
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer, VectorLayer, ZeroFractions


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerZeros:
    """Counts of a layer's tensors, each over all words of the tensor."""

    ifmap: ZeroCounts
    weight: ZeroCounts
    ofmap: ZeroCounts

    def of(self, operand: Operand) -> ZeroCounts:
        """Return the counts of IFMAP, WEIGHT or OFMAP."""
        counts: ZeroCounts = getattr(self, operand.value)
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredZeros:
    """Counts of one real tensor: the ifmap, weight or ofmap of the layer of that name."""

    layer: str
    operand: Operand
    counts: ZeroCounts


def tensor_words(layer: ArrayLayer | VectorLayer) -> dict[Operand, int]:
    """Return the words of each tensor of a layer. [words]"""
    return {Operand.IFMAP: layer.ifmap_words, Operand.WEIGHT: layer.weight_words, Operand.OFMAP: layer.ofmap_words}


def zeros_by_itself(layer: ArrayLayer | VectorLayer) -> LayerZeros:
    """Return what a layer says of its own zeros, its neighbours not known: no zeros where it says nothing."""
    shares = layer.zero_fractions if isinstance(layer, ConvLayer | MatmulLayer) else ZeroFractions()
    return LayerZeros(
        ifmap=expect_zeros(layer.ifmap_words, shares.ifmap or 0.0),
        weight=expect_zeros(layer.weight_words, shares.weight or 0.0),
        ofmap=expect_zeros(layer.ofmap_words, shares.ofmap or 0.0),
    )

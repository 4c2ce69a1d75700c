"""How many zeros each tensor of a layer holds, and where: what sizes its code on the DRAM channel, and what can be skipped.

A network knows its zeros from real tensors (`tensors.py`) or as shares in its file; `engine/link_zeros.py`
gathers them per layer, and `mapping/` sizes the channel's bytes and counts the array's work by them.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.numerics.link_code import ZeroCounts, expect_zeros
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer, VectorLayer
from archsim.workload.zero_masks import DrawnMask, LayerMasks, ZeroMask, channel_axis, fit_ifmap, mask_shape
from archsim.workload.zero_pattern import ZeroFractions


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerZeros:
    """Counts of a layer's tensors, each over all words of the tensor, and where the zeros of ifmap and weights stand."""

    ifmap: ZeroCounts
    weight: ZeroCounts
    ofmap: ZeroCounts
    masks: LayerMasks = field(default_factory=LayerMasks)

    def of(self, operand: Operand) -> ZeroCounts:
        """Return the counts of IFMAP, WEIGHT or OFMAP."""
        counts: ZeroCounts = getattr(self, operand.value)
        return counts

    def mask(self, layer: ArrayLayer, operand: Operand, *, seed: int = 0) -> ZeroMask:
        """Return the mask of IFMAP or WEIGHT; one drawn from the count of zeros where there is none."""
        given: ZeroMask | None = getattr(self.masks, operand.value)
        said: float | None = getattr(layer.zero_fractions, operand.value)  # a count is rounded to whole words
        return given or DrawnMask(
            name=layer.name, operand=operand, shape=mask_shape(layer, operand),
            zero_fraction=self.of(operand).zero_fraction if said is None else said, seed=seed,
            pattern=getattr(layer.zero_patterns, operand.value), channel_axis=channel_axis(layer, operand),
        )  # fmt: skip

    def nonzero(self, layer: ArrayLayer, operand: Operand) -> NDArray[np.bool_]:
        """Return the mask's values over the layer's own images, shape as `mask_shape`: True = not zero."""
        mask = self.mask(layer, operand).nonzero()
        return (fit_ifmap(mask, layer) if operand is Operand.IFMAP else mask).reshape(mask_shape(layer, operand))


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

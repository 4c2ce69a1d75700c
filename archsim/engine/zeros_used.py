"""What the zeros of a layer were like that an array stepped over: for results, beside what they saved."""

from dataclasses import dataclass

from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.mask_statistics import MaskStatistics, statistics_of
from archsim.workload.tensor_zeros import LayerZeros


@dataclass(frozen=True, slots=True, kw_only=True)
class ZerosUsed:
    """Statistics of the masks that a layer was run with.

    Parameters
    ----------
    origin
        Where the zeros of the ifmap come from, in words.
    ifmap
        Of the ifmap's mask.
    weight_origin
        Where those of the weights come from; empty where they are not known: none is taken to be zero.
    weight_zero_fraction
        Share of zeros among the weights, 0..1.
    """

    origin: str
    ifmap: MaskStatistics
    weight_origin: str = ""
    weight_zero_fraction: float = 0.0


def zeros_used(layer: ArrayLayer, zeros: LayerZeros) -> ZerosUsed:
    """Count the mask of a layer's ifmap over the images that it ran with."""
    weight = zeros.weight.zero_fraction
    return ZerosUsed(
        origin=zeros.mask(layer, Operand.IFMAP).origin,
        ifmap=statistics_of(zeros.nonzero(layer, Operand.IFMAP), layer),
        weight_origin=zeros.mask(layer, Operand.WEIGHT).origin if weight else "",
        weight_zero_fraction=weight,
    )

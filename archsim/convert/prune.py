"""Weights set to zero: single ones, 2-D kernels or output channels, the smallest first.

Called by the conversion pipeline behind `fold_batchnorm.py`. What is asked for is text, e.g. ``magnitude:0.5``;
`parse_prune` makes a `PruneRequest` of it, `prune_network` follows it. The masks keep zeros zero in later passes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from archsim.convert.float_network import AnyFloatNode, FloatArray, FloatBatchNorm, FloatConv, FloatDense, FloatNetwork
from archsim.convert.han_densities import HAN_DENSITIES, WeightDensity
from archsim.errors import WorkloadError

Mask = NDArray[np.bool_]

GRAMMAR = (
    "magnitude:SHARE, magnitude:SHARE:global, kernels:SHARE, channels:SHARE (shares removed, 0 or more and below 1), "
    f"han:NETWORK ({', '.join(HAN_DENSITIES)}), or several with commas between them"
)
"""What `parse_prune` reads."""


class PruneKind(StrEnum):
    """What is removed whole."""

    CHANNELS = "channels"
    """Output channels with their bias, least L1 norm first; those of the last layer, the classes, stay."""
    KERNELS = "kernels"
    """2-D slices of filters (R x S), least L1 norm first; dense layers stay."""
    MAGNITUDE = "magnitude"
    """Single weights, least magnitude first."""
    HAN = "han"
    """As magnitude, to the densities that Han et al. reached after retraining."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneStep:
    """One way of pruning.

    Parameters
    ----------
    kind
        What is removed.
    share
        Removed of each layer, 0 <= share < 1.
    is_global
        ``magnitude`` only: the share is of all weights of the network together.
    network
        ``han`` only: whose densities.
    """

    kind: PruneKind
    share: float = 0.0
    is_global: bool = False
    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRequest:
    """Steps in their order: whole channels, whole kernels, single weights.

    Parameters
    ----------
    text
        As it was asked for.
    steps
        At least one.
    """

    text: str
    steps: tuple[PruneStep, ...]


def parse_prune(text: str) -> PruneRequest:
    """Read a request, e.g. ``magnitude:0.5`` or ``channels:0.25,magnitude:0.5``.

    Raises
    ------
    ValueError
        It is none of `GRAMMAR`.
    """
    steps = [_parse_step(part.strip()) for part in text.split(",")]
    order = list(PruneKind)
    return PruneRequest(text=text, steps=tuple(sorted(steps, key=lambda step: order.index(step.kind))))


def prune_network(network: FloatNetwork, request: PruneRequest) -> tuple[FloatNetwork, dict[str, Mask]]:
    """Set weights to zero.

    Parameters
    ----------
    network
        Without batch norm.
    request
        Shares are of all weights, those that are zero before included.

    Returns
    -------
    network
        Its removed weights exactly 0; a removed channel's bias too.
    masks
        Name of each weighted layer -> bool array shaped as its weight, True = kept.

    Raises
    ------
    WorkloadError
        A batch norm is left, or the layers are not those of the network whose densities are asked for.

    Notes
    -----
    Not modelled: removed channels stay in the shapes as zeros; retraining, without which the published densities
    cost accuracy.
    """
    norm = next((node for node in network.nodes if isinstance(node, FloatBatchNorm)), None)
    if norm is not None:
        raise WorkloadError(f"node {norm.name!r}: a batch norm must be folded before pruning. Fold it first.")
    masks = {node.name: np.ones(node.weight.shape, dtype=np.bool_) for node in network.weighted}
    for step in request.steps:
        removed = dict(_removed(network, step))
        masks = {name: mask & ~removed.get(name, np.zeros_like(mask)) for name, mask in masks.items()}
        network = _masked(network, masks, drops_bias=step.kind is PruneKind.CHANNELS)
    return network, masks


def _parse_step(part: str) -> PruneStep:
    kind, _, value = part.partition(":")
    value, _, scope = value.partition(":")
    if kind not in set(PruneKind):
        raise ValueError(f"{kind!r} is no way of pruning. Allowed: {GRAMMAR}.")
    if scope and (scope != "global" or kind != PruneKind.MAGNITUDE):
        raise ValueError(f"{scope!r} cannot stand behind '{kind}:{value}'. Allowed: {GRAMMAR}.")
    if kind == PruneKind.HAN:
        if value not in HAN_DENSITIES:
            raise ValueError(f"no densities are known of {value!r}. Allowed: {GRAMMAR}.")
        return PruneStep(kind=PruneKind.HAN, network=value)
    return PruneStep(kind=PruneKind(kind), share=_parse_share(value), is_global=bool(scope))


def _parse_share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise ValueError(f"the share {value!r} is no number of 0 or more and below 1. Allowed: {GRAMMAR}.")
    return share


def _removed(network: FloatNetwork, step: PruneStep) -> Iterator[tuple[str, Mask]]:
    """Yield (layer, True where a weight goes)."""
    layers = network.weighted
    match step.kind:
        case PruneKind.CHANNELS:
            for node in layers[:-1]:
                norms = np.abs(node.weight).reshape(len(node.weight), -1).sum(axis=1)
                yield node.name, _spread(_smallest(norms, step.share), node.weight)
        case PruneKind.KERNELS:
            for node in layers:
                if isinstance(node, FloatConv):
                    yield node.name, _spread(_smallest(np.abs(node.weight).sum(axis=(2, 3)), step.share), node.weight)
        case PruneKind.MAGNITUDE if step.is_global:
            yield from _smallest_of_all(layers, step.share)
        case PruneKind.MAGNITUDE:
            for node in layers:
                yield node.name, _smallest(np.abs(node.weight), step.share)
        case PruneKind.HAN:
            for node, density in zip(layers, _densities_for(network, step.network), strict=True):
                yield node.name, _smallest(np.abs(node.weight), 1 - density.kept)


def _smallest(sizes: FloatArray, share: float) -> Mask:
    """Mark the smallest ``share`` of the values, to the nearest whole number; of equal ones the first."""
    marked = np.zeros(sizes.size, dtype=np.bool_)
    marked[np.argsort(sizes, axis=None, kind="stable")[: round(share * sizes.size)]] = True
    return marked.reshape(sizes.shape)


def _smallest_of_all(layers: Iterable[FloatConv | FloatDense], share: float) -> Iterator[tuple[str, Mask]]:
    nodes = list(layers)
    marked = _smallest(np.concatenate([np.abs(node.weight).ravel() for node in nodes]), share)
    ends = np.cumsum([node.weight.size for node in nodes])[:-1]
    for node, part in zip(nodes, np.split(marked, ends), strict=True):
        yield node.name, part.reshape(node.weight.shape)


def _spread(marked: Mask, weight: FloatArray) -> Mask:
    """Give every weight of a marked channel or kernel its mark."""
    return np.broadcast_to(marked.reshape(*marked.shape, *(1,) * (weight.ndim - marked.ndim)), weight.shape)


def _masked(network: FloatNetwork, masks: dict[str, Mask], *, drops_bias: bool) -> FloatNetwork:
    changed: dict[str, AnyFloatNode] = {}
    for node in network.weighted:
        mask = masks[node.name]
        bias = node.bias
        if drops_bias and bias is not None:
            bias = np.where(mask.reshape(len(mask), -1).any(axis=1), bias, 0.0)
        changed[node.name] = replace(node, weight=np.where(mask, node.weight, 0.0), bias=bias)
    return network.with_nodes(changed)


def _densities_for(network: FloatNetwork, known: str) -> tuple[WeightDensity, ...]:
    densities = HAN_DENSITIES[known]
    wanted = ["conv" if density.is_conv else "fc" for density in densities]
    found = ["conv" if isinstance(node, FloatConv) else "fc" for node in network.weighted]
    if wanted != found:
        raise WorkloadError(
            f"network {network.name!r} has the weighted layers {' '.join(found)}, but the densities of {known} are for "
            f"{' '.join(wanted)}. Ask for magnitude:SHARE instead."
        )
    return densities

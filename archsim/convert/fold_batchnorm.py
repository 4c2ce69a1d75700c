"""Batch norm into the weights and biases in front of it, so that no batch norm is left.

Called by the conversion pipeline before anything else changes weights: a batch norm rescales channels, which
would undo clustering. ``W' = W * g``, ``B' = shift + (B - mean) * g`` with ``g = scale / sqrt(variance + epsilon)``
per output channel, in float64.
"""

from dataclasses import replace

import numpy as np

from archsim.convert.float_network import (
    AnyFloatNode,
    FloatArray,
    FloatBatchNorm,
    FloatConv,
    FloatDense,
    FloatNetwork,
)
from archsim.convert.float_run import logits
from archsim.convert.float_shapes import ofmap_shapes
from archsim.errors import WorkloadError

Weighted = FloatConv | FloatDense


def fold_batchnorm(network: FloatNetwork) -> FloatNetwork:
    """Leave no batch norm in a network.

    One behind a conv or dense layer that nobody else reads goes into that layer. One that stands alone on
    images (behind a pool, a relu, a sum, or in front of a padded conv) becomes a depthwise 1x1 convolution of
    its own name, which is exact and leaves padding alone. One that stands alone on a vector goes into the dense
    layers behind it.

    Raises
    ------
    WorkloadError
        A batch norm on a vector stands alone and not only dense layers read it.
    """
    network = merge_into_layers(network, frozenset(_batchnorm_names(network)))
    shapes = ofmap_shapes(network)
    for name in reversed(_batchnorm_names(network)):  # so that of two in a row the second goes first
        norm = _batchnorm(network, name)
        is_image = len(shapes[name]) == 3
        network = network.with_nodes({name: _as_depthwise(norm)}) if is_image else _into_readers(network, norm)
    return network


def merge_into_layers(network: FloatNetwork, names: frozenset[str]) -> FloatNetwork:
    """Fold the batch norms of these names into the conv or dense layer in front, where only they read it."""
    for name in _batchnorm_names(network):
        norm = _batchnorm(network, name)
        layer = _layer_in_front(network, norm)
        if name in names and layer is not None:
            network = _without(network.with_nodes({layer.name: _folded(layer, norm)}), norm)
    return network


def largest_logit_difference(before: FloatNetwork, after: FloatNetwork, images: FloatArray) -> float:
    """Largest absolute difference of any logit of any image: what a pass that must change nothing has changed.

    Parameters
    ----------
    before, after
        Two networks of the same input and classes.
    images
        float64 array, shape (N, C, H, W) or (N, C).
    """
    return float(np.max(np.abs(logits(before, images) - logits(after, images)), initial=0.0))


def _batchnorm_names(network: FloatNetwork) -> list[str]:
    return [node.name for node in network.nodes if isinstance(node, FloatBatchNorm)]


def _batchnorm(network: FloatNetwork, name: str) -> FloatBatchNorm:
    """Look it up as it is now: an earlier fold may have changed what it reads."""
    return next(node for node in network.nodes if isinstance(node, FloatBatchNorm) and node.name == name)


def _layer_in_front(network: FloatNetwork, norm: FloatBatchNorm) -> Weighted | None:
    """Conv or dense layer that only the batch norm reads; None where there is none."""
    layer = next((node for node in network.weighted if node.name == norm.sources[0]), None)
    return layer if layer is not None and len(_readers(network, layer.name)) == 1 else None


def _readers(network: FloatNetwork, name: str) -> list[AnyFloatNode]:
    return [node for node in network.nodes for source in node.sources if source == name]


def _folded(layer: Weighted, norm: FloatBatchNorm) -> Weighted:
    gain = norm.gain
    bias = np.zeros_like(gain) if layer.bias is None else layer.bias
    weight = layer.weight * gain.reshape(-1, *(1,) * (layer.weight.ndim - 1))
    return replace(layer, weight=weight, bias=norm.shift + (bias - norm.mean) * gain)


def _without(network: FloatNetwork, gone: FloatBatchNorm) -> FloatNetwork:
    """Network in which the readers of a node read its source instead."""
    kept = (node for node in network.nodes if node.name != gone.name)
    nodes = (
        replace(node, sources=tuple(gone.sources[0] if name == gone.name else name for name in node.sources))
        for node in kept
    )
    return replace(network, nodes=tuple(nodes))


def _as_depthwise(norm: FloatBatchNorm) -> FloatConv:
    return FloatConv(
        name=norm.name,
        sources=norm.sources,
        weight=norm.gain.reshape(-1, 1, 1, 1),
        bias=norm.offset,
        groups=len(norm.gain),
    )


def _into_readers(network: FloatNetwork, norm: FloatBatchNorm) -> FloatNetwork:
    readers = _readers(network, norm.name)
    dense = [node for node in readers if isinstance(node, FloatDense)]
    if not dense or len(dense) < len(readers):
        raise WorkloadError(
            f"node {norm.name!r} (BatchNormalization): it follows no conv or dense layer that it could be folded into, "
            "and not only dense layers read it. Move it directly behind a conv or dense layer, and export the model again."
        )
    return _without(network.with_nodes({node.name: _behind(node, norm) for node in dense}), norm)


def _behind(layer: FloatDense, norm: FloatBatchNorm) -> FloatDense:
    moved = layer.weight @ norm.offset
    return replace(layer, weight=layer.weight * norm.gain, bias=moved if layer.bias is None else layer.bias + moved)

"""Bits that a network's weights take, as floats and as converted. Called by `pipeline.py`."""

from archsim.convert.cluster import ClusteredNetwork
from archsim.convert.cluster_size import BIAS_BITS, FLOAT_BITS, StoredWidths, clustered_size
from archsim.convert.float_network import FloatNetwork
from archsim.workload.coded_network import CodedNetwork, CodedProduct

EXPONENT_BITS = 8
"""Of one scale, where a layer has one per channel; a layer's only scale is part of its description. [b]"""


def float_bits(network: FloatNetwork) -> int:
    """Return the bits of all weights and biases at 32 bits each. [b]"""
    words = sum(node.weight.size + (0 if node.bias is None else node.bias.size) for node in network.weighted)
    return FLOAT_BITS * words


def clustered_float_bits(clustered: ClusteredNetwork) -> int:
    """Return the bits of pointers, and of codebooks and all else at 32 bits a value. [b]"""
    return clustered_size(clustered, StoredWidths(table=FLOAT_BITS, weight=FLOAT_BITS, bias=FLOAT_BITS)).total_bits


def layer_bits(layer: CodedProduct) -> int:
    """Return the bits of one layer: weights or pointers, biases, scales; its codebook is counted apart. [b]"""
    weight = layer.weight
    words = layer.clusters.pointers.size if layer.clusters else weight.codes.size
    width = layer.clusters.pointer_bits if layer.clusters else weight.format.width_bits
    has_bias = layer.bias is not None or layer.bias_values is not None
    if weight.scales is not None:
        scale_bits = FLOAT_BITS * weight.scales.size
    else:
        scale_bits = EXPONENT_BITS * weight.exponents.size if weight.exponents.ndim else 0
    return words * width + (BIAS_BITS * len(weight.codes) if has_bias else 0) + scale_bits


def codebook_bits(network: CodedNetwork) -> int:
    """Return the bits of all codebooks, each once. [b]"""
    books = {
        layer.clusters.codebook: layer.clusters.entries * layer.weight.codes[0, 0].size * layer.weight.format.width_bits
        for layer in network.products
        if layer.clusters
    }
    return sum(books.values())


def coded_bits(network: CodedNetwork) -> int:
    """Return the bits of all weights, biases, scales and codebooks. [b]"""
    return sum(layer_bits(layer) for layer in network.products) + codebook_bits(network)

"""Conv, Gemm and MatMul into nodes with weights. Called by `float_reader.py` through `float_nodes.py`."""

import numpy as np

from archsim.convert.conv_layers import make_conv
from archsim.convert.float_facts import FloatFacts, Nodes, pair, real
from archsim.convert.float_network import FloatArray, FloatConv, FloatDense


def make_conv_node(told: FloatFacts) -> Nodes:
    """Conv over two axes.

    Raises
    ------
    WorkloadError
        Filters are not stored or not 2-D, or do not fit.
    """
    weight, bias = told.stored(1), told.numbers(2)
    if weight.ndim != 4:
        raise told.refuse(f"its filters have {weight.ndim - 2} axes, not 2")
    layer = make_conv(told.facts)[0]
    return (
        FloatConv(
            name=told.name,
            sources=told.sources,
            weight=weight,
            bias=_bias(bias, len(weight)),
            stride=pair(layer.stride),
            padding=(layer.padding[0], layer.padding[1]),
            dilation=pair(layer.dilation),
            groups=layer.groups,
        ),
    )


def make_gemm_node(told: FloatFacts) -> Nodes:
    """Gemm of a vector per image with a stored matrix. Raises as `make_conv_node`."""
    if told.makers[0] is None or told.node.integer("transA", 0):
        raise told.refuse("its first matrix is stored or transposed")
    weight, bias = told.stored(1), told.numbers(2)
    weight = weight if told.node.integer("transB", 0) else weight.T
    if len(told.ifmap) != 2 or weight.shape[1] != told.ifmap[1]:
        raise told.refuse(f"its matrices are {list(told.ifmap)} and {list(weight.shape[::-1])}")
    weight = np.ascontiguousarray(weight * real(told.node, "alpha", 1.0))
    scaled = None if bias is None else np.broadcast_to(bias * real(told.node, "beta", 1.0), told.ofmap)
    return (FloatDense(name=told.name, sources=told.sources, weight=weight, bias=_bias(scaled, len(weight))),)


def make_matmul_node(told: FloatFacts) -> Nodes:
    """MatMul of a vector per image with a stored matrix. Raises as `make_conv_node`."""
    weight = told.stored(1)
    if len(told.ifmap) != 2 or weight.ndim != 2:
        raise told.refuse(f"its matrices are {list(told.ifmap)} and {list(weight.shape)}")
    return (FloatDense(name=told.name, sources=told.sources, weight=np.ascontiguousarray(weight.T), bias=None),)


def _bias(numbers: FloatArray | None, channels: int) -> FloatArray | None:
    """Return one number per output channel; None where all are zero, as exporters write for no bias."""
    if numbers is None or not numbers.any():
        return None
    return np.broadcast_to(numbers.ravel(), channels).copy()

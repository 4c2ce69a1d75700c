"""Small ONNX networks of unusual shapes, for the whole path of a conversion. Each takes an image ``x`` and makes ``y``."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from onnx import NodeProto, helper

from tests.convert.float_models import weights

CLASSES = 3
node = helper.make_node


class Odd(NamedTuple):
    """Nodes, the shape of the input without its batch, and stored tensors."""

    nodes: list[NodeProto]
    shape: tuple[int, ...]
    stored: dict[str, np.ndarray]


def tail(words: int, source: str = "f") -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    """A Flatten and a dense layer that makes the classes."""
    nodes = [node("Flatten", [source], ["v"], "flat"), node("Gemm", ["v", "fw", "fb"], ["y"], "fc")]
    return nodes, {"fw": weights(words, CLASSES, seed=5), "fb": weights(CLASSES, seed=6)}


def one_conv(shape: tuple[int, int, int], filters: tuple[int, ...], words: int, *, bias: Any = None, **how: Any) -> Odd:
    """Convolution, relu, dense layer."""
    reads = ["x", "w"] if bias is False else ["x", "w", "b"]
    nodes, stored = tail(words)
    stored["w"] = weights(*filters, seed=1)
    if bias is not False:
        stored["b"] = weights(filters[0], seed=2) if bias is None else np.asarray(bias, dtype=np.float32)
    head = [node("Conv", reads, ["c"], "conv", **how), node("Relu", ["c"], ["f"], "relu")]
    return Odd(head + nodes, shape, stored)


def _zero_channel() -> Odd:
    made = one_conv((2, 5, 5), (3, 2, 3, 3), 27)
    made.stored["w"][1] = 0
    return made


def _dead_relu() -> Odd:
    return one_conv((2, 5, 5), (3, 2, 3, 3), 27, bias=[-1e4, -1e4, -1e4])


def _no_biases() -> Odd:
    made = one_conv((2, 5, 5), (3, 2, 3, 3), 27, bias=False)
    made.nodes[-1] = node("MatMul", ["v", "fw"], ["y"], "fc")
    del made.stored["fb"]
    return made


def _dense_only() -> Odd:
    stored = {"a": weights(6, 8, seed=1), "ab": weights(8), "fw": weights(8, CLASSES), "fb": weights(CLASSES)}
    nodes = [
        node("Gemm", ["x", "a", "ab"], ["h"], "first"),
        node("Relu", ["h"], ["r"], "relu"),
        node("Gemm", ["r", "fw", "fb"], ["y"], "fc"),
    ]
    return Odd(nodes, (6,), stored)


def _residual(*, relu_of_both: bool) -> Odd:
    """The sum of two convolutions whose values differ 50 times; or a relu read by a convolution and by the sum."""
    nodes, stored = tail(36)
    stored |= {"w": weights(4, 2, 3, 3, seed=1), "b": weights(4), "u": 50 * weights(4, 4, 1, 1, seed=3)}
    second = "r" if relu_of_both else "c"
    head = [
        node("Conv", ["x", "w", "b"], ["c"], "conv"),
        node("Relu", ["c"], ["r"], "relu"),
        node("Conv", ["r", "u"], ["d"], "point"),
        node("Add", ["d", second], ["s"], "sum"),
        node("Relu", ["s"], ["f"], "relu_of_sum"),
    ]
    return Odd(head + nodes, (2, 5, 5), stored)


def _pooled(words: int, *pool: NodeProto, relu_behind: bool = False) -> Odd:
    nodes, stored = tail(words)
    stored |= {"w": weights(4, 1, 3, 3, seed=1), "b": weights(4)}
    head = [node("Conv", ["x", "w", "b"], ["c"], "conv"), *pool]
    if relu_behind:
        head.append(node("Relu", ["p"], ["f"], "relu"))
    return Odd(head + nodes, (1, 8, 8), stored)


def _pool(kind: str, output: str = "f", **how: Any) -> NodeProto:
    return node(kind, ["c"], [output], "pool", **how)


ODD: dict[str, Callable[[], Odd]] = {
    "1x1": lambda: one_conv((3, 4, 4), (5, 3, 1, 1), 80),
    "stride 4": lambda: one_conv((2, 9, 9), (3, 2, 3, 3), 12, strides=[4, 4]),
    "stride 4 of 1x1": lambda: one_conv((2, 9, 9), (3, 2, 1, 1), 27, strides=[4, 4]),
    "groups": lambda: one_conv((4, 5, 5), (6, 2, 3, 3), 54, group=2),
    "depthwise": lambda: one_conv((4, 5, 5), (4, 1, 3, 3), 36, group=4),
    "one channel": lambda: one_conv((1, 4, 4), (1, 1, 2, 2), 9),
    "dilation": lambda: one_conv((2, 7, 7), (3, 2, 3, 3), 27, dilations=[2, 2]),
    "kernel beyond image": lambda: one_conv((2, 3, 3), (3, 2, 7, 7), 27, pads=[3, 3, 3, 3]),
    "uneven padding": lambda: one_conv((2, 4, 4), (3, 2, 3, 3), 60, pads=[1, 2, 1, 1]),
    "large biases": lambda: one_conv((2, 5, 5), (3, 2, 3, 3), 27, bias=[3e4, 1e4, 5e4]),
    "no biases": _no_biases,
    "zero channel": _zero_channel,
    "dead relu": _dead_relu,
    "dense only": _dense_only,
    "two scales added": lambda: _residual(relu_of_both=False),
    "relu read twice": lambda: _residual(relu_of_both=True),
    "average pool": lambda: _pooled(36, _pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2])),
    "average of 3x3": lambda: _pooled(16, _pool("AveragePool", kernel_shape=[3, 3], strides=[3, 3])),
    "average with a rim": lambda: _pooled(
        36, _pool("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    ),
    "global average": lambda: _pooled(4, _pool("GlobalAveragePool")),
    "max pool": lambda: _pooled(36, _pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2])),
    "relu behind a max pool": lambda: _pooled(
        36, _pool("MaxPool", "p", kernel_shape=[2, 2], strides=[2, 2]), relu_behind=True
    ),
    "relu behind an average": lambda: _pooled(
        36, _pool("AveragePool", "p", kernel_shape=[2, 2], strides=[2, 2]), relu_behind=True
    ),
}
"""Name -> what makes the network."""
ROUNDED_RECIPROCALS = frozenset({"average of 3x3", "average with a rim", "global average"})
"""Those with averages that a division by no power of two makes: a code may be the neighbour of the exact one."""

"""A network with its weights, as floats: what the passes of the conversion work on.

`float_reader.py` makes one from ONNX; `fold_batchnorm.py`, `prune.py` and `cluster.py` return changed ones;
`quantise.py` makes a CodedNetwork of the last. Batch axis is not part of any shape.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsim.terms import PoolKind

FloatArray = NDArray[np.float64]
PadPair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatNode:
    """What all share: a name of its own, and the names of the nodes it reads ("" = the network's input)."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatConv(FloatNode):
    """A 2-D convolution: weight (K, C/groups, R, S), bias (K,)."""

    weight: FloatArray
    bias: FloatArray | None
    stride: tuple[int, int] = (1, 1)
    padding: tuple[PadPair, PadPair] = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatDense(FloatNode):
    """A dense layer: weight (K, C) = (out, in), bias (K,)."""

    weight: FloatArray
    bias: FloatArray | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatBatchNorm(FloatNode):
    """``(x - mean) / sqrt(variance + epsilon) * scale + shift`` per channel, each array (C,)."""

    scale: FloatArray
    shift: FloatArray
    mean: FloatArray
    variance: FloatArray
    epsilon: float

    @property
    def gain(self) -> FloatArray:
        """Factor of each channel, (C,)."""
        return self.scale / np.sqrt(self.variance + self.epsilon)

    @property
    def offset(self) -> FloatArray:
        """What a zero of each channel becomes, (C,)."""
        return self.shift - self.mean * self.gain


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatRelu(FloatNode):
    """``max(x, 0)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatPool(FloatNode):
    """A 2-D pooling window; padding never counts in a maximum, nor in an average unless ``counts_padding``."""

    kind: PoolKind
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[PadPair, PadPair] = ((0, 0), (0, 0))
    counts_padding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatAdd(FloatNode):
    """The sum of two tensors of one shape: a residual connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatFlatten(FloatNode):
    """(C, H, W) to (C * H * W,), C order."""


AnyFloatNode = FloatConv | FloatDense | FloatBatchNorm | FloatRelu | FloatPool | FloatAdd | FloatFlatten


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FloatNetwork:
    """Nodes in running order.

    Parameters
    ----------
    name
        Of the model file.
    ifmap_shape
        Of one input: (C, H, W), or (C,) for a network of dense layers only.
    nodes
        The last one makes the logits. A final softmax is left out: it moves no maximum.
    source
        Where it came from, for reports.
    content_hash
        Of the model file.
    """

    name: str
    ifmap_shape: tuple[int, ...]
    nodes: tuple[AnyFloatNode, ...]
    source: str = ""
    content_hash: str = ""

    def with_nodes(self, changed: dict[str, AnyFloatNode]) -> "FloatNetwork":
        """Return the network with the nodes of these names replaced."""
        return replace(self, nodes=tuple(changed.get(node.name, node) for node in self.nodes))

    @property
    def weighted(self) -> tuple["FloatConv | FloatDense", ...]:
        """The nodes that have weights."""
        return tuple(node for node in self.nodes if isinstance(node, FloatConv | FloatDense))

"""A float network run forwards and backwards: how its logits answer to every weight and bias.

`fine_tune.py` calls it. Arrays are float32 with the batch as the last axis, (C, H, W, N) or (C, N), so that every copy
of a window runs along whole batches; convolutions are matrix products over columns of windows (im2col).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from archsim.convert.float_network import (
    AnyFloatNode,
    FloatAdd,
    FloatConv,
    FloatDense,
    FloatFlatten,
    FloatNetwork,
    FloatPool,
    FloatRelu,
)
from archsim.convert.window_cuts import Array, cut_taps, pad, padded_shape, unpad
from archsim.errors import WorkloadError
from archsim.terms import PoolKind


class Part(StrEnum):
    """What a trained array is."""

    WEIGHT = "weight"
    BIAS = "bias"
    CODEBOOK = "codebook"


Key = tuple[Part, str]
"""An array and the node, or codebook, that owns it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightThrough:
    """A function with steps, such as rounding, whose gradient is taken as 1 between two limits and 0 outside.

    Parameters
    ----------
    function
        Values to values of the same shape.
    lowest, highest
        Limits of what it was given; beyond them it saturates. Infinite = the gradient passes everywhere.

    References
    ----------
    .. [1] Y. Bengio, N. Leonard and A. Courville, Estimating or propagating gradients through stochastic neurons for
       conditional computation, arXiv 1308.3432, 2013: the straight-through estimator.
    """

    function: Callable[[Array], Array]
    lowest: float = -np.inf
    highest: float = np.inf

    def passes(self, values: Array, gradient: Array) -> Array:
        """Gradient of what the function was given, from that of what it gave."""
        if np.isinf(self.lowest) and np.isinf(self.highest):
            return gradient
        return np.where((values >= self.lowest) & (values <= self.highest), gradient, np.float32(0))


@dataclass(slots=True, kw_only=True)
class Trace:
    """What one batch left on its way through the network, for the way back.

    Parameters
    ----------
    arrays
        Weights and biases that were used.
    ofmaps
        Node -> what its readers saw; ``""`` -> the images.
    unwritten
        Node -> its ofmap before it was written in another format, where it was.
    columns
        Convolution -> its windows, shape (groups, C/groups * R * S, P * Q * N).
    """

    arrays: Mapping[Key, Array]
    ofmaps: dict[str, Array] = field(default_factory=dict)
    unwritten: dict[str, Array] = field(default_factory=dict)
    columns: dict[str, Array] = field(default_factory=dict)


def run_forwards(
    network: FloatNetwork,
    arrays: Mapping[Key, Array],
    images: Array,
    written: Mapping[str, StraightThrough] | None = None,
) -> Trace:
    """Run one batch.

    Parameters
    ----------
    network
        Gives the nodes; its weights are not used.
    arrays
        Weight and bias of every layer that has them.
    images
        Shape (N, C, H, W) or (N, C).
    written
        Node (``""`` = the images) -> how its ofmap is rounded before it is read.

    Raises
    ------
    WorkloadError
        The network has a batch norm.
    """
    trace = Trace(arrays=arrays)
    _write(trace, "", np.ascontiguousarray(np.moveaxis(images, 0, -1), dtype=np.float32), written or {})
    for node in network.nodes:
        if type(node) not in _WAYS:
            raise WorkloadError(
                f"node {node.name!r}: a batch norm cannot be trained here. Fold it into its layer first."
            )
        forwards, _ = _WAYS[type(node)]
        _write(trace, node.name, forwards(node, trace), written or {})
    return trace


def run_backwards(
    network: FloatNetwork, trace: Trace, gradient: Array, written: Mapping[str, StraightThrough] | None = None
) -> dict[Key, Array]:
    """Carry the gradient of the logits back to every weight and bias.

    Parameters
    ----------
    network, written
        As on the way forwards.
    trace
        Of the way forwards.
    gradient
        Of a loss in the logits, shape (classes, N).

    Returns
    -------
    dict
        As ``trace.arrays``, summed over the batch.
    """
    found: dict[Key, Array] = {}
    reaching: dict[str, Array] = {network.nodes[-1].name: gradient}
    for node in reversed(network.nodes):
        if node.name not in reaching:  # nobody reads it
            continue
        behind = reaching.pop(node.name)
        if node.name in trace.unwritten:
            behind = (written or {})[node.name].passes(trace.unwritten[node.name], behind)
        _, backwards = _WAYS[type(node)]
        before = backwards(node, trace, behind, found)
        for source, share in zip(node.sources, before, strict=True):
            reaching[source] = reaching[source] + share if source in reaching else share
    return found


def _write(trace: Trace, name: str, ofmap: Array, written: Mapping[str, StraightThrough]) -> None:
    if name in written:
        trace.unwritten[name] = ofmap
        ofmap = np.asarray(written[name].function(ofmap), dtype=np.float32)
    trace.ofmaps[name] = ofmap


def _conv_forwards(node: FloatConv, trace: Trace) -> Array:
    ifmap, weight = trace.ofmaps[node.sources[0]], trace.arrays[Part.WEIGHT, node.name]
    padded = pad(ifmap, node.padding)
    taps = list(cut_taps(node, padded))
    channels, batch = ifmap.shape[0], ifmap.shape[-1]
    rows, columns = padded[taps[0][1]].shape[1:3]
    copied = np.empty((channels, *weight.shape[2:], rows, columns, batch), np.float32)
    for (row, column), cut in taps:
        copied[:, row, column] = padded[cut]
    trace.columns[node.name] = copied.reshape(node.groups, -1, rows * columns * batch)
    sums = _by_group(weight, node.groups) @ trace.columns[node.name]
    return _with_bias(sums.reshape(len(weight), rows, columns, batch), node, trace)


def _conv_backwards(node: FloatConv, trace: Trace, gradient: Array, found: dict[Key, Array]) -> list[Array]:
    weight = trace.arrays[Part.WEIGHT, node.name]
    grouped = gradient.reshape(node.groups, len(weight) // node.groups, -1)
    columns = trace.columns[node.name]
    found[Part.WEIGHT, node.name] = (grouped @ columns.transpose(0, 2, 1)).reshape(weight.shape)
    _bias_backwards(node, gradient, found)
    ifmap = trace.ofmaps[node.sources[0]]
    if not node.sources[0]:  # nobody asks for the gradient of the images
        return [ifmap]
    spread = _by_group(weight, node.groups).transpose(0, 2, 1) @ grouped
    by_tap = spread.reshape(len(ifmap), *weight.shape[2:], *gradient.shape[1:])
    padded = np.zeros(padded_shape(ifmap, node.padding), np.float32)
    for (row, column), cut in cut_taps(node, padded):
        padded[cut] += by_tap[:, row, column]
    return [unpad(padded, node.padding)]


def _dense_forwards(node: FloatDense, trace: Trace) -> Array:
    return _with_bias(trace.arrays[Part.WEIGHT, node.name] @ trace.ofmaps[node.sources[0]], node, trace)


def _dense_backwards(node: FloatDense, trace: Trace, gradient: Array, found: dict[Key, Array]) -> list[Array]:
    found[Part.WEIGHT, node.name] = gradient @ trace.ofmaps[node.sources[0]].T
    _bias_backwards(node, gradient, found)
    return [trace.arrays[Part.WEIGHT, node.name].T @ gradient]


def _relu_backwards(node: FloatRelu, trace: Trace, gradient: Array, _found: dict[Key, Array]) -> list[Array]:
    return [gradient * (trace.ofmaps[node.sources[0]] > 0)]


def _pool_forwards(node: FloatPool, trace: Trace) -> Array:
    is_max = node.kind is PoolKind.MAX
    padded = pad(trace.ofmaps[node.sources[0]], node.padding, -np.inf if is_max else 0.0)
    views = [padded[cut] for _, cut in cut_taps(node, padded)]
    folded = views[0].copy()
    for view in views[1:]:
        (np.maximum if is_max else np.add)(folded, view, out=folded)
    return folded if is_max else folded / _counts(node, trace)


def _pool_backwards(node: FloatPool, trace: Trace, gradient: Array, _found: dict[Key, Array]) -> list[Array]:
    """Give the gradient to the first maximum of each window, or in equal parts to all of an average."""
    ifmap = trace.ofmaps[node.sources[0]]
    gathered = np.zeros(padded_shape(ifmap, node.padding), np.float32)
    if node.kind is PoolKind.AVERAGE:
        share = gradient / _counts(node, trace)
        for _, cut in cut_taps(node, gathered):
            gathered[cut] += share
        return [unpad(gathered, node.padding)]
    padded = pad(ifmap, node.padding, -np.inf)
    largest = _pool_forwards(node, trace)
    is_open = np.ones(largest.shape, dtype=np.bool_)
    for _, cut in cut_taps(node, padded):
        is_first = is_open & (padded[cut] == largest)
        gathered[cut] += gradient * is_first
        is_open &= ~is_first
    return [unpad(gathered, node.padding)]


def _counts(node: FloatPool, trace: Trace) -> Array:
    """Values that each window averages, shape (1, P, Q, 1)."""
    ones = np.ones((1, *trace.ofmaps[node.sources[0]].shape[1:3], 1), np.float32)
    padded = pad(ones, node.padding, 1.0 if node.counts_padding else 0.0)
    counts: Array = np.sum([padded[cut] for _, cut in cut_taps(node, padded)], axis=0)
    return counts


def _flatten_backwards(node: FloatFlatten, trace: Trace, gradient: Array, _found: dict[Key, Array]) -> list[Array]:
    return [gradient.reshape(trace.ofmaps[node.sources[0]].shape)]


def _with_bias(sums: Array, node: FloatConv | FloatDense, trace: Trace) -> Array:
    bias = trace.arrays.get((Part.BIAS, node.name))
    if bias is not None:
        sums += bias.reshape(-1, *(1,) * (sums.ndim - 1))
    return sums


def _bias_backwards(node: FloatConv | FloatDense, gradient: Array, found: dict[Key, Array]) -> None:
    if node.bias is not None:
        found[Part.BIAS, node.name] = gradient.reshape(len(gradient), -1).sum(axis=1)


def _by_group(weight: Array, groups: int) -> Array:
    return weight.reshape(groups, len(weight) // groups, -1)


_WAYS: Mapping[type[AnyFloatNode], tuple[Callable[..., Array], Callable[..., list[Array]]]] = {
    FloatConv: (_conv_forwards, _conv_backwards),
    FloatDense: (_dense_forwards, _dense_backwards),
    FloatRelu: (lambda node, trace: np.maximum(trace.ofmaps[node.sources[0]], np.float32(0)), _relu_backwards),
    FloatPool: (_pool_forwards, _pool_backwards),
    FloatAdd: (
        lambda node, trace: trace.ofmaps[node.sources[0]] + trace.ofmaps[node.sources[1]],
        lambda _node, _trace, gradient, _found: [gradient, gradient],
    ),
    FloatFlatten: (
        lambda node, trace: (ifmap := trace.ofmaps[node.sources[0]]).reshape(-1, ifmap.shape[-1]),
        _flatten_backwards,
    ),
}
"""Kind of node -> what it computes, and the gradients of its sources from its own (those of its weights are put by)."""

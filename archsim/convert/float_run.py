"""A float network run on images: the reference that every pass of the conversion is held against.

Called by the passes of `convert/` and their checks. Convolutions are matrix products over columns of
windows (im2col), in float64 throughout.
"""

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

from archsim.convert.float_network import (
    AnyFloatNode,
    FloatAdd,
    FloatArray,
    FloatBatchNorm,
    FloatConv,
    FloatDense,
    FloatFlatten,
    FloatNetwork,
    FloatPool,
    FloatRelu,
    PadPair,
)
from archsim.convert.float_shapes import windows
from archsim.errors import WorkloadError
from archsim.terms import PoolKind

DEFAULT_BATCH = 500
"""Images at a time: a few hundred MB for the networks of the tests."""


def run_float(network: FloatNetwork, images: FloatArray) -> dict[str, FloatArray]:
    """Run images through a network.

    Parameters
    ----------
    network
        Its nodes in running order.
    images
        float64 array, shape (N, C, H, W) or (N, C); all at once, so the caller cuts batches.

    Returns
    -------
    dict
        Node name -> ofmap, float64 array, shape (N, ...); ``""`` -> the images.

    Raises
    ------
    WorkloadError
        The images are not of the network's shape.
    """
    if images.shape[1:] != network.ifmap_shape:
        given, wanted = ("x".join(map(str, shape)) for shape in (images.shape[1:], network.ifmap_shape))
        raise WorkloadError(f"images of {given} do not fit the network {network.name!r}, which takes {wanted}.")
    ofmaps: dict[str, FloatArray] = {"": np.asarray(images, dtype=np.float64)}
    for node in network.nodes:
        ofmaps[node.name] = run_node(node, [ofmaps[source] for source in node.sources])
    return ofmaps


def logits(network: FloatNetwork, images: FloatArray, batch: int = DEFAULT_BATCH) -> FloatArray:
    """Ofmap of the last node, in batches of images.

    Parameters
    ----------
    network
        Its last node makes the logits.
    images
        float64 array, shape (N, C, H, W) or (N, C).
    batch
        Images held at a time.

    Returns
    -------
    FloatArray
        float64 array, shape (N, classes).
    """
    last = network.nodes[-1].name
    starts = range(0, max(len(images), 1), batch)
    return np.concatenate([run_float(network, images[start : start + batch])[last] for start in starts])


def run_node(node: AnyFloatNode, ifmaps: list[FloatArray]) -> FloatArray:
    """Ofmap of one node, shape (N, ...), from the ofmaps of its sources."""
    return _RUNNERS[type(node)](node, ifmaps)


def _run_conv(node: FloatConv, ifmaps: list[FloatArray]) -> FloatArray:
    columns = _window_columns(ifmaps[0], node)
    filters = len(node.weight)
    taps = node.weight.reshape(node.groups, filters // node.groups, -1)
    # one product for all images: many small ones would wait for BLAS's threads each time
    sums = taps @ columns.reshape(node.groups, taps.shape[2], -1)
    ofmap = sums.reshape(filters, *columns.shape[3:]).swapaxes(0, 1)
    return np.ascontiguousarray(ofmap if node.bias is None else ofmap + node.bias[:, None, None])


def _window_columns(ifmap: FloatArray, node: FloatConv) -> FloatArray:
    """Copy the values under each filter tap, zeros in the padding: shape (C, R, S, N, P, Q)."""
    kernel = (node.weight.shape[2], node.weight.shape[3])
    padded = _padded(ifmap, node.padding, 0.0)
    rows, columns = (
        windows(size, (taps - 1) * step + 1, stride, (0, 0))
        for size, taps, step, stride in zip(padded.shape[2:], kernel, node.dilation, node.stride, strict=True)
    )
    images, channels = ifmap.shape[:2]
    copied = np.empty((channels, *kernel, images, rows, columns))
    for row, column in product(*map(range, kernel)):
        first = (row * node.dilation[0], column * node.dilation[1])
        copied[:, row, column] = _tap(padded, first, node.stride, (rows, columns)).swapaxes(0, 1)
    return copied


def _run_dense(node: FloatDense, ifmaps: list[FloatArray]) -> FloatArray:
    sums = ifmaps[0] @ node.weight.T
    return sums if node.bias is None else sums + node.bias


def _run_batchnorm(node: FloatBatchNorm, ifmaps: list[FloatArray]) -> FloatArray:
    ifmap = ifmaps[0]
    per_channel = (-1, *(1,) * (ifmap.ndim - 2))
    return (ifmap - node.mean.reshape(per_channel)) * node.gain.reshape(per_channel) + node.shift.reshape(per_channel)


def _run_pool(node: FloatPool, ifmaps: list[FloatArray]) -> FloatArray:
    is_max = node.kind is PoolKind.MAX
    ifmap = ifmaps[0]
    folded = _fold_windows(node, ifmap, -np.inf if is_max else 0.0, np.maximum if is_max else np.add)
    if is_max:
        return folded
    if node.counts_padding:
        return folded / (node.kernel[0] * node.kernel[1])
    return folded / _fold_windows(node, np.ones((1, 1, *ifmap.shape[2:])), 0.0, np.add)


def _fold_windows(
    node: FloatPool, ifmap: FloatArray, outside: float, fold: Callable[[FloatArray, FloatArray], FloatArray]
) -> FloatArray:
    padded = _padded(ifmap, node.padding, outside)
    axes = zip(padded.shape[2:], node.kernel, node.stride, strict=True)
    rows, columns = (windows(size, taps, stride, (0, 0)) for size, taps, stride in axes)
    folded = np.full((*ifmap.shape[:2], rows, columns), outside)
    for first in product(*map(range, node.kernel)):
        folded = fold(folded, _tap(padded, (first[0], first[1]), node.stride, (rows, columns)))
    return folded


def _padded(ifmap: FloatArray, padding: tuple[PadPair, PadPair], value: float) -> FloatArray:
    if not any(map(sum, padding)):
        return ifmap
    return np.pad(ifmap, ((0, 0), (0, 0), *padding), constant_values=value)


def _tap(padded: FloatArray, first: tuple[int, int], stride: tuple[int, int], count: tuple[int, int]) -> FloatArray:
    """View of the value that lies at ``first`` in every window."""
    cuts = [slice(at, at + (many - 1) * step + 1, step) for at, step, many in zip(first, stride, count, strict=True)]
    return padded[:, :, cuts[0], cuts[1]]


_RUNNERS: Mapping[type, Callable[..., FloatArray]] = {
    FloatConv: _run_conv,
    FloatDense: _run_dense,
    FloatBatchNorm: _run_batchnorm,
    FloatRelu: lambda _node, ifmaps: np.maximum(ifmaps[0], 0.0),
    FloatPool: _run_pool,
    FloatAdd: lambda _node, ifmaps: ifmaps[0] + ifmaps[1],
    FloatFlatten: lambda _node, ifmaps: ifmaps[0].reshape(len(ifmaps[0]), -1),
}
"""Kind of node -> what it computes."""

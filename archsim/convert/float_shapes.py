"""Shapes of every ofmap of a float network, and whether its nodes fit each other.

Called by `float_run.py`, `fold_batchnorm.py` and the passes that need a layer's size. Batch axis left out.
"""

from collections.abc import Mapping
from math import prod

from archsim.convert.float_network import (
    AnyFloatNode,
    FloatAdd,
    FloatConv,
    FloatDense,
    FloatFlatten,
    FloatNetwork,
    FloatPool,
    PadPair,
)
from archsim.errors import WorkloadError

Shape = tuple[int, ...]


def ofmap_shapes(network: FloatNetwork) -> dict[str, Shape]:
    """Shape of what each node makes; ``""`` is the network's input.

    Returns
    -------
    dict
        Node name -> (C, H, W) or (C,). [words]

    Raises
    ------
    WorkloadError
        A node does not fit what it reads.
    """
    shapes: dict[str, Shape] = {"": network.ifmap_shape}
    for node in network.nodes:
        shapes[node.name] = _ofmap_shape(node, shapes)
    return shapes


def windows(size: int, kernel: int, stride: int, padding: PadPair) -> int:
    """Positions of a window of ``kernel`` words along an axis of ``size`` words."""
    return (size + sum(padding) - kernel) // stride + 1


def _ofmap_shape(node: AnyFloatNode, shapes: Mapping[str, Shape]) -> Shape:
    ifmaps = [shapes[source] for source in node.sources]
    ifmap = ifmaps[0]
    match node:
        case FloatConv():
            _require(node, len(ifmap) == 3 and ifmap[0] == node.weight.shape[1] * node.groups, ifmap)
            taps = [(size - 1) * step + 1 for size, step in zip(node.weight.shape[2:], node.dilation, strict=True)]
            return (node.weight.shape[0], *_windowed(node, ifmap, (taps[0], taps[1])))
        case FloatPool():
            _require(node, len(ifmap) == 3, ifmap)
            return (ifmap[0], *_windowed(node, ifmap, node.kernel))
        case FloatDense():
            _require(node, ifmap == node.weight.shape[1:], ifmap)
            return (node.weight.shape[0],)
        case FloatAdd():
            _require(node, len(set(ifmaps)) == 1, *ifmaps)
            return ifmap
        case FloatFlatten():
            return (prod(ifmap),)
        case _:
            return ifmap


def _windowed(node: FloatConv | FloatPool, ifmap: Shape, taps: tuple[int, int]) -> Shape:
    axes = zip(ifmap[1:], taps, node.stride, node.padding, strict=True)
    sizes = tuple(windows(*axis) for axis in axes)
    _require(node, min(sizes) > 0, ifmap)
    return sizes


def _require(node: AnyFloatNode, fits: bool, *ifmaps: Shape) -> None:
    if not fits:
        shown = " and ".join("x".join(map(str, shape)) for shape in ifmaps)
        raise WorkloadError(f"node {node.name!r}: does not fit what it reads, {shown}. Export the model again.")

"""Pooling operators into nodes. Called by `float_reader.py` through `float_nodes.py`."""

import numpy as np

from archsim.convert.constant_folding import axes_of
from archsim.convert.float_facts import FloatFacts, Nodes, pair
from archsim.convert.float_network import FloatFlatten, FloatPool, PadPair
from archsim.terms import PoolKind


def make_max_pool(told: FloatFacts) -> Nodes:
    """MaxPool over two axes.

    Raises
    ------
    WorkloadError
        The window is not 2-D, dilated, or its padding does not fit it.
    """
    return _pool(told, PoolKind.MAX, counts_padding=False)


def make_average_pool(told: FloatFacts) -> Nodes:
    """AveragePool over two axes. Raises as `make_max_pool`."""
    return _pool(told, PoolKind.AVERAGE, counts_padding=bool(told.node.integer("count_include_pad", 0)))


def _pool(told: FloatFacts, kind: PoolKind, *, counts_padding: bool) -> Nodes:
    node, kernel = told.node, told.node.integers("kernel_shape") or ()
    if len(told.ifmap) != 4 or len(kernel) != 2:
        raise told.refuse(f"its window has {len(kernel)} axes over an input of {list(told.ifmap)}")
    if set(node.integers("dilations") or (1,)) != {1}:
        raise told.refuse("its window is dilated")
    if any(told.facts.written[1:]):
        raise told.refuse("its second output is read")
    stride = pair(node.integers("strides") or (1, 1))
    padding, is_grown = _pool_padding(told, pair(kernel), stride)
    if any(max(pads) >= taps for pads, taps in zip(padding, kernel, strict=True)):
        raise told.refuse(f"its padding {[list(pads) for pads in padding]} does not fit its window {list(kernel)}")
    if is_grown and counts_padding:
        raise told.refuse("it counts padding while ceil_mode lets its window run over the edge")
    pool = FloatPool(
        name=told.name,
        sources=told.sources,
        kind=kind,
        kernel=pair(kernel),
        stride=stride,
        padding=padding,
        counts_padding=counts_padding,
    )
    return (pool,)


def _pool_padding(
    told: FloatFacts, kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[tuple[PadPair, PadPair], bool]:
    """Find the padding that gives the output's shape, and whether ceil_mode made it larger."""
    how = told.node.text("auto_pad", "NOTSET") or "NOTSET"
    pads = told.node.integers("pads") or (0, 0, 0, 0)
    pairs: list[PadPair] = []
    is_grown = False
    for axis in range(2):
        size, count = told.ifmap[2 + axis], told.ofmap[2 + axis]
        before, after = (pads[axis], pads[2 + axis]) if how == "NOTSET" else (0, 0)
        missing = (count - 1) * stride[axis] + kernel[axis] - size - before - after
        if how.startswith("SAME"):
            less, more = max(missing, 0) // 2, max(missing, 0) - max(missing, 0) // 2
            before, after = (less, more) if how == "SAME_UPPER" else (more, less)
        elif missing > 0:
            after, is_grown = after + missing, True
        pairs.append((before, after))
    return (pairs[0], pairs[1]), is_grown


def make_global_average(told: FloatFacts) -> Nodes:
    """GlobalAveragePool: a window as large as the image. Raises as `make_max_pool`."""
    if len(told.ifmap) != 4:
        raise told.refuse(f"its input is {list(told.ifmap)}")
    window = pair(told.ifmap[2:])
    return (
        FloatPool(name=told.name, sources=told.sources, kind=PoolKind.AVERAGE, kernel=window, stride=window),
    )  # fmt: skip


def make_mean(told: FloatFacts) -> Nodes:
    """ReduceMean over rows and columns: the same, then flat where the axes go. Raises as `make_max_pool`."""
    listed = [told.constants.raw(name) for name in told.node.inputs[1:]]
    axes = axes_of(told.node, [np.empty(0), *(axes for axes in listed if axes is not None)], 1)
    if len(told.ifmap) != 4 or axes is None or sorted(axis % 4 for axis in axes) != [2, 3]:
        raise told.refuse(f"it averages over other axes than rows and columns of an image, {list(axes or ())}")
    pooled = make_global_average(told)
    if told.node.integer("keepdims", 1):
        return pooled
    return (*pooled, FloatFlatten(name=f"{told.name}.flatten", sources=(told.name,)))

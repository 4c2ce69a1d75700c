"""Where the windows of a convolution or pool lie in an ifmap whose last axis is the batch. Called by `gradients.py`."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from archsim.convert.float_network import FloatConv, FloatPool, PadPair
from archsim.convert.float_shapes import windows

Array = NDArray[np.float32]
Padding = tuple[PadPair, PadPair]


def cut_taps(node: FloatConv | FloatPool, padded: Array) -> Iterator[tuple[tuple[int, int], tuple[slice, ...]]]:
    """Yield (row, column) of each tap and the cut through the padded ifmap that lies under it in all windows."""
    kernel = (node.weight.shape[2], node.weight.shape[3]) if isinstance(node, FloatConv) else node.kernel
    steps = node.dilation if isinstance(node, FloatConv) else (1, 1)
    rows, columns = (
        windows(size, (taps - 1) * step + 1, stride, (0, 0))
        for size, taps, step, stride in zip(padded.shape[1:3], kernel, steps, node.stride, strict=True)
    )
    for row, column in product(range(kernel[0]), range(kernel[1])):
        top, left = row * steps[0], column * steps[1]
        down = slice(top, top + (rows - 1) * node.stride[0] + 1, node.stride[0])
        right = slice(left, left + (columns - 1) * node.stride[1] + 1, node.stride[1])
        yield (row, column), (slice(None), down, right)


def padded_shape(ifmap: Array, padding: Padding) -> tuple[int, ...]:
    """Shape of an ifmap with its padding."""
    channels, height, width, batch = ifmap.shape
    return channels, height + sum(padding[0]), width + sum(padding[1]), batch


def pad(ifmap: Array, padding: Padding, value: float = 0.0) -> Array:
    """Return the ifmap with ``value`` around it; itself where there is no padding."""
    if not any(map(sum, padding)):
        return ifmap
    padded = np.full(padded_shape(ifmap, padding), value, np.float32)
    unpad(padded, padding)[:] = ifmap
    return padded


def unpad(padded: Array, padding: Padding) -> Array:
    """View the ifmap inside its padding."""
    (top, bottom), (left, right) = padding
    return padded[:, top : padded.shape[1] - bottom, left : padded.shape[2] - right]

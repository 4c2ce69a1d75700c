"""A convolution or matrix product by its definition, for integers: one window after another."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]


def convolve(layer: ArrayLayer, ifmap: IntArray, weight: IntArray) -> IntArray:
    """Shape (images, filters, *ofmap), of a matrix (batches, rows, columns)."""
    if not isinstance(layer, ConvLayer):
        return np.einsum("bri,bic->brc", ifmap, weight)
    ofmap = np.zeros((layer.batch, layer.out_channels, *layer.ofmap), dtype=np.int64)
    after = [(before, after + 64) for before, after in layer.padding]  # a last partial window reads zeros
    padded = np.pad(ifmap, [(0, 0), (0, 0), *after])
    channels, filters = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for place in product(*map(range, layer.ofmap)):
        taps = [
            np.arange(kernel) * dilation + at * stride
            for at, stride, dilation, kernel in zip(place, layer.stride, layer.dilation, layer.kernel, strict=True)
        ]
        window = padded[np.ix_(range(layer.batch), range(layer.in_channels), *taps)]
        for group in range(layer.groups):
            read = window[:, group * channels : (group + 1) * channels].reshape(layer.batch, -1)
            made = weight[group * filters : (group + 1) * filters].reshape(filters, -1)
            ofmap[(slice(None), slice(group * filters, (group + 1) * filters), *place)] = read @ made.T
    return ofmap

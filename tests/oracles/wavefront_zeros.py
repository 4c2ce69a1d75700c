"""Wavefronts of a systolic array the slow way: every window laid out value by value, every wavefront looked at by itself."""

from itertools import product

import numpy as np

from archsim.workload.layer import ConvLayer
from tests.oracles.plane_patches import walk_patches


def matrices(layer, ifmap, weight):
    """The product of each group: its ifmap, shape (pixels, window), and its weights, shape (window, filters)."""
    if not isinstance(layer, ConvLayer):
        return list(zip(ifmap, weight, strict=True))
    channels, filters = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    made = []
    for group in range(layer.groups):
        windows = [
            [_value(layer, ifmap[image, group * channels + channel], pixel, tap)
             for channel, *tap in product(range(channels), *map(range, layer.kernel))]
            for image, *pixel in product(range(layer.batch), *map(range, layer.ofmap))
        ]  # fmt: skip
        of_group = weight[group * filters : (group + 1) * filters]
        made.append((np.array(windows), np.array([each.ravel() for each in of_group]).T))
    return made


def _value(layer, plane, pixel, tap):
    place = [at * stride + to * dilation - before for at, stride, to, dilation, (before, _) in zip(
        pixel, layer.stride, tap, layer.dilation, layer.padding, strict=True)]  # fmt: skip
    inside = all(0 <= at < size for at, size in zip(place, layer.ifmap, strict=True))
    return plane[tuple(place)] if inside else 0


def units(size, rows):
    """Elements that lie along the rows of each fold."""
    return [range(start, min(start + rows, size)) for start in range(0, size, rows)]


def patch_units(layer, shape):
    """Pixels of each patch of (lines, columns), by their number in the order of windows."""
    *_, lines, columns = (1, 1, *layer.ofmap)
    patches = walk_patches(layer, shape)
    per_plane = -(-lines // shape[0]) * -(-columns // shape[1])
    return [
        [(index // per_plane * lines + line) * columns + column for line, column in patch.pixels]
        for index, patch in enumerate(patches)
    ]


def have_values(product_of, dataflow, folds):
    """Per fold and element of the stream: whether it brings any value to the fold's rows."""
    ifmap, weight = product_of
    bring = {
        "weight_stationary": lambda fold, t: [ifmap[t, element] for element in fold],
        "output_stationary": lambda fold, t: [ifmap[pixel, t] for pixel in fold],
        "input_stationary": lambda fold, t: [weight[element, t] for element in fold],
    }[dataflow]
    length = {"weight_stationary": len(ifmap), "output_stationary": len(weight), "input_stationary": weight.shape[1]}
    return [[any(value != 0 for value in bring(fold, t)) for t in range(length[dataflow])] for fold in folds]

"""Slow reference of brick lanes: windows as lists of bricks, bricks as lists of values, dealt out one by one.

Written from the description of Cnvlutin and DaDianNao, by another route than the kernels: it pads the ifmap and cuts windows.
"""

from itertools import product
from math import ceil

import numpy as np


def windows(layer, ifmap):
    """Yield the (taps, channels of a group) values of every window of a convolution, group by group, image by image."""
    ofmap = layer.ofmap
    padded = np.pad(ifmap, [(0, 0), (0, 0), *[(low, high + 64) for low, high in layer.padding]])
    channels = layer.in_channels // layer.groups
    for group in range(layer.groups):
        part = padded[:, group * channels : (group + 1) * channels]
        for image in part:
            for at in product(*map(range, ofmap)):
                start = [place * stride for place, stride in zip(at, layer.stride, strict=True)]
                yield [
                    image[
                        (slice(None), *(s + t * d for s, t, d in zip(start, tap, layer.dilation, strict=True)))
                    ].tolist()
                    for tap in product(*map(range, layer.kernel))
                ]


def matrix_windows(ifmap):
    """Yield the one tap of every row of every product."""
    for matrix in ifmap:
        for row in matrix:
            yield [row.tolist()]


def lane_cycles(window, *, lanes, brick_values, empty_cycles):
    """Return what each lane spends in a window: its bricks are every so manieth."""
    bricks = [tap[start : start + brick_values] for tap in window for start in range(0, len(tap), brick_values)]
    spent = [0] * lanes
    for number, brick in enumerate(bricks):
        nonzero = sum(value != 0 for value in brick)
        spent[number % lanes] += nonzero or empty_cycles
    return spent


def encoded_cycles(found, *, passes, free, **bricks):
    """Return the cycles of lanes that skip, over all windows and passes of filters."""
    spent = [lane_cycles(window, **bricks) for window in found]
    if free:
        return passes * max(map(sum, zip(*spent, strict=True)))
    return passes * sum(map(max, spent))


def lock_step_cycles(found, *, passes, lanes):
    """Return the cycles of lanes that take neighbouring channels of a tap."""
    return passes * sum(ceil(len(tap) / lanes) for window in found for tap in window)

"""What the dataflow study knows of a layer: square planes, square filters; made from a workload, read by every dataflow.

Called by `study.py` and `scripts/dataflow_study.py`.
"""

from dataclasses import dataclass, replace
from math import isqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.network import Workload

Rows = TypeVar("Rows", int, NDArray[np.int64])


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareLayer:
    """A convolution of square planes; a fully connected layer is one whose filters cover the whole plane.

    Parameters
    ----------
    name
        As in its network.
    groups, channels, filters
        Channel groups; channels and filters of each.
    ifmap_side
        Of a plane, padding included. [words]
    kernel, stride, ofmap_side
        Of both axes. [words]
    batch
        Images at once.

    Raises
    ------
    WorkloadError
        A size below 1, or an ofmap whose windows do not lie in the ifmap.
    """

    name: str
    groups: int = 1
    channels: int
    filters: int
    ifmap_side: int
    kernel: int
    stride: int = 1
    ofmap_side: int
    batch: int = 1

    def __post_init__(self) -> None:
        for label in ("groups", "channels", "filters", "ifmap_side", "kernel", "stride", "ofmap_side", "batch"):
            if getattr(self, label) < 1:
                raise WorkloadError(f"layer {self.name!r}: {label} (={getattr(self, label)!r}) must be 1 or more")
        if self.window_side(self.ofmap_side) > self.ifmap_side:
            raise WorkloadError(f"layer {self.name!r}: {self.ofmap_side} windows do not lie in {self.ifmap_side} words")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the batch, padding included."""
        return self.ofmap_words * self.window_words

    @property
    def is_fully_connected(self) -> bool:
        """Whether a filter covers the whole plane."""
        return self.kernel == self.ifmap_side

    @property
    def window_words(self) -> int:
        """Words of one filter, and products behind one ofmap value. [words]"""
        return self.channels * self.kernel**2

    @property
    def weight_words(self) -> int:
        """Words of all filters. [words]"""
        return self.groups * self.filters * self.window_words

    @property
    def ifmap_words(self) -> int:
        """Words of the batch, padding included. [words]"""
        return self.batch * self.groups * self.channels * self.ifmap_side**2

    @property
    def ofmap_words(self) -> int:
        """Words of the batch. [words]"""
        return self.batch * self.groups * self.filters * self.ofmap_side**2

    def window_side(self, ofmap_rows: Rows) -> Rows:
        """Return the ifmap rows behind so many neighbouring ofmap rows."""
        return self.stride * (ofmap_rows - 1) + self.kernel


def square_layers(workload: Workload) -> tuple[SquareLayer, ...]:
    """Return the convolutions and matrix products of a workload, in running order.

    A matrix product behind feature maps of C channels is taken as a convolution of C whole planes where its inner size
    is C squares; any other is one of 1 x 1 planes.

    Raises
    ------
    WorkloadError
        A layer whose planes, kernel, stride or padding differ by axis, is dilated, or multiplies two tensors.
    """
    layers: list[SquareLayer] = []
    channels = 0
    for layer in workload.layers:
        if isinstance(layer, ConvLayer):
            layers.append(_of_convolution(layer))
            channels = layer.out_channels
        elif isinstance(layer, MatmulLayer):
            layers.append(_of_product(layer, channels))
            channels = layer.columns
    return tuple(layers)


def with_images(layer: SquareLayer, images: int) -> SquareLayer:
    """Return the layer on so many images at once."""
    return replace(layer, batch=images)


def _of_convolution(layer: ConvLayer) -> SquareLayer:
    per_axis = (layer.ifmap, layer.kernel, layer.stride, layer.padding, layer.dilation)
    if len(layer.ifmap) != 2 or any(len(set(values)) != 1 for values in per_axis) or set(layer.dilation) != {1}:
        raise WorkloadError(f"layer {layer.name!r}: the dataflow study takes square planes and kernels, not dilated")
    return SquareLayer(
        name=layer.name,
        groups=layer.groups,
        channels=layer.in_channels // layer.groups,
        filters=layer.out_channels // layer.groups,
        ifmap_side=layer.ifmap[0] + sum(layer.padding[0]),
        kernel=layer.kernel[0],
        stride=layer.stride[0],
        ofmap_side=layer.ofmap[0],
        batch=layer.batch,
    )


def _of_product(layer: MatmulLayer, channels: int) -> SquareLayer:
    if layer.batches != 1:
        raise WorkloadError(f"layer {layer.name!r}: a product of two tensors has no weights to reuse")
    side = isqrt(layer.inner // channels) if channels else 0
    if not channels or side * side * channels != layer.inner:
        channels, side = layer.inner, 1
    return SquareLayer(name=layer.name, channels=channels, filters=layer.columns, ifmap_side=side, kernel=side,
                       ofmap_side=1, batch=layer.rows)  # fmt: skip

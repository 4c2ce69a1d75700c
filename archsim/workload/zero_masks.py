"""Where the zeros of a tensor stand, value by value: what an array that skips zeros is counted on.

A `ZeroMask` is a promise of a mask: small, comparable, and read, unpacked or drawn only when a layer runs, so that a
network never holds more than a layer's. `engine/link_zeros.py` gives each layer its own; `mapping/` counts on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from archsim.errors import WorkloadError
from archsim.numerics.link_code import ZeroCounts
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer
from archsim.workload.zero_pattern import ZeroPattern

BoolArray = NDArray[np.bool_]
OPERAND_SEEDS = {Operand.IFMAP: 1, Operand.WEIGHT: 2}


class ZeroMask(Protocol):
    """A mask that can be had when it is needed; equal ones give the same mask."""

    @property
    def origin(self) -> str:
        """Where the zeros come from, for a report: ``drawn i.i.d.``, the name of a file..."""

    def nonzero(self) -> BoolArray:
        """Return the mask: True = the value is not zero; shape as `mask_shape`, the first axis of an ifmap any number of images."""

    def __hash__(self) -> int:
        """Masks are parts of keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnMask:
    """Zeros that are drawn, with a seed of their own.

    Parameters
    ----------
    name
        Of the layer: two layers draw differently.
    operand
        IFMAP or WEIGHT.
    shape
        Of the tensor.
    zero_fraction
        Share of zeros on average over many draws, 0..1.
    seed
        Of the run, 0 or more.
    pattern
        How zeros fall: independently of each other unless it says otherwise.
    channel_axis
        Of ``shape``: images, filters or batches lie before it, pixels or taps behind.

    Raises
    ------
    WorkloadError
        The seed is negative.
    """

    name: str
    operand: Operand
    shape: tuple[int, ...]
    zero_fraction: float
    seed: int = 0
    pattern: ZeroPattern = field(default_factory=ZeroPattern)
    channel_axis: int = 1

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise WorkloadError(f"the seed of zeros that are drawn (={self.seed!r}) must be 0 or more")

    @property
    def origin(self) -> str:
        """Where the zeros come from."""
        return f"drawn {self.pattern.in_words}, seed {self.seed}"

    def nonzero(self) -> BoolArray:
        """Return the mask, the same on every machine."""
        from archsim.workload.drawn_zeros import draw_nonzero  # noqa: PLC0415 - numba takes long to import

        key = (self.seed, crc32(self.name.encode()), OPERAND_SEEDS[self.operand])
        return draw_nonzero(self.shape, self.zero_fraction, self.pattern, channel_axis=self.channel_axis, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerMasks:
    """Masks of a layer's ifmap and weights; None = drawn from what is known of its share of zeros."""

    ifmap: ZeroMask | None = None
    weight: ZeroMask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkMasks:
    """Masks of a network's tensors by (layer, operand).

    Parameters
    ----------
    of
        A tensor without a mask is drawn.
    source
        Where they come from, in words.
    counts
        Zeros of the same tensors, and of ofmaps where they are known.
    content_hash
        Of what they were read from; empty where nothing was.
    """

    of: Mapping[tuple[str, Operand], ZeroMask] = field(default_factory=dict)
    source: str = ""
    counts: Mapping[tuple[str, Operand], ZeroCounts] = field(default_factory=dict)
    content_hash: str = ""

    def layer(self, name: str) -> LayerMasks:
        """Return those of one layer."""
        return LayerMasks(ifmap=self.of.get((name, Operand.IFMAP)), weight=self.of.get((name, Operand.WEIGHT)))

    def over(self, other: "NetworkMasks") -> "NetworkMasks":
        """Return these, and what only the other has."""
        sources = dict.fromkeys(source for source in (self.source, other.source) if source)
        return NetworkMasks(
            of={**other.of, **self.of}, source="; ".join(sources), counts={**other.counts, **self.counts},
            content_hash=self.content_hash + other.content_hash,
        )  # fmt: skip


def mask_shape(layer: ArrayLayer, operand: Operand) -> tuple[int, ...]:
    """Return the shape of a layer's ifmap or weights as masks have it.

    Of a convolution (images, channels, *spatial) and (filters, channels of a group, *kernel); of a matrix (batches, rows,
    inner) and (batches, inner, columns).
    """
    if isinstance(layer, ConvLayer):
        if operand is Operand.IFMAP:
            return (layer.batch, layer.in_channels, *layer.ifmap)
        return (layer.out_channels, layer.in_channels // layer.groups, *layer.kernel)
    if operand is Operand.IFMAP:
        return (layer.batches, layer.rows, layer.inner)
    return (layer.batches, layer.inner, layer.columns)


def channel_axis(layer: ArrayLayer, operand: Operand) -> int:
    """Return the axis of `mask_shape` over which sums run beside the kernel's: that of the channels."""
    return 2 if operand is Operand.IFMAP and not isinstance(layer, ConvLayer) else 1


def fit_ifmap(mask: BoolArray, layer: ArrayLayer) -> BoolArray:
    """Return an ifmap's mask over the layer's own images, or rows of a matrix: the mask's own in turn."""
    if isinstance(layer, ConvLayer):
        return fit_images(mask, layer.batch)
    rows = mask.reshape(-1, *mask.shape[-2:])
    rows = fit_images(rows, layer.batches)
    return fit_images(rows.swapaxes(0, 1), layer.rows).swapaxes(0, 1)


def fit_images(mask: BoolArray, images: int) -> BoolArray:
    """Return the mask over so many images, its own in turn where it has fewer or more."""
    if len(mask) == images:
        return mask
    return mask[np.arange(images) % len(mask)]

"""What the zeros of a tensor are like: how many, in what runs, how often whole groups of neighbours are zero.

Schemes that skip zeros live on these numbers, each on others. Called for results, of the masks that a layer was run with.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.zero_runs import count_empty_groups, count_empty_spans, count_mask, count_zero_runs
from archsim.numerics.link_code import LONGEST_RUN, ZeroCounts
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer

BoolArray = NDArray[np.bool_]
BRICK_CHANNELS = 16
"""Channels of one pixel that Cnvlutin keeps together."""
GROUP_CHANNELS = 8
GROUP_COLUMNS = 8
NARROW_GROUP_COLUMNS = 4
"""Where a row holds fewer than eight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskStatistics:
    """Of one tensor, over all its images.

    Parameters
    ----------
    images
        Images, rows of a matrix, or filters of weights.
    words
        Values in all. [words]
    zero_fraction, zero_fraction_std, zero_fraction_min, zero_fraction_max
        Share of zeros: mean, standard deviation, least and most over images.
    mean_zero_run
        Zeros in a row in C order (image, channel, row, column), through the ends of rows and images; 0 = no zeros. [words]
    empty_brick_fraction
        Share of bricks that hold only zeros: 16 channels of one pixel, or the fewer that are left.
    empty_channel_group_fraction
        The same of whole groups of 8 channels; None = fewer than 8 channels.
    empty_column_group_fraction
        The same of whole groups of 8 neighbours in a row, of 4 where a row has fewer than 8; None = fewer than 4, or no rows.
    channel_zero_fraction_min, channel_zero_fraction_max
        Share of zeros of the channel with fewest and with most.
    """

    images: int
    words: int
    zero_fraction: float
    zero_fraction_std: float
    zero_fraction_min: float
    zero_fraction_max: float
    mean_zero_run: float
    empty_brick_fraction: float
    empty_channel_group_fraction: float | None
    empty_column_group_fraction: float | None
    channel_zero_fraction_min: float
    channel_zero_fraction_max: float


def statistics_of(mask: BoolArray, layer: ArrayLayer, operand: Operand = Operand.IFMAP) -> MaskStatistics:
    """Count a mask.

    Parameters
    ----------
    mask
        True = not zero; shape as `zero_masks.mask_shape`, an ifmap of any number of images.
    layer
        Whose tensor it is; its sizes do not matter, but whether it is a convolution.
    operand
        IFMAP or WEIGHT. A weight's channels are those of the ifmap that it meets.
    """
    values = np.ascontiguousarray(mask).view(np.uint8)
    columns = values.shape[-1] if isinstance(layer, ConvLayer) else 0
    if isinstance(layer, ConvLayer):
        values = values.reshape(*values.shape[:2], -1)
    else:  # rows x inner, or columns x inner: a filter of a matrix product is a column
        values = values if operand is Operand.IFMAP else np.ascontiguousarray(values.swapaxes(-1, -2))
        values = values.reshape(prod(values.shape[:-1]), values.shape[-1], 1)
    return _count(values, columns)


def count_mask_zeros(nonzero: BoolArray) -> ZeroCounts:
    """Count a mask in C order: what `link_code.count_zeros` gives for values, at a few bytes of memory."""
    flat = np.ascontiguousarray(nonzero).reshape(-1).view(np.uint8)
    kept, _, pairs = count_zero_runs(flat, LONGEST_RUN)
    return ZeroCounts(words=len(flat), nonzero_words=int(kept), run_pairs=int(pairs))


def _count(values: NDArray[np.uint8], columns: int) -> MaskStatistics:
    """Count values of shape (images, channels, pixels)."""
    images, channels, pixels = values.shape
    of_images, of_channels = np.zeros(images, dtype=np.int64), np.zeros(channels, dtype=np.int64)
    runs = int(count_mask(values, of_images, of_channels))
    shares, channel_shares = of_images / (channels * pixels), of_channels / (images * pixels)
    zeros, bricks = int(of_images.sum()), -(-channels // BRICK_CHANNELS)
    return MaskStatistics(
        images=images,
        words=values.size,
        zero_fraction=zeros / values.size,
        zero_fraction_std=float(shares.std()),
        zero_fraction_min=float(shares.min()),
        zero_fraction_max=float(shares.max()),
        mean_zero_run=zeros / runs if runs else 0.0,
        empty_brick_fraction=int(count_empty_groups(values, BRICK_CHANNELS, True)) / (images * bricks * pixels),
        empty_channel_group_fraction=_empty_channel_groups(values),
        empty_column_group_fraction=_empty_column_groups(values, columns),
        channel_zero_fraction_min=float(channel_shares.min()),
        channel_zero_fraction_max=float(channel_shares.max()),
    )


def _empty_channel_groups(values: NDArray[np.uint8]) -> float | None:
    images, channels, pixels = values.shape
    groups = images * (channels // GROUP_CHANNELS) * pixels
    return int(count_empty_groups(values, GROUP_CHANNELS, False)) / groups if groups else None


def _empty_column_groups(values: NDArray[np.uint8], columns: int) -> float | None:
    size = GROUP_COLUMNS if columns >= GROUP_COLUMNS else NARROW_GROUP_COLUMNS
    if columns < size:
        return None
    rows = values.reshape(-1, columns)
    return int(count_empty_spans(rows, size)) / (len(rows) * (columns // size))

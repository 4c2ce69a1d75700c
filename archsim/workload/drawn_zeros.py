"""Zeros drawn with a seed, as a pattern says; called by `zero_masks.py` when a layer runs.

Each value takes 31 bits of a PCG64 stream that belongs to the layer and operand alone and is compared with a limit, in
integers: the same zeros on every machine, whichever worker draws them and whatever was drawn before.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.zero_runs import draw_zero_runs
from archsim.workload.zero_pattern import ZeroKind, ZeroPattern

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
LIMIT_BITS = 31
"""Of the numbers that are drawn: a share is rounded to 2**-31."""


def draw_nonzero(
    shape: tuple[int, ...], zero_fraction: float, pattern: ZeroPattern, *, channel_axis: int, key: tuple[int, ...]
) -> BoolArray:
    """Draw a mask.

    Parameters
    ----------
    shape
        Of the tensor: images (or filters, batches) before the channel axis, pixels (or taps) behind it.
    zero_fraction
        What the share of zeros is on average over many draws, 0..1.
    pattern
        How zeros fall. Where it cannot be had with the share, the nearest that can is drawn.
    channel_axis
        Of ``shape``.
    key
        Whole numbers from 0: the seed and whose zeros these are.

    Returns
    -------
    bool array of ``shape``, True = not zero.

    Notes
    -----
    CHANNELS: the fractions of channels are evenly spaced over the spread and shuffled. RUNS: a Markov chain in
    row-major order, through channels and rows, whose zero runs are geometric in length; with ``images_std`` an image
    with more zeros has them in longer runs. ``images_std``: fractions of images are Beta distributed. Not modelled:
    zeros that depend on both rows and columns, or on those of other layers.
    """
    if not 0.0 < zero_fraction < 1.0:
        return np.full(shape, zero_fraction <= 0.0)
    images, channels = prod(shape[:channel_axis]), shape[channel_axis]
    fractions = _of_images(zero_fraction, pattern.images_std, images, key)
    bits = _bits(prod(shape), key)
    if pattern.kind is ZeroKind.RUNS:
        return _draw_runs(bits, fractions, zero_fraction, pattern).reshape(shape)
    shares = fractions[:, None]
    if pattern.kind is ZeroKind.CHANNELS:
        shares = shares + _of_channels(channels, pattern, key) * (_room(shares) / _room(zero_fraction))
    drawn: BoolArray = bits.reshape(images, channels, -1) >= _limits(shares)[:, :, None]
    return drawn.reshape(shape)


def _of_images(mean: float, std: float, images: int, key: tuple[int, ...]) -> FloatArray:
    """Return the fraction of each image, shape (images,), or (1,) where all are alike."""
    spare = mean * (1.0 - mean) - std**2
    if not std or spare <= 0.0:
        return np.array([mean])
    scale = spare / std**2
    drawn: FloatArray = np.random.default_rng([*key, 1]).beta(mean * scale, (1.0 - mean) * scale, images)
    return drawn


def _of_channels(channels: int, pattern: ZeroPattern, key: tuple[int, ...]) -> FloatArray:
    """Return what each channel has above the mean, shape (channels,); they add up to 0."""
    assert pattern.spread is not None, "of this kind"
    order = np.argsort(np.random.PCG64([*key, 2]).random_raw(channels), kind="stable")
    steps = np.asarray(2 * order - (channels - 1), dtype=np.float64)
    return steps * (pattern.spread / 2 / max(1, channels - 1))


def _draw_runs(bits: NDArray[np.uint32], fractions: FloatArray, mean: float, pattern: ZeroPattern) -> BoolArray:
    """Return the chain's values, one row per fraction, shape (fractions, words / fractions)."""
    assert pattern.mean_run is not None, "of this kind"
    # runs of an image are as much longer than random ones, 1 / (1 - z), as those of all; so many in all as wanted
    same = 1.0 - pattern.images_std**2 / (mean * (1.0 - mean)) if len(fractions) > 1 else 1.0
    ones = np.maximum(1.0 - fractions, 2.0**-LIMIT_BITS)
    least = np.maximum(pattern.mean_run * (1.0 - mean) * same, fractions)
    runs = np.maximum(least / ones, 1.0)
    rows = bits.reshape(len(fractions), -1)
    nonzero = np.empty(rows.shape, dtype=np.bool_)
    draw_zero_runs(rows, _limits(fractions), _limits(1.0 - 1.0 / runs), _limits(fractions / (runs * ones)), nonzero)
    return nonzero


def _room(share: Any) -> Any:
    return np.minimum(share, 1.0 - share)


def _limits(shares: FloatArray) -> NDArray[np.uint32]:
    """Return the numbers of 31 bits below which a value is zero."""
    return np.rint(np.clip(shares, 0.0, 1.0) * 2.0**LIMIT_BITS).astype(np.uint32)


def _bits(words: int, key: tuple[int, ...]) -> NDArray[np.uint32]:
    raw = np.random.PCG64([*key]).random_raw(-(-words // 2)).astype("<u8", copy=False)
    bits: NDArray[np.uint32] = raw.view("<u4")[:words].astype(np.uint32, copy=False)
    bits >>= 32 - LIMIT_BITS
    return bits

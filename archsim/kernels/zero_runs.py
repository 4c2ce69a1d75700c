"""Zeros in a row: drawn by a chain of two states, and counted. Called by `workload/drawn_zeros.py` and `workload/mask_statistics.py`."""

import numpy as np

from archsim.kernels.compiled import compiled


@compiled
def draw_zero_runs(bits, start, stay, enter, nonzero):
    """Draw zeros and nonzero values one after the other, each image afresh.

    Parameters
    ----------
    bits
        uint32 array, shape (images, words), 31 random bits each.
    start, stay, enter
        uint32 arrays, shape (images,): limits below which a value is zero: the first of the image, one behind a zero,
        one behind a nonzero value.
    nonzero
        bool array, shape (images, words), filled here.
    """
    for image in range(bits.shape[0]):
        limit = start[image]
        for word in range(bits.shape[1]):
            is_zero = bits[image, word] < limit
            nonzero[image, word] = not is_zero
            limit = stay[image] if is_zero else enter[image]


@compiled
def count_zero_runs(nonzero, longest_run):
    """Count nonzero values, runs of zeros, and the pairs of a run-length code.

    Parameters
    ----------
    nonzero
        uint8 array, shape (words,): 0 or 1.
    longest_run
        Zeros that a pair covers beside its level; a longer run takes a pair for each ``longest_run + 1`` of its zeros.

    Returns
    -------
    Nonzero values, runs, pairs (runs at the end close with a pair whose level is zero).
    """
    kept, runs, pairs, run = 0, 0, 0, 0
    for value in nonzero:
        if value:
            kept += 1
            pairs += 1 + run // (longest_run + 1)
            run = 0
        else:
            runs += run == 0
            run += 1
    return kept, runs, pairs + -(-run // (longest_run + 1))


@compiled
def count_mask(nonzero, image_zeros, channel_zeros):
    """Count zeros per image and channel, and runs of zeros over all of them.

    Parameters
    ----------
    nonzero
        uint8 array, shape (images, channels, pixels): 0 or 1.
    image_zeros, channel_zeros
        int64 arrays, shapes (images,) and (channels,), added to.

    Returns
    -------
    Runs of zeros.
    """
    runs, before = np.int64(0), np.int64(1)
    for image in range(nonzero.shape[0]):
        for channel in range(nonzero.shape[1]):
            values = nonzero[image, channel]
            kept = np.int64(0)
            starts = before & np.int64(1 - values[0])
            for pixel in range(len(values)):
                kept += values[pixel]
            for pixel in range(1, len(values)):
                starts += values[pixel - 1] & (1 - values[pixel])
            before = np.int64(values[-1])
            runs += starts
            image_zeros[image] += len(values) - kept
            channel_zeros[channel] += len(values) - kept
    return runs


@compiled
def count_empty_groups(nonzero, size, keeps_last):
    """Count groups of so many channels of a pixel that are all zero.

    Parameters
    ----------
    nonzero
        uint8 array, shape (images, channels, pixels): 0 or 1.
    size
        Channels of a group.
    keeps_last
        Whether fewer channels at the end are a group too.

    Returns
    -------
    Empty groups over all images and pixels.
    """
    images, channels, pixels = nonzero.shape
    groups = -(-channels // size) if keeps_last else channels // size
    seen = np.empty(pixels, dtype=np.uint8)
    empty = np.int64(0)
    for image in range(images):
        for group in range(groups):
            seen[:] = nonzero[image, group * size]
            for channel in range(group * size + 1, min((group + 1) * size, channels)):
                values = nonzero[image, channel]
                for pixel in range(pixels):
                    seen[pixel] |= values[pixel]
            for pixel in range(pixels):
                empty += 1 - seen[pixel]
    return empty


@compiled
def count_empty_spans(nonzero, size):
    """Count spans of ``size`` neighbouring columns that are all zero; what is left of a row is no span.

    Parameters
    ----------
    nonzero
        uint8 array, shape (rows, columns): 0 or 1.
    """
    empty = np.int64(0)
    for row in range(nonzero.shape[0]):
        for span in range(nonzero.shape[1] // size):
            any_left = np.uint8(0)
            for column in range(span * size, (span + 1) * size):
                any_left |= nonzero[row, column]
            empty += 1 - any_left
    return empty

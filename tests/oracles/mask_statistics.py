"""What the zeros of a small mask are like, value by value in Python."""

from itertools import groupby, product
from statistics import fmean, pstdev

import numpy as np


def slow_statistics(mask: np.ndarray) -> dict[str, float | None]:
    """Of a mask (images, channels, *spatial); names as in `MaskStatistics`."""
    images, channels, *spatial = mask.shape
    places = list(product(*map(range, spatial)))
    shares = [fmean(not kept for kept in image.ravel().tolist()) for image in mask]
    of_channels = [fmean(not kept for kept in mask[:, channel].ravel().tolist()) for channel in range(channels)]
    runs = [len(list(run)) for kept, run in groupby(mask.ravel().tolist()) if not kept]

    def empty(size: int, *, keeps_last: bool) -> float | None:
        starts = range(0, channels if keeps_last else channels - size + 1, size)
        groups = [
            not any(mask[(image, channel, *place)] for channel in range(start, min(start + size, channels)))
            for image in range(images)
            for start in starts
            for place in places
        ]
        return fmean(groups) if groups else None

    size = 8 if spatial and spatial[-1] >= 8 else 4
    rows = mask.reshape(-1, spatial[-1]).tolist() if spatial else []
    spans = [not any(row[start : start + size]) for row in rows for start in range(0, len(row) - size + 1, size)]
    return {
        "zero_fraction": fmean(shares),
        "zero_fraction_std": pstdev(shares),
        "zero_fraction_min": min(shares),
        "zero_fraction_max": max(shares),
        "mean_zero_run": fmean(runs) if runs else 0.0,
        "empty_brick_fraction": empty(16, keeps_last=True),
        "empty_channel_group_fraction": empty(8, keeps_last=False),
        "empty_column_group_fraction": fmean(spans) if spans else None,
        "channel_zero_fraction_min": min(of_channels),
        "channel_zero_fraction_max": max(of_channels),
    }

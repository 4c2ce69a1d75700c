"""How the weights of a layer are spread before and after a conversion: counts per bin, or per level of the format.

`conversion_histogram_plot.py` draws them, `conversion_page.py` writes them as histograms.csv.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.study.conversion import LayerRecord
from archsim.study.run_tables import Cell

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
MOST_BINS = 60
FEWEST_BINS = 24
MOST_LEVELS = 48
"""With fewer values in use than this, each is counted by itself."""
HISTOGRAM_COLUMNS = ("layer", "tensor", "kind", "low", "high", "weights")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightHistogram:
    """The weights of one layer.

    Parameters
    ----------
    layer
        As converted.
    edges
        Of the bins, ascending.
    before, after
        Weights in each bin: one fewer than edges. A bin reaches up to the next, the last one to its own end.
    levels, level_counts
        The values in use after the conversion and how many weights have each; empty where they are too many.
    """

    layer: LayerRecord
    edges: FloatArray
    before: IntArray
    after: IntArray
    levels: FloatArray
    level_counts: IntArray


def weight_histogram(layer: LayerRecord) -> WeightHistogram:
    """Count a layer's weights."""
    levels, counts = np.unique(layer.values_after, return_counts=True)
    edges = _bin_edges(layer.values_before, layer.values_after, levels)
    is_coarse = len(levels) <= MOST_LEVELS
    return WeightHistogram(
        layer=layer,
        edges=edges,
        before=np.histogram(layer.values_before, edges)[0],
        after=np.histogram(layer.values_after, edges)[0],
        levels=levels if is_coarse else levels[:0],
        level_counts=counts if is_coarse else counts[:0],
    )


def histogram_rows(histograms: Iterable[WeightHistogram]) -> Iterable[tuple[Cell, ...]]:
    """Yield the rows of histograms.csv in the order of `HISTOGRAM_COLUMNS`; a level is its own low and high end."""
    for each in histograms:
        lows, highs = each.edges[:-1].tolist(), each.edges[1:].tolist()
        for low, high, count in zip(lows, highs, each.before.tolist(), strict=True):
            yield each.layer.name, "before", "bin", low, high, count
        if len(each.levels):
            for level, count in zip(each.levels.tolist(), each.level_counts.tolist(), strict=True):
                yield each.layer.name, "after", "level", level, level, count
        else:
            for low, high, count in zip(lows, highs, each.after.tolist(), strict=True):
                yield each.layer.name, "after", "bin", low, high, count


def _bin_edges(before: FloatArray, after: FloatArray, levels: FloatArray) -> FloatArray:
    """Return edges that lie between the levels of the format, so that no bin holds one level more than the next.

    A bin is a whole number of the smallest steps between levels wide, or, where these are few, an odd part of one.
    """
    both = np.concatenate([before, after, np.zeros(1)])
    low, high = float(both.min()), float(both.max())
    if low == high:
        low, high = -0.5, 0.5
    step = float(np.diff(levels).min()) if len(levels) > 1 else high - low
    steps = (high - low) / step + 1
    if steps > MOST_BINS:
        together = math.ceil(steps / MOST_BINS)
        width, offset = together * step, (together // 2 + 0.5) * step
    else:
        parts = 2 * math.ceil((FEWEST_BINS / steps - 1) / 2) + 1 if steps < FEWEST_BINS else 1
        width, offset = step / parts, step / parts / 2
    first, last = math.floor((low + offset) / width), math.ceil((high + offset) / width)
    return np.asarray(np.arange(first, last + 1) * width - offset, dtype=np.float64)

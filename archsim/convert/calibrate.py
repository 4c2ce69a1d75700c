"""Which values every tensor of a network takes on real images: ranges, shares of zeros, and the scale for a format.

Called by `pipeline.py`. The float network runs over the calibration images batch by batch, once for the ranges and
once for the scales that were asked for; no tensor is kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.convert.float_network import FloatNetwork
from archsim.convert.float_run import run_float
from archsim.numerics.logarithmic import Logarithmic
from archsim.numerics.number_format import NumberFormat
from archsim.terms import CalibrationMethod

FloatArray = NDArray[np.float64]
BATCH = 100
"""Images at a time. [images]"""
BINS = 1 << 16
"""Of the histogram behind a percentile: its error is at most 1/65536 of the largest magnitude."""
MSE_STEPS = 4
"""Scales that ``mse`` tries, the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRange:
    """One tensor over all calibration images.

    Parameters
    ----------
    lowest, highest
        Least and greatest value.
    p999, p9999
        Magnitudes that 99.9 % and 99.99 % of the values do not exceed, rounded up to a bin of the histogram.
    zero_fraction
        Share of zeros, 0..1.
    """

    lowest: float
    highest: float
    p999: float
    p9999: float
    zero_fraction: float

    @property
    def largest(self) -> float:
        """Largest magnitude."""
        return max(-self.lowest, self.highest)

    def magnitude(self, method: CalibrationMethod) -> float:
        """Return the magnitude that the scale must hold."""
        if method is CalibrationMethod.P999:
            return self.p999
        return self.p9999 if method is CalibrationMethod.P9999 else self.largest


def measure_ranges(network: FloatNetwork, images: FloatArray) -> dict[str, TensorRange]:
    """Measure the network's input (name "") and the ofmap of every node.

    Parameters
    ----------
    network
        As it will be quantised: batch norm folded, weights pruned and clustered.
    images
        Shape (N, *ifmap_shape).

    Notes
    -----
    Two runs over the images: extremes first, then histograms between them.
    """
    lowest: dict[str, float] = {}
    highest: dict[str, float] = {}
    for name, values in _tensors(network, images):
        lowest[name] = min(lowest.get(name, np.inf), float(values.min()))
        highest[name] = max(highest.get(name, -np.inf), float(values.max()))
    largest = {name: max(-lowest[name], highest[name]) for name in lowest}
    counts = {name: np.zeros(BINS, dtype=np.int64) for name in lowest}
    zeros = dict.fromkeys(lowest, 0)
    for name, values in _tensors(network, images):
        counts[name] += np.histogram(np.abs(values), bins=BINS, range=(0.0, largest[name] or 1.0))[0]
        zeros[name] += values.size - int(np.count_nonzero(values))
    return {
        name: TensorRange(
            lowest=lowest[name],
            highest=highest[name],
            p999=_percentile(counts[name], 0.999, largest[name]),
            p9999=_percentile(counts[name], 0.9999, largest[name]),
            zero_fraction=zeros[name] / int(counts[name].sum()),
        )
        for name in lowest
    }


def scale_for(fmt: NumberFormat, magnitude: float) -> int:
    """Return the least exponent at which a format holds a magnitude; 0 for a magnitude of 0.

    Integers: the least e with ``magnitude <= highest_code * 2**e``; floats and logarithms alike with their largest
    value. Found from the float's own bits, without a logarithm.
    """
    if not magnitude:
        return 0
    if isinstance(fmt, Logarithmic):
        return fmt.exponent_for(magnitude)
    top = float(fmt.largest)
    exponent = int(np.frexp(magnitude)[1] - np.frexp(top)[1]) - 1
    while np.ldexp(top, exponent) < magnitude:
        exponent += 1
    return exponent


def best_exponent(values: FloatArray, fmt: NumberFormat, method: CalibrationMethod) -> int:
    """Return the exponent of a tensor that is at hand: weights, or a codebook."""
    if method is CalibrationMethod.NONE or not values.size:
        return 0
    magnitudes = np.abs(values)
    if method is CalibrationMethod.MSE:
        top = scale_for(fmt, float(magnitudes.max()))
        errors = [_squared_error(values, fmt, top - step) for step in range(MSE_STEPS)]
        return top - int(np.argmin(errors))
    share = {CalibrationMethod.P999: 0.999, CalibrationMethod.P9999: 0.9999}.get(method, 1.0)
    return scale_for(fmt, float(np.quantile(magnitudes, share, method="inverted_cdf")))


def choose_exponents(
    network: FloatNetwork,
    images: FloatArray,
    ranges: Mapping[str, TensorRange],
    wanted: Iterable[tuple[str, NumberFormat, CalibrationMethod]],
) -> dict[tuple[str, NumberFormat], int]:
    """Choose the exponent of each (tensor, format) by its method; one run of the network serves all that need one.

    Returns
    -------
    dict
        (tensor, format) -> power of two that multiplies the format's values.
    """
    chosen: dict[tuple[str, NumberFormat], int] = {}
    tried: dict[tuple[str, NumberFormat], tuple[int, FloatArray]] = {}
    for name, fmt, method in wanted:
        if method is CalibrationMethod.NONE:
            chosen[name, fmt] = 0
            continue
        top = scale_for(fmt, ranges[name].magnitude(method))
        chosen[name, fmt] = top
        if method is CalibrationMethod.MSE:
            tried[name, fmt] = (top, np.zeros(MSE_STEPS))
    if tried:
        for name, values in _tensors(network, images):
            for fmt in [fmt for tensor, fmt in tried if tensor == name]:
                top, errors = tried[name, fmt]
                errors += [_squared_error(values, fmt, top - step) for step in range(MSE_STEPS)]
    return chosen | {key: top - int(np.argmin(errors)) for key, (top, errors) in tried.items()}


def _tensors(network: FloatNetwork, images: FloatArray) -> Iterable[tuple[str, FloatArray]]:
    for start in range(0, len(images), BATCH):
        yield from run_float(network, images[start : start + BATCH]).items()


def _percentile(counts: NDArray[np.int64], share: float, largest: float) -> float:
    place = int(np.searchsorted(np.cumsum(counts), share * counts.sum()))
    return largest * (place + 1) / BINS


def _squared_error(values: FloatArray, fmt: NumberFormat, exponent: int) -> float:
    error = np.ldexp(fmt.decode(fmt.encode(values, exponent)), exponent) - values
    return float((error * error).sum())

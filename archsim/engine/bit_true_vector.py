"""Pools, residual additions and a relu of its own, on codes. Called by `bit_true.py`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from archsim.engine.written import CodeArray, IntArray, Written, align, write_sums, write_values
from archsim.errors import WorkloadError
from archsim.numerics.fixed_point import FixedPoint
from archsim.terms import PoolKind
from archsim.workload.coded_network import CodedAdd, CodedPool

RECIPROCAL_BITS = 16
"""Fraction bits of the reciprocal of a count, counted from its leading bit: it is off by 2**-17 at most. [b]"""


def run_pool(layer: CodedPool, ifmap: Written) -> CodeArray:
    """Return the codes of a pooled tensor, shape (N, C, P, Q).

    A maximum compares values and moves codes; padding never wins. An average adds integers, multiplies by the
    reciprocal of the count, rounded to the nearest of 16 fraction bits behind its leading one (an exact shift where
    the count is a power of two), and rounds once, as the output's format does. Averages of floats and logarithms
    are float64 before they are written.
    """
    if layer.kind is PoolKind.MAX:
        return _run_max(layer, ifmap)
    counts = _counts(layer, ifmap.codes.shape)
    if not isinstance(ifmap.format, FixedPoint):
        return write_values(_add_windows(layer, ifmap.values) / counts, layer.output)
    whole = _bit_lengths(counts - 1)
    bits = RECIPROCAL_BITS + whole
    reciprocals = ((1 << (bits + 1)) // counts + 1) >> 1
    sums = _add_windows(layer, ifmap.codes)
    if int(np.abs(sums).max(initial=0)) * int(reciprocals.max()) >= 1 << 63:
        raise WorkloadError(f"layer {layer.name!r}: sums of {ifmap.format.name} take more than 64 bits")
    return write_sums(sums * reciprocals, ifmap.last_bit - bits, layer.output, layer.name)


def run_add(layer: CodedAdd, ifmaps: Sequence[Written]) -> CodeArray:
    """Return the codes of the sum of two tensors.

    Integers are aligned to the finer of both exponents and added with a bit more than either: nothing is lost before
    the output's format rounds. Others are added as float64.
    """
    if len(ifmaps) != 2 or ifmaps[0].codes.shape != ifmaps[1].codes.shape:
        shapes = " and ".join(str(each.codes.shape[1:]) for each in ifmaps)
        raise WorkloadError(f"layer {layer.name!r}: an addition takes two tensors of one shape, not {shapes}")
    first, second = ifmaps
    if not (isinstance(first.format, FixedPoint) and isinstance(second.format, FixedPoint)):
        return write_values(first.values + second.values, layer.output)
    finest = min(first.last_bit, second.last_bit)
    aligned = [align(each.codes, each.last_bit - finest + 1, layer.name) >> 1 for each in ifmaps]  # a bit for the carry
    return write_sums(aligned[0] + aligned[1], finest, layer.output, layer.name)


def run_relu(ifmap: Written) -> CodeArray:
    """Return codes of the same format, those of negative values replaced by zero's."""
    if isinstance(ifmap.format, FixedPoint):
        return np.maximum(ifmap.codes, 0)
    return np.where(ifmap.format.decode(ifmap.codes) < 0, ifmap.format.zero_code, ifmap.codes)


def _run_max(layer: CodedPool, ifmap: Written) -> CodeArray:
    """Keep, place by place of the window, the code of the greater value; the first of equals stays."""
    is_integer = isinstance(ifmap.format, FixedPoint)
    values: Any = ifmap.codes if is_integer else ifmap.format.decode(ifmap.codes)
    lowest = np.iinfo(np.int64).min if is_integer else -np.inf
    places = zip(_windows(layer, values, lowest), _windows(layer, ifmap.codes, ifmap.format.zero_code), strict=True)
    best, codes = next(places)
    for value, code in places:
        codes = np.where(value > best, code, codes)
        best = np.maximum(value, best)
    output = layer.output
    if (output.format, output.exponent) == (ifmap.format, ifmap.exponent):
        found = Written(codes=codes, format=ifmap.format, exponent=ifmap.exponent)
        return run_relu(found) if output.relu else codes
    found = Written(codes=codes, format=ifmap.format, exponent=ifmap.exponent)
    return write_sums(codes, found.last_bit, output, layer.name) if is_integer else write_values(found.values, output)


def _add_windows(layer: CodedPool, values: Any) -> Any:
    return sum(_windows(layer, values, 0))


def _counts(layer: CodedPool, shape: tuple[int, ...]) -> IntArray:
    """Return the values that each average is taken over, shape (P, Q)."""
    padded = int(layer.counts_padding)
    ones = np.ones((1, 1, *shape[2:]), dtype=np.int64)
    counts: IntArray = sum(_windows(layer, ones, padded))[0, 0]
    return np.maximum(counts, 1)


def _windows(layer: CodedPool, values: Any, blank: Any) -> Iterator[Any]:
    """Yield, for each place of the window, its value in every window, shape (N, C, P, Q)."""
    padded = np.pad(values, ((0, 0), (0, 0), *layer.padding), constant_values=blank)
    rows, columns = (
        (size - kernel) // stride + 1
        for size, kernel, stride in zip(padded.shape[2:], layer.kernel, layer.stride, strict=True)
    )
    for row in range(layer.kernel[0]):
        for column in range(layer.kernel[1]):
            yield padded[
                :, :,
                row : row + layer.stride[0] * rows : layer.stride[0],
                column : column + layer.stride[1] * columns : layer.stride[1],
            ][:, :, :rows, :columns]  # fmt: skip


def _bit_lengths(counts: IntArray) -> IntArray:
    return np.frexp(counts.astype(np.float64))[1].astype(np.int64)

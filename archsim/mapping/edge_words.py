"""Where the words lie that the array's edge takes and gives: addresses in the buffer, wavefront by wavefront.

Called by `port_use.py`. Ifmap and ofmap lie plane by plane, a plane line by line, as they come from a
layer and go to the next; a matrix lies row by row. Every plane and every matrix row starts in a new access
word (a new run of its bank, where runs are longer).

Weights and psums are not here: what is constant or never leaves the chip lies in the order in which the
array takes it, so that its words never collide. Not modelled: the room that the alignment takes; other layouts.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import LIVES_WITH
from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.operand_flow import RELEVANT
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]
SAMPLES, SAMPLE, WHOLE_STEP = 8, 32, 128
"""Samples of a layer that are counted, and wavefronts of each; steps up to the last length are counted whole."""
NOTHING = -1
"""Address of what is not stored: padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeShape:
    """The tensors of one group of a layer, as far as addresses depend on them.

    Parameters
    ----------
    ifmap, kernel, stride, dilation, padding, ofmap
        One value per spatial axis; padding before the first element.
    channels
        Planes of the ifmap.
    filters_inside
        Whether ofmap values of one pixel lie side by side (a matrix), rather than in planes.
    filters
        Of the ofmap.
    """

    ifmap: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[int, ...]
    ofmap: tuple[int, ...]
    channels: int
    filters: int
    filters_inside: bool

    def ifmap_bits(self, pixels: IntArray, window: IntArray, store: "Store") -> IntArray:
        """Bit address of each (pixel, window element), arrays that broadcast; `NOTHING` for padding. [b]"""
        image, at = np.divmod(pixels, prod(self.ofmap))
        channel, tap = np.divmod(window, prod(self.kernel))
        shape = np.broadcast_shapes(pixels.shape, window.shape)
        inside, missing = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
        for axis, size in enumerate(self.ifmap):
            place = (
                _coordinate(at, self.ofmap, axis) * self.stride[axis]
                + _coordinate(tap, self.kernel, axis) * self.dilation[axis]
                - self.padding[axis]
            )
            missing |= (place < 0) | (place >= size)
            inside = inside * size + place
        plane = image * self.channels + channel
        bits: IntArray = np.where(
            missing, NOTHING, plane * store.pitch_bits(prod(self.ifmap)) + inside * store.word_bits
        )
        return bits

    def ofmap_bits(self, pixels: IntArray, filters: IntArray, store: "Store") -> IntArray:
        """Bit address of each (pixel, filter), arrays that broadcast. [b]"""
        if self.filters_inside:
            line, inside, length = pixels, filters, self.filters
        else:
            image, inside = np.divmod(pixels, prod(self.ofmap))
            line, length = image * self.filters + filters, prod(self.ofmap)
        bits: IntArray = line * store.pitch_bits(length) + inside * store.word_bits
        return bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """How a buffer holds an operand.

    Parameters
    ----------
    word_bits
        Of one value. [b]
    width_bytes
        Of an access word. [B]
    run_bytes
        Neighbouring bytes in one bank: a whole number of access words. [B]
    """

    word_bits: int
    width_bytes: int
    run_bytes: int

    def pitch_bits(self, values: int) -> int:
        """From the start of so many values that lie together to the start of the next ones. [b]"""
        run_bits = self.run_bytes * 8
        return -(-values * self.word_bits // run_bits) * run_bits

    def access_words(self, bits: IntArray) -> IntArray:
        """Access words of values at bit addresses, shape (wavefronts, lanes): all that a value lies in."""
        width = self.width_bytes * 8
        last = bits + self.word_bits - 1
        most = 1 if width % self.word_bits == 0 else (self.word_bits + width - 2) // width + 1
        parts = [np.where(bits < 0, NOTHING, np.minimum(bits + part * width, last) // width) for part in range(most)]
        return np.ascontiguousarray(np.concatenate(parts, axis=1))


def edge_shape(layer: ArrayLayer) -> EdgeShape:
    """Describe one group of a layer; each row of a matrix is an image of one line, its window all of it."""
    if isinstance(layer, ConvLayer):
        return EdgeShape(
            ifmap=layer.ifmap, kernel=layer.kernel, stride=layer.stride, dilation=layer.dilation,
            padding=tuple(before for before, _ in layer.padding), ofmap=layer.ofmap,
            channels=layer.in_channels // layer.groups, filters=layer.out_channels // layer.groups,
            filters_inside=False,
        )  # fmt: skip
    return EdgeShape(
        ifmap=(layer.inner,), kernel=(layer.inner,), stride=(1,), dilation=(1,), padding=(0,), ofmap=(1,), channels=1,
        filters=layer.columns, filters_inside=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """Equally long ranges of one dimension, one per sample.

    Parameters
    ----------
    dim
        Which one.
    starts, size
        First elements; elements of each.
    """

    dim: Dim
    starts: tuple[int, ...]
    size: int

    def indices(self) -> IntArray:
        """All of them, shape (samples, size)."""
        return np.array(self.starts, dtype=np.int64)[:, None] + np.arange(self.size, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Stretches of a layer whose words are followed one by one.

    Parameters
    ----------
    time, lanes
        Wavefronts, and what lies across.
    skipped
        First wavefronts of each that are not counted: the sample begins in the middle of a step.
    """

    time: Stretches
    lanes: Stretches
    skipped: int

    @property
    def values(self) -> int:
        """Values that the edge takes or gives in the counted wavefronts."""
        return len(self.time.starts) * (self.time.size - self.skipped) * self.lanes.size


def edge_samples(operand: Operand, dataflow: DataflowPlan, nest: LoopNest) -> Samples:
    """Return samples that are spread over the layer.

    What streams passes along the other of its dimensions; what stays in the array, or leaves it when it
    is done, goes row by row.
    """
    dims = RELEVANT[LIVES_WITH.get(operand, operand)]
    if dataflow.stream in dims:
        time, lanes = dataflow.stream, next(dim for dim in dims if dim is not dataflow.stream)
    else:
        time, lanes = dataflow.rows, dataflow.columns
    step = min(nest.tiling[time].unit, nest.tiling[time].size)
    skipped = 1 if step > WHOLE_STEP else 0
    length = SAMPLE + skipped if skipped else step
    width = min(nest.tiling[lanes].unit, nest.tiling[lanes].size)
    windows, folds = nest.tiling[time].size // length, nest.tiling[lanes].size // width
    count = min(SAMPLES, -(-SAMPLES * SAMPLE // length), windows * folds)
    return Samples(
        time=Stretches(dim=time, starts=_spread(windows, count, length), size=length),
        lanes=Stretches(dim=lanes, starts=_spread(folds, count, width), size=width),
        skipped=skipped,
    )


def access_words(operand: Operand, shape: EdgeShape, samples: Samples, store: Store) -> IntArray:
    """Return the access words of the samples, shape (samples * wavefronts, lanes)."""
    time, lanes = samples.time.indices()[:, :, None], samples.lanes.indices()[:, None, :]
    pixels, other = (time, lanes) if samples.time.dim is Dim.PIXELS else (lanes, time)
    find = shape.ifmap_bits if operand is Operand.IFMAP else shape.ofmap_bits
    bits = find(pixels, other, store)
    return store.access_words(bits.reshape(-1, samples.lanes.size))


def _spread(places: int, count: int, length: int) -> tuple[int, ...]:
    """Return the starts of ``count`` of so many places, evenly over all of them."""
    return tuple((2 * index + 1) * places // (2 * count) * length for index in range(count))


def _coordinate(index: IntArray, sizes: tuple[int, ...], axis: int) -> IntArray:
    return index // prod(sizes[axis + 1 :]) % sizes[axis]

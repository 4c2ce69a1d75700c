"""An array layer as a row-stationary array sees it: planes of rows, and filters cut to what the array holds.

Called by `row_stationary.py`; the search, the passes and their counts (`row_*.py`) work on the result.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.mapping.ifmap_geometry import IfmapGeometry, ifmap_geometry
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowShape:
    """One group of a layer, all its images.

    Parameters
    ----------
    layer
        Two spatial axes, rows and columns, whatever the layer was.
    geometry
        Which ifmap rows the ofmap rows need, padding left out.
    row_parts, column_parts
        Rows (columns) of each part of a filter: one part, unless the filter is taller than the array or wider
        than an ifmap spad.
    """

    layer: ConvLayer
    geometry: IfmapGeometry
    row_parts: tuple[int, ...]
    column_parts: tuple[int, ...]

    @property
    def groups(self) -> int:
        """Independent products."""
        return self.layer.groups

    @property
    def images(self) -> int:
        """N."""
        return self.layer.batch

    @property
    def channels(self) -> int:
        """C of one group."""
        return self.layer.in_channels // self.layer.groups

    @property
    def filters(self) -> int:
        """M of one group."""
        return self.layer.out_channels // self.layer.groups

    @property
    def ofmap_rows(self) -> int:
        """E."""
        return self.layer.ofmap[0]

    @property
    def ofmap_columns(self) -> int:
        """F."""
        return self.layer.ofmap[1]

    @property
    def ofmap_words(self) -> int:
        """Values of the whole layer's ofmap, all groups. [words]"""
        return self.layer.ofmap_words

    @property
    def kernel_parts(self) -> int:
        """Parts of a filter: each is an accumulation of its own."""
        return len(self.row_parts) * len(self.column_parts)

    @property
    def taps(self) -> int:
        """R*S of the whole filter."""
        return sum(self.row_parts) * sum(self.column_parts)

    def ifmap_rows(self, ofmap_rows: IntArray, taps: IntArray | int) -> IntArray:
        """Rows of the padded ifmap that so many ofmap rows take under so many filter rows; skipped ones left out."""
        stride, dilation = self.layer.stride[0], self.layer.dilation[0]
        return _taken(ofmap_rows, np.asarray(taps, dtype=np.int64), stride, dilation)

    def ifmap_columns(self, taps: IntArray | int) -> IntArray | int:
        """Columns of the padded ifmap that a window passes over a whole ofmap row; skipped ones pass through it too."""
        stride, dilation = self.layer.stride[1], self.layer.dilation[1]
        return (self.ofmap_columns - 1) * stride + (taps - 1) * dilation + 1

    def tiles_of(self, mappings: IntArray, *, whole_weights: bool = False) -> dict[Operand, IntArray]:
        """Words of the largest tile of each operand; shape (mappings,). [words]

        Parameters
        ----------
        mappings
            Shape (mappings, 7): m, n, e, p, q, r, t.
        whole_weights
            The weights of the whole group, rather than those of one pass.
        """
        m, n, e, p, q, r, t = mappings.T
        rows = self.ifmap_rows(e, sum(self.row_parts))
        weights = max(self.row_parts) * max(self.column_parts) * p * t * q * r
        return {
            Operand.IFMAP: n * q * r * rows * self.ifmap_columns(sum(self.column_parts)),
            Operand.PSUM: n * m * e * self.ofmap_columns,
            Operand.WEIGHT: np.full_like(m, self.taps * self.channels * self.filters) if whole_weights else weights,
        }


def row_shape(layer: ArrayLayer, arch: Architecture) -> RowShape:
    """Resolve a layer for a chip.

    Parameters
    ----------
    layer
        A matrix product becomes 1 x 1 planes, its rows the images; a 3-D convolution the planes of its depth,
        the filter's depth among the channels.
    arch
        The rows of its array bound the rows of a filter's part, its ifmap spads the columns; where its DRAM stores
        padding, padding is ifmap like all else.
    """
    array, planes = arch.pe_array, _planes(layer)
    if arch.dram.stores_padding:
        planes = _padded(planes)
    widest = array.spads.ifmap_words if array.spads else planes.kernel[1]
    return RowShape(
        layer=planes,
        geometry=ifmap_geometry(planes),
        row_parts=_parts(planes.kernel[0], array.rows),
        column_parts=_parts(planes.kernel[1], widest),
    )


def _taken(places: IntArray, taps: IntArray, stride: int, dilation: int) -> IntArray:
    """Count the different places ``i * stride + k * dilation`` for i below ``places`` and k below ``taps``.

    Windows that touch or overlap leave no gap unless they are dilated; the rare others are counted one by one.
    """
    reach = (taps - 1) * dilation + 1
    if dilation == 1:
        gapless: IntArray = np.minimum((places - 1) * stride + reach, places * taps)
        return gapless
    places, taps = np.broadcast_arrays(places, taps)
    pairs, index = np.unique(np.stack([places.ravel(), taps.ravel()]), axis=1, return_inverse=True)
    counts = [len(np.unique(np.add.outer(np.arange(p) * stride, np.arange(k) * dilation))) for p, k in pairs.T]
    return np.array(counts, dtype=np.int64)[index].reshape(places.shape)


def _parts(taps: int, most: int) -> tuple[int, ...]:
    """Cut a side of a filter into parts as equal as can be, the longer ones first."""
    count = -(-taps // most)
    return tuple(taps // count + (1 if part < taps % count else 0) for part in range(count))


def _padded(planes: ConvLayer) -> ConvLayer:
    sizes = tuple(size + sum(pads) for size, pads in zip(planes.ifmap, planes.padding, strict=True))
    return replace(planes, ifmap=sizes, padding=((0, 0), (0, 0)))


def _planes(layer: ArrayLayer) -> ConvLayer:
    if not isinstance(layer, ConvLayer):
        return ConvLayer(
            name=layer.name, op=layer.op, in_channels=layer.batches * layer.inner, out_channels=layer.batches * layer.columns,
            groups=layer.batches, batch=layer.rows, ifmap=(1, 1), kernel=(1, 1), stride=(1, 1), padding=((0, 0), (0, 0)),
            dilation=(1, 1),
        )  # fmt: skip
    missing = max(0, 2 - len(layer.ifmap))
    depth = len(layer.ifmap) == 3
    taken = layer.kernel[0] if depth else 1
    return ConvLayer(
        name=layer.name, op=layer.op, groups=layer.groups, ofmap_rounding=layer.ofmap_rounding,
        in_channels=layer.in_channels * taken, out_channels=layer.out_channels,
        batch=layer.batch * (layer.ofmap[0] if depth else 1),
        ifmap=(1,) * missing + layer.ifmap[-2:], kernel=(1,) * missing + layer.kernel[-2:],
        stride=(1,) * missing + layer.stride[-2:], padding=((0, 0),) * missing + layer.padding[-2:],
        dilation=(1,) * missing + layer.dilation[-2:],
    )  # fmt: skip

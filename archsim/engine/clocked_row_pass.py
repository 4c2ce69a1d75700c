"""One pass of the clocked row-stationary array as its kernel wants it: who holds which filter rows and ifmap rows.

`clocked_rows.py` makes one per pass.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.row_mapping import RowMapping
from archsim.numerics.window import Window

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPass:
    """What one pass works on.

    Parameters
    ----------
    images, rows, channels, filters
        Which of the layer's; ``rows`` are the ofmap's.
    mapping
        Of the layer.
    window
        Of the layer; its padding is in the ifmap already.
    """

    images: slice
    rows: slice
    channels: slice
    filters: slice
    mapping: RowMapping
    window: Window

    @property
    def starts_psums(self) -> bool:
        """Whether its psums start from zero."""
        return bool(self.channels.start == 0)

    @property
    def place(self) -> tuple[slice, slice, slice]:
        """Images, filters and rows of its ofmap values."""
        return self.images, self.filters, self.rows

    @property
    def interleaved_filters(self) -> int:
        """Filters of a full PE: p, less in a pass that is not full."""
        return -(-_size(self.filters) // self.mapping.t)

    @property
    def interleaved_channels(self) -> int:
        """Channels of a full PE: q, less in a pass that is not full."""
        return -(-_size(self.channels) // self.mapping.r)

    @property
    def set_filters(self) -> IntArray:
        """Filters of each set of PEs that works."""
        return _shares(_size(self.filters), self.interleaved_filters)

    @property
    def set_channels(self) -> IntArray:
        """Channels of each set of PEs that works."""
        return _shares(_size(self.channels), self.interleaved_channels)

    def loads(self, weight: IntArray) -> IntArray:
        """Return the weights in the order in which they are sent, bottom PE row first, as the kernel wants them."""
        mine = weight[self.filters, self.channels]
        p, q, filter_rows = self.interleaved_filters, self.interleaved_channels, mine.shape[2]
        f, c, i, s = np.indices(mine.shape).reshape(4, -1)
        loads = np.stack([c // q * filter_rows + i, f // p, s * q + c % q, f % p, mine.reshape(-1)], axis=1)
        return np.ascontiguousarray(loads[np.lexsort(loads[:, 3::-1].T)])

    def ifmap_rows(self, ifmap: IntArray, kernel: tuple[int, int], columns: int) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the row of each PE, channels side by side, and for which PE of those that share it it is sent.

        Parameters
        ----------
        ifmap
            Padded, shape (N, C, H, W).
        kernel
            Filter rows, filter columns.
        columns
            Ofmap columns.

        Returns
        -------
        rows
            Shape (PE rows, e, images, words); zeros for channels that a PE has not.
        is_sent_for
            Shape (PE rows, e).
        """
        (row_stride, column_stride), dilation = self.window.stride, self.window.dilation
        words = (columns - 1) * column_stride + (kernel[1] - 1) * dilation[1] + 1
        heights = (np.arange(self.rows.start, self.rows.stop) * row_stride)[None] + (
            np.arange(kernel[0]) * dilation[0]
        )[:, None]
        is_sent_for = np.zeros(heights.size, dtype=np.bool_)
        is_sent_for[np.unique(heights, return_index=True)[1]] = True
        sets, q = len(self.set_channels), self.interleaved_channels
        mine = np.zeros((_size(self.images), sets * q, *ifmap.shape[2:]), dtype=np.int64)
        mine[:, : _size(self.channels)] = ifmap[self.images, self.channels]
        rows = mine.reshape(len(mine), sets, q, *ifmap.shape[2:])[:, :, :, heights, :words]
        rows = rows.transpose(1, 3, 4, 0, 5, 2).reshape(sets * kernel[0], heights.shape[1], len(mine), words * q)
        return np.ascontiguousarray(rows), np.tile(is_sent_for.reshape(heights.shape), (sets, 1))

    def to_sets(self, values: IntArray) -> IntArray:
        """Lay out values of the pass, shape (images, filters, rows, columns), as (t, rows, images, columns, p)."""
        sets, p = len(self.set_filters), self.interleaved_filters
        images, filters, rows, columns = values.shape
        laid = np.zeros((images, sets * p, rows, columns), dtype=np.int64)
        laid[:, :filters] = values
        return np.ascontiguousarray(laid.reshape(images, sets, p, rows, columns).transpose(1, 3, 0, 4, 2))

    def from_sets(self, laid: IntArray) -> IntArray:
        """Undo `to_sets`."""
        sets, rows, images, columns, p = laid.shape
        values = laid.transpose(2, 0, 4, 1, 3).reshape(images, sets * p, rows, columns)
        return values[:, : _size(self.filters)]


def _size(part: slice) -> int:
    return int(part.stop - part.start)


def _shares(size: int, each: int) -> IntArray:
    """Cut a size into shares, the last one possibly smaller."""
    return np.minimum(each, size - np.arange(0, size, each, dtype=np.int64))

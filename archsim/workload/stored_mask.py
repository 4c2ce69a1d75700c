"""Masks that lie in files, as values of any real type, and are read when their layer runs.

`mask_files.py` makes them of .npy files, `tensors.py` of the arrays of an .npz, after both have looked at every value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer
from archsim.workload.npz_file import WrongArrayError, open_npz, read_values, show_shape

BoolArray = NDArray[np.bool_]
BLOCK_WORDS = 1 << 20
"""Values looked at together. [words]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMask:
    """The values of a tensor in one or several files, not zero = kept.

    Parameters
    ----------
    paths
        .npy files whose first axes follow each other, or one .npz.
    shape
        Of the mask; its values in the files' order, but for ``swaps_axes``.
    member
        Name of the array in the .npz; empty of .npy files.
    swaps_axes
        The file has the last two axes of ``shape`` the other way round.
    """

    paths: tuple[Path, ...]
    shape: tuple[int, ...]
    member: str = ""
    swaps_axes: bool = False

    @property
    def origin(self) -> str:
        """Where the zeros come from."""
        return f"{self.paths[0]}: {self.member.removesuffix('.npy')}" if self.member else str(self.paths[0])

    def nonzero(self) -> BoolArray:
        """Return the mask.

        Raises
        ------
        WorkloadError
            The file is no longer what it was when it was looked at.
        """
        try:
            found = np.concatenate([np.atleast_1d(part) for part in self._parts()])
            return self._in_order(found)
        except (OSError, ValueError, WrongArrayError) as problem:
            raise WorkloadError(f"{self.origin}: changed since it was looked at: {problem}") from problem

    def _in_order(self, found: BoolArray) -> BoolArray:
        if not self.swaps_axes:
            return found.reshape(self.shape)
        inner, columns = self.shape[-2:]
        return np.ascontiguousarray(found.reshape(*self.shape[:-2], columns, inner).swapaxes(-1, -2))

    def _parts(self) -> Iterator[BoolArray]:
        if self.member:
            with open_npz(self.paths[0]) as archive:
                yield read_values(archive, self.member) != 0
            return
        for path in self.paths:
            yield np.asarray(npy.open_memmap(path, mode="r") != 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How stored values become a mask: the mask's shape, and whether the file has rows and columns swapped."""

    shape: tuple[int, ...]
    swaps_axes: bool = False


def fit_shape(
    shape: tuple[int, ...], layer: ArrayLayer, operand: Operand, *, columns_first: bool = False
) -> Fit | None:
    """Find how values of a shape are a layer's ifmap or weights; None = they are not.

    Parameters
    ----------
    shape
        Of a convolution's ifmap (channels, *spatial), or any number of those; of its weights (filters, channels of a
        group, *kernel). Of a matrix's ifmap any number of rows, whose values may lie in several axes; of its weights
        (inner, columns) or (columns, inner). Several products with weights of their own have their number in front.
    layer, operand
        What they are to be; IFMAP or WEIGHT.
    columns_first
        Square weights of a matrix are (columns, inner).
    """
    if not shape or 0 in shape:
        return None
    if isinstance(layer, ConvLayer):
        return _fit_conv(shape, layer, operand)
    return _fit_ifmap_rows(shape, layer) if operand is Operand.IFMAP else _fit_matrix(shape, layer, columns_first)


def wanted_shapes(layer: ArrayLayer, operand: Operand) -> str:
    """Return the shapes that `fit_shape` takes, for a message."""
    if isinstance(layer, ConvLayer):
        one = (layer.in_channels, *layer.ifmap)
        if operand is Operand.IFMAP:
            return f"{show_shape(one)} or images x {show_shape(one)}"
        return show_shape((layer.out_channels, layer.in_channels // layer.groups, *layer.kernel))
    several = f"{layer.batches} x " if layer.batches > 1 else ""
    if operand is Operand.IFMAP:
        return f"{several}{layer.rows if several else 'rows'} x {layer.inner}"
    return f"{several}{layer.inner} x {layer.columns} or {several}{layer.columns} x {layer.inner}"


def first_not_finite(values: NDArray[Any]) -> int | None:
    """Return the place of the first NaN or infinity in memory order, looked for block by block; None = none."""
    if values.dtype.kind != "f":
        return None
    flat = values.ravel(order="K")
    for start in range(0, len(flat), BLOCK_WORDS):
        bad = np.flatnonzero(~np.isfinite(flat[start : start + BLOCK_WORDS]))
        if bad.size:
            return start + int(bad[0])
    return None


def _fit_conv(shape: tuple[int, ...], layer: ConvLayer, operand: Operand) -> Fit | None:
    if operand is Operand.WEIGHT:
        wanted = (layer.out_channels, layer.in_channels // layer.groups, *layer.kernel)
        return Fit(shape=wanted) if shape == wanted else None
    one = (layer.in_channels, *layer.ifmap)
    return Fit(shape=(prod(shape) // prod(one), *one)) if shape in (one, (shape[0], *one)) else None


def _fit_ifmap_rows(shape: tuple[int, ...], layer: MatmulLayer) -> Fit | None:
    if layer.batches > 1:
        wanted = (layer.batches, layer.rows, layer.inner)
        return Fit(shape=wanted) if shape == wanted else None
    is_whole = shape[-1:] == (layer.inner,) or prod(shape[1:]) == layer.inner
    return Fit(shape=(1, prod(shape) // layer.inner, layer.inner)) if shape and is_whole else None


def _fit_matrix(shape: tuple[int, ...], layer: MatmulLayer, columns_first: bool) -> Fit | None:
    sides = tuple(shape[1:] if layer.batches > 1 and shape[:1] == (layer.batches,) else shape)
    while len(sides) > 2 and sides[-1] == 1:  # a matrix written as filters of 1 x 1
        sides = sides[:-1]
    wanted = (layer.inner, layer.columns)
    if prod(shape) != layer.weight_words or sides not in (wanted, wanted[::-1]):
        return None
    swaps = sides != wanted or (columns_first and layer.inner == layer.columns)
    return Fit(shape=(layer.batches, *wanted), swaps_axes=swaps)

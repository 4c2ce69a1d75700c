"""The windows of an ifmap, tile by tile of output pixels, handed to a kernel that adds products.

`products.py` calls it with codes, logarithms or floats: what differs is the kernel and the types.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.kernels.window_patches import gather_patches
from archsim.numerics.window import Window

Array = NDArray[Any]
IntArray = NDArray[np.int64]
PATCH_BYTES = 1 << 19
"""Patches held at a time: half of a usual second-level cache. [B]"""
FEWEST_LANES, MOST_LANES = 64, 1024
"""Output pixels of a tile, about: enough to fill vectors, few enough to keep a row of sums in the first-level cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adder:
    """A kernel and what it takes besides patches and weights.

    Parameters
    ----------
    kernel
        ``kernel(patches, weights, *per_channel, *shared, sums)``.
    per_channel
        Arrays with an entry per output channel.
    shared
        Arrays and numbers for all of them.
    sums_type
        Of its sums.
    blank
        The word that stands for zero outside of the image.
    is_whole
        Whether the kernel takes all output pixels of a group at once, not a tile of them.
    """

    kernel: Callable[..., None]
    per_channel: tuple[Array, ...]
    shared: tuple[Any, ...] = ()
    sums_type: type[np.generic] = np.int64
    blank: int = 0
    is_whole: bool = False


Substitute = Callable[[Adder], Adder]
"""Puts another kernel in the place of an adder's own: that of some hardware, which should make the same sums."""


def run_windows(
    adder: Adder,
    ifmap: Array,
    weight: Array,
    window: Window | None,
    *,
    order: IntArray | None = None,
    substitute: Substitute | None = None,
) -> Array:
    """Return the sums of every window.

    Parameters
    ----------
    adder
        Its kernel sees the terms in ``order``.
    ifmap, weight
        Shapes (N, C, H, W) and (K, C / groups, R, S); without a window (N, C) and (K, C).
    order
        A permutation of a window's C / groups * R * S places, channel by channel and row by row; None = this order.
    substitute
        Adds in the place of the adder's kernel; None = the kernel does.

    Returns
    -------
    array of the adder's type, shape (N, K, P, Q) or (N, K)

    Raises
    ------
    ValueError
        Shapes do not fit each other.
    """
    adder = adder if substitute is None else substitute(adder)
    if window is None:
        _check_dense(ifmap, weight)
        flat = run_windows(adder, ifmap[:, :, None, None], weight[:, :, None, None], Window(), order=order)
        return flat[:, :, 0, 0]
    _check_window(ifmap, weight, window)
    weights, places = weight.reshape(len(weight), -1), _places(weight.shape, window)
    if order is not None:
        _check_order(order, len(places))
        weights, places = weights[:, order], places[order]
    sums = np.empty((len(ifmap), len(weight), *ofmap_sides(ifmap.shape, weight.shape, window)), adder.sums_type)
    whole = np.array([0, len(sums), 0, *sums.shape[2:]], dtype=np.int64)
    for tile in [whole] if adder.is_whole else _tiles(sums.shape, len(places) * ifmap.itemsize):
        _run_tile(adder, np.ascontiguousarray(ifmap), np.ascontiguousarray(weights), _Walk(window, places, tile, sums))
    return sums


class _Walk(NamedTuple):
    """The window, its places, the tile at hand (see `gather_patches`) and the sums of the whole layer."""

    window: Window
    places: IntArray
    tile: IntArray
    sums: Array


def _run_tile(adder: Adder, ifmap: Array, weights: Array, walk: _Walk) -> None:
    """Write the sums of one tile, group by group."""
    first, images, first_row, rows, columns = walk.tile.tolist()
    strides = np.array(walk.window.stride, dtype=np.int64)
    groups = walk.window.groups
    filters, channels = len(weights) // groups, ifmap.shape[1] // groups
    patches = np.empty((len(walk.places), images * rows * columns), dtype=ifmap.dtype)
    for group in range(groups):
        mine = slice(group * filters, (group + 1) * filters)
        places = walk.places + np.array([group * channels, 0, 0])
        gather_patches(ifmap, places, strides, walk.tile, adder.blank, patches)
        part = np.empty((filters, patches.shape[1]), dtype=adder.sums_type)
        adder.kernel(patches, weights[mine], *(values[mine] for values in adder.per_channel), *adder.shared, part)
        walk.sums[first : first + images, mine, first_row : first_row + rows] = part.reshape(
            filters, images, rows, columns
        ).swapaxes(0, 1)


def ofmap_sides(ifmap_shape: tuple[int, ...], weight_shape: tuple[int, ...], window: Window) -> tuple[int, int]:
    """Return rows and columns of the ofmap.

    Raises
    ------
    ValueError
        The window is larger than the padded ifmap.
    """
    sides = []
    for axis in range(2):
        reach = window.dilation[axis] * (weight_shape[2 + axis] - 1) + 1
        room = ifmap_shape[2 + axis] + sum(window.padding[axis]) - reach
        if room < 0:
            raise ValueError(
                f"a window that reaches over {reach} does not fit {ifmap_shape[2 + axis]} padded by {window.padding[axis]}"
            )
        sides.append(room // window.stride[axis] + 1)
    return sides[0], sides[1]


def _places(weight_shape: tuple[int, ...], window: Window) -> IntArray:
    """Return channel, row and column of every term from the corner of an unpadded window; shape (terms, 3)."""
    channels, rows, columns = np.indices(weight_shape[1:]).reshape(3, -1)
    (top, _), (left, _) = window.padding
    return np.stack([channels, rows * window.dilation[0] - top, columns * window.dilation[1] - left], axis=1)


def _tiles(sums_shape: tuple[int, ...], bytes_per_lane: int) -> Iterator[IntArray]:
    """Cut the ofmap into whole images, or rows of one, of about as many pixels as keep the patches in a cache."""
    images, _, rows, columns = sums_shape
    lanes = min(max(PATCH_BYTES // max(bytes_per_lane, 1), FEWEST_LANES), MOST_LANES)
    rows_at_once = min(max(lanes // columns, 1), rows)
    images_at_once = max(lanes // (rows * columns), 1)
    for image in range(0, images, images_at_once):
        count = min(images_at_once, images - image)
        for row in range(0, rows, rows_at_once):
            yield np.array([image, count, row, min(rows_at_once, rows - row), columns], dtype=np.int64)


def _check_dense(ifmap: Array, weight: Array) -> None:
    if ifmap.ndim != 2 or weight.ndim != 2 or ifmap.shape[1] != weight.shape[1]:
        raise ValueError(f"ifmap {ifmap.shape} and weight {weight.shape} are not (N, C) and (K, C)")


def _check_window(ifmap: Array, weight: Array, window: Window) -> None:
    fits = ifmap.ndim == weight.ndim == 4 and window.groups >= 1
    if not fits or weight.shape[1] * window.groups != ifmap.shape[1] or len(weight) % window.groups:
        raise ValueError(
            f"ifmap {ifmap.shape} and weight {weight.shape} are not (N, C, H, W) and (K, C / {window.groups}, R, S) "
            f"with K a multiple of {window.groups}"
        )


def _check_order(order: IntArray, terms: int) -> None:
    if sorted(order.tolist()) != list(range(terms)):
        raise ValueError(f"an order of {len(order)} places is not a permutation of the window's {terms}")

"""Row stationary (RS): a PE convolves one filter row with one ifmap row; called by `study.py`.

A set of kernel x e PEs makes e ofmap rows: filter rows are shared along the set, ifmap rows along its diagonals, psums
add up along its columns. Each PE interleaves p filters and q channels in its spad; r sets work on other channels and
their psums add up too, t sets on other filters.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.study.reuse.candidates import (
    Candidates,
    Sizes,
    batch_tiles,
    bounded_products,
    ceil_div,
    fetches,
    same_for_all,
    upto,
)
from archsim.study.reuse.split import InputReuse, PsumReuse
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage


def row_stationary(layer: SquareLayer, storage: Storage) -> Candidates:
    """Return all RS mappings; ifmap rows and psums of n images and m filters live in the GLB, weights pass it by.

    Parameters
    ----------
    layer
        On its batch.
    storage
        Its spad holds p x q filter rows, q windows of an ifmap row and p psums.

    Notes
    -----
    p and m are the largest that fit, which no other choice beats. Not modelled: the place of the sets in a
    grid of PEs, and a pass of p x t filters that m is no multiple of.
    """
    e, r, t = (
        size[:, None, None]
        for size in bounded_products((layer.ofmap_side, layer.channels, layer.filters), storage.pes // layer.kernel)
    )
    q = upto(min(layer.channels, max(storage.spad_words // (2 * layer.kernel), 1)))[:, None]
    n = batch_tiles(layer.batch)
    ifmap_words = q * r * layer.ifmap_side * layer.window_side(e)
    psum_words = e * layer.ofmap_side
    m = np.clip((storage.glb_words // n - ifmap_words) // psum_words, 1, layer.filters)
    p = np.minimum(_spad_filters(layer, storage, q), m // t)
    return _candidates(
        layer,
        sizes={"n": n, "m": m, "e": e, "p": np.maximum(p, 1), "q": q, "r": r, "t": t},
        glb_words=n * (ifmap_words + m * psum_words),
        is_legal=(p >= 1) & (q * r <= layer.channels),
    )


def _candidates(
    layer: SquareLayer, *, sizes: dict[str, Sizes], glb_words: Sizes, is_legal: NDArray[np.bool_]
) -> Candidates:
    """Count accesses: a pass takes n images, e ofmap rows, p t filters and q r channels."""
    n, m, e, p, q, r, t = sizes.values()
    images = ceil_div(layer.batch, n)
    macs_per_axis = fetches(layer, 1)
    return Candidates(
        sizes=sizes,
        ifmap=InputReuse(
            words=layer.ifmap_words,
            dram=ceil_div(layer.filters, m) * fetches(layer, e),
            glb=ceil_div(layer.filters, p * t) * fetches(layer, e),
            array=ceil_div(layer.filters, p) * macs_per_axis,
            spad=layer.filters * macs_per_axis**2,
        ),
        weight=InputReuse(
            words=layer.weight_words,
            dram=images * ceil_div(layer.ofmap_side, e),
            glb=same_for_all(0),
            array=images * layer.ofmap_side,
            spad=same_for_all(layer.batch * layer.ofmap_side**2),
        ),
        psum=PsumReuse(
            words=layer.ofmap_words,
            glb=ceil_div(layer.channels, q * r),
            array=ceil_div(layer.channels, q) * layer.kernel,
            spad=same_for_all(layer.window_words),
        ),
        active_pes=layer.kernel * e * r * t,
        glb_words=glb_words,
        is_legal=is_legal,
    )


def _spad_filters(layer: SquareLayer, storage: Storage, q: Sizes) -> Sizes:
    """Return how many filters fit a spad beside the ifmap windows: p q R + q R + p words in all."""
    return (storage.spad_words - q * layer.kernel) // (q * layer.kernel + 1)

"""No local reuse (NLR): PEs without a spad, all words come from the GLB, as in DianNao; called by `study.py`.

Groups of p PEs share an ifmap word for p filters; q groups work on other channels and their psums add up through
the array. The GLB keeps tiles of all three operands.
"""

import numpy as np

from archsim.study.reuse.candidates import (
    Candidates,
    Sizes,
    batch_tiles,
    ceil_div,
    fetches,
    kept_filters,
    same_for_all,
    upto,
)
from archsim.study.reuse.split import InputReuse, PsumReuse
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage


def no_local_reuse(layer: SquareLayer, storage: Storage) -> Candidates:
    """Return the NLR mappings: tiles of n images, m filters, q channels and e x f ofmap pixels in the GLB.

    Parameters
    ----------
    layer
        On its batch.
    storage
        Of the GLB alone.

    Notes
    -----
    m and p are the largest that fit, which no other choice beats; rows and columns are alike, so e <= f.
    """
    n, q, e, f = _tiles(layer, storage)
    ifmap_words = n * q * layer.window_side(e) * layer.window_side(f)
    words_per_filter = q * layer.kernel**2 + n * e * f
    m = kept_filters(layer, storage.glb_words - ifmap_words, words_per_filter)
    p = np.minimum(m, storage.pes // q)
    return _candidates(
        layer,
        sizes={"n": n, "m": m, "q": q, "p": p, "e": e, "f": f},
        glb_words=ifmap_words + m * words_per_filter,
    )


def _candidates(layer: SquareLayer, *, sizes: dict[str, Sizes], glb_words: Sizes) -> Candidates:
    """Count accesses: each cycle takes q ifmap words and p q weights, and reads and writes p psums."""
    n, m, q, p, e, f = sizes.values()
    macs_per_filter = fetches(layer, 1) ** 2
    in_window = same_for_all(layer.window_words)
    return Candidates(
        sizes=sizes,
        ifmap=InputReuse(
            words=layer.ifmap_words,
            dram=ceil_div(layer.filters, m) * fetches(layer, e) * fetches(layer, f),
            glb=ceil_div(layer.filters, p) * macs_per_filter,
            array=layer.filters * macs_per_filter,
            spad=same_for_all(0),
        ),
        weight=InputReuse(
            words=layer.weight_words,
            dram=ceil_div(layer.batch, n) * ceil_div(layer.ofmap_side, e) * ceil_div(layer.ofmap_side, f),
            glb=same_for_all(layer.batch * layer.ofmap_side**2),
            array=same_for_all(0),
            spad=same_for_all(0),
        ),
        psum=PsumReuse(
            words=layer.ofmap_words,
            glb=ceil_div(layer.channels, q) * layer.kernel**2,
            array=in_window,
            spad=in_window,
        ),
        active_pes=p * q,
        glb_words=glb_words,
        is_legal=np.ones(1, dtype=np.bool_),
    )


def _tiles(layer: SquareLayer, storage: Storage) -> tuple[Sizes, ...]:
    """Return n, q, e and f >= e of all ifmap tiles that the GLB holds, and of the smallest for each n and q."""
    e, f = (side + 1 for side in np.triu_indices(layer.ofmap_side))
    window_words = layer.window_side(e) * layer.window_side(f)
    by_size = window_words.argsort(kind="stable")
    n, q = (axis.ravel() for axis in np.meshgrid(batch_tiles(layer.batch), upto(min(layer.channels, storage.pes))))
    held = np.searchsorted(window_words[by_size], storage.glb_words // (n * q), side="right").clip(1)
    pair = np.repeat(np.arange(n.size), held)
    tile = by_size[np.arange(pair.size) - np.repeat(held.cumsum() - held, held)]
    return n[pair], q[pair], e[tile], f[tile]

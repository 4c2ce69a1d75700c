"""Weight stationary (WS): a PE keeps one weight for all its MACs; called by `study.py`.

kernel x kernel PEs hold one plane of a filter; planes of r channels of t filters are held at once. Every ifmap word goes
to all PEs. Psums hop along a row of the planes, wait in the GLB for the next row of the kernel, as in the delay lines
of neuFlow's convolvers, and again for the next r channels.
"""

import numpy as np

from archsim.study.reuse.candidates import Candidates, Sizes, bounded_products, ceil_div, fetches, same_for_all, upto
from archsim.study.reuse.split import InputReuse, PsumReuse
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage


def weight_stationary(layer: SquareLayer, storage: Storage) -> Candidates:
    """Return all WS mappings; psums of the whole batch and of t filters live in the GLB, inputs pass it by.

    Parameters
    ----------
    layer
        On its batch.
    storage
        Its spads hold a weight each.

    Notes
    -----
    All MACs of a weight follow each other, so that every ofmap value of t filters is unfinished at once. ``f`` is the
    width of the strips in which the planes cross the ofmap.
    """
    pairs = bounded_products((layer.channels, layer.filters), storage.pes // layer.kernel**2)
    r, t = (size[:, None] for size in pairs)
    return _candidates(layer, r, t, upto(layer.ofmap_side))


def _candidates(layer: SquareLayer, r: Sizes, t: Sizes, f: Sizes) -> Candidates:
    """Count accesses: r planes of t filters cross a strip of f columns of all images."""
    in_window = same_for_all(layer.window_words)
    delay_words = r * t * (layer.kernel - 1) * (layer.window_side(f) - layer.kernel)
    return Candidates(
        sizes={"r": r, "t": t, "f": f},
        ifmap=InputReuse(
            words=layer.ifmap_words,
            dram=ceil_div(layer.filters, t) * fetches(layer, layer.ofmap_side) * fetches(layer, f),
            glb=same_for_all(0),
            array=layer.filters * fetches(layer, 1) ** 2,
            spad=same_for_all(0),
        ),
        weight=InputReuse(
            words=layer.weight_words,
            dram=same_for_all(1),
            glb=same_for_all(0),
            array=same_for_all(0),
            spad=same_for_all(layer.batch * layer.ofmap_side**2),
        ),
        psum=PsumReuse(
            words=layer.ofmap_words,
            glb=ceil_div(layer.channels, r) * layer.kernel,
            array=in_window,
            spad=in_window,
        ),
        active_pes=r * t * layer.kernel**2,
        glb_words=layer.batch * t * layer.ofmap_side**2 + delay_words,
        is_legal=np.ones(1, dtype=np.bool_),
    )

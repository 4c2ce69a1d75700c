"""Output stationary (OS): a PE keeps one psum until it is an ofmap value; called by `study.py`.

OS_A gives the PEs a patch of one ofmap plane (as ShiDianNao does), OS_B a piece of a row of several planes, OS_C one
pixel of many planes. Each MAC takes a weight and an ifmap word from the array. The GLB keeps whole filters, and the
ifmap words of the windows at work.
"""

import numpy as np

from archsim.study.reuse.candidates import (
    Candidates,
    Sizes,
    bounded_products,
    ceil_div,
    fetches,
    kept_filters,
    same_for_all,
)
from archsim.study.reuse.split import Counts, InputReuse, PsumReuse
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage


def output_stationary_a(layer: SquareLayer, storage: Storage) -> Candidates:
    """Return all OS_A mappings: n images x e rows x f columns of one ofmap plane at a time.

    Parameters
    ----------
    layer
        On its batch.
    storage
        Its spads hold a psum, and ifmap words on their way from PE to PE.
    """
    n, e, f = bounded_products((layer.batch, layer.ofmap_side, layer.ofmap_side), storage.pes)
    ifmap_words = n * layer.channels * layer.window_side(e) * layer.window_side(f)
    m = kept_filters(layer, storage.glb_words - ifmap_words, layer.window_words)
    patch = fetches(layer, e) * fetches(layer, f)
    return _candidates(
        layer,
        sizes={"n": n, "m": m, "e": e, "f": f},
        patch_fetches=patch,
        filters_at_once=np.ones(1, dtype=np.int64),
        weight_reads=ceil_div(layer.batch, n) * ceil_div(layer.ofmap_side, e) * ceil_div(layer.ofmap_side, f),
        active_pes=n * e * f,
        ifmap_words=ifmap_words,
    )


def output_stationary_b(layer: SquareLayer, storage: Storage) -> Candidates:
    """Return all OS_B mappings: n images x p ofmap planes x f columns of one row at a time.

    Parameters
    ----------
    layer
        On its batch.
    storage
        Its spads hold a psum, and ifmap words on their way along the row.
    """
    n, p, f = bounded_products((layer.batch, layer.filters, layer.ofmap_side), storage.pes)
    ifmap_words = n * layer.channels * layer.kernel * layer.window_side(f)
    m = kept_filters(layer, storage.glb_words - ifmap_words, layer.window_words)
    return _candidates(
        layer,
        sizes={"n": n, "m": m, "p": p, "f": f},
        patch_fetches=fetches(layer, 1) * fetches(layer, f),
        filters_at_once=p,
        weight_reads=ceil_div(layer.batch, n) * layer.ofmap_side * ceil_div(layer.ofmap_side, f),
        active_pes=n * p * f,
        ifmap_words=ifmap_words,
    )


def output_stationary_c(layer: SquareLayer, storage: Storage) -> Candidates:
    """Return all OS_C mappings: n images x p ofmap planes of one pixel at a time.

    Parameters
    ----------
    layer
        On its batch.
    storage
        Its spads hold a psum.
    """
    n, p = bounded_products((layer.batch, layer.filters), storage.pes)
    ifmap_words = n * layer.window_words
    m = kept_filters(layer, storage.glb_words - ifmap_words, layer.window_words)
    return _candidates(
        layer,
        sizes={"n": n, "m": m, "p": p},
        patch_fetches=fetches(layer, 1) ** 2,
        filters_at_once=p,
        weight_reads=ceil_div(layer.batch, n) * layer.ofmap_side**2,
        active_pes=n * p,
        ifmap_words=ifmap_words,
    )


def _candidates(
    layer: SquareLayer,
    *,
    sizes: dict[str, Sizes],
    patch_fetches: Counts,
    filters_at_once: Sizes,
    weight_reads: Counts,
    active_pes: Sizes,
    ifmap_words: Sizes,
) -> Candidates:
    """Build what the variants share: m filters stay in the GLB while the ofmap of all images is made of them.

    ``patch_fetches``: of an ifmap word, for each round of filters; ``weight_reads``: of a weight, from the GLB.
    """
    m = sizes["m"]
    return Candidates(
        sizes=sizes,
        ifmap=InputReuse(
            words=layer.ifmap_words,
            dram=ceil_div(layer.filters, m) * patch_fetches,
            glb=ceil_div(layer.filters, filters_at_once) * patch_fetches,
            array=layer.filters * fetches(layer, 1) ** 2,
            spad=same_for_all(0),
        ),
        weight=InputReuse(
            words=layer.weight_words,
            dram=same_for_all(1),
            glb=weight_reads,
            array=same_for_all(layer.batch * layer.ofmap_side**2),
            spad=same_for_all(0),
        ),
        psum=PsumReuse(
            words=layer.ofmap_words, glb=same_for_all(1), array=same_for_all(1), spad=same_for_all(layer.window_words)
        ),
        active_pes=active_pes,
        glb_words=m * layer.window_words + ifmap_words,
        is_legal=filters_at_once <= m,
    )

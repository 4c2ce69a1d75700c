"""All mappings of a layer in one dataflow, and the arithmetic that the dataflows share; made by the dataflows' files."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.study.reuse.split import Counts, InputReuse, PsumReuse
from archsim.study.reuse.square_layer import SquareLayer

Sizes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """Mappings of one layer; the arrays broadcast against each other.

    Parameters
    ----------
    sizes
        What was chosen, by name: tile sizes and PEs by axis.
    ifmap, weight, psum
        What each mapping accesses.
    active_pes
        PEs that have work.
    glb_words
        Room that the mapping takes in the GLB. [words]
    is_legal
        Whether it is a mapping at all, the GLB aside.
    """

    sizes: Mapping[str, Sizes]
    ifmap: InputReuse
    weight: InputReuse
    psum: PsumReuse
    active_pes: Sizes
    glb_words: Sizes
    is_legal: NDArray[np.bool_]


def ceil_div(whole: int | Sizes, part: int | Sizes) -> Counts:
    """Return how many parts cover the whole, part by part."""
    return np.ceil(np.asarray(whole, dtype=np.float64) / part)


def fetches(layer: SquareLayer, ofmap_rows: int | Sizes) -> Counts:
    """Return how often an ifmap row is fetched when the ofmap is cut into bands of so many rows, on average.

    Neighbouring bands share kernel - stride rows. Bands count as E / rows, not rounded up: a last band that is cut
    short is taken as a share of a whole one, as the published figures do.
    """
    rows = np.asarray(ofmap_rows)
    return layer.ofmap_side / rows * layer.window_side(rows) / layer.ifmap_side


def same_for_all(number: float) -> Counts:
    """Return a count that no choice changes."""
    return np.full(1, float(number))


def upto(most: int) -> Sizes:
    """Return 1..most."""
    return np.arange(1, most + 1, dtype=np.int64)


def batch_tiles(images: int) -> Sizes:
    """Return the smallest tile for every number of tiles that a batch can be cut into."""
    return np.unique(ceil_div(images, upto(images))).astype(np.int64)


def bounded_products(limits: tuple[int, ...], most: int) -> tuple[Sizes, ...]:
    """Return all tuples of sizes up to their limits whose product is at most ``most``, one array per size."""
    columns: list[Sizes] = []
    product = np.ones(1, dtype=np.int64)
    for limit in limits:
        products = product[:, None] * upto(min(limit, most))
        old, new = np.nonzero(products <= most)
        columns = [*(column[old] for column in columns), new + 1]
        product = products[old, new]
    return tuple(columns)


def kept_filters(layer: SquareLayer, room_words: Sizes, words_each: int | Sizes) -> Sizes:
    """Return how many of the layer's filters the room is enough for; 1 where it is enough for none."""
    filters: Sizes = np.clip(room_words // words_each, 1, layer.filters)
    return filters

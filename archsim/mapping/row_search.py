"""Choose a row-stationary mapping: every legal one is scored by closed forms, the best by the arch's objective wins.

Energy is counted by `MappingChoice.prices`; the MACs and their spad reads are the same for every mapping and left out.
Ties go to the other quantity, then to fewer passes, then to the smaller letters, so that the same layer always gets the
same mapping.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archsim.arch.row_mapping import LETTERS, RowMapping
from archsim.errors import MappingError
from archsim.mapping.row_counts import RowCounts, count_mappings
from archsim.mapping.row_fit import misfits, room_left, sets_that_fit
from archsim.mapping.row_work import RowWork
from archsim.terms import MapObjective

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
MOST_PASSES = 4_000_000
"""Passes of a layer that are simulated, at most."""
SHORT_LIST = 8
"""Mappings that are run where the fastest is looked for."""
ALIKE = 16
"""Mappings of nearly one time that are looked through for each of them."""
BATCH = 100_000
"""Mappings that are scored at a time: bounds the memory of a search."""
SMALLEST = RowMapping(m=1, n=1, e=1, p=1, q=1, r=1, t=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMapping:
    """A mapping and what the closed forms expect of it.

    Parameters
    ----------
    mapping
        The choice.
    estimated_cycles
        Of the whole layer; 0 = not estimated. [cycles]
    legal
        Mappings that were compared; 0 for one that the arch gives.
    """

    mapping: RowMapping
    estimated_cycles: float
    legal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """A mapping with what it is compared by, the smaller the better, and its estimated cycles. [cycles]"""

    rank: tuple[float, float, int, tuple[int, ...]]
    letters: tuple[int, ...]
    cycles: float


def search_mapping(work: RowWork) -> FoundMapping:
    """Return the best mapping of a layer by the closed forms; errors as `search_mappings`."""
    return next(search_mappings(work))


def search_mappings(work: RowWork) -> Iterator[FoundMapping]:
    """Search all mappings of a layer, batch by batch, and yield the best: one, or a short list where time is the objective.

    The time is an estimate, so `engine/` runs the list and keeps the fastest.

    Raises
    ------
    MappingError
        No mapping fits the chip: told is what the smallest one lacks. Or all take too many passes.
    """
    objective = work.arch.mapping.objective
    wanted = SHORT_LIST if objective is MapObjective.TIME and not work.arch.dram.is_ideal else 1
    best: list[_Ranked] = []
    legal, fewest = 0, 0
    for batch in _legal_batches(work):
        counts = count_mappings(batch, work)
        passes = int(counts.passes.min())
        legal, fewest = legal + len(batch), min(fewest or passes, passes)
        best = _distinct(
            sorted([*best, *_best_of(batch, counts, objective, wanted)], key=lambda each: each.rank), wanted
        )
    if not best:
        raise MappingError(_nothing_fits(work, fewest))
    for each in best:
        letters = dict(zip(LETTERS, each.letters, strict=True))
        yield FoundMapping(mapping=RowMapping(**letters), estimated_cycles=each.cycles, legal=legal)


def objective_of(mapping: RowMapping, work: RowWork, objective: MapObjective) -> float:
    """Return what the search compares: cycles, energy in the unit of the prices, or their product; for tests."""
    counts = count_mappings(np.array([mapping.letters], dtype=np.int64), work)
    return float(_keys(counts)[objective][0])


def legal_mappings(work: RowWork) -> IntArray:
    """Return every mapping that the search compares, shape (mappings, 7) in the order of `LETTERS`; for tests."""
    return np.concatenate([np.zeros((0, len(LETTERS)), dtype=np.int64), *_legal_batches(work)])


def _keys(counts: RowCounts) -> dict[MapObjective, FloatArray]:
    return {
        MapObjective.TIME: counts.cycles,
        MapObjective.ENERGY: counts.energy,
        MapObjective.EDP: counts.cycles * counts.energy,
    }


def _best_of(batch: IntArray, counts: RowCounts, objective: MapObjective, wanted: int) -> list[_Ranked]:
    """Return the best of a batch, and as many more as may be wanted, among those that are not too long."""
    keys = _keys(counts)
    second = keys[MapObjective.ENERGY if objective is MapObjective.TIME else MapObjective.TIME]
    left = np.flatnonzero(counts.passes <= MOST_PASSES)
    if not len(left):
        return []
    first = keys[objective][left]
    most = np.partition(first, min(wanted * ALIKE, len(first)) - 1)[min(wanted * ALIKE, len(first)) - 1]
    left = left[first <= most]
    order = np.lexsort((*batch[left].T[::-1], counts.passes[left], second[left], keys[objective][left]))
    return [
        _Ranked(
            rank=(float(keys[objective][index]), float(second[index]), int(counts.passes[index]), tuple(map(int, batch[index]))),
            letters=tuple(map(int, batch[index])), cycles=float(counts.cycles[index]),
        )
        for index in left[order[: wanted * ALIKE]].tolist()
    ]  # fmt: skip


def _distinct(ranked: list[_Ranked], wanted: int) -> list[_Ranked]:
    """Keep the best of those that cut the layer alike (same m, n, e, p), as many as are wanted."""
    kept: dict[tuple[int, ...], _Ranked] = {}
    for each in ranked:
        kept.setdefault(each.letters[:4], each)
    return list(kept.values())[:wanted]


def _nothing_fits(work: RowWork, fewest_passes: int) -> str:
    if fewest_passes:
        return (
            f"layer {work.layer!r}: {fewest_passes:,} passes at least; up to {MOST_PASSES:,} are simulated. "
            "Run a part of it, or give the PEs larger spads"
        )
    missing = "; ".join(misfits(SMALLEST, work.shape, work.arch))
    return f"layer {work.layer!r} does not fit {work.arch.name!r}, not even with m=n=e=p=q=r=t=1: {missing}"


def _legal_batches(work: RowWork) -> Iterator[IntArray]:
    """Yield the mappings that fit, a bounded number at a time; of each the largest m that the others leave room for."""
    shape, spads = work.shape, work.arch.pe_array.require_spads()
    widest = max(shape.column_parts)
    most_q = min(spads.ifmap_words // widest, spads.weight_words // widest)
    found: list[IntArray] = []
    for e, r, t in _sets(work):
        q = _cuts(-(-shape.channels // r), most_q)
        p = _cuts(-(-shape.filters // t), min(spads.psum_words, spads.weight_words // widest))
        grid = np.meshgrid(_cuts(shape.images), p, q, indexing="ij")
        n, p, q = (axis.ravel() for axis in grid)
        fits = p * q * widest <= spads.weight_words
        n, p, q = n[fits], p[fits], q[fits]
        e_, r_, t_ = (np.full_like(n, value) for value in (e, r, t))
        found.append(np.stack([np.minimum(p * t, shape.filters), n, e_, p, q, r_, t_], axis=1))
        if sum(map(len, found)) >= BATCH:
            yield from _fitting(found, work)
            found = []
    yield from _fitting(found, work)


def _fitting(found: list[IntArray], work: RowWork) -> Iterator[IntArray]:
    """Yield the ones that fit, if any."""
    if found:
        smallest = np.concatenate(found)
        fitting = smallest[room_left(work.shape.tiles_of(smallest), work.arch)]
        if len(fitting):
            yield _with_most_filters(fitting, work)


def _sets(work: RowWork) -> list[tuple[int, int, int]]:
    """List (e, r, t) whose PE sets lie on the array at one time."""
    shape, array = work.shape, work.arch.pe_array
    found = []
    for e in _cuts(shape.ofmap_rows):
        fitting = sets_that_fit(max(shape.row_parts), int(e), array)
        for r in _cuts(shape.channels, fitting):
            found += [(int(e), int(r), int(t)) for t in _cuts(shape.filters, fitting // int(r))]
    return found


def _with_most_filters(smallest: IntArray, work: RowWork) -> IntArray:
    """Raise m to the whole passes whose psums still fit, spread evenly over the blocks that it takes."""
    filters, step = work.shape.filters, smallest[:, 3] * smallest[:, 6]
    low, high = np.ones_like(step), -(-filters // step)  # passes of a block: low fits, the answer is <= high
    while (low < high).any():
        middle = (low + high + 1) // 2
        tried = smallest.copy()
        tried[:, 0] = np.minimum(middle * step, filters)
        fits = room_left(work.shape.tiles_of(tried), work.arch)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    blocks = -(-filters // np.minimum(low * step, filters))
    even = -(-filters // blocks)
    even = -(-even // step) * step
    result = smallest.copy()
    result[:, 0] = np.minimum(even, filters)
    return result


@lru_cache(maxsize=4096)
def _cuts(size: int, most: int | None = None) -> IntArray:
    """Sizes of the largest block when ``size`` is cut into 1, 2, 3 ... equal blocks, up to ``most``."""
    sizes = np.unique(-(-size // np.arange(1, size + 1, dtype=np.int64)))
    return sizes if most is None else sizes[sizes <= most]

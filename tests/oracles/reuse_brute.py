"""The least energy of each dataflow of `archsim/study/reuse/`, by trying every tile size in nested loops.

Slow and plain, in fractions, every size free. A psum's hop counts twice, as in the search that it checks.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product

from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage

DRAM, GLB, ARRAY = 200, 6, 2


def least(dataflow: str, layer: SquareLayer, storage: Storage) -> tuple[Fraction, int] | None:
    """Return the least energy of the words [MACs] and the most active PEs at it; None = nothing fits."""
    best = None
    for energy, active in TRIALS[dataflow](layer, storage):
        if best is None or (energy, -active) < best:
            best = (energy, -active)
    return None if best is None else (best[0], -best[1])


def _ceil(whole: int, part: int) -> int:
    return (whole + part - 1) // part


def _upto(most: int) -> range:
    return range(1, most + 1)


def _side(layer: SquareLayer, ofmap_rows: int) -> int:
    return layer.stride * (ofmap_rows - 1) + layer.kernel


def _swept(layer: SquareLayer, ofmap_rows: int) -> Fraction:
    """Ifmap rows fetched to sweep an axis in bands of so many ofmap rows."""
    return Fraction(layer.ofmap_side * _side(layer, ofmap_rows), ofmap_rows)


def _planes(layer: SquareLayer) -> int:
    return layer.groups * layer.batch * layer.channels


def _rs(layer: SquareLayer, storage: Storage) -> Iterator[tuple[Fraction, int]]:
    K, E, C, M = layer.kernel, layer.ofmap_side, layer.channels, layer.filters
    W, values, macs = layer.weight_words, layer.ofmap_words, layer.macs
    for e, r, t, q, p in product(_upto(E), _upto(C), _upto(M), _upto(C), _upto(M)):
        if K * e * r * t > storage.pes or q * r > C or p * q * K + q * K + p > storage.spad_words:
            continue
        for n, m in product(_upto(layer.batch), _upto(M)):
            if p * t > m or n * (q * r * layer.ifmap_side * _side(layer, e) + m * e * E) > storage.glb_words:
                continue
            x = _planes(layer) * layer.ifmap_side
            loads = _ceil(layer.batch, n)
            sums = values * K * _ceil(C, q)
            waits = values * _ceil(C, q * r)
            dram = x * _swept(layer, e) * _ceil(M, m) + W * loads * _ceil(E, e) + values
            glb = x * _swept(layer, e) * _ceil(M, p * t) + 2 * (waits - values)
            array = x * E * K * _ceil(M, p) + W * loads * E + 2 * (sums - waits)
            yield DRAM * dram + GLB * glb + ARRAY * array + 2 * macs + 2 * (macs - sums), K * e * r * t


def _ws(layer: SquareLayer, storage: Storage) -> Iterator[tuple[Fraction, int]]:
    K, E, C, M = layer.kernel, layer.ofmap_side, layer.channels, layer.filters
    W, values, macs = layer.weight_words, layer.ofmap_words, layer.macs
    for r, t, f in product(_upto(C), _upto(M), _upto(E)):
        room = layer.batch * t * E * E + r * t * (K - 1) * (_side(layer, f) - K)
        if r * t * K * K > storage.pes or room > storage.glb_words:
            continue
        runs = values * K * _ceil(C, r)
        dram = W + values + _planes(layer) * _swept(layer, E) * _swept(layer, f) * _ceil(M, t)
        yield DRAM * dram + GLB * 2 * (runs - values) + ARRAY * (macs + 2 * (macs - runs)) + macs, r * t * K * K


def _os(layer: SquareLayer, storage: Storage, shapes: Iterator[tuple[int, int, int]]) -> Iterator[tuple[Fraction, int]]:
    """Try any OS: ``shapes`` are rows, columns and ofmap planes at once."""
    window = layer.channels * layer.kernel**2
    for rows, columns, p in shapes:
        for n, m in product(_upto(layer.batch), _upto(layer.filters)):
            tile = n * layer.channels * _side(layer, rows) * _side(layer, columns)
            if n * rows * columns * p > storage.pes or p > m or m * window + tile > storage.glb_words:
                continue
            tiles = _ceil(layer.batch, n) * _ceil(layer.ofmap_side, rows) * _ceil(layer.ofmap_side, columns)
            x = _planes(layer) * _swept(layer, rows) * _swept(layer, columns)
            dram = layer.weight_words + layer.ofmap_words + x * _ceil(layer.filters, m)
            glb = layer.weight_words * tiles + x * _ceil(layer.filters, p)
            spad = 2 * layer.ofmap_words * (window - 1)
            yield DRAM * dram + GLB * glb + ARRAY * 2 * layer.macs + spad, n * rows * columns * p


def _nlr(layer: SquareLayer, storage: Storage) -> Iterator[tuple[Fraction, int]]:
    K, E, C, M = layer.kernel, layer.ofmap_side, layer.channels, layer.filters
    W, values, macs = layer.weight_words, layer.ofmap_words, layer.macs
    for n, m, q, p, e, f in product(*map(_upto, (layer.batch, M, C, M, E, E))):
        tile = n * q * _side(layer, e) * _side(layer, f)
        if p * q > storage.pes or p > m or tile + m * q * K * K + n * m * e * f > storage.glb_words:
            continue
        tiles = _ceil(layer.batch, n) * _ceil(E, e) * _ceil(E, f)
        runs = values * _ceil(C, q) * K * K
        dram = W * tiles + values + _planes(layer) * _swept(layer, e) * _swept(layer, f) * _ceil(M, m)
        glb = macs + _planes(layer) * E * E * K * K * _ceil(M, p) + 2 * (runs - values)
        yield DRAM * dram + GLB * glb + ARRAY * (macs + 2 * (macs - runs)), p * q


TRIALS: dict[str, Callable[[SquareLayer, Storage], Iterator[tuple[Fraction, int]]]] = {
    "RS": _rs,
    "WS": _ws,
    "OS_A": lambda layer, storage: _os(
        layer, storage, ((e, f, 1) for e in _upto(layer.ofmap_side) for f in _upto(layer.ofmap_side))
    ),
    "OS_B": lambda layer, storage: _os(
        layer, storage, ((1, f, p) for f in _upto(layer.ofmap_side) for p in _upto(layer.filters))
    ),
    "OS_C": lambda layer, storage: _os(layer, storage, ((1, 1, p) for p in _upto(layer.filters))),
    "NLR": _nlr,
}

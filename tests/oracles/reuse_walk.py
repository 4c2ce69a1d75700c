"""What the dataflows of `archsim/study/reuse/` access, by walking their loops pass by pass.

Slow and plain, for tile sizes that divide their dimensions. A level is charged where a word leaves it: a tile is read
again whenever the loops come back to it, a word of it once for each PE that it goes to.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product

from archsim.study.reuse.square_layer import SquareLayer

Counts = Counter[tuple[str, str]]
"""(operand, level) -> words."""


def walk(dataflow: str, layer: SquareLayer, sizes: dict[str, int]) -> Counts:
    """Return the accesses of all groups."""
    counts = WALKS[dataflow](layer, **sizes)
    counts["psum", "dram"] += layer.ofmap_words // layer.groups
    return Counter({key: words * layer.groups for key, words in counts.items()})


def divides(layer: SquareLayer, sizes: dict[str, int]) -> bool:
    """Whether the loops have no cut tiles."""
    p, t, q, r = (sizes.get(name, 1) for name in "ptqr")
    whole = {"n": layer.batch, "m": layer.filters, "e": layer.ofmap_side, "f": layer.ofmap_side}
    return (
        not any(whole[name] % sizes[name] for name in whole if name in sizes)
        and not layer.channels % (q * r)
        and not sizes.get("m", layer.filters) % (p * t)
        and not layer.filters % (p * t)
    )


def _rows(layer: SquareLayer, ofmap_rows: int) -> int:
    return len({layer.stride * row + tap for row in range(ofmap_rows) for tap in range(layer.kernel)})


def _merge(counts: Counts, pieces: int, is_first: bool, is_last: bool, values: int) -> None:
    """Add ``pieces`` products or sums along the array, onto what waits in the GLB."""
    counts["psum", "array"] += (pieces - 1) * values
    counts["psum", "glb"] += (not is_first) * values + (not is_last) * values


def _rs(layer: SquareLayer, *, n: int, m: int, e: int, p: int, q: int, r: int, t: int) -> Counts:
    counts: Counts = Counter()
    kernel, width, blocks = layer.kernel, layer.ofmap_side, layer.channels // (q * r)
    loops = product(range(layer.batch // n), range(layer.ofmap_side // e), range(layer.filters // m), range(blocks))
    for _image, _band, _round, block in loops:
        tile = n * q * r * _rows(layer, e) * layer.ifmap_side
        counts["ifmap", "dram"] += tile
        for _pass in range(m // (p * t)):
            counts["ifmap", "glb"] += tile
            counts["weight", "dram"] += kernel**2 * p * t * q * r
            for _pe in range(kernel * e * r * t):
                counts["ifmap", "array"] += n * q * layer.ifmap_side
                counts["weight", "array"] += p * q * kernel
                sums = n * p * width
                products = sums * q * kernel
                counts["ifmap", "spad"] += products
                counts["weight", "spad"] += products
                counts["psum", "spad"] += 2 * (products - sums)
            _merge(counts, kernel * r, block == 0, block == blocks - 1, n * e * width * p * t)
    return counts


def _ws(layer: SquareLayer, *, r: int, t: int, f: int) -> Counts:
    counts: Counts = Counter()
    kernel, height, blocks = layer.kernel, layer.ofmap_side, layer.channels // r
    for _round, block in product(range(layer.filters // t), range(blocks)):
        counts["weight", "dram"] += kernel**2 * r * t
        for _strip, _image in product(range(layer.ofmap_side // f), range(layer.batch)):
            counts["ifmap", "dram"] += r * _rows(layer, height) * _rows(layer, f)
            values = height * f * t
            counts["ifmap", "array"] += values * r * kernel**2
            counts["weight", "spad"] += values * r * kernel**2
            for row in range(kernel):
                is_last = (block, row) == (blocks - 1, kernel - 1)
                _merge(counts, r * kernel, (block, row) == (0, 0), is_last, values)
    return counts


def _os(layer: SquareLayer, *, n: int, m: int, p: int, rows: int, columns: int) -> Counts:
    """Walk any OS: rows x columns of p ofmap planes at once."""
    counts: Counts = Counter()
    window = layer.channels * layer.kernel**2
    for _round in range(layer.filters // m):
        counts["weight", "dram"] += m * window
        tiles = product(range(layer.batch // n), range(layer.ofmap_side // rows), range(layer.ofmap_side // columns))
        for _tile in tiles:
            words = n * layer.channels * _rows(layer, rows) * _rows(layer, columns)
            counts["ifmap", "dram"] += words
            for _pass in range(m // p):
                counts["ifmap", "glb"] += words
                counts["weight", "glb"] += p * window
                for _pe in range(n * p * rows * columns):
                    counts["ifmap", "array"] += window
                    counts["weight", "array"] += window
                    counts["psum", "spad"] += 2 * (window - 1)
    return counts


def _nlr(layer: SquareLayer, *, n: int, m: int, q: int, p: int, e: int, f: int) -> Counts:
    counts: Counts = Counter()
    blocks, taps = layer.channels // q, layer.kernel**2
    tiles = (layer.batch // n, layer.ofmap_side // e, layer.ofmap_side // f)
    for *_tile, _round, block in product(*map(range, (*tiles, layer.filters // m, blocks))):
        counts["ifmap", "dram"] += n * q * _rows(layer, e) * _rows(layer, f)
        counts["weight", "dram"] += m * q * taps
        for _pass, tap in product(range(m // p), range(taps)):
            cycles = n * e * f
            counts["ifmap", "glb"] += cycles * q
            counts["ifmap", "array"] += cycles * p * q
            counts["weight", "glb"] += cycles * p * q
            is_last = (block, tap) == (blocks - 1, taps - 1)
            _merge(counts, q, (block, tap) == (0, 0), is_last, cycles * p)
    return counts


WALKS: dict[str, Callable[..., Counts]] = {
    "RS": _rs,
    "WS": _ws,
    "OS_A": lambda layer, *, n, m, e, f: _os(layer, n=n, m=m, p=1, rows=e, columns=f),
    "OS_B": lambda layer, *, n, m, p, f: _os(layer, n=n, m=m, p=p, rows=1, columns=f),
    "OS_C": lambda layer, *, n, m, p: _os(layer, n=n, m=m, p=p, rows=1, columns=1),
    "NLR": _nlr,
}

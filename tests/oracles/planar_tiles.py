"""Slow reference of planar tiles: lists of nonzero values and weights, vector by vector, written from the description of SCNN.

Cut, phases, order and banks are made anew here, by loops over places; no code of archsim is used.
"""

from math import ceil, floor


def hashed(k, x, y):
    """DNNsim's bank of a psum, as its formula stands."""
    return ((((k & 4) << 2) ^ ((x & 2) << 3) ^ ((y & 2) << 3)) + ((x & 1) << 3) + ((y & 1) << 2) + (k & 3)) % 32


def tile_of(size, pes, padding=0, after=0, *, even=False):
    """Places of every PE's part of an axis, padding cut too where it is given, and the largest part."""
    tile = ceil((size + padding + after) / pes)
    if even:
        cuts = [pe * (size + padding + after) // pes for pe in range(pes + 1)]
        return [
            [place for place in range(size) if cuts[pe] <= place + padding < cuts[pe + 1]] for pe in range(pes)
        ], tile
    return [[place for place in range(size) if (place + padding) // tile == pe] for pe in range(pes)], tile


def group_size(entries, tiles, layer, filters):
    """Largest power of two of filters whose psums fit: all ofmap places that a tile of so many values can touch."""
    spans = [ceil((tile + (k - 1) * d) / u) for tile, (_, _, k, u, d, _) in zip(tiles, layer, strict=True)]
    size = 1
    while 2 * size * spans[0] * spans[1] <= entries:
        size *= 2
    return min(size, filters)


def pair_cycles(values, weights, layer, *, vectors, queue, banks, loads):
    """Cycles of all pairs of vectors of one PE, channel and phase; what waits at the banks is left in ``loads``."""
    cycles = products = 0
    for i in range(0, len(values), vectors[0]):
        for f in range(0, len(weights), vectors[1]):
            for x, y in values[i : i + vectors[0]]:
                for k, r, s in weights[f : f + vectors[1]]:
                    products += 1
                    place = [
                        (at + p - tap * d) / u
                        for at, tap, (_, _, _, u, d, p) in zip((x, y), (r, s), layer, strict=True)
                    ]
                    assert place == [floor(at) for at in place]
                    if all(0 <= at < axis[1] for at, axis in zip(place, layer, strict=True)):
                        loads[hashed(k, int(place[0]), int(place[1])) % banks] += 1
            taken = 1 if queue is None else 1 + max(0, max(loads) - queue)
            loads[:] = [0 if queue is None else max(0, load - taken) for load in loads]
            cycles += taken
    return cycles, products


def run(ifmap, weight, layer, *, pes, vectors=(4, 4), entries=1024, queue=None, banks=32, by_channel=False, first_filter=0,
        group=None, cut_padding=((0, 0), (0, 0)), even=False):  # fmt: skip
    """Return the cycles of each filter group, and products, of one image and group.

    ``ifmap`` [channel][row][column], ``weight`` [filter][channel][row][column]; ``layer`` is a pair of
    (ifmap, ofmap, kernel, stride, dilation, padding) of rows and columns.
    """
    (rows, tall), (columns, wide) = (
        tile_of(axis[0], n, *pad, even=even) for axis, n, pad in zip(layer, pes, cut_padding, strict=True)
    )
    size = group or group_size(entries, (tall, wide), layer, len(weight))
    phases = [(a, b) for a in range(layer[0][3]) for b in range(layer[1][3])]
    found, products = [], 0
    for first in range(0, len(weight), size):
        total = 0
        passed = [0] * (pes[0] * pes[1])
        loads = [[0] * banks for _ in passed]
        for c in range(len(ifmap)):
            for pe in range(len(passed)):
                for phase in phases:
                    values = [(x, y) for x in rows[pe // pes[1]] for y in columns[pe % pes[1]] if ifmap[c][x][y]
                              and all((at + axis[5]) % axis[3] == p for at, axis, p in zip((x, y), layer, phase, strict=True))]  # fmt: skip
                    weights = [(first_filter + k, r, s) for r in range(layer[0][2]) for s in range(layer[1][2])
                               for k in range(first, min(first + size, len(weight))) if weight[k][c][r][s]
                               and all(at * axis[4] % axis[3] == p for at, axis, p in zip((r, s), layer, phase, strict=True))]  # fmt: skip
                    taken, made = pair_cycles(
                        values, weights, layer, vectors=vectors, queue=queue, banks=banks, loads=loads[pe]
                    )
                    passed[pe] += taken
                    products += made
            if by_channel or c == len(ifmap) - 1:
                total += max(done + max(load) for done, load in zip(passed, loads, strict=True))
                passed, loads = [0] * len(passed), [[0] * banks for _ in passed]
        found.append(total)
    return found, products

"""Slow reference of row-stationary PEs: a generator per PE that waits for what it needs, an object per wire.

Written from the description in `archsim/arch/row_pe.py` and `pe_array.py`. There is no controller: every PE runs its own
program, and waits until its neighbour's psum has arrived; a row of PEs takes its weights when it is done with its last.
"""

from dataclasses import dataclass


@dataclass
class Pe:
    accumulate_cycles: int = 0
    shift_cycles: int = 0
    multipliers: int = 1
    latency: int = 1
    fill_words: int = 0
    start_cycles: int = 0
    restart_cycles: int = 0
    psum_group: int = 1
    gates: bool = False


class LonePe:
    """One PE with spads of its own that fill while it works; a program that counts edges as it goes.

    rows[n] = words of image n, each a list of channels; weights[s][c][j]; below[n][f][j].
    `results` becomes {(n, f, j): (psum, cycle)}.
    """

    def __init__(self, pe, weights, below, stride):
        self.pe, self.weights, self.below, self.stride = pe, weights, below, stride
        self.channels, self.filters = len(weights[0]), len(weights[0][0])
        self.size = len(weights) * self.channels
        self.window, self.waiting, self.weights_there, self.is_shut = [], [], 0, False
        self.cycle, self.results, self.gated = 0, {}, 0

    def edges(self, count, is_shut=False):
        for _ in range(count):
            self.cycle += 1
            for _ in range(self.pe.fill_words):
                self.weights_there = min(self.weights_there + 1, self.size * self.filters)
                if not is_shut:
                    self.take_word()

    def take_word(self):
        if len(self.window) < self.size and self.waiting:
            self.window.append(self.waiting.pop(0))

    def fill_ahead(self):
        if self.pe.fill_words == 0:
            self.weights_there = self.size * self.filters
            for _ in range(self.size):
                self.take_word()

    def run(self, rows):
        for n, row in enumerate(rows):
            self.window, self.waiting = [], [word for column in row for word in column]
            self.fill_ahead()
            if n == 0:
                while not (self.window and self.weights_there):
                    self.edges(1)
                self.edges(self.pe.start_cycles)
            for f in range(len(self.below[n])):
                self.run_place(n, f)
                if f < len(self.below[n]) - 1:
                    self.slide()
            if n < len(rows) - 1:
                self.close(len(self.below[n]))
        return self

    def run_place(self, n, f):
        sums = [0] * self.filters
        for first in range(0, self.size, self.pe.multipliers):
            group = range(first, min(first + self.pe.multipliers, self.size))
            for j in range(self.filters):
                while len(self.window) <= group[-1] or self.weights_there <= group[-1] * self.filters + j:
                    self.edges(1)
                sums[j] += sum(self.product(place, j) for place in group)
                self.edges(1)
                if group[-1] == self.size - 1 and self.pe.accumulate_cycles == 0:
                    self.leave((n, f, j), sums[j])
        for j in range(self.filters if self.pe.accumulate_cycles else 0):
            self.edges(self.pe.accumulate_cycles)
            self.leave((n, f, j), sums[j])

    def product(self, place, j):
        self.gated += self.pe.gates and self.window[place] == 0
        return self.window[place] * self.weights[place // self.channels][place % self.channels][j]

    def leave(self, key, psum):
        n, f, j = key
        self.results[key] = (psum + self.below[n][f][j], self.cycle + self.pe.latency - 1)

    def slide(self):
        for _ in range(self.stride * self.channels):
            self.edges(self.pe.shift_cycles, is_shut=True)
            (self.window or self.waiting).pop(0)
            self.fill_ahead()

    def close(self, outputs):
        """Fill the last group of psums up, then restart; the window is emptied at the last of these edges."""
        count = -(self.filters * outputs) % self.pe.psum_group + self.pe.restart_cycles
        self.edges(count - 1)
        self.edges(min(count, 1), is_shut=True)


def blocks(whole, size):
    return [whole[start : start + size] for start in range(0, len(whole), size)]


class ArrayRun:
    """One layer, pass by pass; every row of PEs keeps its own clock.

    layer: ifmap[n][c][h][w] (padded), weight[m][c][i][s], stride and dilation as pairs, ofmap as (rows, columns).
    `glb` becomes {(n, m, y, x): (value, cycle)}; `row_clock[k]` is when row k was done with its last pass.
    """

    def __init__(self, layer, mapping, pe, hop, load_words):
        self.layer, self.mapping, self.pe, self.hop, self.load_words = layer, mapping, pe, hop, load_words
        self.filter_rows, self.taps = len(layer["weight"][0][0]), len(layer["weight"][0][0][0])
        self.glb, self.macs, self.row_clock, self.starts, self.gated = {}, {}, {}, [], 0
        self.ifmap_words, self.spad_writes = 0, 0

    def run(self):
        layer, mapping = self.layer, self.mapping
        for images in blocks(range(len(layer["ifmap"])), mapping.n):
            for rows in blocks(range(layer["ofmap"][0]), mapping.e):
                for some_filters in blocks(range(len(layer["weight"])), mapping.m):
                    for channels in blocks(range(len(layer["weight"][0])), mapping.q * mapping.r):
                        for filters in blocks(some_filters, mapping.p * mapping.t):
                            self.run_pass(images, rows, channels, filters)
        return self

    def run_pass(self, images, rows, channels, filters):
        start = self.row_clock.get(0, 0)
        self.starts.append(start)
        load = -(-self.filter_rows * self.taps * len(filters) * len(channels) // self.load_words)
        sets = blocks(filters, -(-len(filters) // self.mapping.t))
        q = -(-len(channels) // self.mapping.r)
        places = [(n, x) for n in images for x in range(self.layer["ofmap"][1])]
        psums, ready = {}, {}
        for n, x in places:
            for m in filters:
                for y in rows:
                    psums[n, m, y, x], cycle = self.glb.get((n, m, y, x), (0, -1))
                    ready[n, m, y, x] = cycle + 1
        chain = [(own, i) for own in blocks(channels, q) for i in range(self.filter_rows)]
        wanted = set()
        for k, (own, i) in enumerate(chain):
            # its words come k hops after the bottom row's would, when the row must be done with those it has
            assert self.row_clock.get(k, 0) <= start + k * self.hop
            clock = start + load
            for n, x in places:
                clock = self.run_place(clock, (k, own, i, q), (n, x), (rows, sets, psums, ready))
                if x < self.layer["ofmap"][1] - 1:
                    clock += self.layer["stride"][1] * q * self.pe.shift_cycles
            self.row_clock[k] = clock
            columns = (
                (self.layer["ofmap"][1] - 1) * self.layer["stride"][1] + (self.taps - 1) * self.layer["dilation"][1] + 1
            )
            for y in rows:
                height = y * self.layer["stride"][0] + i * self.layer["dilation"][0]
                taken = {(n, c, height, w) for n in images for c in own for w in range(columns)}
                wanted |= taken
                self.spad_writes += len(taken) * len(sets)
        self.ifmap_words += len(wanted)
        for place, psum in psums.items():
            self.glb[place] = (psum, ready[place] - self.hop + self.pe.latency - 1)

    def run_place(self, clock, row, place, state):
        """One PE row at one ofmap column: multiply, then let each psum go as soon as that from below is there."""
        k, own, i, q = row
        (n, x), (rows, sets, psums, ready) = place, state

        def leave(clock, j):
            going = [(n, some[j], y, x) for some in sets if j < len(some) for y in rows]
            clock = max([clock] + [ready[each] for each in going])
            for each in going:
                ready[each] = clock + self.hop
            return clock

        slots = [(s, c) for s in range(self.taps) for c in range(q)]
        for group in blocks(slots, self.pe.multipliers):
            for j in range(len(sets[0])):
                clock += 1
                for t, some in enumerate(sets):
                    for y in rows if j < len(some) else ():
                        for s, c in group:
                            if c < len(own):
                                psums[n, some[j], y, x] += self.product((n, some[j], own[c]), (y, i), (x, s))
                                place_of_pe = (k, t * self.mapping.e + y - rows[0])
                                self.macs[place_of_pe] = self.macs.get(place_of_pe, 0) + 1
                if group[-1] == slots[-1] and self.pe.accumulate_cycles == 0:
                    clock = leave(clock, j)
        for j in range(len(sets[0]) if self.pe.accumulate_cycles else 0):
            clock = leave(clock + self.pe.accumulate_cycles, j)
        return clock

    def product(self, which, row, column):
        n, m, c = which
        (y, i), (x, s) = row, column
        stride, dilation = self.layer["stride"], self.layer["dilation"]
        word = self.layer["ifmap"][n][c][y * stride[0] + i * dilation[0]][x * stride[1] + s * dilation[1]]
        self.gated += self.pe.gates and word == 0
        return word * self.layer["weight"][m][c][i][s]

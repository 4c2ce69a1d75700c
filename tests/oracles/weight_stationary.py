"""Slow reference of a weight-stationary array: an object per PE, a list per shift register, one edge at a time.

Written from the description of the hardware in `archsim/arch/pe_array.py`; every pass uses the whole array.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Settings:
    psum_hop: int = 1
    act_hop: int = 1
    pe_latency: int = 1
    input_regs: int = 0
    output_regs: int = 0
    weight_regs: int = 1
    switch_gap: int = 0
    load_by_column: bool = False
    load_cycles: int | None = None
    count_from_stream: bool = False


class DelayLine:
    """Registers in a row; what goes in comes out `length` edges later (0 = a wire)."""

    def __init__(self, length):
        self.registers = deque([None] * length)

    def clock(self, value):
        self.registers.appendleft(value)
        return self.registers.pop()


@dataclass
class Pe:
    latency: int
    weight: int = 0
    shadow: int = 0
    pipe: DelayLine = field(init=False)

    def __post_init__(self):
        self.pipe = DelayLine(self.latency - 1)

    def clock(self, token, psum_from_above):
        """Return the token whose sum is written at this edge, and the sum."""
        product = None
        if token is not None:
            if token["switch"]:
                self.weight = self.shadow
            product = (token, token["word"] * self.weight)
        done = self.pipe.clock(product)
        return (None, 0) if done is None else (done[0], done[1] + psum_from_above)


class Array:
    def __init__(self, rows, columns, settings):
        s = self.settings = settings
        self.rows, self.columns = range(rows), range(columns)
        self.pes = [[Pe(s.pe_latency) for _ in self.columns] for _ in self.rows]
        self.entry = [DelayLine(s.input_regs + i * s.psum_hop) for i in self.rows]
        self.across = [[DelayLine(s.act_hop) for _ in self.columns] for _ in self.rows]
        self.down = [[DelayLine(s.psum_hop) for _ in self.columns] for _ in self.rows]
        column_lag = s.act_hop if s.load_by_column or s.weight_regs == 2 else 0
        self.load_entry = [DelayLine(s.input_regs + j * column_lag) for j in self.columns]
        self.load_down = [[DelayLine(s.psum_hop) for _ in self.columns] for _ in self.rows]

    def clock(self, words, load):
        """One edge: `words` enters the rows, `load` the tops of the columns. Return what is seen to happen."""
        used, outputs = [], []
        sums = [[0] * len(self.columns) for _ in self.rows]
        for i in self.rows:
            token = self.entry[i].clock(None if words is None else {**words, "word": words["words"][i]})
            for j in self.columns:
                if token is not None:
                    used.append((i, j, token["fold"], token["t"]))
                above = self.down[i - 1][j].clock(sums[i - 1][j]) if i > 0 else 0
                finished, sums[i][j] = self.pes[i][j].clock(token, above or 0)
                if finished is not None and i == self.rows[-1]:
                    outputs.append((finished["fold"], finished["t"], j, sums[i][j]))
                token = self.across[i][j].clock(token)
        for j in self.columns:
            self._load_column(j, self.load_entry[j].clock(load))
        return used, outputs

    def _load_column(self, j, load):
        if self.settings.weight_regs == 1:
            for row in (load or {"chain": []})["chain"]:
                column = [row[j]] + [self.pes[i][j].weight for i in self.rows[:-1]]
                for i in self.rows:
                    self.pes[i][j].weight = column[i]
            return
        for i in self.rows:
            if load is not None:
                for target, row in load["addressed"]:
                    if target == i:
                        self.pes[i][j].shadow = row[j]
            load = self.load_down[i][j].clock(load)


def load_words(tile, load_cycles):
    """What enters at each load cycle: rows bottom first for a chain, (row number, row) top first for addressed loads."""
    rows = len(tile)
    steps = [{"chain": [], "addressed": []} for _ in range(load_cycles)]
    pushed = 0
    for step in range(load_cycles):
        while pushed * load_cycles < (step + 1) * rows and pushed < rows:
            steps[step]["chain"].append(tile[rows - 1 - pushed])
            pushed += 1
    for i in range(rows):
        steps[i * load_cycles // rows]["addressed"].append((i, tile[i]))
    return steps


def run(stationary, streamed, settings):
    """Return {(fold, t, column): (psum, cycle)}; the operands are nested lists, (fold, row, column) and (fold, t, row)."""
    s = settings
    rows, columns, length = len(stationary[0]), len(stationary[0][0]), len(streamed[0])
    load_cycles = s.load_cycles or rows
    array = Array(rows, columns, s)
    results, stream_began, tile_ready, last_used = {}, {}, {}, {}
    loads_due, words_due = deque(), deque()
    next_load, cycle = 0, 0
    while len(results) < len(stationary) * length * columns:
        cycle += 1
        fold = len(stream_began)
        if not words_due and fold < len(stationary) and tile_ready.get(fold, cycle) < cycle:
            stream_began[fold] = cycle
            for t, words in enumerate(streamed[fold]):
                words_due.append({"fold": fold, "t": t, "words": words, "switch": s.weight_regs == 2 and t == 0})
        if not loads_due and next_load < len(stationary):
            previous = next_load - 1
            if s.weight_regs == 2:
                may_load = previous in stream_began and cycle >= stream_began[previous] + s.switch_gap
            else:
                may_load = previous in last_used
            if next_load == 0 or may_load:
                loads_due.extend(load_words(stationary[next_load], load_cycles))
                next_load += 1
        load = loads_due.popleft() if loads_due else None
        if load is not None and not loads_due:
            tile_ready[next_load - 1] = cycle
        used, outputs = array.clock(words_due.popleft() if words_due else None, load)
        watched = 0 if s.load_by_column else columns - 1
        for i, j, used_fold, t in used:
            if (i, j, t) == (rows - 1, watched, length - 1):
                last_used[used_fold] = cycle
        for out_fold, t, j, psum in outputs:
            results[out_fold, t, j] = (psum, cycle + s.output_regs)
    origin = stream_began[0] - 1 if s.count_from_stream else 0
    return {place: (psum, at - origin) for place, (psum, at) in results.items()}

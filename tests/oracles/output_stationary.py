"""Slow reference of an output-stationary array: an object per PE, a list per shift register, one edge at a time.

Written from the description of the hardware in `archsim/arch/pe_array.py`; every pass uses the whole array,
and with overlapping drains all streams are equally long.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Settings:
    act_hop: int = 1
    pe_latency: int = 1
    input_regs: int = 0
    output_regs: int = 0
    drain: str = "none"  # none, rows, columns
    overlap: bool = False


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
    total: int = 0
    drain: tuple | None = None
    pipe: DelayLine = field(init=False)

    def __post_init__(self):
        self.pipe = DelayLine(self.latency - 1)

    def clock(self, ifmap, weight):
        """Return the token whose product was added at this edge, or None."""
        product = None
        if ifmap is not None and weight is not None:
            assert ifmap["token"] == weight["token"], "operands of different products met"
            product = (ifmap["token"], ifmap["word"] * weight["word"])
        done = self.pipe.clock(product)
        if done is None:
            return None
        token, value = done
        self.total = value if token["clear"] else self.total + value
        return token


class Array:
    def __init__(self, rows, columns, settings):
        s = self.settings = settings
        self.rows, self.columns = range(rows), range(columns)
        self.pes = [[Pe(s.pe_latency) for _ in self.columns] for _ in self.rows]
        self.ifmap_entry = [DelayLine(s.input_regs + i) for i in self.rows]
        self.weight_entry = [DelayLine(s.input_regs + j * s.act_hop) for j in self.columns]
        self.across = [[DelayLine(s.act_hop) for _ in self.columns] for _ in self.rows]
        self.down = [[DelayLine(1) for _ in self.columns] for _ in self.rows]
        self.shifting = set()  # (fold, line) whose last PE is done

    def clock(self, fed):
        """One edge: `fed` is (token, ifmap words, weight words) or None. Return (token, row, column) of the PEs that added."""
        weights = [self.weight_entry[j].clock(fed and {"token": fed[0], "word": fed[2][j]}) for j in self.columns]
        added = []
        for i in self.rows:
            word = self.ifmap_entry[i].clock(fed and {"token": fed[0], "word": fed[1][i]})
            for j in self.columns:
                token = self.pes[i][j].clock(word, weights[j])
                weights[j] = self.down[i][j].clock(weights[j])
                word = self.across[i][j].clock(word)
                if token is not None:
                    added.append((token, i, j))
        return added

    def hold(self, fold, i, j):
        """Put a finished value into its drain register."""
        assert self.pes[i][j].drain is None, "a drain register is needed twice"
        self.pes[i][j].drain = ((fold, i, j), self.pes[i][j].total)
        if self.settings.drain == "rows" and i == self.rows[-1]:
            self.shifting.add((fold, j))
        if self.settings.drain == "columns" and j == self.columns[-1]:
            self.shifting.add((fold, i))

    def shift(self):
        """Move the drain registers of every line whose last PE was done before this edge; return what leaves."""
        by_rows = self.settings.drain == "rows"
        leaving = []
        for i in reversed(self.rows):
            for j in reversed(self.columns):
                held = self.pes[i][j].drain
                if held is None or (held[0][0], j if by_rows else i) not in self.shifting:
                    continue
                self.pes[i][j].drain = None
                i_next, j_next = (i + 1, j) if by_rows else (i, j + 1)
                if i_next in self.rows and j_next in self.columns:
                    self.pes[i_next][j_next].drain = held
                else:
                    leaving.append(held)
        return leaving


def run(ifmap, weight, passes, settings):
    """Return {(fold, row, column): (value, cycle)}.

    ifmap is (fold, t, row), weight (fold, t, column), passes [(clears, completes)] per fold.
    """
    rows, columns = len(ifmap[0][0]), len(weight[0][0])
    array = Array(rows, columns, settings)
    results, began, ended, stream, cycle = {}, {}, {}, deque(), 0
    while len(results) < sum(completes for _, completes in passes) * rows * columns:
        cycle += 1
        fold = len(began)
        if (
            not stream
            and fold < len(passes)
            and may_start(fold, cycle, (began, ended), (ifmap, weight, passes, settings))
        ):
            began[fold] = cycle
            for t in range(len(ifmap[fold])):
                token = {"fold": fold, "t": t, "clear": t == 0 and passes[fold][0], "last": t == len(ifmap[fold]) - 1}
                stream.append((token, ifmap[fold][t], weight[fold][t]))
        for place, value in array.shift():
            results[place] = (value, cycle + settings.output_regs)
        for token, i, j in array.clock(stream.popleft() if stream else None):
            if token["last"] and not passes[token["fold"]][1]:
                if (i, j) == (rows - 1, columns - 1):
                    ended[token["fold"]] = cycle + settings.output_regs
            elif token["last"] and settings.drain == "none":
                results[token["fold"], i, j] = (array.pes[i][j].total, cycle + settings.output_regs)
            elif token["last"]:
                array.hold(token["fold"], i, j)
        for done in began:
            out = [at for (of, _, _), (_, at) in results.items() if of == done]
            if len(out) == rows * columns:
                ended[done] = max(out)
    return results


def may_start(fold, cycle, history, work):
    """Whether the pass may start: behind the last one's stream and drain, or once the last one is out."""
    began, ended = history
    ifmap, weight, passes, settings = work
    if fold == 0:
        return True
    if settings.overlap:
        shift_cycles = {"none": 0, "rows": len(ifmap[0][0]), "columns": len(weight[0][0])}[settings.drain]
        return cycle >= began[fold - 1] + max(len(ifmap[fold - 1]), shift_cycles if passes[fold - 1][1] else 0)
    return fold - 1 in ended and ended[fold - 1] < cycle

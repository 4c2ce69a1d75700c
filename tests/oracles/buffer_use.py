"""Slow account of what every buffer holds over time, rebuilt from a layer's plan and timeline.

Every block of data is an interval in ticks: an input from the moment its transfer begins until the end
of the last step that its buffer keeps it for, an output from the start of the step that makes it until
its write-back is done. Written from what `mapping/` promises, in plain loops; sizes come from the nest.
"""

from collections import defaultdict
from dataclasses import dataclass

from archsim.mapping.fold_plan import OPERAND_CODES
from archsim.mapping.fold_walk import walk_folds
from archsim.terms import Operand

INPUTS = (Operand.IFMAP, Operand.WEIGHT)


@dataclass(frozen=True)
class Block:
    operand: Operand
    generation: int
    begin: int
    end: int
    size: float


class Run:
    """One layer that has run: steps, transfers and their times in ticks."""

    def __init__(self, work, plan, timeline, clock):
        self.work, self.plan, self.clock = work, plan, clock
        self.tick = clock.ticks_per_cycle
        self.walk = walk_folds(plan.nest, pass_per_unit=work.pass_per_unit)
        starts, tails = timeline.start.tolist(), plan.steps.tail_cycles.tolist()
        self.step_begin = [start * self.tick for start in starts]
        self.step_end = [(start + tail) * self.tick for start, tail in zip(starts, tails, strict=True)]
        self.transfer_begin, self.transfer_done = self._channel()

    def _channel(self):
        begins, dones, free = [], [], 0
        for after, ticks in zip(
            self.plan.transfers.after_step.tolist(), self.clock.transfer_ticks.tolist(), strict=True
        ):
            begin = max(free, self.step_end[after] if after >= 0 else 0)
            free = begin + ticks
            begins.append(begin)
            dones.append(-(-(free + self.clock.latency_ticks) // self.tick) * self.tick)
        return begins, dones

    def tile(self, operand, step):
        """What the buffer holds at a step: the tile's number in every dimension that the operand has."""
        dims = {Operand.IFMAP: ("pixels", "window"), Operand.WEIGHT: ("window", "filters"),
                Operand.PSUM: ("pixels", "filters")}[operand]  # fmt: skip
        return (int(self.walk.group[step]), *(int(self.walk.tile[dim][step]) for dim in dims))

    def generations(self, operand):
        """Number of the tile in the buffer, step by step."""
        numbers, current, count = [], None, -1
        for step in range(len(self.walk)):
            fresh = self._starts_streamed(operand, step) if operand in self.plan.nest.streamed else (
                self.tile(operand, step) != current)  # fmt: skip
            count += fresh
            current = self.tile(operand, step)
            numbers.append(count)
        return numbers

    def _starts_streamed(self, operand, step):
        """A streamed input is new at every step; psums that stay in the PEs are new with every fold or pass."""
        array, dataflow = self.work.arch.pe_array, self.work.dataflow
        if operand is not Operand.PSUM or dataflow.stationary is not Operand.PSUM:
            return True
        if array.k_tile and not array.k_tile_keeps_psum:
            return bool(self.walk.starts_pass[step])
        return not self.walk.continues[step]


def input_blocks(run, operand):
    """Blocks of an input: what is fetched, and lines that a tile inherits from the one before."""
    generations = run.generations(operand)
    last_step = {generation: step for step, generation in enumerate(generations)}
    code, transfers = OPERAND_CODES.index(operand), run.plan.transfers
    blocks, fetched, first_begin = [], defaultdict(int), {}
    for index in range(len(transfers)):
        if transfers.is_write[index] or transfers.operand[index] != code:
            continue
        generation = generations[transfers.step[index]]
        begin, size = run.transfer_begin[index], int(transfers.length_bytes[index])
        blocks.append(Block(operand, generation, begin, run.step_end[last_step[generation]], size))
        fetched[generation] += size
        first_begin[generation] = min(begin, first_begin.get(generation, begin))
    if operand is Operand.IFMAP and operand not in run.plan.nest.streamed:
        blocks += _inherited(run, generations, fetched, last_step)
    return blocks


def _inherited(run, generations, fetched, last_step):
    """Lines that lie in the buffer already when a tile's turn comes: from the end of the tile before to its own end."""
    blocks = []
    first_step = {}
    for step, generation in enumerate(generations):
        first_step.setdefault(generation, step)
    for generation, step in first_step.items():
        if generation == 0:
            continue
        missing = _tile_words(run, step) * run.work.arch.formats.ifmap.width_bits / 8 - fetched[generation]
        if missing > 0:
            begin = run.step_end[last_step[generation - 1]]
            blocks.append(Block(Operand.IFMAP, generation, begin, run.step_end[last_step[generation]], missing))
    return blocks


def _tile_words(run, step):
    """Ifmap words of the tile that a step belongs to."""
    spans, walk = {}, run.walk
    for dim in ("pixels", "window"):
        mine = [other for other in range(len(walk)) if walk.tile[dim][other] == walk.tile[dim][step]]
        start = min(int(walk.start[dim][other]) for other in mine)
        end = max(int(walk.start[dim][other] + walk.size[dim][other]) for other in mine)
        spans[dim] = (start, end - start)
    geometry, window = run.work.geometry, run.plan.nest.tiling["window"].size
    (start, size), (window_start, window_size) = spans["pixels"], spans["window"]
    first_line, last_line = geometry.line_ranges(start, size)
    first_channel = window_start * geometry.channels // window
    last_channel = -(-(window_start + window_size) * geometry.channels // window)
    return (last_channel - first_channel) * int(last_line - first_line) * geometry.line_words


def output_blocks(run):
    """Blocks of psums: a fold's outputs from the first step of a generation that makes them until written."""
    generations = run.generations(Operand.PSUM)
    walk, bits = run.walk, _output_bits(run)
    done = defaultdict(int)
    for index in range(len(run.plan.transfers)):
        if run.plan.transfers.is_write[index]:
            step = int(run.plan.transfers.step[index])
            key = (
                generations[step],
                int(walk.group[step]),
                int(walk.unit["pixels"][step]),
                int(walk.unit["filters"][step]),
            )
            done[key] = max(done[key], run.transfer_done[index])
    begun, size = {}, {}
    for step, generation in enumerate(generations):
        key = (generation, int(walk.group[step]), int(walk.unit["pixels"][step]), int(walk.unit["filters"][step]))
        begun.setdefault(key, run.step_begin[step])
        size[key] = int(walk.size["pixels"][step] * walk.size["filters"][step]) * bits / 8
    return [Block(Operand.PSUM, key[0], begun[key], done[key], size[key]) for key in begun]


def _output_bits(run):
    """Outputs that are never read back lie there as ofmap, where psums and ofmap share a level."""
    arch = run.work.arch
    spilled = any(row.operand is Operand.PSUM and row.level != "spad" and row.words for row in run.plan.traffic)
    together = arch.sram_of(Operand.PSUM) is arch.sram_of(Operand.OFMAP)
    return arch.formats.ofmap.width_bits if together and not spilled else arch.formats.psum.width_bits


def most_held(blocks):
    """The most bytes that blocks take at one time; what ends at a tick makes room for what begins there. [B]"""
    changes = sorted(
        [(block.begin, 1, block.size) for block in blocks] + [(block.end, 0, -block.size) for block in blocks]
    )
    held = most = 0.0
    for _, _, size in changes:
        held += size
        most = max(most, held)
    return most

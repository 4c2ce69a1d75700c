"""Slow account of what the buffers of a channel-parallel chip hold over time, rebuilt from a walk and a timeline.

Every ifmap line and every filter is an interval in ticks: from the moment the transfer that brings it begins until
the end of the last step that uses it before it comes again.
"""

from archsim.mapping.fold_plan import OPERAND_CODES
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand


class Buffers:
    """One layer that has run."""

    def __init__(self, room, nest, walk, run):
        plan, timeline, clock = run
        self.room, self.nest, self.walk, self.plan = room, nest, walk, plan
        tick = clock.ticks_per_cycle
        starts, tails = timeline.start.tolist(), plan.steps.tail_cycles.tolist()
        self.end = [(start + tail) * tick for start, tail in zip(starts, tails, strict=True)]
        self.begin, free = {}, 0
        moves = plan.transfers
        for index, ticks in enumerate(clock.transfer_ticks.tolist()):
            after = int(moves.after_step[index])
            begin = max(free, self.end[after] if after >= 0 else 0)
            free = begin + ticks
            if not moves.is_write[index]:
                self.begin[OPERAND_CODES[int(moves.operand[index])], int(moves.step[index])] = begin

    def pieces(self, operand, step):
        """What a step uses: numbered lines or filters of its group."""
        shape, group = self.room.shape, int(self.walk.group[step])
        dim = Dim.PIXELS if operand is Operand.IFMAP else Dim.FILTERS
        first, count = self.walk.first[dim][step : step + 1], self.walk.count[dim][step : step + 1]
        if operand is Operand.IFMAP:
            start, stop = (int(each[0]) for each in shape.ifmap_lines(first, count))
        else:
            atom = self.room.arch.pe_array.require_atoms().filter_atom
            start, stop = int(first[0]) * atom, min(shape.filters, int(first[0] + count[0]) * atom)
        return [(group, number) for number in range(start, stop)]

    def intervals(self, operand, words):
        """(begin, end) of each piece, ``words`` of them brought by each step; and that nothing is used that is not there."""
        size = self.room.shape.line_words if operand is Operand.IFMAP else self.room.shape.filter_words
        held, found = {}, []
        for step in range(len(self.walk)):
            used = self.pieces(operand, step)
            if words[step]:
                brought = used[-(int(words[step]) // size) :] if size else []
                for piece in brought:
                    if piece in held:
                        found.append(held[piece])
                    held[piece] = [self.begin[operand, step], self.end[step]]
            for piece in used:
                if piece in held:
                    held[piece][1] = max(held[piece][1], self.end[step])
                else:
                    assert not size or self.is_passing(operand), f"step {step} uses {operand} {piece}, never fetched"
        return [*found, *held.values()], size

    def is_passing(self, operand):
        return operand in self.nest.passing

    def most_words(self, coming):
        """Largest sum of words held at one time, over the operands given. [words]"""
        events = []
        for operand, each in coming.items():
            found, size = self.intervals(operand, each.words.tolist())
            for begin, end in found:
                events += [(begin, 1, size), (end, 0, -size)]
        held = most = 0
        for _, _, size in sorted(events):
            held += size
            most = max(most, held)
        return most

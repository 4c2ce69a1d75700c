"""What a channel-parallel nest takes, in closed form, and which nests are worth a run: called by `channel_parallel.py`.

Array and channel work at the same time: a nest takes the longer of both, the array's waits included. It waits for the
first tile and block, for a block that has no room beside the one in use, and for so much of a tile as neither fits
ahead nor comes while the tile before is used for the last time.

Not modelled: DRAM latency, banks, results that wait for the channel, and loads that crowd within a tile; the engine has them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archsim.mapping.channel_room import INDEXED_BY, OTHER, ChannelRoom
from archsim.mapping.channel_shape import padded
from archsim.mapping.channel_tiles import ChannelNest
from archsim.mapping.link_traffic import LinkShare
from archsim.mapping.loop_nest import Dim
from archsim.terms import Operand

MOST_PLANS, BANK_PLANS = 24, 8
"""Nests of a layer that are run, at most: on a flat channel, and on a device, where a run takes longer."""
WORTH_RUNNING = 1.3
"""How far a nest's estimate may lie above the best one's."""
HIDES = 1.02
"""Time of a nest whose loads hide, in that of the longer of array and channel."""
WORTH_MOVING = 0.95
"""Part of the rule's time that a nest that departs from it may take, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedNest:
    """A nest, its estimated time, and what it moves over the channel.

    Parameters
    ----------
    nest
        The loops.
    cycles
        By the closed form. [cycles]
    moved_bytes
        Over the DRAM channel. [B]
    hidden
        Time of the longer of array and channel alone: all loads hide. [cycles]
    """

    nest: ChannelNest
    cycles: float
    moved_bytes: float
    hidden: float


def rank_nests(
    room: ChannelRoom, nests: Iterable[ChannelNest], link: Mapping[Operand, LinkShare], compute_cycles: int
) -> list[RankedNest]:
    """Return the few nests that are worth a run, best first.

    NVIDIA's own rule comes first: keep one operand whole, else the smaller one in the fewest parts. Other cuts are
    looked at where the rule leaves loads that do not hide, and of them those that promise less time for what they move
    more. With an ideal channel the rule alone counts.

    References
    ----------
    nvdla/hw, perf/NVDLA_OpenSource_Performance.xlsx: "smaller sized" of its ResNet-50 sheet.
    """
    ranked = []
    for nest in nests:
        time = NestTime(room=room, nest=nest, link=link, compute_cycles=compute_cycles)
        ranked.append(RankedNest(nest=nest, cycles=time.cycles(), moved_bytes=time.moved_bytes(), hidden=time.hidden()))
    ruled = _by_rule(room, ranked)
    best = min(ruled, key=lambda each: each.cycles)
    if best.cycles <= best.hidden * HIDES or room.arch.dram.is_ideal:
        return _shortlist(room, ruled)
    others = [each for each in ranked if each not in ruled and each.cycles <= best.cycles * WORTH_MOVING]
    return _shortlist(room, [*ruled, *others])


def _by_rule(room: ChannelRoom, ranked: list[RankedNest]) -> list[RankedNest]:
    """Nests that keep an operand whole, or those of the fewest tiles of the smaller one."""
    whole = [each for each in ranked if each.nest.whole]
    smaller = min(OTHER, key=room.whole_bytes)
    parts = [each for each in ranked if each.nest.outer is smaller] or ranked
    most = max(each.nest.tile for each in parts)
    return whole or [each for each in parts if each.nest.tile == most]


def _shortlist(room: ChannelRoom, ranked: list[RankedNest]) -> list[RankedNest]:
    order = sorted(ranked, key=lambda each: (each.cycles, each.moved_bytes))
    near = [each for each in order if each.cycles <= order[0].cycles * WORTH_RUNNING]
    return near[: BANK_PLANS if room.arch.dram.has_banks else MOST_PLANS]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NestTime:
    """A nest's time in closed form.

    Parameters
    ----------
    room, nest
        The layer on its chip, and its loops.
    link
        What coded operands take on the channel.
    compute_cycles
        Of the layer on the array alone. [cycles]
    """

    room: ChannelRoom
    nest: ChannelNest
    link: Mapping[Operand, LinkShare]
    compute_cycles: int

    def cycles(self) -> float:
        """Estimated time. [cycles]"""
        if self.room.arch.dram.is_ideal or self.nest.passing:
            return float(self.compute_cycles)
        channel = self._channel_cycles(self.moved_bytes())
        return max(channel, self.compute_cycles + self._first_wait() + self._tile_waits() + self._block_waits())

    def hidden(self) -> float:
        """Longer of array and channel, each by itself. [cycles]"""
        return max(float(self.compute_cycles), self._channel_cycles(self.moved_bytes()))

    def moved_bytes(self) -> float:
        """Bytes over the channel. [B]"""
        shape, sweeps = self.room.shape, 1 if self.nest.whole else self._tiles
        ofmap = shape.pixels * padded(shape.filters, shape.ofmap_atom)
        once = self._bytes(self.nest.outer, self._all(self.nest.outer))
        again = sweeps * self._bytes(self._inner, self._all(self._inner))
        return shape.groups * (once + again + self._link_bytes(Operand.OFMAP, ofmap))

    def _first_wait(self) -> float:
        """Cycles for the first part and block, or for all that the first round needs beyond its work. [cycles]"""
        part = self._bytes(self.nest.outer, self.room.words(self.nest.outer, self.nest.part))
        block = self._bytes(self._inner, self.room.words(self._inner, self.nest.block))
        return max(self._channel_cycles(part + block), self._round_bytes_late(ahead=0))

    def _tile_waits(self) -> float:
        """Cycles for tiles but the first, and where groups have wholes for those. [cycles]"""
        groups, nest = self.room.shape.groups, self.nest
        tile = self.room.words(nest.outer, nest.tile)
        part, parts = self.room.words(nest.outer, nest.part), -(-nest.tile // nest.part)
        ahead = (nest.tile_room - tile) // part * part if self.room.loads_ahead(nest.outer) else 0
        late = self._channel_cycles(self._bytes(nest.outer, max(0, tile - ahead)))
        hidden = self._work / self._blocks * (1 - 1 / parts) if self.room.loads_ahead(nest.outer) else 0.0
        waits = max(0.0, late - hidden) * (self._tiles * groups - 1)
        if nest.whole and groups > 1:
            spare = nest.block_room - self._all(self._inner) if self.room.loads_ahead(self._inner) else 0
            waits += self._round_bytes_late(ahead=spare) * (groups - 1)
        return waits

    def _block_waits(self) -> float:
        """Cycles for blocks that find no room beside the one in use. [cycles]"""
        if self.nest.whole:
            return 0.0
        words = self._all(self._inner) // self._blocks
        fits = self.room.words(self._inner, self.nest.block) + words <= self.nest.block_room
        if fits and self.room.loads_ahead(self._inner):
            return 0.0
        return self._channel_cycles(self._bytes(self._inner, words)) * (
            self._blocks * self._tiles * self.room.shape.groups - 1
        )

    def _round_bytes_late(self, *, ahead: int) -> float:
        """Cycles by which what a first tile or block waits for comes after its work. [cycles]"""
        tile = self._bytes(self.nest.outer, self.room.words(self.nest.outer, self.nest.tile))
        if not self.nest.whole:
            return max(0.0, self._channel_cycles(tile) - self._work / self._blocks)
        inner = self._bytes(self._inner, max(0, self._all(self._inner) - ahead))
        return max(0.0, self._channel_cycles(tile + inner) - self._work)

    @property
    def _inner(self) -> Dim:
        return OTHER[self.nest.outer]

    @property
    def _tiles(self) -> int:
        return -(-self.room.units(self.nest.outer) // self.nest.tile)

    @property
    def _blocks(self) -> int:
        return -(-self.room.units(self._inner) // self.nest.block)

    @property
    def _work(self) -> float:
        """Cycles of a tile on the array. [cycles]"""
        return self.compute_cycles / (self._tiles * self.room.shape.groups)

    def _all(self, dim: Dim) -> int:
        return self.room.words(dim, self.room.units(dim))

    def _bytes(self, dim: Dim, words: int) -> float:
        return self._link_bytes(INDEXED_BY[dim], words)

    def _link_bytes(self, operand: Operand, words: int) -> float:
        """Bytes of so many words on the channel; 0 of what is on chip. [B]"""
        if operand in self.room.kept:
            return 0.0
        share, arch = self.link.get(operand), self.room.arch
        return words * share.bits_per_word / 8 if share else float(arch.group(arch.dram.name, operand).bytes_of(words))

    def _channel_cycles(self, moved_bytes: float) -> float:
        return moved_bytes / self.room.arch.dram.bandwidth_bytes_per_cycle

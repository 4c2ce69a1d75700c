"""The transfers of a channel-parallel walk: what the channel reads when, which write must be done first, where all of it lies.

Called by `channel_parallel.py`, and by `brick_lanes.py`, whose layers walk the same way.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.channel_room import INDEXED_BY, ChannelRoom
from archsim.mapping.channel_walk import ChannelFetches, ChannelWalk
from archsim.mapping.dram_layout import check_capacity, next_region
from archsim.mapping.dram_queue import Fetch, IdealTimes, WriteBack, ideal_times, queue_transfers
from archsim.mapping.dram_runs import DramRuns, runs_in_order
from archsim.mapping.fold_plan import OPERAND_CODES, Steps, Transfers
from archsim.mapping.level_use import LevelUse
from archsim.mapping.port_use import port_cycles
from archsim.terms import Operand

IntArray = NDArray[np.int64]
WRITES_HELD = 2
"""Steps whose results wait in an on-chip level to be written while a later one works."""


def queue_walk(
    room: ChannelRoom, walk: ChannelWalk, advance: IntArray, *, fetches: dict[Operand, ChannelFetches], use: LevelUse
) -> tuple[Steps, Transfers]:
    """Return the steps of a walk, which take ``advance`` cycles each on the array, and the transfers that they wait for."""
    tail = advance + use.arch.pe_array.pipeline_cycles  # the room's array may be a stand-in: see `memory_view`
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    written = WriteBack(psum_bytes=psum_bytes, ofmap_bytes=ofmap_bytes)
    transfers, last_write = queue_transfers(_operand_reads(use, fetches), written, _reads_at_once(advance, tail))
    if room.arch.dram.has_banks:
        transfers = _placed_transfers(room, transfers, walk, fetches=fetches, use=use)
    holds = _write_holds(room, last_write, ofmap_bytes)
    return Steps(advance_cycles=advance, tail_cycles=tail, port_cycles=port_cycles(use), hold_transfer=holds), transfers


def _operand_reads(use: LevelUse, fetches: dict[Operand, ChannelFetches]) -> list[Fetch]:
    """Return the reads of each operand."""
    return [
        Fetch(operand=operand, length_bytes=length, release=fetches[operand].release, lead_cycles=np.zeros_like(length))
        for operand, length in use.fetch_bytes().items()
        if operand in fetches
    ]


def _reads_at_once(advance: IntArray, tail: IntArray) -> IdealTimes:
    """Return times by which the channel reads ahead as soon as there is room, and writes what is done behind that."""
    return IdealTimes(start=np.zeros_like(advance), end=ideal_times(advance, tail).end)


def _write_holds(room: ChannelRoom, last_write: IntArray, ofmap_bytes: IntArray) -> IntArray:
    """Index of the write that must be done before each step: its results need the place of earlier ones; -1 = none.

    An ofmap that shares its level with ifmap or weights only passes through: two steps' results are on their way. One that
    has no level leaves through the accumulators, whose room is not modelled.
    """
    steps = np.arange(len(last_write), dtype=np.int64)
    level = room.arch.sram_of(Operand.OFMAP)
    if level is None:
        return np.full_like(steps, -1)
    held = steps - WRITES_HELD + 1  # first step whose results may still be there
    if not any(room.arch.sram_of(operand) is level for operand in INDEXED_BY.values()):
        made = np.cumsum(ofmap_bytes)
        held = np.minimum(steps, np.searchsorted(made, made - level.room_for(Operand.OFMAP)) + 1)
        held = np.where(made <= level.room_for(Operand.OFMAP), 0, held)
    running = np.concatenate([[-1], np.maximum.accumulate(last_write)])
    return running[np.maximum(held, 0)]


def _placed_transfers(
    room: ChannelRoom, transfers: Transfers, walk: ChannelWalk, *, fetches: dict[Operand, ChannelFetches], use: LevelUse
) -> Transfers:
    """Lay each operand out in DRAM in the order of its use; what comes again comes from the same place."""
    device, base, placed = room.arch.dram.require_device(), 0, []
    fetched, ofmap_bytes = use.fetch_bytes(), use.write_back_bytes()[1]
    nothing = np.zeros_like(ofmap_bytes)
    for operand in OPERAND_CODES:
        sizes = ofmap_bytes if operand is Operand.OFMAP else fetched.get(operand, nothing)
        start = base + _places(walk, fetches.get(operand), sizes)
        placed.append(DramRuns(base_bytes=start, run_bytes=np.maximum(1, sizes), runs=nothing + 1, run_pitch_bytes=nothing,
                               planes=nothing + 1, plane_pitch_bytes=nothing,
                               joins=(start > base).astype(np.int64)))  # fmt: skip
        base = next_region(device, int((start + sizes).max(initial=base)))
    check_capacity(room.layer, device, base)
    return replace(transfers, runs=runs_in_order(placed, transfers.operand, transfers.step))


def _places(walk: ChannelWalk, fetches: ChannelFetches | None, sizes: IntArray) -> IntArray:
    """Return where each step's bytes of an operand begin: behind those of its sweep before them, group by group. [B]"""
    before: IntArray = np.cumsum(sizes) - sizes
    if fetches is None:
        return before
    _, first, sweep = np.unique(fetches.sweep, return_index=True, return_inverse=True)
    longest = int(np.bincount(sweep, weights=sizes).max())
    return before - before[first][sweep] + walk.group * longest

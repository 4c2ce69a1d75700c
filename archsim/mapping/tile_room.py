"""How many tiles (or streamed steps) of each operand a chip has room for, option by option."""

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import SramLevel
from archsim.mapping.array_plan import ArrayWork
from archsim.mapping.tile_options import STREAMABLE, TileOptions
from archsim.mapping.tile_traffic import TileTraffic
from archsim.terms import Operand

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def fitting_options(work: ArrayWork, options: TileOptions, traffic: TileTraffic, share: float = 1.0) -> BoolArray:
    """Return which options fit a share of every level's room; an operand that no level holds has to stream."""
    fits = np.ones(len(options.order), dtype=bool)
    for level in work.arch.srams:
        fits &= _fits(level, traffic, share)
    for operand in STREAMABLE:
        if work.arch.sram_of(operand) is None:
            fits &= options.streamed[operand]
    return fits


def copies_held(
    work: ArrayWork, options: TileOptions, traffic: TileTraffic, share: float = 1.0
) -> dict[Operand, FloatArray]:
    """Return how many tiles of each operand a share of the room holds at a time, the ones loaded ahead included.

    A tile that stays has one copy, two where its level is double buffered. What streams takes the room
    that the tiles leave, shared with whatever else streams through the level.
    """
    copies = {}
    for operand in STREAMABLE:
        level = work.arch.sram_of(operand)
        ahead = level.tile_copies if level else 2
        held = np.where(traffic.loads[operand] > 1, float(ahead), 1.0)
        if level is not None and level.double_buffered:
            steps = np.floor(_free_bytes(level, operand, options, traffic, share) / traffic.step_bytes(operand))
            held = np.where(options.streamed[operand], np.maximum(ahead, steps), held)
        elif level is not None:
            held = np.where(options.streamed[operand], 1.0, held)
        copies[operand] = held
    return copies


def _fits(level: SramLevel, traffic: TileTraffic, share: float) -> BoolArray | bool:
    """Whether the tiles of each option fit a level, its partitions taken apart."""
    needs = {operand: traffic.buffer_bytes(operand) for operand in traffic.residents(level)}
    if not needs:
        return True
    if level.partition_bytes is not None:
        return np.logical_and.reduce([need <= level.room_for(operand) * share for operand, need in needs.items()])
    return np.asarray(sum(needs.values()) <= level.room_bytes * share)


def _free_bytes(
    level: SramLevel, operand: Operand, options: TileOptions, traffic: TileTraffic, share: float
) -> FloatArray:
    """Room of a level that one streaming operand may take. [B]"""
    if level.partition_bytes is not None:
        return np.full(len(options.order), level.room_for(operand) * share)
    free = np.full(len(options.order), level.room_bytes * share)
    rivals = np.zeros(len(options.order))
    for other in traffic.residents(level):
        streams = options.streamed.get(other, np.zeros(len(options.order), dtype=bool))
        free -= np.where(streams, 0.0, traffic.buffer_bytes(other))
        rivals += streams
    return free / np.maximum(1.0, rivals)

"""How many tiles (or streamed steps) of each operand a chip has room for, option by option."""

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import SramLevel
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.tile_options import STREAMABLE, TileOptions
from archsim.mapping.tile_traffic import TileTraffic, sum_arrays
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
    that the tiles leave, shared with whatever else streams through the level: possibly less than one
    step's words, which then come while the array waits. Without a level, only the second register of a
    stationary operand can hold words for a later step.
    """
    copies = {}
    for operand in STREAMABLE:
        level = work.arch.sram_of(operand)
        if level is None:
            shadow = operand is work.dataflow.stationary and work.arch.pe_array.weight_regs == 2
            copies[operand] = np.full(len(options.order), 2.0 if shadow else 1.0)
            continue
        held = np.where(traffic.loads[operand] > 1, float(level.tile_copies), 1.0)
        steps = _free_bytes(level, operand, options, traffic, share) / traffic.step_bytes(operand)
        steps = steps if level.double_buffered else np.minimum(steps, 1.0)
        copies[operand] = np.where(options.streamed[operand], steps, held)
    return copies


def _fits(level: SramLevel, traffic: TileTraffic, share: float) -> BoolArray | bool:
    """Whether the tiles of each option fit a level, its partitions taken apart."""
    needs = {operand: traffic.buffer_bytes(operand) for operand in traffic.residents(level)}
    if not needs:
        return True
    if level.partition_bytes is not None:
        return np.asarray(np.all([need <= level.room_for(operand) * share for operand, need in needs.items()], axis=0))
    return np.asarray(sum_arrays(list(needs.values())) <= level.room_bytes * share)


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

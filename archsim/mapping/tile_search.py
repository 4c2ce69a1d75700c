"""Choose tiling, loop order and what stays on chip: least time, then least energy.

Every option is scored by closed forms over the whole layer: array cycles (with the passes that the
cutting adds), port cycles and DRAM cycles overlap, so the longest counts; among equals, least energy
moved, then fewest steps beyond a few thousand, then the shortest first fill. The closed forms of the
traffic are exact (a test holds them to the steps); the time leaves out first fill and last drain.
"""

import numpy as np
from numpy.typing import NDArray

from archsim.arch.memory_level import SramLevel
from archsim.errors import MappingError
from archsim.mapping.array_plan import ArrayWork
from archsim.mapping.fold_walk import DIMS
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.pass_cycles import cycles_per_pass
from archsim.mapping.tile_options import ORDERS, STREAMABLE, TileOptions, tile_options
from archsim.mapping.tile_traffic import TileTraffic, tile_traffic
from archsim.terms import Operand

DRAM_BYTE_IN_SRAM_BYTES = 128
"""Energy of a DRAM byte in SRAM bytes: 640 pJ against 5 pJ per 32 bits (Horowitz, ISSCC 2014)."""
FREE_STEPS = 2048
"""Steps that a layer may take before fewer steps are preferred."""

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


def search_nest(work: ArrayWork, layer_name: str, compute_cycles: int) -> LoopNest:
    """Return the best loop nest for a layer.

    Parameters
    ----------
    work
        The layer on its arch.
    layer_name
        For the error.
    compute_cycles
        Of the untiled layer. [cycles]

    Raises
    ------
    MappingError
        Not even the smallest tiles fit.
    """
    options = tile_options(work)
    traffic = tile_traffic(work, options)
    fits = np.ones(len(options.order), dtype=bool)
    for level in work.arch.srams:
        fits &= _fits(level, options, traffic)
    for operand in STREAMABLE:
        if work.arch.sram_of(operand) is None:
            fits &= options.streamed[operand]
    if not fits.any():
        raise MappingError(_no_fit(work, layer_name, traffic))
    candidates = np.flatnonzero(fits)
    keys = [key[candidates] for key in _scores(work, options, traffic, compute_cycles)]
    best = candidates[np.lexsort(keys[::-1])[0]]
    return nest_of(work, options, traffic, int(best))


def _scores(work: ArrayWork, options: TileOptions, traffic: TileTraffic, compute_cycles: int) -> list[FloatArray]:
    """Keys to sort by, most important first; smaller is better."""
    dram = work.arch.dram
    moved = traffic.dram_bytes()
    dram_cycles = np.zeros_like(moved) if dram.is_ideal else moved / dram.bandwidth_bytes_per_cycle
    time = np.maximum(_array_cycles(work, options, traffic, compute_cycles), dram_cycles)
    for level in work.arch.srams:
        if level.bytes_per_cycle is not None:
            time = np.maximum(time, traffic.port_bytes(level) / level.bytes_per_cycle)
    energy = moved * DRAM_BYTE_IN_SRAM_BYTES + traffic.sram_bytes()
    steps = work.groups * np.prod([traffic.units[dim] for dim in DIMS], axis=0).astype(np.float64)
    fill = np.zeros_like(moved) if dram.is_ideal else traffic.first_fetch_bytes
    stays = np.sum([~options.streamed[operand] for operand in STREAMABLE], axis=0)
    return [time, energy, np.maximum(steps, FREE_STEPS), fill, steps, -stays, options.order.astype(np.float64)]


def _array_cycles(work: ArrayWork, options: TileOptions, traffic: TileTraffic, compute_cycles: int) -> FloatArray:
    """Array cycles of each option: the untiled layer's, scaled by what more and shorter passes cost."""
    stream = work.dataflow.stream
    whole = cycles_per_pass(work, work.sizes[stream])
    per_pass = options.of(stream, [cycles_per_pass(work, tiling.unit) for tiling in options.tilings[stream]])
    if work.pass_per_unit:
        return np.full(len(options.order), float(compute_cycles))
    split = per_pass * options.tiles(stream) / whole
    return compute_cycles * np.where(traffic.splits_passes, split, 1.0)


def _fits(level: SramLevel, options: TileOptions, traffic: TileTraffic) -> BoolArray:
    """Whether the tiles of each option fit a level, its partitions taken apart."""
    needs = {operand: traffic.buffer_bytes(operand) for operand in traffic.residents(level)}
    if not needs:
        return np.ones(len(options.order), dtype=bool)
    if level.partition_bytes is not None:
        return np.logical_and.reduce([need <= level.room_for(operand) for operand, need in needs.items()])
    return np.asarray(sum(needs.values()) <= level.room_bytes)


def _no_fit(work: ArrayWork, layer_name: str, traffic: TileTraffic) -> str:
    parts = []
    for level in work.arch.srams:
        need = {operand: int(traffic.buffer_bytes(operand).min()) for operand in traffic.residents(level)}
        least = ", ".join(f"{size} B of {operand}" for operand, size in need.items())
        parts.append(f"{level.name} has {level.room_bytes} B for tiles and needs at least {least}")
    return (
        f"layer {layer_name!r} does not fit {work.arch.name!r}, even streamed a line of PEs at a time: "
        + "; ".join(parts)
        + ". Enlarge capacity_bytes (or partition_bytes), or use a smaller array."
    )


def nest_of(work: ArrayWork, options: TileOptions, traffic: TileTraffic, index: int) -> LoopNest:
    """Return one option as a loop nest."""
    streamed = [operand for operand in STREAMABLE if options.streamed[operand][index]]
    return LoopNest(
        groups=work.groups,
        order=ORDERS[options.order[index]],
        tiling={dim: options.tilings[dim][options.choice[dim][index]] for dim in DIMS},
        rows=work.dataflow.rows,
        columns=work.dataflow.columns,
        stream=work.dataflow.stream,
        streamed={operand: _steps_ahead(work, traffic, operand, streamed, index) for operand in streamed},
    )


def _steps_ahead(work: ArrayWork, traffic: TileTraffic, operand: Operand, streamed: list[Operand], index: int) -> int:
    """Steps for which a level has room beside its tiles, shared among the operands that stream through it."""
    level = work.arch.sram_of(operand)
    if level is None or not level.double_buffered:
        return level.tile_copies if level else 2
    residents = traffic.residents(level)
    rivals = [operand] if level.partition_bytes is not None else [other for other in residents if other in streamed]
    tiles = 0.0 if level.partition_bytes is not None else sum(
        float(traffic.buffer_bytes(other)[index]) for other in residents if other not in streamed
    )  # fmt: skip
    room = (level.room_for(operand) - tiles) / len(rivals)
    return max(level.tile_copies, int(room // traffic.step_bytes(operand)[index]))

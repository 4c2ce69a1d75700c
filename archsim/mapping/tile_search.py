"""Choose tiling, loop order and what stays on chip: least time, then least energy.

Every option is scored by closed forms (`tile_time`, `tile_traffic`). Among options of equal time the
one that moves the least energy wins, then fewer steps beyond a few thousand, then the shortest first
fill. The traffic is exact (a test holds it to the steps); the time is an estimate.
"""

from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.errors import MappingError
from archsim.mapping.array_plan import ArrayWork
from archsim.mapping.fold_walk import DIMS
from archsim.mapping.loop_nest import Dim, LoopNest
from archsim.mapping.tile_options import ORDERS, STREAMABLE, TileOptions, tile_options
from archsim.mapping.tile_room import copies_held, fitting_options
from archsim.mapping.tile_time import TileTime
from archsim.mapping.tile_traffic import TileTraffic, tile_traffic
from archsim.terms import Operand

DRAM_BYTE_IN_SRAM_BYTES = 128
"""Energy of a DRAM byte in SRAM bytes: 640 pJ against 5 pJ per 32 bits (Horowitz, ISSCC 2014)."""
FREE_STEPS = 2048
"""Steps that a layer may take before fewer steps are preferred."""
MOST_PIECES = 16
"""Steps that one tile of the stream is cut into, at most."""

FloatArray = NDArray[np.float64]


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
    fits = fitting_options(work, options, traffic)
    if not fits.any():
        raise MappingError(_no_fit(work, layer_name, traffic))
    copies = copies_held(work, options, traffic)
    timing = TileTime(work=work, options=options, traffic=traffic, copies=copies, compute_cycles=compute_cycles)
    candidates = np.flatnonzero(fits)
    keys = [key[candidates] for key in (timing.cycles(), *_preferences(work, options, traffic))]
    best = int(candidates[np.lexsort(keys[::-1])[0]])
    return _with_short_steps(work, nest_of(work, options, copies, best))


def _preferences(work: ArrayWork, options: TileOptions, traffic: TileTraffic) -> list[FloatArray]:
    """Keys to sort options of equal time by, most important first; smaller is better."""
    moved = traffic.dram_bytes()
    energy = moved * DRAM_BYTE_IN_SRAM_BYTES + traffic.sram_bytes()
    steps = work.groups * np.prod([traffic.units[dim] for dim in DIMS], axis=0).astype(np.float64)
    fill = np.zeros_like(moved) if work.arch.dram.is_ideal else traffic.first_fetch_bytes
    stays = np.sum([~options.streamed[operand] for operand in STREAMABLE], axis=0)
    return [energy, np.maximum(steps, FREE_STEPS), fill, steps, -stays, options.order.astype(np.float64)]


def _with_short_steps(work: ArrayWork, nest: LoopNest) -> LoopNest:
    """Cut the stream within its tiles, so that the array starts on the first words and not on a whole tile.

    Nothing moves but the steps' ends: passes go on from step to step.
    """
    if work.arch.dram.is_ideal or work.pass_per_unit:
        return nest
    stream = nest.tiling[nest.stream]
    line = work.geometry.line_pixels if nest.stream is Dim.PIXELS else 1
    steps = nest.groups * prod(tiling.units for tiling in nest.tiling.values())
    pieces = min(MOST_PIECES, FREE_STEPS // steps, -(-stream.unit // line))
    if pieces < 2:
        return nest
    unit = -(-(-(-stream.unit // line)) // pieces) * line
    finer = replace(stream, unit=unit, units_per_tile=-(-stream.unit // unit))
    streamed = {operand: held * finer.units_per_tile for operand, held in nest.streamed.items()}
    return replace(nest, tiling=nest.tiling | {nest.stream: finer}, streamed=streamed)


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


def nest_of(work: ArrayWork, options: TileOptions, copies: dict[Operand, FloatArray], index: int) -> LoopNest:
    """Return one option as a loop nest."""
    return LoopNest(
        groups=work.groups,
        order=ORDERS[options.order[index]],
        tiling={dim: options.tilings[dim][options.choice[dim][index]] for dim in DIMS},
        rows=work.dataflow.rows,
        columns=work.dataflow.columns,
        stream=work.dataflow.stream,
        streamed={op: int(copies[op][index]) for op in STREAMABLE if options.streamed[op][index]},
    )

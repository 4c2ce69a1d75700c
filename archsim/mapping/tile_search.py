"""Choose tiling, loop order and what stays on chip: least time, then least energy.

Every option is scored by closed forms (`tile_time`, `tile_traffic`). Among options of equal time the
one that moves the least energy wins, then fewer steps beyond a thousand, then the shortest first
fill. The traffic is exact (a test holds it to the steps); the time is an estimate, so the search hands
out a short list, best first, and `engine/` runs it and keeps the fastest.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from archsim.errors import MappingError
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.fold_walk import DIMS
from archsim.mapping.loop_nest import Dim, DimTiling, LoopNest
from archsim.mapping.tile_bursts import burst_bytes_per_byte
from archsim.mapping.tile_options import ORDERS, STREAMABLE, TileOptions, tile_options
from archsim.mapping.tile_room import copies_held, fitting_options
from archsim.mapping.tile_time import TileTime
from archsim.mapping.tile_traffic import TileTraffic, tile_traffic
from archsim.terms import Operand

DRAM_BYTE_IN_SRAM_BYTES = 128
"""Energy of a DRAM byte in SRAM bytes: 640 pJ against 5 pJ per 32 bits (Horowitz, ISSCC 2014)."""
FREE_STEPS = 1024
"""Steps that a layer may take before fewer steps are preferred."""
MOST_STEPS = 4_000_000
"""Steps of a layer that are simulated, at most: some 2 GB of plan. Options beyond it are not looked at."""
MOST_PIECES = 16
"""Steps that one tile of the stream is cut into, at most."""
SHARES = {1.0: 6, 0.5: 2, 0.25: 1, 0.125: 1}
"""Options that are worth a run, for the whole room and for shares of it."""
WORTH_RUNNING = 1.3
"""How far an option's estimate may lie above the best one's."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedNest:
    """A loop nest and the time that the closed forms give it. [cycles]"""

    nest: LoopNest
    estimated_cycles: float


def search_nests(work: ArrayWork, compute_cycles: int) -> Iterator[RankedNest]:
    """Yield the loop nests for a layer that are worth a run, best first.

    After the short list comes what a chip with less room would choose, so that a bigger buffer hardly
    ever makes the choice worse.

    Parameters
    ----------
    work
        The layer on its arch.
    compute_cycles
        Of the untiled layer. [cycles]

    Raises
    ------
    MappingError
        Not even the smallest tiles fit.
    """
    options = tile_options(work)
    traffic = tile_traffic(work, options)
    copies = copies_held(work, options, traffic)
    steps = _steps(work, traffic)
    preferences = _preferences(work, options, traffic, steps)
    bursts = {operand: burst_bytes_per_byte(work, options, operand) for operand in (*STREAMABLE, Operand.OFMAP)}
    seen: set[int] = set()
    for share, count in SHARES.items():
        fits = fitting_options(work, options, traffic, share)
        if share == 1.0 and not fits.any():
            raise MappingError(_no_fit(work, traffic))
        fitting = np.flatnonzero(fits & (steps <= MOST_STEPS))
        if share == 1.0 and not len(fitting):
            raise MappingError(too_large(work, f"at least {int(steps[fits].min()):,} steps"))
        held = copies_held(work, options, traffic, share)
        time = TileTime(
            work=work, options=options, traffic=traffic, copies=held, bursts=bursts, compute_cycles=compute_cycles
        ).cycles()
        ranked = fitting[np.lexsort([key[fitting] for key in (*preferences[::-1], time)])]
        for index in _unlike(ranked, time, preferences[0], count):
            if index not in seen:
                seen.add(index)
                nest = nest_of(work, options, copies, index, _pieces(work, traffic, options, index))
                yield RankedNest(nest=nest, estimated_cycles=time[index])
        if work.arch.dram.is_ideal:
            return


def has_nest(work: ArrayWork) -> bool:
    """Return whether any tiling fits the chip's buffers and is short enough to be simulated."""
    options = tile_options(work)
    traffic = tile_traffic(work, options)
    return bool((fitting_options(work, options, traffic) & (_steps(work, traffic) <= MOST_STEPS)).any())


def _unlike(ranked: NDArray[np.int64], time: FloatArray, energy: FloatArray, count: int) -> list[int]:
    """Pick the first options that differ in energy: those that move the same words run much alike."""
    if not len(ranked):
        return []
    near = ranked[time[ranked] <= time[ranked[0]] * WORTH_RUNNING]
    _, first = np.unique(energy[near], return_index=True)
    return [int(near[place]) for place in sorted(first)[:count]]


def _steps(work: ArrayWork, traffic: TileTraffic) -> FloatArray:
    steps: FloatArray = work.groups * np.prod([traffic.units[dim].astype(np.float64) for dim in DIMS], axis=0)
    return steps


def _preferences(work: ArrayWork, options: TileOptions, traffic: TileTraffic, steps: FloatArray) -> list[FloatArray]:
    """Keys to sort options of equal time by, most important first; smaller is better."""
    moved = traffic.dram_bytes()
    energy = moved * DRAM_BYTE_IN_SRAM_BYTES + traffic.sram_bytes()
    fill = np.zeros_like(moved) if work.arch.dram.is_ideal else traffic.first_fetch_bytes
    stays = np.sum([~options.streamed[operand] for operand in STREAMABLE], axis=0)
    return [energy, np.maximum(steps, FREE_STEPS), fill, steps, -stays, options.order.astype(np.float64)]


def _pieces(work: ArrayWork, traffic: TileTraffic, options: TileOptions, index: int) -> int:
    """Return into how many steps to cut each unit of the stream: the array starts on a tile's first words.

    Nothing moves but the steps' ends: passes go on from step to step, and tiles keep their length.
    """
    if work.arch.dram.is_ideal or work.pass_per_unit:
        return 1
    steps: int = work.groups * prod(int(traffic.units[dim][index]) for dim in DIMS)
    stream = work.dataflow.stream
    tiling = options.tilings[stream][options.choice[stream][index]]
    grains = -(-tiling.unit // _grain(work))
    most = max(1, min(MOST_PIECES, FREE_STEPS // steps, grains))
    return most if tiling.tiles == 1 else max(pieces for pieces in range(1, most + 1) if grains % pieces == 0)


def _grain(work: ArrayWork) -> int:
    """Elements that the stream is cut at multiples of: lines of pixels."""
    return work.geometry.line_pixels if work.dataflow.stream is Dim.PIXELS else 1


def too_large(work: ArrayWork, what: str) -> str:
    """Say that a layer is beyond what is simulated step by step."""
    return (
        f"layer {work.layer!r} takes {what} on {work.arch.name!r}; archsim simulates {MOST_STEPS:,} at most. "
        "Run fewer images (--batch), a part of the network (--layers), or a larger array or buffer."
    )


def _no_fit(work: ArrayWork, traffic: TileTraffic) -> str:
    parts = []
    for level in work.arch.srams:
        need = {operand: int(traffic.buffer_bytes(operand).min()) for operand in traffic.residents(level)}
        least = ", ".join(f"{size} B of {operand}" for operand, size in need.items())
        parts.append(f"{level.name} has {level.room_bytes} B for tiles and needs at least {least}")
    return (
        f"layer {work.layer!r} does not fit {work.arch.name!r}, even streamed a line of PEs at a time: "
        + "; ".join(parts)
        + ". Enlarge capacity_bytes (or partition_bytes), or use a smaller array."
    )


def nest_of(
    work: ArrayWork, options: TileOptions, copies: dict[Operand, FloatArray], index: int, pieces: int = 1
) -> LoopNest:
    """Return one option as a loop nest, each unit of its stream cut into ``pieces`` steps or fewer."""
    tiling = {dim: options.tilings[dim][options.choice[dim][index]] for dim in DIMS}
    stream = cut = tiling[work.dataflow.stream]
    if pieces > 1:
        unit = -(-stream.unit // (_grain(work) * pieces)) * _grain(work)
        cut = replace(stream, unit=unit, units_per_tile=-(-stream.unit // unit))
    return LoopNest(
        groups=work.groups,
        order=ORDERS[options.order[index]],
        tiling=tiling | {work.dataflow.stream: cut},
        rows=work.dataflow.rows,
        columns=work.dataflow.columns,
        stream=work.dataflow.stream,
        streamed={
            operand: _steps_held(work, operand, float(copies[operand][index]), stream, cut)
            for operand in STREAMABLE
            if options.streamed[operand][index]
        },
        whole=frozenset(operand for operand in STREAMABLE if options.whole[operand][index]),
    )


def _steps_held(work: ArrayWork, operand: Operand, units: float, tile: DimTiling, cut: DimTiling) -> int:
    """Return the generations that room for so many units of a streaming operand holds.

    What stays in the PEs crosses once per pass, whatever the pieces (the last tile of the stream may have
    fewer). What passes by crosses piece by piece; of a unit that is not held whole, every piece counts as
    a long one.

    Parameters
    ----------
    work, operand
        The layer, and what streams.
    units
        Room, in units of the stream as the option cuts it.
    tile, cut
        The stream's tiling, before and after its units are cut into pieces.
    """
    whole = int(units)
    if operand is work.dataflow.stationary:
        return max(1, whole)
    pieces = -(-tile.unit // cut.unit)
    return max(1, whole * pieces + int((units - whole) * tile.unit / cut.unit))

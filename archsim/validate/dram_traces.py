"""The request traces behind `golden/dram_reference.csv`, made anew: bursts of 64 bytes in the order in which they are offered.

Each trace is a formula, so that two simulators on two machines run the same requests. Called by the validation
suite of the DRAM channels and by their tests.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from archsim.engine.dram_run import DramTrace

IntArray = NDArray[np.int64]
BURST_BYTES = 64
REGION_BYTES = 1 << 28
"""Random and strided traffic falls into the first 256 MiB."""
REQUESTS = 6144
MIB = 1 << 20


def sequential(count: int, base: int = 0, *, writes: bool = False, interval: int = 0) -> DramTrace:
    """Burst after burst, one every `interval` clocks at the earliest."""
    number = np.arange(count)
    return _trace(base + BURST_BYTES * number, np.full(count, writes), interval * number)


def strided(count: int, stride_bytes: int, *, writes: bool = False) -> DramTrace:
    """One burst every `stride_bytes`; at the end of the region it starts again one burst further on."""
    position = stride_bytes * np.arange(count)
    return _trace(position % REGION_BYTES + BURST_BYTES * (position // REGION_BYTES), np.full(count, writes))


def scattered(count: int, seed: int, *, writes: bool = False, interval: int = 0) -> DramTrace:
    """Random bursts of the region (splitmix64)."""
    return _trace(_random_addresses(count, seed), np.full(count, writes), interval * np.arange(count))


def scattered_mix(count: int, seed: int, period: int) -> DramTrace:
    """Random bursts, the last of every `period` a write."""
    return _trace(_random_addresses(count, seed), np.arange(count) % period == period - 1)


def side_by_side(count: int, bases: Sequence[int], writes: Sequence[bool], burst: int = 1) -> DramTrace:
    """Sequential streams in turn, `burst` requests of each."""
    turn, within = np.divmod(np.arange(count), burst)
    stream = turn % len(bases)
    position = turn // len(bases) * burst + within
    return _trace(np.array(bases)[stream] + BURST_BYTES * position, np.array(writes)[stream])


def sequential_mix(count: int, period: int, read_base: int = 0, write_base: int = 64 * MIB + 5 * 8192) -> DramTrace:
    """Read a sequential stream; the last of every `period` requests is from a stream of writes."""
    number = np.arange(count)
    is_write = number % period == period - 1
    written = number // period
    address = np.where(is_write, write_base + BURST_BYTES * written, read_base + BURST_BYTES * (number - written))
    return _trace(address, is_write)


def tile_reads(count: int, width_bytes: int, pitches: tuple[int, int], rows: int, planes: int) -> DramTrace:
    """Cover a tile with bursts: plane by plane, row by row; `pitches` of rows and planes in bytes."""
    address = _tile_addresses(width_bytes, pitches, rows, planes)[:count]
    return _trace(address, np.zeros(len(address), dtype=np.bool_))


def convolution_mix(
    count: int, width_bytes: int, pitches: tuple[int, int], rows: int, planes: int, *, blocks: tuple[int, int, int]
) -> DramTrace:
    """Take tile reads, weight reads and ofmap writes in turn, `blocks` of each; past its end the tile lies 32 MiB on."""
    ifmaps, weights, ofmaps = blocks
    cycle, phase = np.divmod(np.arange(count), ifmaps + weights + ofmaps)
    tile = _tile_addresses(width_bytes, pitches, rows, planes)
    in_tile = cycle * ifmaps + phase
    ifmap = tile[in_tile % len(tile)] + np.where(in_tile < len(tile), 0, 32 * MIB)
    weight = 96 * MIB + 3 * 4096 + BURST_BYTES * (cycle * weights + phase - ifmaps)
    ofmap = 160 * MIB + 9 * 8192 + BURST_BYTES * (cycle * ofmaps + phase - ifmaps - weights)
    is_write = phase >= ifmaps + weights
    return _trace(np.select([phase < ifmaps, ~is_write], [ifmap, weight], ofmap), is_write)


TRACES: dict[str, Callable[[], DramTrace]] = {
    "seq_rd": lambda: sequential(REQUESTS),
    "seq_wr": lambda: sequential(REQUESTS, writes=True),
    "stride128_rd": lambda: strided(REQUESTS, 128),
    "stride512_rd": lambda: strided(REQUESTS, 512),
    "stride2048_rd": lambda: strided(REQUESTS, 2048),
    "stride8192_rd": lambda: strided(REQUESTS, 8192),
    "stride65536_rd": lambda: strided(REQUESTS, 65536),
    "stride8192_wr": lambda: strided(REQUESTS, 8192, writes=True),
    "rand_rd_s1": lambda: scattered(REQUESTS, 1),
    "rand_wr_s1": lambda: scattered(REQUESTS, 1, writes=True),
    "rand_mix21_s1": lambda: scattered_mix(REQUESTS, 1, 3),
    "two_rd_conflict": lambda: side_by_side(REQUESTS, (0, 64 * MIB), (False, False)),
    "two_rd_apart": lambda: side_by_side(REQUESTS, (0, 64 * MIB + 5 * 8192), (False, False)),
    "copy": lambda: side_by_side(REQUESTS, (0, 64 * MIB + 5 * 8192), (False, True)),
    "mix21_seq": lambda: sequential_mix(REQUESTS, 3),
    "tile_a": lambda: tile_reads(REQUESTS, 128, (512, 512 * 512), 32, 512),
    "tile_b": lambda: tile_reads(REQUESTS, 256, (4096, 4096 * 112), 18, 512),
    "conv_mix_a": lambda: convolution_mix(REQUESTS, 128, (512, 512 * 512), 32, 100, blocks=(16, 8, 8)),
    "rand_rd_paced16": lambda: scattered(REQUESTS, 2, interval=16),
    "rand_rd_paced6": lambda: scattered(REQUESTS, 3, interval=6),
    "seq_rd_paced8": lambda: sequential(REQUESTS, interval=8),
}
"""Name of a pattern in `dram_reference.csv` -> its trace."""


def _trace(address: IntArray, is_write: NDArray[np.bool_], arrival: IntArray | None = None) -> DramTrace:
    starts = np.zeros(len(address), dtype=np.int64) if arrival is None else arrival
    return DramTrace(address=address, is_write=is_write, arrival=starts)


def _random_addresses(count: int, seed: int) -> IntArray:
    """Draw bursts of the region by splitmix64 (Steele, Lea and Flood, OOPSLA 2014), 64-bit and wrapping."""
    state = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, count + 1, dtype=np.uint64)
    mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    drawn = mixed ^ (mixed >> np.uint64(31))
    bursts: IntArray = (drawn % np.uint64(REGION_BYTES // BURST_BYTES)).astype(np.int64)
    return bursts * BURST_BYTES


def _tile_addresses(width_bytes: int, pitches: tuple[int, int], rows: int, planes: int) -> IntArray:
    row_pitch, plane_pitch = pitches
    starts = (plane_pitch * np.arange(planes)[:, None] + row_pitch * np.arange(rows)).ravel()
    first = starts // BURST_BYTES
    bursts = (starts + width_bytes - 1) // BURST_BYTES - first + 1
    before = np.repeat(np.cumsum(bursts) - bursts, bursts)
    blocks: IntArray = np.repeat(first, bursts) + np.arange(len(before)) - before
    return blocks * BURST_BYTES

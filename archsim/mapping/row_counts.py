"""Closed forms over many row-stationary mappings at once: passes, words, cycles, energy.

Called by `row_search.py`. Words and MAC cycles are exact (a test holds them to the passes); the time with real
memories is an estimate: networks limit the layer as a whole, and DRAM hides behind the array as far as its
buffers allow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.mapping.row_fit import weights_stay
from archsim.mapping.row_work import RowWork
from archsim.terms import Operand

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowCounts:
    """What each mapping does; arrays of shape (mappings,).

    Parameters
    ----------
    passes
        Of the whole layer.
    mac_cycles
        Of the busiest PE over all passes, fills and restarts included, without overhead. [cycles]
    ifmap_words, psum_words, weight_words
        Over each network, one way. [words]
    dram_ifmap_words, dram_weight_words
        Fetched. [words]
    cycles
        Of the layer with real memories, estimated. [cycles]
    energy
        Of all that depends on the mapping. [unit of `MappingChoice.prices`]
    """

    passes: IntArray
    mac_cycles: IntArray
    ifmap_words: IntArray
    psum_words: IntArray
    weight_words: IntArray
    dram_ifmap_words: IntArray
    dram_weight_words: IntArray
    cycles: FloatArray
    energy: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Loops:
    """Trips of each loop, and sums over them."""

    image_blocks: IntArray
    strips: IntArray
    filter_blocks: IntArray
    filter_passes: IntArray
    channel_blocks: IntArray
    filters_per_pe: IntArray
    """Sum of p over the filter passes."""
    taps_per_pe: IntArray
    """Sum over channel blocks and column parts of a psum's MAC cycles in a PE, times the row parts."""
    channels_per_pe: IntArray
    """Sum of q over the channel blocks."""


def count_mappings(candidates: IntArray, work: RowWork) -> RowCounts:
    """Score mappings; ``candidates`` has shape (mappings, 7): m, n, e, p, q, r, t."""
    shape, loops = work.shape, _loops(candidates, work)
    per_strip = loops.filter_passes * shape.kernel_parts * loops.channel_blocks
    passes = shape.groups * loops.image_blocks * loops.strips * per_strip
    mac_cycles = _mac_cycles(loops, passes, work)
    words = _words(candidates, loops, work)
    cycles = _cycles(mac_cycles, words, loops, work)
    energy = _energy(candidates, loops, words, cycles, work)
    return RowCounts(passes=passes, mac_cycles=mac_cycles, cycles=cycles, energy=energy, **words)


def _mac_cycles(loops: _Loops, passes: IntArray, work: RowWork) -> IntArray:
    """Cycles of the busiest PE over all passes: MACs, windows that slide and fill, restarts. [cycles]"""
    shape, pe = work.shape, work.arch.pe_array.row_loop
    columns, moves = shape.ofmap_columns, loops.channels_per_pe * loops.filter_passes
    slides = (columns - 1) * shape.layer.stride[1] * pe.shift_cycles * moves * shape.kernel_parts
    per_image = columns * loops.filters_per_pe * loops.taps_per_pe + slides + moves * _fill_columns(work)
    cycles: IntArray = shape.groups * shape.images * loops.strips * per_image + passes * pe.restart_cycles
    return cycles


def _words(candidates: IntArray, loops: _Loops, work: RowWork) -> dict[str, IntArray]:
    """Words over each network and, of what is fetched, over the DRAM channel, by their names in `RowCounts`. [words]"""
    shape, visits = work.shape, work.shape.kernel_parts * loops.channel_blocks
    planes = shape.groups * shape.images * shape.channels
    row_words, rows_in_tiles = _ifmap_rows(candidates[:, 2], work)
    ifmap_loads = np.where(loops.channel_blocks > 1, loops.filter_blocks, 1)
    weights = shape.groups * shape.taps * shape.channels * shape.filters
    weight_words = weights * loops.image_blocks * loops.strips
    one_pass = (loops.filter_passes * visits == 1) & (shape.groups == 1)
    fetched_once = weights_stay(candidates, shape, work.arch) | one_pass
    return {
        "ifmap_words": planes * loops.filter_passes * row_words,
        "psum_words": shape.ofmap_words * visits,
        "weight_words": weight_words,
        "dram_ifmap_words": planes * shape.geometry.line_words * rows_in_tiles * ifmap_loads,
        "dram_weight_words": np.where(fetched_once, weights, weight_words),
    }


def _loops(candidates: IntArray, work: RowWork) -> _Loops:
    shape = work.shape
    m, n, e, p, q, r, t = candidates.T
    pe = work.arch.pe_array.row_loop
    whole, rest = np.divmod(shape.filters, m)
    step = p * t
    full_channels, last_channels = np.divmod(shape.channels, q * r)
    last_q = -(-last_channels // r)
    taps = np.zeros_like(q)
    for wide in shape.column_parts:
        for times, channels in ((full_channels, q), ((last_channels > 0) * 1, last_q)):
            per_psum = -(-wide * channels // work.arch.pe_array.multipliers_per_pe) + pe.accumulate_cycles
            taps = taps + times * per_psum
    return _Loops(
        image_blocks=-(-shape.images // n),
        strips=-(-shape.ofmap_rows // e),
        filter_blocks=-(-shape.filters // m),
        filter_passes=whole * -(-m // step) + -(-rest // step),
        channel_blocks=-(-shape.channels // (q * r)),
        filters_per_pe=whole * _sum_of_p(m, p, t) + _sum_of_p(rest, p, t),
        taps_per_pe=taps * len(shape.row_parts),
        channels_per_pe=full_channels * q + last_q,
    )


def _fill_columns(work: RowWork) -> int:
    """Columns that fill a PE's window before its first MAC, over all parts of a filter; 0 = hidden."""
    pe, shape = work.arch.pe_array.row_loop, work.shape
    waits = sum(wide - 1 for wide in shape.column_parts) * shape.layer.dilation[1]
    return waits * len(shape.row_parts) * pe.line_fill


def _sum_of_p(filters: IntArray, p: IntArray, t: IntArray) -> IntArray:
    """Sum over the passes of one filter block of the filters that the busiest PE interleaves."""
    full, last = np.divmod(filters, p * t)
    return full * p + -(-last // t)


def _ifmap_rows(e: IntArray, work: RowWork) -> tuple[IntArray, IntArray]:
    """Words of one channel and image that a sweep over all strips and filter parts sends, and the rows fetched for it."""
    shape, geometry = work.shape, work.shape.geometry
    columns = sum(int(shape.ifmap_columns(wide)) for wide in shape.column_parts)
    words, fetched = np.zeros_like(e), np.zeros_like(e)
    for size in np.unique(e):
        first = np.arange(0, shape.ofmap_rows, size, dtype=np.int64)
        rows = np.minimum(size, shape.ofmap_rows - first)
        sent = sum(int(shape.ifmap_rows(rows, tall).sum()) for tall in shape.row_parts)
        words[e == size] = sent * columns
        fetched[e == size] = (geometry.last[first + rows - 1] - geometry.first[first]).sum()
    return words, fetched


def _cycles(mac_cycles: IntArray, words: dict[str, IntArray], loops: _Loops, work: RowWork) -> FloatArray:
    """Estimate the layer with real memories: networks and DRAM limit it as a whole. [cycles]

    What lies in its buffer once keeps the array waiting while the next tile comes in, or the psums of the last block go.
    """
    pe = work.arch.pe_array.row_loop
    sent = {
        each: words[f"{each}_words"] * float(work.cycles_per_word(each))
        for each in (Operand.IFMAP, Operand.PSUM, Operand.WEIGHT)
    }
    busy = np.maximum(mac_cycles, np.maximum(sent[Operand.IFMAP], sent[Operand.PSUM])) * (1 + pe.pass_overhead)
    busy = np.maximum(busy, sent[Operand.WEIGHT]) if pe.weights_ahead else busy + sent[Operand.WEIGHT]
    if work.arch.dram.is_ideal:
        return np.asarray(busy)
    rate = work.arch.dram.bandwidth_bytes_per_cycle * 8
    ifmap, weight, ofmap = (bits / rate for bits in _dram_bits(words, work))
    exposed = ifmap if work.tiles_held(Operand.IFMAP) == 1 else 0.0 * ifmap
    if work.tiles_held(Operand.PSUM) == 1:
        exposed = exposed + ofmap * loops.filter_blocks / loops.filter_passes
    return np.asarray(np.maximum(exposed + busy, ifmap + weight + ofmap))


def _dram_bits(words: dict[str, IntArray], work: RowWork) -> tuple[NDArray[Any], NDArray[Any], float]:
    """Bits of ifmap, weight and ofmap over the DRAM channel; nothing for what is on chip. [b]"""
    away = {operand: operand not in work.kept for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP)}
    return (
        words["dram_ifmap_words"] * work.link_bits(Operand.IFMAP) * away[Operand.IFMAP],
        words["dram_weight_words"] * work.link_bits(Operand.WEIGHT) * away[Operand.WEIGHT],
        work.shape.ofmap_words * work.link_bits(Operand.OFMAP) * away[Operand.OFMAP],
    )


def _energy(
    candidates: IntArray, loops: _Loops, words: dict[str, IntArray], cycles: FloatArray, work: RowWork
) -> FloatArray:
    """Energy of moving words and of the time it takes, by `MappingChoice.prices`."""
    shape, prices = work.shape, work.arch.mapping.prices
    e, r, t = candidates[:, 2], candidates[:, 5], candidates[:, 6]
    columns = sum(int(shape.ifmap_columns(wide)) for wide in shape.column_parts)
    planes = shape.groups * shape.images * shape.channels * np.minimum(t, shape.filters)
    taken = planes * loops.filter_passes * columns * shape.ofmap_rows * sum(shape.row_parts)
    hops = words["psum_words"] * (max(shape.row_parts) * np.minimum(r, shape.channels) - 1)
    ifmap, weight, ofmap = _dram_bits(words, work)
    energy = prices.dram_bit * (ifmap + weight + ofmap) + prices.cycle * cycles
    energy = energy + prices.ifmap_read * words["ifmap_words"] + prices.psum_pair * words["psum_words"]
    energy = energy + prices.ifmap_taken * taken + prices.psum_hop * hops
    energy = energy + (prices.weight_sent + prices.weight_taken * e) * words["weight_words"]
    return np.asarray(energy, dtype=np.float64)

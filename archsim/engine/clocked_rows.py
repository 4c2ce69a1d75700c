"""One convolution on the clocked row-stationary array: every PE register, every cycle, values included.

`exact_arrays.py` calls it for values, tests for all of it: it is the proof of the closed forms in `mapping/row_stationary.py`, which it does not know.
Passes run back to back, from the outside in: blocks of images, strips of ofmap rows, blocks of filters whose psums stay
in the GLB, channels, filters.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import RowMapping
from archsim.engine.clocked_operands import check_sums, checked_integers
from archsim.engine.clocked_row_pass import RowPass
from archsim.engine.clocked_rows_run import ClockedRowCounts, ClockedRows
from archsim.errors import SimulationError
from archsim.kernels import row_datapath, row_loop
from archsim.kernels import row_stationary as kernel
from archsim.kernels.row_skip_pass import step_skipping_pass
from archsim.numerics.patches import ofmap_sides
from archsim.numerics.window import Window
from archsim.terms import Dataflow

IntArray = NDArray[np.int64]
MODEL = "clocked rows"
"""What messages open with."""


def run_clocked_rows(
    ifmap: NDArray[np.integer],
    weight: NDArray[np.integer],
    window: Window,
    mapping: RowMapping,
    *,
    pe_array: PeArray,
    weight_bits: int,
) -> ClockedRows:
    """Clock one group of a convolution through a row-stationary array, all passes back to back.

    Parameters
    ----------
    ifmap, weight
        Integers, shapes (N, C, H, W) and (M, C, R, S).
    window
        Stride, padding, dilation; ``groups`` must be 1.
    mapping
        How the layer lies on the array.
    pe_array
        Row stationary; its spads hold what the mapping puts into them.
    weight_bits
        Of a weight on its network, which carries one per cycle at least. [b]

    Returns
    -------
    ClockedRows
        The ofmap and the cycle of every value of it.

    Raises
    ------
    SimulationError
        The operands are no convolution of integers, or their psums might not fit int64; the array is of another
        dataflow, or the mapping does not fit its PEs or their spads.

    Notes
    -----
    Where PEs lie in the physical array makes no difference here, but for the length of a psum's way up. Not modelled:
    widths of the ifmap and psum networks and the GLB's size (words are there when a PE wants them, except psums that
    are still on their way up; while a window fills, the loop waits), ``pass_overhead``, and filters in parts (a filter
    row fits the ifmap spad). Weights that load ahead are there at the start of their pass, which waits for them as a whole.
    PEs that skip zeros go their own ways within a pass (`row_skip_pass.py`), with room for psums that wait for each other.
    """
    ifmap = checked_integers(ifmap, "ifmap", axes=4, model=MODEL)
    weight = checked_integers(weight, "weight", axes=4, model=MODEL)
    shape = _ofmap_shape(ifmap, weight, window)
    check_sums(ifmap, weight, products=weight[0].size, model=MODEL)
    _check_room(weight, window, mapping, pe_array)
    padded = np.pad(ifmap, ((0, 0), (0, 0), *window.padding))
    glb, tally = _Glb(shape), _Tally(mapping, weight.shape[2])
    passes = list(_passes(shape, weight.shape[1], window, mapping))
    load_words, behind = _load_words(pe_array, weight_bits), [0] * len(passes)
    if pe_array.row_loop.weights_ahead:
        first, *behind = [*(-(-len(each.loads(weight)) // load_words) for each in passes), 0]
        load_words, tally.totals[kernel.ADVANCE] = 0, first
    for each, next_load in zip(passes, behind, strict=True):
        rows, is_sent_for = each.ifmap_rows(padded, weight.shape[2:4], shape[3])
        loads = each.loads(weight)
        extents = (np.repeat(each.set_channels, weight.shape[2]), each.set_filters)
        settings = (_loop(each, weight.shape[3], shape[3], pe_array), load_words, pe_array.psum_hop)
        entering = glb.psums_of(each, tally.cycles)
        step = step_skipping_pass if pe_array.skips else kernel.step_row_stationary_pass
        psums, cycles, counts, totals = step((loads, rows, is_sent_for), entering, extents, settings)
        glb.keep(each, psums, cycles + tally.cycles)
        totals[kernel.ADVANCE] = max(totals[kernel.ADVANCE], next_load)
        tally.add(each, counts, totals, psums=int(np.count_nonzero(cycles)), weights=len(loads))
    return tally.result(glb)


class _Glb:
    """Psums between passes, and the cycle after which each is there."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self.ofmap = np.zeros(shape, dtype=np.int64)
        self.cycles = np.zeros(shape, dtype=np.int64)

    def psums_of(self, each: RowPass, start: int) -> tuple[IntArray, IntArray]:
        """Return the psums that a pass adds to and the cycle of each, counted from the pass's start."""
        psums, cycles = each.to_sets(self.ofmap[each.place]), each.to_sets(self.cycles[each.place])
        return psums, np.zeros_like(cycles) if each.starts_psums else cycles - start

    def keep(self, each: RowPass, psums: IntArray, cycles: IntArray) -> None:
        """Take the psums of a pass back."""
        self.ofmap[each.place], self.cycles[each.place] = each.from_sets(psums), each.from_sets(cycles)


class _Tally:
    """Cycles and counts over the passes so far."""

    def __init__(self, mapping: RowMapping, filter_rows: int) -> None:
        self.counts = np.zeros((mapping.r * filter_rows, mapping.t, mapping.e, row_datapath.PE_COUNTS), dtype=np.int64)
        self.totals = np.zeros(kernel.PASS_COUNTS, dtype=np.int64)
        self.starts: list[int] = []
        self.psums_in = self.psums_out = self.weights = 0

    @property
    def cycles(self) -> int:
        """Cycles before the next pass."""
        return int(self.totals[kernel.ADVANCE])

    def add(self, each: RowPass, counts: IntArray, totals: IntArray, *, psums: int, weights: int) -> None:
        """Add a pass."""
        self.starts.append(self.cycles)
        self.counts[: len(counts), : counts.shape[1], : counts.shape[2]] += counts
        self.totals += totals
        self.psums_in += 0 if each.starts_psums else psums
        self.psums_out += psums
        self.weights += weights

    def result(self, glb: _Glb) -> ClockedRows:
        """Return the whole run."""
        macs = self.counts[..., row_datapath.MACS]
        of_all = self.counts.sum(axis=(0, 1, 2))
        return ClockedRows(
            ofmap=glb.ofmap,
            output_cycles=glb.cycles,
            pass_starts=np.array(self.starts, dtype=np.int64),
            waited_cycles=int(self.totals[kernel.WAITED]),
            counts=ClockedRowCounts(
                macs_per_pe=macs.reshape(len(macs), -1),
                gated_macs=int(of_all[row_datapath.GATED_MACS]),
                ifmap_spad_reads=int(of_all[row_datapath.IFMAP_READS]),
                ifmap_spad_writes=int(of_all[row_datapath.IFMAP_WRITES]),
                weight_spad_reads=int(of_all[row_datapath.WEIGHT_READS]),
                weight_spad_writes=int(of_all[row_datapath.WEIGHT_WRITES]),
                psum_spad_reads=int(of_all[row_datapath.PSUM_READS]),
                psum_spad_writes=int(of_all[row_datapath.PSUM_WRITES]),
                ifmap_words=int(self.totals[kernel.IFMAP_WORDS]),
                weight_words=self.weights,
                psum_words_in=self.psums_in,
                psum_words_out=self.psums_out,
                psum_hops=int(self.totals[kernel.PSUM_HOPS]),
            ),
        )


def _passes(shape: tuple[int, int, int, int], channels: int, window: Window, mapping: RowMapping) -> Iterator[RowPass]:
    """Go through the passes of a layer; ``shape`` is the ofmap's."""
    for images in _cut(slice(0, shape[0]), mapping.n):
        for rows in _cut(slice(0, shape[2]), mapping.e):
            for block in _cut(slice(0, shape[1]), mapping.m):
                for some in _cut(slice(0, channels), mapping.q * mapping.r):
                    for filters in _cut(block, mapping.p * mapping.t):
                        yield RowPass(
                            images=images, rows=rows, channels=some, filters=filters, mapping=mapping, window=window
                        )


def _cut(whole: slice, unit: int) -> list[slice]:
    return [slice(start, min(start + unit, whole.stop)) for start in range(whole.start, whole.stop, unit)]


def _loop(each: RowPass, taps: int, outputs: int, pe_array: PeArray) -> IntArray:
    """Write down a pass's loop as the kernel reads it; ``taps`` and ``outputs`` of one row."""
    pe, loop = pe_array.row_loop, np.zeros(row_loop.LOOP_WORDS, dtype=np.int64)
    loop[row_loop.FILTERS] = each.interleaved_filters
    loop[row_loop.CHANNELS] = each.interleaved_channels
    loop[row_loop.TAPS] = taps
    loop[row_loop.STRIDE] = each.window.stride[1]
    loop[row_loop.DILATION] = each.window.dilation[1]
    loop[row_loop.OUTPUTS] = outputs
    loop[row_loop.IMAGES] = each.images.stop - each.images.start
    loop[row_loop.MULTIPLIERS] = pe_array.multipliers_per_pe
    loop[row_loop.ACCUMULATE_CYCLES] = pe.accumulate_cycles
    loop[row_loop.SHIFT_CYCLES] = pe.shift_cycles
    loop[row_loop.PE_LATENCY] = pe_array.pe_latency
    fill = (taps - 1) * each.window.dilation[1] * each.interleaved_channels * pe.line_fill
    loop[row_loop.START_CYCLES], loop[row_loop.RESTART_CYCLES] = pe.restart_cycles + fill, fill
    loop[row_loop.PSUM_GROUP] = 1
    loop[row_loop.GATES] = pe_array.gates
    return loop


def _load_words(pe_array: PeArray, weight_bits: int) -> int:
    """Weights that the network sends per cycle. [words]"""
    return max(1, pe_array.require_networks().weight_bits // weight_bits)


def _ofmap_shape(ifmap: IntArray, weight: IntArray, window: Window) -> tuple[int, int, int, int]:
    if window.groups != 1 or ifmap.shape[1] != weight.shape[1]:
        raise SimulationError(
            f"{MODEL}: ifmap is {ifmap.shape} (N, C, H, W), weight {weight.shape} (M, C, R, S), groups "
            f"{window.groups}: the channels must be equal, and groups run one by one"
        )
    try:
        return (len(ifmap), len(weight), *ofmap_sides(ifmap.shape, weight.shape, window))
    except ValueError as problem:
        raise SimulationError(f"{MODEL}: {problem}") from problem


def _check_room(weight: IntArray, window: Window, mapping: RowMapping, pe_array: PeArray) -> None:
    if pe_array.dataflow is not Dataflow.ROW_STATIONARY or pe_array.spads is None:
        raise SimulationError(f"{MODEL}: the array is {pe_array.dataflow}; it must be row_stationary")
    taps, spads = weight.shape[3], pe_array.spads
    window_words = ((taps - 1) * window.dilation[1] + 1) * mapping.q
    wanted = {
        "PEs": (weight.shape[2] * mapping.e * mapping.r * mapping.t, pe_array.pes),
        "ifmap spad words": (window_words, spads.ifmap_words),
        "weight spad words": (mapping.p * mapping.q * taps, spads.weight_words),
        "psum spad words": (mapping.p, spads.psum_words),
    }
    for what, (wants, holds) in wanted.items():
        if wants > holds:
            raise SimulationError(f"{MODEL}: the mapping {mapping} takes {wants} {what}, the array has {holds}")

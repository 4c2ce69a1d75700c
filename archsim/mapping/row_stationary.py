"""Row stationary: rows of filters and ifmaps stay in the PEs, psums of a column of PEs add up.

A PE keeps p x q filter rows and slides a window of an ifmap row past them; a PE set of R x e PEs works on e ofmap
rows: filter rows are shared along its rows, ifmap rows along its diagonals, psums add up its columns [1]_. r sets
take other channels (their psums add up too), t sets other filters. `row_passes.py` has the loops around a pass,
`row_skip.py` what zeros save where the array steps over them. Called by `planner.py`.

The array starts a pass when its weights are loaded, behind the pass before if `RowPe.weights_ahead`; ifmap words and
psums cross their networks while it multiplies.
The GLB holds an ifmap tile (n images, q*r channels, the rows of a strip) until the next channels or strip need its
place, and the psums of m filters until they are done; a pass's weights wait in their own buffer.

References
----------
.. [1] Y.-H. Chen, T. Krishna, J. Emer, V. Sze, Eyeriss, JSSC 52(1), 2017.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.row_mapping import RowMapping
from archsim.errors import MappingError
from archsim.mapping.array_words import ArrayWords
from archsim.mapping.dram_queue import Fetch, WriteBack, ideal_times, queue_transfers
from archsim.mapping.fold_plan import FoldPlan, Steps
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.level_use import LevelUse, StepWords
from archsim.mapping.link_traffic import link_shares
from archsim.mapping.port_use import port_cycles
from archsim.mapping.row_fetch import RowTiles, row_tiles
from archsim.mapping.row_fit import misfits
from archsim.mapping.row_layout import place_row_transfers
from archsim.mapping.row_passes import RowPasses, list_passes, mac_cycles
from archsim.mapping.row_search import MOST_PASSES, FoundMapping, search_mappings
from archsim.mapping.row_shape import row_shape
from archsim.mapping.row_skip import RowZeros, row_zeros, skipped_passes
from archsim.mapping.row_spads import GATED_ACCESSES, gated_macs, network_rows, spad_traffic
from archsim.mapping.row_time import PassTimes, delivered_cycles, network_cycles, pass_times
from archsim.mapping.row_work import RowWork
from archsim.mapping.skip_cycles import SkipCycles, ideal_cycles
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]
NEEDED = (Operand.IFMAP, Operand.PSUM)
"""Operands that a row-stationary array takes from an SRAM level, pass after pass."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _LayerTimes:
    """Times of a layer's passes.

    Parameters
    ----------
    dense, taken, even
        With every value taken; with zeros stepped over, if they are; and were these spread over all PEs alike.
    port
        As in `Steps`. [cycles]
    """

    dense: PassTimes
    taken: PassTimes
    even: PassTimes
    port: IntArray

    def steps(self, holds: IntArray) -> Steps:
        """Return the passes as the engine runs them."""
        return Steps(
            advance_cycles=self.taken.advance, tail_cycles=self.taken.tail, port_cycles=self.port, hold_transfer=holds,
            first_start_cycles=self.taken.first,
        )  # fmt: skip

    def skip(self, issued: int, macs: int) -> SkipCycles:
        """Say where the cycles went: what does not shrink with the MACs, and waits for the slowest PE of each pass."""
        dense, even = self.dense.ideal_end, self.even.ideal_end
        ideal = ideal_cycles(dense, issued, macs)
        return SkipCycles(dense_cycles=dense, ideal_cycles=ideal, fragmentation_cycles=even - ideal,
                          imbalance_cycles=self.taken.ideal_end - even)  # fmt: skip


def plan_row_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan a layer with the mapping that the arch gives it, or with the best one there is.

    Parameters and errors as `plan_array_layer`; a few plans where the fastest is looked for, else one. Mappings are
    ranked as for an array that takes every value, so that one that skips zeros has the same ones to choose from.

    Notes
    -----
    Not modelled: several groups on the array at one time; ifmap rows that one strip could hand to the next; the wait
    of a pass shorter than the way of a psum through the array for the psums that it adds to (`ClockedRows.waited_cycles`).
    """
    work = row_work(layer, arch, kept, zeros, loads_table=loads_table)
    fixed = _fixed(work)
    skipped = row_zeros(layer, work.shape, zeros or zeros_by_itself(layer)) if arch.pe_array.skips else None
    for found in [fixed] if fixed else search_mappings(work):
        yield plan_passes(work, found, skipped)


def row_work(
    layer: ArrayLayer,
    arch: Architecture,
    kept: frozenset[Operand] = frozenset(),
    zeros: LayerZeros | None = None,
    *,
    loads_table: bool = True,
) -> RowWork:
    """Resolve what a layer asks of the array; parameters as `plan_array_layer`.

    Raises
    ------
    MappingError
        No SRAM level holds ifmap or psums.
    """
    missing = [operand for operand in NEEDED if arch.sram_of(operand) is None]
    if missing:
        raise MappingError(
            f"{arch.name!r}: a row_stationary array takes {' and '.join(missing)} from an SRAM level pass after pass; "
            "no level holds them: add them to its `holds`"
        )
    known = zeros or zeros_by_itself(layer)
    return RowWork(
        layer=layer.name,
        arch=arch,
        shape=row_shape(layer, arch),
        kept=kept,
        link=link_shares(arch, known),
        table=kernel_table(layer, arch, loads=loads_table),
        zero_ifmap=known.ifmap.zero_fraction if arch.pe_array.gates else 0.0,
    )


def plan_passes(work: RowWork, found: FoundMapping, zeros: RowZeros | None = None) -> FoldPlan:
    """Lay out a layer whose mapping is chosen and fits; ``zeros`` are those that the array steps over."""
    array = work.arch.pe_array
    passes = list_passes(work.shape, found.mapping)
    tiles = row_tiles(passes, work)
    use = LevelUse(arch=work.arch, kept=work.kept, link=work.link, table=work.table, words=_step_words(passes, tiles))
    times = _times(passes, work, use, zeros)
    order = ideal_times(times.dense.advance, times.dense.tail)
    transfers, last_write = queue_transfers(_fetches(tiles, use, times.dense.lead), _write_back(use), order)
    if work.arch.dram.has_banks:
        transfers = place_row_transfers(transfers, passes, use)
    issued = int(passes.macs.sum()) if zeros is None else zeros.issued_macs
    return FoldPlan(
        kind=array.dataflow.value,
        folds=len(passes),
        mapping_efficiency=float(passes.active_pes.mean()) / array.pes,
        array_macs=issued,
        compute_cycles=times.taken.ideal_end,
        steps=times.steps(tiles.holds(last_write)),
        transfers=transfers,
        traffic=use.traffic(spad=spad_traffic(passes, work, issued)) + network_rows(passes, work),
        nest=None,
        estimated_cycles=found.estimated_cycles if zeros is None else 0.0,
        active_pes=int(passes.active_pes.max()),
        gated_macs=gated_macs(passes, work),
        gated_accesses=GATED_ACCESSES,
        mapping=_mapping_lines(found, work),
        effectual_macs=None if zeros is None else zeros.effectual_macs,
        skip=None if zeros is None else times.skip(issued, int(passes.macs.sum())),
    )


def _fixed(work: RowWork) -> FoundMapping | None:
    """Return the mapping that the arch gives the layer, cut to the layer's size, its fit checked."""
    if not work.arch.mapping.fixed:
        return None
    given, shape = work.arch.mapping.fixed[0].mapping, work.shape
    mapping = RowMapping(
        m=min(given.m, shape.filters), n=min(given.n, shape.images), e=min(given.e, shape.ofmap_rows), p=given.p,
        q=given.q, r=given.r, t=given.t,
    )  # fmt: skip
    problems = list(misfits(mapping, shape, work.arch))
    passes = len(list_passes(shape, mapping)) if not problems else 0
    if passes > MOST_PASSES:
        problems.append(f"{passes:,} passes; up to {MOST_PASSES:,} are simulated")
    if problems:
        raise MappingError(
            f"layer {work.layer!r}: the mapping {mapping} does not fit {work.arch.name!r}: {'; '.join(problems)}"
        )
    return FoundMapping(mapping=mapping, estimated_cycles=0.0, legal=0)


def _step_words(passes: RowPasses, tiles: RowTiles) -> StepWords:
    """Words of each pass: psums enter again in every pass but their first, and leave as ofmap in their last."""
    psums, nothing = passes.psums, np.zeros(len(passes), dtype=np.int64)
    first, last = passes.is_first_sum, passes.is_last_sum
    words = ArrayWords(
        ifmap_reads=passes.ifmap_words,
        weight_reads=passes.weights,
        psum_reads=np.where(first, 0, psums),
        psum_writes=np.where(last, 0, psums),
        ofmap_writes=np.where(last, psums, 0),
    )
    return StepWords(
        array=words,
        ifmap_fetches=tiles.ifmap_words,
        weight_fetches=tiles.weight_words,
        psum_fetches=nothing,
        psum_write_backs=nothing,
        ofmap_write_backs=words.ofmap_writes,
    )


def _times(passes: RowPasses, work: RowWork, use: LevelUse, zeros: RowZeros | None) -> _LayerTimes:
    macs, ports, array = mac_cycles(passes, work.arch.pe_array), port_cycles(use), work.arch.pe_array
    dense = pass_times(macs, passes, work)
    if zeros is None:
        network = network_cycles(passes, work, use.words.array, macs)
        return _LayerTimes(dense=dense, taken=dense, even=dense, port=np.maximum(network + dense.exposed, ports))
    left = skipped_passes(passes, zeros, array)
    network = delivered_cycles(passes, work, use.words.array, left.busiest, macs)
    return _LayerTimes(
        dense=dense, taken=pass_times(left.busiest, passes, work), even=pass_times(left.even, passes, work),
        port=np.maximum(network + dense.exposed, ports),
    )  # fmt: skip


def _fetches(tiles: RowTiles, use: LevelUse, ahead: IntArray) -> list[Fetch]:
    """Return the reads; weights come as many cycles before their pass as they load ``ahead`` of it."""
    release = {Operand.IFMAP: tiles.ifmap_release, Operand.WEIGHT: tiles.weight_release}
    lead = {Operand.IFMAP: np.zeros_like(ahead), Operand.WEIGHT: ahead}
    return [
        Fetch(operand=operand, length_bytes=length, release=release[operand], lead_cycles=lead[operand])
        for operand, length in use.fetch_bytes().items()
        if operand in release
    ]


def _write_back(use: LevelUse) -> WriteBack:
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    return WriteBack(psum_bytes=psum_bytes, ofmap_bytes=ofmap_bytes)


def _mapping_lines(found: FoundMapping, work: RowWork) -> tuple[str, ...]:
    choice = work.arch.mapping
    if choice.fixed:
        return (str(found.mapping), f"# fixed: {choice.fixed[0].source}")
    return (str(found.mapping), f"# least {choice.objective} of {found.legal:,} mappings that fit")

"""Dataflows that fold a layer as matrix products: weight, output and input stationary.

Called by `planner.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.array_plan import plan_array_steps, time_walk
from archsim.mapping.array_work import ArrayWork
from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.edge_words import edge_shape
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.fold_units import fold_units
from archsim.mapping.fold_walk import walk_folds
from archsim.mapping.ifmap_geometry import ifmap_geometry
from archsim.mapping.input_stationary import INPUT_STATIONARY
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.link_traffic import link_shares
from archsim.mapping.loop_nest import Dim
from archsim.mapping.output_stationary import OUTPUT_STATIONARY
from archsim.mapping.plane_patches import band_lines
from archsim.mapping.skip_cycles import SkipCycles, ideal_cycles
from archsim.mapping.tile_options import untiled_nest
from archsim.mapping.tile_search import MOST_STEPS, search_nests, too_large
from archsim.mapping.wavefront_zeros import find_zeros
from archsim.mapping.weight_stationary import WEIGHT_STATIONARY
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

MATRIX_DATAFLOWS: dict[Dataflow, DataflowPlan] = {
    Dataflow.WEIGHT_STATIONARY: WEIGHT_STATIONARY,
    Dataflow.OUTPUT_STATIONARY: OUTPUT_STATIONARY,
    Dataflow.INPUT_STATIONARY: INPUT_STATIONARY,
}
"""Dataflows that plan a layer as matrix products, and how the operands lie in each."""

MOST_MACS = 2**62
"""MACs of one layer whose counts still fit 64 bits."""


def plan_matrix_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan a conv or matrix layer as matrix products, in the few ways that promise most, best first.

    Parameters and errors as `plan_array_layer`.
    """
    work = array_work(layer, arch, kept, zeros, loads_table=loads_table)
    _check_size(layer, work)
    compute_cycles = ideal_compute_cycles(work)
    if arch.pe_array.skips:
        yield from _plan_skipping(layer, work, zeros or zeros_by_itself(layer), compute_cycles)
        return
    for ranked in search_nests(work, compute_cycles):
        plan = plan_array_steps(work, ranked.nest, compute_cycles)
        yield replace(plan, estimated_cycles=ranked.estimated_cycles)


def _plan_skipping(layer: ArrayLayer, work: ArrayWork, zeros: LayerZeros, dense_cycles: int) -> Iterator[FoldPlan]:
    """Plan what zeros leave to do in the ways that a dense array would try: values are not known when tiles are chosen.

    No plan says what it expects, so all of them are run: the fastest takes no longer than that of the dense array.
    """
    found = find_zeros(layer, work.dataflow, work.fold, zeros)
    work = replace(work, wavefronts=found.wavefronts)
    compute_cycles = ideal_compute_cycles(work)
    ideal = ideal_cycles(dense_cycles, found.issued_macs, layer.macs)
    skip = SkipCycles(dense_cycles=dense_cycles, ideal_cycles=ideal, fragmentation_cycles=compute_cycles - ideal)
    for ranked in search_nests(work, dense_cycles):
        plan = plan_array_steps(work, ranked.nest, compute_cycles)
        yield replace(plan, effectual_macs=found.effectual_macs, skip=skip)


def array_work(
    layer: ArrayLayer,
    arch: Architecture,
    kept: frozenset[Operand] = frozenset(),
    zeros: LayerZeros | None = None,
    *,
    loads_table: bool = True,
) -> ArrayWork:
    """Resolve what a layer asks of the array, structured sparsity applied where the array skips it."""
    gemm = layer.gemm
    window = gemm.window
    if arch.pe_array.structured_sparsity and layer.kept_of is not None:
        keep, of = layer.kept_of
        window = window // of * keep + min(window % of, keep)
    sizes = {Dim.PIXELS: gemm.pixels, Dim.WINDOW: window, Dim.FILTERS: gemm.filters}
    dataflow, known = MATRIX_DATAFLOWS[arch.pe_array.dataflow], zeros or zeros_by_itself(layer)
    fold = fold_units(layer, arch.pe_array)
    return ArrayWork(layer=layer.name, arch=arch, dataflow=dataflow, fold=fold, edge=edge_shape(layer),
                     geometry=ifmap_geometry(layer, band_lines(layer, fold.patches)),
                     sizes=sizes, groups=gemm.groups, kept=kept,
                     table=kernel_table(layer, arch, loads=loads_table),
                     link=link_shares(arch, known),
                     zero_ifmap=known.ifmap.zero_fraction if arch.pe_array.gates else 0.0)  # fmt: skip


def ideal_compute_cycles(work: ArrayWork) -> int:
    """Cycles of the untiled layer on the array alone: the plan fidelity. [cycles]"""
    return time_walk(walk_folds(untiled_nest(work), pass_per_unit=work.pass_per_unit), work).total


def _check_size(layer: ArrayLayer, work: ArrayWork) -> None:
    nest = untiled_nest(work)
    folds = nest.groups * prod(nest.tiling[dim].units for dim in (nest.rows, nest.columns))
    passes = folds * (nest.tiling[nest.stream].units if work.pass_per_unit else 1)
    if passes > MOST_STEPS:
        raise MappingError(too_large(work, f"{passes:,} passes"))
    if layer.macs >= MOST_MACS:
        raise MappingError(too_large(work, f"{layer.macs:,} MACs (2**62 and more are not counted)"))

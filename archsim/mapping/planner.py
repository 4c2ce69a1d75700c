"""Layer x arch -> FoldPlan: the one way in from the engine."""

from collections.abc import Iterator
from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.mapping.array_plan import ArrayWork, plan_array_steps, time_walk
from archsim.mapping.dataflow import DataflowPlan
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.fold_walk import walk_folds
from archsim.mapping.ifmap_geometry import ifmap_geometry
from archsim.mapping.input_stationary import INPUT_STATIONARY
from archsim.mapping.loop_nest import Dim
from archsim.mapping.output_stationary import OUTPUT_STATIONARY
from archsim.mapping.tile_options import untiled_nest
from archsim.mapping.tile_search import search_nests
from archsim.mapping.weight_stationary import WEIGHT_STATIONARY
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ArrayLayer

DATAFLOWS: dict[Dataflow, DataflowPlan] = {
    Dataflow.WEIGHT_STATIONARY: WEIGHT_STATIONARY,
    Dataflow.OUTPUT_STATIONARY: OUTPUT_STATIONARY,
    Dataflow.INPUT_STATIONARY: INPUT_STATIONARY,
}


def plan_array_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand] = frozenset()
) -> Iterator[FoldPlan]:
    """Plan a conv or matrix layer in the few ways that promise most, best first.

    Parameters
    ----------
    layer
        Shapes resolved.
    arch
        The chip.
    kept
        Operands that need no DRAM: IFMAP or WEIGHT on chip already, OFMAP that may stay.

    Raises
    ------
    MappingError
        The layer does not fit the chip's buffers.
    """
    work = array_work(layer, arch, kept)
    compute_cycles = ideal_compute_cycles(work)
    for ranked in search_nests(work, layer.name, compute_cycles):
        plan = plan_array_steps(work, ranked.nest, compute_cycles)
        yield replace(plan, estimated_cycles=ranked.estimated_cycles)


def array_work(layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand] = frozenset()) -> ArrayWork:
    """Resolve what a layer asks of the array, structured sparsity applied where the array skips it."""
    gemm = layer.gemm
    window = gemm.window
    if arch.pe_array.structured_sparsity and layer.kept_of is not None:
        keep, of = layer.kept_of
        window = window // of * keep + min(window % of, keep)
    sizes = {Dim.PIXELS: gemm.pixels, Dim.WINDOW: window, Dim.FILTERS: gemm.filters}
    return ArrayWork(arch=arch, dataflow=DATAFLOWS[arch.pe_array.dataflow], geometry=ifmap_geometry(layer),
                     sizes=sizes, groups=gemm.groups, kept=kept)  # fmt: skip


def ideal_compute_cycles(work: ArrayWork) -> int:
    """Cycles of the untiled layer on the array alone: the plan fidelity. [cycles]"""
    return time_walk(walk_folds(untiled_nest(work), pass_per_unit=work.pass_per_unit), work).total

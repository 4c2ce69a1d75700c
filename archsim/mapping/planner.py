"""Layer x arch -> FoldPlan: the one way in from the engine, and the one list of who plans which dataflow."""

from collections.abc import Iterator
from typing import Protocol

from archsim.arch.architecture import Architecture
from archsim.errors import MappingError
from archsim.mapping.brick_lanes import plan_brick_layer
from archsim.mapping.channel_parallel import plan_channel_layer
from archsim.mapping.fold_plan import FoldPlan
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS, array_work, plan_matrix_layer
from archsim.mapping.pixel_broadcast import plan_broadcast_layer
from archsim.mapping.planar_tiles import plan_planar_layer
from archsim.mapping.row_stationary import plan_row_layer
from archsim.mapping.tile_search import has_nest
from archsim.terms import Dataflow, Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros


class Planner(Protocol):
    """What plans the array layers of a dataflow: see `plan_array_layer`."""

    def __call__(
        self,
        layer: ArrayLayer,
        arch: Architecture,
        kept: frozenset[Operand],
        zeros: LayerZeros | None,
        *,
        loads_table: bool,
    ) -> Iterator[FoldPlan]:
        """Plan one layer, the best plan first."""


PLANNERS: dict[Dataflow, Planner] = {
    Dataflow.WEIGHT_STATIONARY: plan_matrix_layer,
    Dataflow.OUTPUT_STATIONARY: plan_matrix_layer,
    Dataflow.INPUT_STATIONARY: plan_matrix_layer,
    Dataflow.ROW_STATIONARY: plan_row_layer,
    Dataflow.CHANNEL_PARALLEL: plan_channel_layer,
    Dataflow.PIXEL_BROADCAST: plan_broadcast_layer,
    Dataflow.BRICK_LANES: plan_brick_layer,
    Dataflow.PLANAR_TILES: plan_planar_layer,
}


def plan_array_layer(
    layer: ArrayLayer,
    arch: Architecture,
    kept: frozenset[Operand] = frozenset(),
    zeros: LayerZeros | None = None,
    *,
    loads_table: bool = True,
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
    zeros
        Of its tensors, for an arch that codes them on the channel or gates them; None = what the layer says itself.
    loads_table
        Whether the layer is the first one that needs its codebook of kernels.

    Raises
    ------
    MappingError
        The layer does not fit the chip's buffers, or has more folds than are simulated.
    """
    return PLANNERS[arch.pe_array.dataflow](layer, arch, kept, zeros, loads_table=loads_table)


def layer_fits(layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand]) -> bool:
    """Whether a layer can be planned at all; ``kept`` as in `plan_array_layer`."""
    if arch.pe_array.dataflow in MATRIX_DATAFLOWS:
        return has_nest(array_work(layer, arch, kept))
    try:
        next(plan_array_layer(layer, arch, kept))
    except MappingError:
        return False
    return True

"""Row stationary."""

from collections.abc import Iterator

from archsim.arch.architecture import Architecture
from archsim.mapping.fold_plan import FoldPlan
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import LayerZeros


def plan_row_layer(
    layer: ArrayLayer, arch: Architecture, kept: frozenset[Operand], zeros: LayerZeros | None, *, loads_table: bool
) -> Iterator[FoldPlan]:
    """Plan."""
    raise NotImplementedError

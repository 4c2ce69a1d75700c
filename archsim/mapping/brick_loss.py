"""Where the cycles of lanes that skip zeros go; called by `brick_lanes.py`."""

from archsim.mapping.brick_shape import BrickShape
from archsim.mapping.brick_work import LaneWork
from archsim.mapping.skip_cycles import SkipCycles, ideal_cycles


def skip_cycles(
    shape: BrickShape, work: LaneWork, is_encoded: bool, *, pipeline_cycles: int, share: tuple[int, int]
) -> SkipCycles:
    """Split the cycles of a layer.

    Parameters
    ----------
    shape, work
        The layer, and the lanes' work.
    is_encoded
        Whether zeros are skipped; otherwise the lanes run in lock step, and all that this loses is fragmentation.
    pipeline_cycles
        Behind the last value. [cycles]
    share
        MACs whose ifmap value is not zero, and all MACs.

    Notes
    -----
    Fragmentation: cycles of empty bricks, less what short bricks cost in lock step. Imbalance: the busiest lane of the
    layer against the mean. Synchronisation: waits at the end of windows, against lanes that run freely.
    """
    dense = shape.dense_cycles + pipeline_cycles
    ideal = ideal_cycles(dense, *share)
    if not is_encoded:
        return SkipCycles(dense_cycles=dense, ideal_cycles=ideal, fragmentation_cycles=dense - ideal)
    return SkipCycles(
        dense_cycles=dense,
        ideal_cycles=ideal,
        fragmentation_cycles=work.mean_cycles + pipeline_cycles - ideal,
        imbalance_cycles=work.free_cycles - work.mean_cycles,
        sync_cycles=work.total_cycles - work.free_cycles,
    )

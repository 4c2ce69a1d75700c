"""What a vector operator of a workload file costs: lane operations and words read per ofmap value.

Used by `store.py`. One add, multiply, divide, compare or elementary function (exp, tanh, erf, root) is one
lane operation. ONNX operators have a table of their own in `convert/`, which counts alike; only a concat
moves its words there and is a view here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementwiseCost:
    """Cost of one ofmap value of an operator that works value by value.

    Parameters
    ----------
    lane_ops
        Operations per ofmap value.
    operands
        ifmap values read per ofmap value; 0 = a view, which moves nothing.
    """

    lane_ops: int
    operands: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCost:
    """Cost of one ofmap value of a pool over a window.

    Parameters
    ----------
    lane_ops_per_position
        Operations for each position of the window; padding counts as a position.
    lane_ops_per_value
        Operations on top, once per ofmap value; -1 = the first position needs none.
    """

    lane_ops_per_position: int
    lane_ops_per_value: int


ELEMENTWISE_OPS: dict[str, ElementwiseCost] = {
    "add": ElementwiseCost(lane_ops=1, operands=2),
    "sub": ElementwiseCost(lane_ops=1, operands=2),
    "mul": ElementwiseCost(lane_ops=1, operands=2),
    "relu": ElementwiseCost(lane_ops=1),
    "relu6": ElementwiseCost(lane_ops=2),  # two compares
    "sigmoid": ElementwiseCost(lane_ops=4),  # negate, exp, add, divide
    "tanh": ElementwiseCost(lane_ops=1),
    "silu": ElementwiseCost(lane_ops=5),  # sigmoid, multiply
    "gelu": ElementwiseCost(lane_ops=5),  # multiply, erf, add, multiply, multiply
    "softmax": ElementwiseCost(lane_ops=5),  # max, subtract, exp, sum, scale
    "layer_norm": ElementwiseCost(lane_ops=7),  # sum, subtract, square, sum, scale by 1/std, gamma, beta
    "rms_norm": ElementwiseCost(lane_ops=4),  # square, sum, scale by 1/rms, gamma
    "batch_norm": ElementwiseCost(lane_ops=2),  # scale, shift: inference form
    "lrn": ElementwiseCost(lane_ops=9),  # 5 channels: square, 4 adds, scale, add k, power, multiply
    "concat": ElementwiseCost(lane_ops=0, operands=0),  # its sources write to their place: nothing moves
    "reshape": ElementwiseCost(lane_ops=0, operands=0),  # the same words under other axes
    "transpose": ElementwiseCost(lane_ops=0),  # words move, nothing is computed
}
"""YAML op -> cost per ofmap value."""

POOL_OPS: dict[str, PoolCost] = {
    "max_pool": PoolCost(lane_ops_per_position=1, lane_ops_per_value=-1),  # n - 1 compares
    "average_pool": PoolCost(lane_ops_per_position=1, lane_ops_per_value=0),  # n - 1 adds, multiply
    "global_average_pool": PoolCost(lane_ops_per_position=1, lane_ops_per_value=0),
}
"""YAML op -> cost per window position and per ofmap value."""

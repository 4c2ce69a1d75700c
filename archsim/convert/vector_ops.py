"""What each vector operator costs, as one table: the estimates behind every ``lane_ops``.

Read by `vector_layers.py`. The counts are archsim's own estimates, not measurements: one add, subtract,
multiply, divide, compare, select, round, and one elementary function (exp, log, sqrt, tanh, erf, power,
sine) are one operation each, as a lane that finishes one of them per cycle would see them. Work per row or
per channel (a mean's division, a scale prepared ahead) is left out. Data movement costs no operations;
its words move all the same.
"""

from dataclasses import dataclass
from enum import Enum


class Per(Enum):
    """What a count of operations is per."""

    VALUE = "value written"
    WINDOW = "value of the window behind each value written"
    OPERAND = "operand after the first, of each value written"


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorOp:
    """Cost of one operator.

    Parameters
    ----------
    ops
        Operations ``per`` ...
    per
        What ``ops`` counts on.
    extra
        Operations per value written on top, may be negative: a maximum of n takes n - 1 compares.
    operands
        How many leading inputs are data (axes, pads and limits are not); None = all.
    reads_selection
        The first input is read only where it is written, as in a slice or a table look-up.
    """

    ops: int
    per: Per = Per.VALUE
    extra: int = 0
    operands: int | None = 1
    reads_selection: bool = False


_MOVE = VectorOp(ops=0)
_MOVE_ALL = VectorOp(ops=0, operands=None)
_SELECT = VectorOp(ops=0, reads_selection=True)
_SELECT_AT = VectorOp(ops=0, operands=2, reads_selection=True)
_ONE = VectorOp(ops=1)
_BINARY = VectorOp(ops=1, per=Per.OPERAND, operands=None)
_FOLD = VectorOp(ops=1, per=Per.WINDOW, extra=-1)

VECTOR_OPS: dict[str, VectorOp] = {
    # pooling
    "MaxPool": _FOLD,
    "GlobalMaxPool": _FOLD,
    "AveragePool": VectorOp(ops=1, per=Per.WINDOW),  # kernel - 1 adds, multiply
    "GlobalAveragePool": VectorOp(ops=1, per=Per.WINDOW),
    "LpPool": VectorOp(ops=2, per=Per.WINDOW),  # power of each, adds, root
    "GlobalLpPool": VectorOp(ops=2, per=Per.WINDOW),
    # two and more operands
    "Add": _BINARY,
    "Sub": _BINARY,
    "Mul": _BINARY,
    "Div": _BINARY,
    "Sum": _BINARY,
    "Max": _BINARY,
    "Min": _BINARY,
    "Pow": _BINARY,
    "Mod": _BINARY,
    "And": _BINARY,
    "Or": _BINARY,
    "Xor": _BINARY,
    "BitShift": _BINARY,
    "BitwiseAnd": _BINARY,
    "BitwiseOr": _BINARY,
    "BitwiseXor": _BINARY,
    "Equal": _BINARY,
    "Greater": _BINARY,
    "GreaterOrEqual": _BINARY,
    "Less": _BINARY,
    "LessOrEqual": _BINARY,
    "Mean": VectorOp(ops=1, per=Per.OPERAND, extra=1, operands=None),  # adds, multiply
    "Where": VectorOp(ops=1, operands=3),  # select
    "PRelu": VectorOp(ops=2, operands=2),  # compare, multiply
    # activations and other functions of one value
    "Relu": _ONE,
    "ThresholdedRelu": VectorOp(ops=2),  # compare, select
    "LeakyRelu": VectorOp(ops=2),  # compare, multiply
    "Elu": VectorOp(ops=4),  # exp, subtract, multiply, select
    "Selu": VectorOp(ops=5),  # exp, subtract, multiply, select, multiply
    "Celu": VectorOp(ops=5),  # divide, exp, subtract, multiply, select
    "Sigmoid": VectorOp(ops=4),  # negate, exp, add, divide
    "HardSigmoid": VectorOp(ops=4),  # multiply, add, max, min
    "HardSwish": VectorOp(ops=5),  # hard sigmoid, multiply
    "Swish": VectorOp(ops=5),  # sigmoid, multiply
    "Mish": VectorOp(ops=5),  # exp, add, log, tanh, multiply
    "Gelu": VectorOp(ops=5),  # multiply, erf, add, multiply, multiply
    "Tanh": _ONE,
    "Softplus": VectorOp(ops=3),  # exp, add, log
    "Softsign": VectorOp(ops=3),  # abs, add, divide
    "Clip": VectorOp(ops=2),  # max, min
    "Shrink": VectorOp(ops=3),  # compare, add, select
    "Abs": _ONE,
    "Acos": _ONE,
    "Asin": _ONE,
    "Atan": _ONE,
    "BitwiseNot": _ONE,
    "Cast": _ONE,
    "CastLike": _ONE,
    "Ceil": _ONE,
    "Cos": _ONE,
    "Cosh": _ONE,
    "Erf": _ONE,
    "Exp": _ONE,
    "Floor": _ONE,
    "IsInf": _ONE,
    "IsNaN": _ONE,
    "Log": _ONE,
    "Neg": _ONE,
    "Not": _ONE,
    "Reciprocal": _ONE,
    "Round": _ONE,
    "Sign": _ONE,
    "Sin": _ONE,
    "Sinh": _ONE,
    "Sqrt": _ONE,
    "Tan": _ONE,
    "CumSum": _ONE,
    "QuantizeLinear": VectorOp(ops=4, operands=3),  # divide, round, add the zero point, clip
    "DequantizeLinear": VectorOp(ops=2, operands=3),  # subtract the zero point, multiply
    "DynamicQuantizeLinear": VectorOp(ops=6),  # max, min, then as QuantizeLinear
    # softmax and normalisation
    "Softmax": VectorOp(ops=5),  # max, subtract, exp, sum, divide
    "LogSoftmax": VectorOp(ops=5),  # max, subtract, exp, sum, subtract
    "Hardmax": VectorOp(ops=2),  # max, compare
    "BatchNormalization": VectorOp(ops=2, operands=3),  # multiply, add: mean and variance folded into scale and shift
    "LayerNormalization": VectorOp(ops=7, operands=3),  # sum, subtract, square, sum, multiply, scale, shift
    "InstanceNormalization": VectorOp(ops=7, operands=3),
    "GroupNormalization": VectorOp(ops=7, operands=3),
    "RMSNormalization": VectorOp(ops=4, operands=2),  # square, sum, multiply, scale
    "MeanVarianceNormalization": VectorOp(ops=5),  # sum, subtract, square, sum, multiply
    "LpNormalization": VectorOp(ops=3),  # power, sum, divide
    "LRN": VectorOp(ops=1, per=Per.WINDOW, extra=4),  # square, size - 1 adds, multiply, add, power, divide
    # reductions
    "ReduceSum": _FOLD,
    "ReduceMax": _FOLD,
    "ReduceMin": _FOLD,
    "ReduceProd": _FOLD,
    "ArgMax": _FOLD,
    "ArgMin": _FOLD,
    "ReduceMean": VectorOp(ops=1, per=Per.WINDOW),  # adds, multiply
    "ReduceL1": VectorOp(ops=2, per=Per.WINDOW, extra=-1),  # abs of each, adds
    "ReduceL2": VectorOp(ops=2, per=Per.WINDOW),  # square of each, adds, root
    "ReduceSumSquare": VectorOp(ops=2, per=Per.WINDOW, extra=-1),
    "ReduceLogSum": VectorOp(ops=1, per=Per.WINDOW),  # adds, log
    "ReduceLogSumExp": VectorOp(ops=2, per=Per.WINDOW),  # exp of each, adds, log
    # data movement
    "Concat": _MOVE_ALL,
    "DepthToSpace": _MOVE,
    "Expand": _MOVE,
    "OneHot": _MOVE,
    "Pad": _MOVE,
    "Resize": _MOVE,  # see INTERPOLATION_OPS
    "ReverseSequence": _MOVE,
    "ScatterElements": VectorOp(ops=0, operands=3),
    "ScatterND": VectorOp(ops=0, operands=3),
    "SpaceToDepth": _MOVE,
    "Split": _MOVE,
    "Tile": _MOVE,
    "Transpose": _MOVE,
    "Trilu": _MOVE,
    "Upsample": _MOVE,
    "Gather": _SELECT_AT,
    "GatherElements": _SELECT_AT,
    "GatherND": _SELECT_AT,
    "Slice": _SELECT,
}
"""Operator -> its cost."""

INTERPOLATION_OPS: dict[str, int] = {
    "nearest": 0,
    "linear": 7,  # 4 multiplies, 3 adds: bilinear
    "cubic": 31,  # 16 multiplies, 15 adds: bicubic
}
"""Mode of Resize or Upsample -> operations per value written."""

VIEWS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"})
"""Operators that only rename words: no layer reads or writes memory for them."""

UNCOSTED_REASONS: dict[str, str] = {
    "If": "control flow: which branch runs is not known ahead",
    "Loop": "control flow: how often it runs is not known ahead",
    "Scan": "control flow: its body is not entered",
    "LSTM": "recurrent: its steps depend on each other, which archsim does not schedule",
    "GRU": "recurrent: its steps depend on each other, which archsim does not schedule",
    "RNN": "recurrent: its steps depend on each other, which archsim does not schedule",
    "Einsum": "its equation is not broken down into matrix products",
    "Attention": "fused attention is not broken down into matrix products",
}
"""Operators that archsim knows but does not cost -> why."""

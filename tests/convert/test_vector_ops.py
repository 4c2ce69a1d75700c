import pytest

from archsim.convert.vector_ops import VECTOR_OPS, Per
from archsim.workload.vector_ops import ELEMENTWISE_OPS, POOL_OPS

SAME_OPS = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "gelu": "Gelu", "softmax": "Softmax",
    "layer_norm": "LayerNormalization", "rms_norm": "RMSNormalization", "batch_norm": "BatchNormalization",
    "relu6": "Clip", "transpose": "Transpose",
}  # fmt: skip
SAME_POOLS = {"max_pool": "MaxPool", "average_pool": "AveragePool", "global_average_pool": "GlobalAveragePool"}


@pytest.mark.parametrize(("ours", "onnx"), SAME_OPS.items())
def test_an_operator_costs_the_same_in_yaml_and_in_onnx(ours: str, onnx: str) -> None:
    assert VECTOR_OPS[onnx].per is Per.VALUE
    assert VECTOR_OPS[onnx].ops + VECTOR_OPS[onnx].extra == ELEMENTWISE_OPS[ours].lane_ops


@pytest.mark.parametrize(("ours", "onnx"), SAME_POOLS.items())
def test_a_pool_costs_the_same_in_yaml_and_in_onnx(ours: str, onnx: str) -> None:
    found = VECTOR_OPS[onnx].ops, VECTOR_OPS[onnx].extra
    assert VECTOR_OPS[onnx].per is Per.WINDOW
    assert found == (POOL_OPS[ours].lane_ops_per_position, POOL_OPS[ours].lane_ops_per_value)


@pytest.mark.parametrize(("ours", "onnx"), [("add", "Add"), ("sub", "Sub"), ("mul", "Mul")])
def test_an_operator_of_two_operands_costs_the_same_in_yaml_and_in_onnx(ours: str, onnx: str) -> None:
    assert VECTOR_OPS[onnx].per is Per.OPERAND
    assert VECTOR_OPS[onnx].ops * (ELEMENTWISE_OPS[ours].operands - 1) == ELEMENTWISE_OPS[ours].lane_ops

from typing import Any

import onnx
import pytest
from onnx import helper

from archsim.errors import WorkloadError


def test_float_type_that_the_opset_refuses_does_not_hide_the_shape(models: Any) -> None:
    # Conv takes bfloat16 from opset 22 on, but torch writes it in any opset
    nodes = [
        helper.make_node("Cast", ["x"], ["b"], to=onnx.TensorProto.BFLOAT16),
        helper.make_node("Conv", ["b", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Conv", ["d", "v"], ["y"]),
    ]
    workload = models.read(nodes, {"x": [1, 3, 4, 4]}, {"w": [2, 3, 1, 1], "v": [5, 2, 1, 1]}, opset=18)
    assert workload.macs == 16 * 6 + 16 * 10


@pytest.mark.parametrize("inputs", [["x", "x", "x"], [], [""]])
def test_number_of_inputs_is_that_of_the_operator(models: Any, inputs: list[str]) -> None:
    with pytest.raises(WorkloadError, match=r"node 'r' \(Relu\): has inputs .* takes 1 to 1"):
        models.read([helper.make_node("Relu", inputs, ["y"], name="r")], {"x": [4]})


def test_axis_far_outside_is_refused_before_onnx_sees_it(models: Any) -> None:
    # onnx 1.23 reads beyond its memory here and ends the process
    node = helper.make_node("LayerNormalization", ["x", "s"], ["y"], axis=2**31, name="norm")
    with pytest.raises(
        WorkloadError, match=r"node 'norm' \(LayerNormalization\): axis 2147483648 lies outside its input"
    ):
        models.read([node], {"x": [4]}, {"s": [4]})


def test_split_into_another_number_than_its_outputs_is_refused(models: Any) -> None:
    # onnx 1.23 aborts the process here
    node = helper.make_node("Split", ["x"], ["y", "z"], num_outputs=1, name="split")
    with pytest.raises(WorkloadError, match=r"node 'split' \(Split\): num_outputs"):
        models.read([node], {"x": [4]})


def test_operands_that_do_not_broadcast_name_the_node_and_their_shapes(models: Any) -> None:
    node = helper.make_node("Add", ["a", "b"], ["y"], name="join")
    with pytest.raises(WorkloadError, match=r"node 'join' \(Add\): its inputs of shape \[4, 5\], \[4, 6\] do not fit"):
        models.read([node], {"a": [4, 5], "b": [4, 6]})

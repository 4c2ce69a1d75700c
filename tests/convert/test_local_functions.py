from typing import Any

import onnx
import pytest
from onnx import helper

from archsim.errors import WorkloadError

OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("my.domain", 1)]


def function(name: str, *nodes: onnx.NodeProto) -> onnx.FunctionProto:
    return helper.make_function("my.domain", name, ["fx", "fw"], ["fy"], list(nodes), OPSETS)


def call(name: str, inputs: list[str], output: str) -> onnx.NodeProto:
    return helper.make_node(name, inputs, [output], domain="my.domain")


def test_function_is_read_as_its_body(models: Any) -> None:
    linear = function(
        "Linear", helper.make_node("MatMul", ["fx", "fw"], ["t"]), helper.make_node("Relu", ["t"], ["fy"])
    )  # fmt: skip
    workload = models.read([call("Linear", ["x", "w"], "y")], {"x": [2, 4]}, {"w": [4, 8]}, functions=[linear])
    assert [layer.op for layer in workload.layers] == ["fc", "relu"]
    assert workload.macs == 64


def test_function_that_calls_itself_is_refused(models: Any) -> None:
    endless = function("Endless", call("Endless", ["fx", "fw"], "fy"))
    with pytest.raises(WorkloadError, match="its function 'Endless' calls itself"):
        models.read([call("Endless", ["x", "w"], "y")], {"x": [2, 4]}, {"w": [4, 8]}, functions=[endless])


def test_functions_that_unfold_without_measure_are_refused(models: Any) -> None:
    doubling = [
        function(f"F{i}", call(f"F{i + 1}", ["fx", "fw"], "t"), call(f"F{i + 1}", ["t", "fw"], "fy")) for i in range(40)
    ]
    last = function("F40", helper.make_node("Add", ["fx", "fw"], ["fy"]))
    with pytest.raises(WorkloadError, match=f"unfold to {2**40} nodes"):
        models.read([call("F0", ["x", "w"], "y")], {"x": [4]}, {"w": [4]}, functions=[*doubling, last])

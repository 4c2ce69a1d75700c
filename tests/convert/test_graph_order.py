from typing import Any

import pytest
from onnx import helper

from archsim.errors import WorkloadError


def test_nodes_out_of_order_are_sorted(models: Any) -> None:
    nodes = [
        helper.make_node("Relu", ["b"], ["y"], name="third"),
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
    ]
    assert [layer.name for layer in models.read(nodes, {"x": [4]}).layers] == ["first", "second", "third"]


def test_cycle_is_named(models: Any) -> None:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"], name="p"), helper.make_node("Relu", ["a"], ["b"], name="q")]
    with pytest.raises(WorkloadError, match=r"node 'p' \(Add\): waits for its own result: the graph has a cycle"):
        models.read(nodes, {"x": [4]})


def test_tensor_that_nothing_makes_is_named(models: Any) -> None:
    with pytest.raises(WorkloadError, match=r"node 'p' \(Add\): reads the tensor 'ghost'"):
        models.read([helper.make_node("Add", ["x", "ghost"], ["y"], name="p")], {"x": [4]})


def test_tensor_made_twice_is_named(models: Any) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="p"), helper.make_node("Tanh", ["x"], ["y"], name="q")]
    with pytest.raises(WorkloadError, match=r"node 'q' \(Tanh\): makes the tensor 'y'"):
        models.read(nodes, {"x": [4]})


def test_long_chain_reads_without_recursion(models: Any) -> None:
    links = 20_000
    nodes = [helper.make_node("Relu", [f"t{i}" if i else "x"], [f"t{i + 1}"]) for i in range(links)]
    workload = models.read(nodes, {"x": [4]})
    assert len(workload.layers) == links
    assert workload.layers[-1].sources == (f"relu_{links - 1}",)

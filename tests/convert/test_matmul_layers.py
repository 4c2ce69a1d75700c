from typing import Any

import numpy as np
import pytest
from onnx import helper

from archsim.errors import WorkloadError
from archsim.workload.layer import MatmulLayer


def sizes(layer: Any) -> tuple[str, int, int, int, int]:
    assert isinstance(layer, MatmulLayer)
    return layer.op, layer.batches, layer.rows, layer.inner, layer.columns


@pytest.mark.parametrize(
    ("first", "second", "attributes"),
    [
        ([3, 4], [4, 5], {}),
        ([3, 4], [5, 4], {"transB": 1}),
        ([4, 3], [4, 5], {"transA": 1}),
        ([4, 3], [5, 4], {"transA": 1, "transB": 1}),
    ],
)
def test_gemm_transposes(models: Any, first: list[int], second: list[int], attributes: dict[str, int]) -> None:
    node = helper.make_node("Gemm", ["x", "w"], ["y"], **attributes)
    assert sizes(models.read([node], {"x": first}, {"w": second}).layers[0]) == ("fc", 1, 3, 4, 5)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([3, 4], [4, 5], ("fc", 1, 3, 4, 5)),
        ([4], [4, 5], ("fc", 1, 1, 4, 5)),
        ([3, 4], [4], ("fc", 1, 3, 4, 1)),
        # a shared second matrix: batches become rows
        ([2, 3, 4], [4, 5], ("fc", 1, 6, 4, 5)),
        ([7, 2, 3, 4], [4, 5], ("fc", 1, 42, 4, 5)),
        ([7, 2, 3, 4], [1, 1, 4, 5], ("matmul", 1, 42, 4, 5)),
        # weights of their own for each of 2 batches; 7 images share them
        ([2, 3, 4], [2, 4, 5], ("matmul", 2, 3, 4, 5)),
        ([7, 2, 3, 4], [2, 4, 5], ("matmul", 2, 21, 4, 5)),
    ],
)
def test_matmul_with_stored_weights(
    models: Any, first: list[int], second: list[int], expected: tuple[str, int, int, int, int]
) -> None:
    workload = models.read([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": first}, {"w": second})
    assert sizes(workload.layers[0]) == expected
    assert workload.macs == np.prod(np.matmul(np.zeros(first), np.zeros(second)).shape) * 4


def test_stored_first_matrix_becomes_the_weights(models: Any) -> None:
    # W (5 x 4) times X (4 x 3) is X' W' transposed: 3 rows, 5 columns, for each of 2 images
    workload = models.read([helper.make_node("MatMul", ["w", "x"], ["y"])], {"x": [2, 4, 3]}, {"w": [5, 4]})
    assert sizes(workload.layers[0]) == ("fc", 1, 6, 4, 5)


def test_shared_first_activation_becomes_the_weights(models: Any) -> None:
    nodes = [helper.make_node("Relu", ["a"], ["r"], name="relu"), helper.make_node("MatMul", ["r", "x"], ["y"])]
    layer = models.read(nodes, {"a": [5, 4], "x": [2, 4, 3]}).layers[1]
    assert sizes(layer) == ("matmul", 1, 6, 4, 5)
    assert layer.weight_source == "relu"


def test_product_of_two_activations_is_a_matmul_per_batch(models: Any) -> None:
    layer = models.read([helper.make_node("MatMul", ["a", "b"], ["y"])], {"a": [2, 3, 5, 4], "b": [2, 3, 4, 6]}).layers[
        0
    ]
    assert sizes(layer) == ("matmul", 6, 5, 4, 6)


def test_gemm_with_a_computed_second_matrix_names_its_maker(models: Any) -> None:
    nodes = [
        helper.make_node("Relu", ["b"], ["r"], name="relu"),
        helper.make_node("Reshape", ["r", "shape"], ["v"], name="view"),
        helper.make_node("Gemm", ["a", "v"], ["y"]),
    ]
    shape = {"shape": np.array([4, 6])}
    layer = models.read(nodes, {"a": [5, 4], "b": [24]}, constants=shape).layers[2]
    assert sizes(layer) == ("matmul", 1, 5, 4, 6)
    assert (layer.weight_source, layer.sources) == ("relu", ("relu",))


@pytest.mark.parametrize(
    ("op", "first", "second"),
    [("MatMul", [3, 4], [5, 6]), ("Gemm", [3, 4], [5, 6]), ("MatMul", [2, 3, 4], [3, 4, 5]), ("MatMul", [], [4, 4])],
)
def test_matrices_that_do_not_fit_name_the_node(models: Any, op: str, first: list[int], second: list[int]) -> None:
    with pytest.raises(WorkloadError, match=rf"by_hand.onnx: node 'bad' \({op}\): "):
        models.read([helper.make_node(op, ["x", "w"], ["y"], name="bad")], {"x": first}, {"w": second})

from typing import Any

import numpy as np
import pytest
from onnx import helper

from archsim.convert.node import Node
from archsim.convert.reshape import rescaled, reshaped
from archsim.errors import WorkloadError

RESHAPE = Node(proto=helper.make_node("Reshape", ["x", "t"], ["y"], name="view"), opset=18)


@pytest.mark.parametrize(
    ("shape", "target", "expected"),
    [((2, 3, 4), (6, 4), (6, 4)), ((2, 3, 4), (0, -1), (2, 12)), ((24,), (2, -1, 3), (2, 4, 3)), ((1,), (), ())],
)
def test_target_is_resolved(shape: tuple[int, ...], target: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert reshaped(RESHAPE, shape, target) == expected


@pytest.mark.parametrize("target", [(5, 5), (-1, 5), (-1, -1), (-2, -12), (0, 0, 0, 24)])
def test_target_of_another_size_is_an_error(target: tuple[int, ...]) -> None:
    with pytest.raises(WorkloadError, match=r"node 'view' \(Reshape\): cannot reshape \[2, 3, 4\]"):
        reshaped(RESHAPE, (2, 3, 4), target)


@pytest.mark.parametrize(
    ("shape", "old_shape", "old_result", "expected"),
    [
        ((4, 64, 1, 1), (1, 64, 1, 1), (1, 64), (4, 64)),
        # channel shuffle
        ((4, 240, 7, 7), (1, 240, 7, 7), (1, 3, 80, 7, 7), (4, 3, 80, 7, 7)),
        # the batch was squeezed into the first axis
        ((4, 4, 16), (1, 4, 16), (4, 16), (16, 16)),
        ((4, 5, 16), (2, 5, 16), (10, 16), (20, 16)),
        # sequence first: heads join the batch, or the batch joins the sequence
        ((9, 4, 64), (9, 1, 64), (9, 8, 8), (9, 32, 8)),
        ((9, 4, 64), (9, 1, 64), (9, 64), (36, 64)),
        ((9, 4, 64), (9, 2, 64), (18, 64), (36, 64)),
    ],
)
def test_fixed_target_grows_where_the_batch_goes(
    shape: tuple[int, ...], old_shape: tuple[int, ...], old_result: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert rescaled(RESHAPE, shape, old_shape, old_result) == expected


@pytest.mark.parametrize("target", [[1, -1], [1, 48], [-1, 48], [0, -1]])
def test_batch_override_passes_a_fixed_reshape(models: Any, target: list[int]) -> None:
    nodes = [helper.make_node("Reshape", ["x", "t"], ["r"]), helper.make_node("MatMul", ["r", "w"], ["y"])]
    given = {"constants": {"t": np.array(target)}, "batch": 5}
    workload = models.read(nodes, {"x": [1, 3, 4, 4]}, {"w": [48, 10]}, **given)
    assert workload.layers[1].rows == 5
    assert "Reshape targets that are fixed in the file are scaled to the batch so that the value counts fit" in (
        workload.assumptions
    )


def test_batch_override_passes_a_resize_to_fixed_sizes(models: Any) -> None:
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"])
    sizes = {"sizes": np.array([1, 3, 8, 8])}
    assert models.read([node], {"x": [1, 3, 4, 4]}, constants=sizes, batch=5).layers[0].ofmap_words == 5 * 192

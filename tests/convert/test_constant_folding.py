from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from archsim.convert.constant_folding import fold_constants
from archsim.convert.node import Node

FIVE = np.arange(5, 10)


def fold(op: str, inputs: list[Any], shapes: list[tuple[int, ...]], **attributes: Any) -> list[list[Any]] | None:
    names = [f"i{position}" for position in range(len(inputs))]
    outputs = [f"o{position}" for position in range(len(shapes))]
    node = Node(proto=helper.make_node(op, names, outputs, **attributes), opset=18)
    folded = fold_constants(node, [np.asarray(array) for array in inputs], list(shapes))
    return None if folded is None else [array.tolist() for array in folded]


@pytest.mark.parametrize(
    ("op", "inputs", "attributes", "expected"),
    [
        ("Gather", [FIVE, 3], {}, 8),
        ("Slice", [FIVE, [1], [4]], {}, [6, 7, 8]),
        ("Slice", [FIVE, [-1], [-(2**60)], [0], [-1]], {}, [9, 8, 7, 6, 5]),
        ("Slice", [FIVE], {"starts": [3], "ends": [2**31]}, [8, 9]),
        ("Concat", [[1, 2], [3]], {"axis": 0}, [1, 2, 3]),
        ("Unsqueeze", [4, [0]], {}, [4]),
        ("Squeeze", [[4], [0]], {}, 4),
        ("Div", [[7, -7], [2, 2]], {}, [3, -3]),
        ("Div", [7.0, 2.0], {}, 3.5),
        ("Mul", [[2, 3], 4], {}, [8, 12]),
        ("Max", [1, 5, 3], {}, 5),
        ("ReduceProd", [[2, 3, 4]], {"keepdims": 0}, 24),
        ("Cast", [3.7], {"to": TensorProto.INT64}, 3),
        ("Range", [2, 8, 3], {}, [2, 5]),
        ("Where", [[True, False], [1, 1], [2, 2]], {}, [1, 2]),
        ("Expand", [[1], [3]], {}, [1, 1, 1]),
    ],
)
def test_operator_computes(op: str, inputs: list[Any], attributes: dict[str, Any], expected: Any) -> None:
    assert fold(op, inputs, [np.shape(expected)], **attributes) == [expected]


def test_split_computes_each_part() -> None:
    assert fold("Split", [FIVE, [2, 3]], [(2,), (3,)]) == [[5, 6], [7, 8, 9]]


def test_division_by_zero_makes_no_number() -> None:
    assert fold("Div", [[1], [0]], [(1,)]) is None


def test_large_results_are_not_computed() -> None:
    assert fold("Expand", [[1], [2000]], [(2000,)]) is None


def test_result_of_another_shape_than_inferred_is_dropped() -> None:
    assert fold("Concat", [[1, 2], [3]], [(4,)], axis=0) is None

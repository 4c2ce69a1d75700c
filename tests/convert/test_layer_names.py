from onnx import helper

from archsim.convert.layer_names import name_layers
from archsim.convert.node import Node


def names(*pairs: tuple[str, str]) -> list[str]:
    return name_layers([Node(proto=helper.make_node(op, ["x"], ["y"], name=name), opset=18) for op, name in pairs])


def test_own_names_stay() -> None:
    assert names(("Conv", "/layer1/conv1/Conv"), ("Relu", "res2a_relu.0:0")) == ["/layer1/conv1/Conv", "res2a_relu.0:0"]


def test_nodes_without_names_are_numbered_per_operator() -> None:
    assert names(("Conv", ""), ("Relu", ""), ("Conv", ""), ("MaxPool", "")) == [
        "conv_1",
        "relu_1",
        "conv_2",
        "maxpool_1",
    ]


def test_shared_names_are_numbered() -> None:
    assert names(("Conv", "a"), ("Relu", "a"), ("Conv", "b")) == ["conv_1", "relu_1", "b"]


def test_number_avoids_a_name_that_a_node_has() -> None:
    assert names(("Conv", ""), ("Relu", "conv_1")) == ["conv_1_2", "conv_1"]


def test_names_are_fit_for_a_csv_cell() -> None:
    assert names(("Conv", 'a,b"c\nd'), ("Conv", "=1+1"), ("Conv", "  ")) == ["a_b_c_d", "1_1", "conv_3"]

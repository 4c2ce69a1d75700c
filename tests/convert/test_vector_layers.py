from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from archsim.convert.array_ops import ARRAY_OPS
from archsim.convert.vector_ops import UNCOSTED_REASONS, VECTOR_OPS, VIEWS
from archsim.workload.layer import VectorLayer


def read_one(models: Any, op: str, inputs: dict[str, list[int]], **options: Any) -> VectorLayer:
    """The only layer of a model of one node; its inputs are the given ones, then weights, then constants."""
    names = [*inputs, *options.get("weights", {}), *options.get("constants", {})]
    node = helper.make_node(
        op, options.pop("names", names), options.pop("outputs", ["y"]), **options.pop("attributes", {})
    )
    layer = models.read([node], inputs, options.pop("weights", {}), **options).layers[0]
    assert isinstance(layer, VectorLayer)
    return layer


@pytest.mark.parametrize(
    ("op", "lane_ops"),
    [("Relu", 24), ("Clip", 48), ("Sigmoid", 96), ("Softmax", 120), ("Identity", 0), ("Exp", 24), ("LeakyRelu", 48)],
)
def test_operations_per_value(models: Any, op: str, lane_ops: int) -> None:
    assert read_one(models, op, {"x": [2, 3, 4]}).lane_ops == lane_ops


def test_sum_adds_once_per_further_operand(models: Any) -> None:
    layer = read_one(models, "Sum", {"a": [2, 3], "b": [2, 3], "c": [2, 3]})
    assert (layer.lane_ops, layer.ifmap_words, layer.ofmap_words) == (12, 18, 6)


def test_broadcast_operand_is_read_once(models: Any) -> None:
    layer = read_one(models, "Add", {"a": [4, 6], "b": [6]})
    assert (layer.lane_ops, layer.ifmap_words, layer.ofmap_words) == (24, 30, 24)


@pytest.mark.parametrize(
    ("op", "lane_ops"),
    # 4 windows of 9: 8 compares each; 8 adds and a multiply each
    [("MaxPool", 32), ("AveragePool", 36), ("LpPool", 72)],
)
def test_pool_counts_its_window(models: Any, op: str, lane_ops: int) -> None:
    attributes = {"kernel_shape": [3, 3], "strides": [2, 2]}
    layer = read_one(models, op, {"x": [1, 1, 5, 5]}, attributes=attributes)
    assert (layer.lane_ops, layer.ofmap_words) == (lane_ops, 4)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(("ceil_mode", "ofmap"), [(0, 4), (1, 9)])
def test_ceil_mode_keeps_the_last_partial_window(models: Any, op: str, ceil_mode: int, ofmap: int) -> None:
    # (6 - 3) / 2 = 1.5: 2 windows rounded down, 3 rounded up
    attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": ceil_mode}
    assert read_one(models, op, {"x": [1, 1, 6, 6]}, attributes=attributes, opset=22).ofmap_words == ofmap


def test_indices_of_a_max_pool_are_written_only_if_read(models: Any) -> None:
    pool = helper.make_node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2])
    read = helper.make_node("Cast", ["i"], ["z"], to=onnx.TensorProto.FLOAT)
    unread = helper.make_node("Relu", ["y"], ["z"])
    assert models.read([pool, read], {"x": [1, 1, 5]}).layers[0].ofmap_words == 8
    assert models.read([pool, unread], {"x": [1, 1, 5]}).layers[0].ofmap_words == 4


def test_lrn_counts_its_size(models: Any) -> None:
    # square, 4 adds, multiply, add, power, divide
    assert read_one(models, "LRN", {"x": [1, 8, 2, 2]}, attributes={"size": 5}).lane_ops == 9 * 32


def test_batch_norm_reads_a_scale_and_a_shift_per_channel(models: Any) -> None:
    weights = {name: [3] for name in ("scale", "bias", "mean", "variance")}
    layer = read_one(models, "BatchNormalization", {"x": [1, 3, 2, 2]}, weights=weights)
    assert (layer.lane_ops, layer.weight_words) == (24, 6)


@pytest.mark.parametrize(
    ("op", "opset", "weights"),
    [
        ("LayerNormalization", 17, {"s": [8], "b": [8]}),
        ("InstanceNormalization", 18, {"s": [4], "b": [4]}),
        ("GroupNormalization", 21, {"s": [4], "b": [4]}),
        ("RMSNormalization", 23, {"s": [8]}),
    ],
)
def test_normalisations_read_their_parameters(models: Any, op: str, opset: int, weights: dict[str, list[int]]) -> None:
    attributes = {"num_groups": 2} if op == "GroupNormalization" else {}
    layer = read_one(models, op, {"x": [1, 4, 8]}, weights=weights, opset=opset, attributes=attributes)
    assert layer.weight_words == sum(shape[0] for shape in weights.values())
    assert layer.lane_ops == (4 if op == "RMSNormalization" else 7) * 32


@pytest.mark.parametrize(("opset", "as_input"), [(13, False), (18, True)])
def test_reduce_mean_takes_axes_as_attribute_or_input(models: Any, opset: int, as_input: bool) -> None:
    constants = {"axes": np.array([2, 3])} if as_input else {}
    attributes = {} if as_input else {"axes": [2, 3]}
    layer = read_one(models, "ReduceMean", {"x": [2, 3, 4, 5]}, constants=constants, attributes=attributes, opset=opset)
    assert (layer.lane_ops, layer.ifmap_words, layer.ofmap_words) == (120, 120, 6)


@pytest.mark.parametrize(("opset", "as_input"), [(11, False), (13, True)])
def test_squeeze_takes_axes_as_attribute_or_input(models: Any, opset: int, as_input: bool) -> None:
    constants = {"axes": np.array([2, 3])} if as_input else {}
    squeeze = helper.make_node("Squeeze", ["x", *constants], ["s"], **({} if as_input else {"axes": [2, 3]}))
    nodes = [squeeze, helper.make_node("MatMul", ["s", "w"], ["y"])]
    assert models.read(nodes, {"x": [2, 3, 1, 1]}, {"w": [3, 4]}, constants=constants, opset=opset).macs == 24


@pytest.mark.parametrize(
    ("op", "attributes", "constants", "words"),
    [
        # words: read, written
        ("Transpose", {"perm": [1, 0]}, {}, (24, 24)),
        ("Concat", {"axis": 0}, {}, (24, 24)),
        ("Slice", {}, {"starts": np.array([1]), "ends": np.array([3])}, (12, 12)),
        ("Pad", {}, {"pads": np.array([1, 0, 0, 0])}, (24, 30)),
        ("Tile", {}, {"repeats": np.array([2, 1])}, (24, 48)),
        ("Expand", {}, {"shape": np.array([2, 4, 6])}, (24, 48)),
    ],
)
def test_data_movement_costs_words_but_no_operations(
    models: Any, op: str, attributes: dict[str, Any], constants: dict[str, Any], words: tuple[int, int]
) -> None:
    layer = read_one(models, op, {"x": [4, 6]}, attributes=attributes, constants=constants)
    assert (layer.lane_ops, layer.ifmap_words, layer.ofmap_words) == (0, *words)


def test_split_writes_all_its_parts(models: Any) -> None:
    nodes = [
        helper.make_node("Split", ["x"], ["a", "b"], axis=1, num_outputs=2, name="split"),
        helper.make_node("Mul", ["a", "b"], ["y"]),
    ]
    split, product = models.read(nodes, {"x": [4, 6]}).layers
    assert (split.ifmap_words, split.ofmap_words, product.ifmap_words) == (24, 24, 24)
    assert product.sources == ("split",)


def test_table_look_up_reads_only_the_rows_it_takes(models: Any) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=onnx.TensorProto.INT64),
        helper.make_node("Gather", ["table", "i"], ["y"]),
    ]
    layer = models.read(nodes, {"x": [1, 5]}, {"table": [1000, 8]}).layers[1]
    assert (layer.ifmap_words, layer.weight_words, layer.ofmap_words) == (5, 40, 40)


@pytest.mark.parametrize(("mode", "ops"), [("nearest", 0), ("linear", 7)])
def test_resize_takes_scales(models: Any, mode: str, ops: int) -> None:
    constants = {"scales": np.array([1, 1, 2, 2], np.float32)}
    layer = read_one(
        models,
        "Resize",
        {"x": [1, 3, 4, 4]},
        constants=constants,
        names=["x", "", "scales"],
        attributes={"mode": mode},
    )
    assert (layer.lane_ops, layer.ofmap_words) == (ops * 192, 192)


def test_every_table_row_is_an_operator_of_the_standard() -> None:
    standard = {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain}
    assert (set(VECTOR_OPS) | VIEWS | set(ARRAY_OPS) | set(UNCOSTED_REASONS)) - standard <= {"Upsample", "Swish"}


def test_no_operator_is_in_two_tables() -> None:
    tables = [*VECTOR_OPS, *VIEWS, *ARRAY_OPS, *UNCOSTED_REASONS]
    assert len(tables) == len(set(tables))


def test_dequantised_weights_are_stored_weights(models: Any) -> None:
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale"], ["w"]),
        helper.make_node("QuantizeLinear", ["x", "scale"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "scale"], ["xd"]),
        helper.make_node("Gemm", ["xd", "w"], ["y"]),
    ]
    constants = {"q": np.zeros((4, 8), np.int8)}
    layers = models.read(nodes, {"x": [1, 4]}, {"scale": []}, constants=constants).layers
    assert [layer.op for layer in layers] == ["quantize_linear", "dequantize_linear", "fc"]

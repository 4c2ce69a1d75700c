"""ONNX into a float network: onnxruntime runs the same file and must say the same."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from archsim.convert.float_network import FloatAdd, FloatConv, FloatDense, FloatFlatten, FloatPool, FloatRelu
from archsim.convert.float_reader import read_float_network
from archsim.convert.float_run import logits, run_float
from archsim.convert.float_shapes import ofmap_shapes
from archsim.convert.fold_batchnorm import fold_batchnorm
from archsim.convert.onnx_reader import read_onnx
from archsim.errors import WorkloadError
from tests.convert.float_models import ROOT, run_onnxruntime, weights, write_model

TOLERANCE = 1e-4
TAKES = (
    "It takes Conv (2-D), Gemm and MatMul with stored weights, BatchNormalization, Relu, MaxPool, AveragePool, "
    "GlobalAveragePool, Add and Flatten. Replace the operator, or cut the model in front of it, and export it again."
)
node = helper.make_node
FLAT = [node("Flatten", ["f"], ["v"], "flat"), node("MatMul", ["v", "d"], ["y"], "fc")]


def agrees(path: Path, *shape: int) -> float:
    """Largest difference to onnxruntime over a few images, before and after folding batch norm."""
    images = np.random.default_rng(1).normal(size=shape)
    network = read_float_network(path)
    wanted = run_onnxruntime(path, images)
    folded = fold_batchnorm(network)
    return max(float(np.abs(logits(net, images, batch=2) - wanted).max()) for net in (network, folded))


def refusal(path: Path) -> str:
    with pytest.raises(WorkloadError) as caught:
        read_float_network(path)
    return str(caught.value).replace(str(path), "PATH")


@st.composite
def conv_cases(draw: st.DrawFn) -> dict[str, object]:
    groups = draw(st.integers(1, 3))
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    auto = draw(st.sampled_from(["NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    return {
        "channels": groups * draw(st.integers(1, 2)),
        "filters": groups * draw(st.integers(1, 2)),
        "groups": groups,
        "ifmap": draw(st.tuples(st.integers(7, 11), st.integers(7, 11))),
        "kernel": draw(pairs),
        "strides": draw(pairs),
        "dilations": draw(pairs) if auto == "NOTSET" else (1, 1),
        "pads": draw(st.tuples(*[st.integers(0, 3)] * 4)),
        "auto": auto,
        "bias": draw(st.booleans()),
        "opset": draw(st.integers(13, 20)),
        "batch": draw(st.sampled_from([1, "N", None])),
    }


@given(conv_cases())
@settings(max_examples=40)
def test_any_convolution_gives_what_onnxruntime_gives(tmp_path_factory: pytest.TempPathFactory, case: dict) -> None:
    padding = {"pads": case["pads"]} if case["auto"] == "NOTSET" else {"auto_pad": case["auto"]}
    stored = {"w": weights(case["filters"], case["channels"] // case["groups"], *case["kernel"])}
    if case["bias"]:
        stored["b"] = weights(case["filters"])
    conv = node(
        "Conv", ["x", *stored], ["y"], "conv",
        group=case["groups"], strides=case["strides"], dilations=case["dilations"], **padding,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("conv") / "conv.onnx"
    write_model(path, [conv], [case["batch"], case["channels"], *case["ifmap"]], stored, case["opset"])
    assert agrees(path, 1, case["channels"], *case["ifmap"]) < TOLERANCE


@st.composite
def pool_cases(draw: st.DrawFn) -> dict[str, object]:
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    pads = tuple(draw(st.integers(0, kernel[axis % 2] - 1)) for axis in range(4))
    auto = draw(st.sampled_from(["NOTSET", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]))
    counts = draw(st.booleans())
    # onnxruntime cannot pad a pool to the same size where its windows leave gaps
    longest = [3, 3] if auto == "NOTSET" else kernel
    strides = tuple(draw(st.integers(1, longest[axis])) for axis in range(2))
    ifmap = draw(st.tuples(*[st.integers(6, 10)] * 2))
    # with ceil_mode a last window that holds nothing but padding is refused, see REFUSED
    rests = [(ifmap[a] + pads[a] + pads[a + 2] - kernel[a]) % strides[a] for a in (0, 1)]
    fits = all(pads[a + 2] + (strides[a] - rests[a]) % strides[a] < kernel[a] for a in (0, 1))
    return {
        "op": draw(st.sampled_from(["MaxPool", "AveragePool"])),
        "counts": counts,
        "ceil": auto == "NOTSET" and not counts and fits and draw(st.booleans()),
        "kernel": kernel,
        "strides": strides,
        "auto": auto,
        "pads": pads,
        "ifmap": ifmap,
    }


@given(pool_cases())
@settings(max_examples=60)
def test_any_pool_gives_what_onnxruntime_gives(tmp_path_factory: pytest.TempPathFactory, case: dict) -> None:
    extra = {"pads": case["pads"]} if case["auto"] == "NOTSET" else {"auto_pad": case["auto"]}
    if case["op"] == "AveragePool":
        extra["count_include_pad"] = int(case["counts"] and case["auto"] == "NOTSET")
    pool = node(
        case["op"], ["x"], ["y"], "pool",
        kernel_shape=case["kernel"], strides=case["strides"], ceil_mode=int(case["ceil"]), **extra,
    )  # fmt: skip
    path = write_model(tmp_path_factory.mktemp("pool") / "pool.onnx", [pool], [1, 2, *case["ifmap"]], opset=19)
    assert agrees(path, 1, 2, *case["ifmap"]) < TOLERANCE


DENSE = {
    "matmul": ([node("MatMul", ["x", "w"], ["y"], "fc")], {"w": weights(5, 3)}),
    "transposed": (
        [node("Transpose", ["w"], ["t"], "t", perm=[1, 0]), node("MatMul", ["x", "t"], ["y"], "fc")],
        {"w": weights(3, 5)},
    ),
    "chain": (
        [
            node("Identity", ["w"], ["a"]),
            node("Reshape", ["a", "s"], ["b"]),
            node("Cast", ["b"], ["c"], to=TensorProto.DOUBLE),
            node("Cast", ["c"], ["e"], to=TensorProto.FLOAT),
            node("MatMul", ["x", "e"], ["y"], "fc"),
        ],
        {"w": weights(15), "s": np.array([5, -1])},
    ),
    "add": (
        [node("MatMul", ["x", "w"], ["m"], "fc"), node("Add", ["b", "m"], ["y"], "add")],
        {"w": weights(5, 3), "b": weights(3)},
    ),
    "gemm": (
        [node("Gemm", ["x", "w", "b"], ["y"], "fc", transB=1, alpha=0.5, beta=2.0)],
        {"w": weights(3, 5), "b": weights(1, 3)},
    ),
    "scaled": (
        [
            node("MatMul", ["x", "w"], ["m"], "fc"),
            node("Mul", ["m", "k"], ["n"], "mul"),
            node("Sub", ["n", "b"], ["o"], "sub"),
            node("Div", ["o", "k"], ["y"], "div"),
        ],
        {"w": weights(5, 3), "b": weights(3), "k": np.array(2, np.float32)},
    ),
}


@pytest.mark.parametrize("name", DENSE)
def test_every_way_to_write_a_dense_layer_becomes_one_dense_node(tmp_path: Path, name: str) -> None:
    nodes, stored = DENSE[name]
    path = write_model(tmp_path / "dense.onnx", nodes, ["N", 5], stored)
    (dense,) = read_float_network(path).nodes
    assert isinstance(dense, FloatDense)
    assert (dense.name, dense.sources, dense.weight.shape) == ("fc", ("",), (3, 5))
    assert agrees(path, 4, 5) < TOLERANCE


def test_the_bias_chains_of_the_dynamo_exporter_are_folded_to_no_bias(tmp_path: Path) -> None:
    # torchlib's convolution without a bias: Expand(CastLike(0.0, x), Shape(weight, start=0, end=1))
    nodes = [
        node("Shape", ["w"], ["n"], "shape", start=0, end=1),
        node("Constant", [], ["zero"], value_float=0.0),
        node("CastLike", ["zero", "x"], ["z"], "like"),
        node("Expand", ["z", "n"], ["b"], "expand"),
        node("Conv", ["x", "w", "b"], ["y"], "conv"),
    ]
    path = write_model(tmp_path / "m.onnx", nodes, ["N", 2, 5, 5], {"w": weights(3, 2, 3, 3)})
    (conv,) = read_float_network(path).nodes
    assert isinstance(conv, FloatConv)
    assert conv.bias is None
    assert agrees(path, 2, 2, 5, 5) < TOLERANCE


def test_weights_beyond_the_size_of_shape_arithmetic_are_folded_too(tmp_path: Path) -> None:
    nodes = [node("Transpose", ["w"], ["t"], perm=[1, 0]), node("MatMul", ["x", "t"], ["y"], "fc")]
    path = write_model(tmp_path / "m.onnx", nodes, ["N", 100], {"w": weights(60, 100)})
    assert agrees(path, 2, 100) < TOLERANCE


RESIDUAL = [
    node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
    node("Add", ["c", "k"], ["b"], "bias"),
    node("BatchNormalization", ["b", "s", "s", "s", "v"], ["n"], "bn"),
    node("Clip", ["n", "zero"], ["r"], "clip"),
    node("Conv", ["r", "w"], ["e"], "conv2", auto_pad="SAME_UPPER"),
    node("Add", ["e", "x"], ["a"], "add"),
    node("Dropout", ["a"], ["p"], "drop"),
    node("ReduceMean", ["p", "axes"], ["g"], "mean", keepdims=0),
    node("Gemm", ["g", "d"], ["l"], "fc"),
    node("Softmax", ["l"], ["y"], "softmax"),
]
RESIDUAL_STORED = {
    "w": weights(2, 2, 3, 3),
    "k": weights(2, 1, 1),
    "s": weights(2),
    "v": np.ones(2, np.float32),
    "zero": np.array(0, np.float32),
    "axes": np.array([-1, 2]),
    "d": weights(2, 4),
}


def test_a_residual_network_becomes_these_nodes_and_gives_the_same_logits(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", RESIDUAL, ["N", 2, 6, 6], RESIDUAL_STORED)
    network = read_float_network(path)
    kinds = [(item.name, type(item)) for item in fold_batchnorm(network).nodes]
    assert kinds == [
        ("conv", FloatConv), ("clip", FloatRelu), ("conv2", FloatConv), ("add", FloatAdd), ("mean", FloatPool),
        ("mean.flatten", FloatFlatten), ("fc", FloatDense),
    ]  # fmt: skip
    assert network.source.endswith("opset 20); final Softmax left out")
    assert (network.name, network.ifmap_shape) == ("m", (2, 6, 6))
    images = np.random.default_rng(0).normal(size=(3, 2, 6, 6))
    exponentials = np.exp(logits(network, images))
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    assert np.abs(shares - run_onnxruntime(path, images)).max() < TOLERANCE


def test_nodes_bear_the_names_of_the_layers_that_the_workload_reader_makes(tmp_path: Path) -> None:
    nameless = [node(item.op_type, item.input, item.output) for item in RESIDUAL]
    for bare, model in zip(nameless, RESIDUAL, strict=True):
        bare.attribute.extend(model.attribute)
    for nodes in (RESIDUAL, nameless):
        path = write_model(tmp_path / "m.onnx", nodes, ["N", 2, 6, 6], RESIDUAL_STORED)
        layers = {layer.name for layer in read_onnx(path).layers}
        found = {item.name for item in read_float_network(path).nodes if not item.name.endswith(".flatten")}
        assert found < layers


def test_a_fixed_batch_and_its_reshape_are_read_as_one_image(tmp_path: Path) -> None:
    nodes = [node("Reshape", ["x", "s"], ["v"], "flat"), node("MatMul", ["v", "d"], ["y"], "fc")]
    stored = {"s": np.array([8, 12]), "d": weights(12, 3)}
    path = write_model(tmp_path / "m.onnx", nodes, [8, 3, 2, 2], stored)
    assert agrees(path, 8, 3, 2, 2) < TOLERANCE
    assert isinstance(read_float_network(path).nodes[0], FloatFlatten)


def test_the_shapes_that_are_foretold_are_those_that_come_out(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", RESIDUAL, ["N", 2, 6, 6], RESIDUAL_STORED)
    network = read_float_network(path)
    ofmaps = run_float(network, np.zeros((2, 2, 6, 6)))
    assert {name: ofmap.shape[1:] for name, ofmap in ofmaps.items()} == ofmap_shapes(network)


def test_all_operators_that_cannot_be_quantised_are_named_at_once(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["c"], "conv"),
        node("Sigmoid", ["c"], ["s"], "sig"),
        node("Clip", ["s", "zero", "six"], ["r"], "relu6"),
        node("MaxPool", ["r"], ["f"], "pool", kernel_shape=[2, 2], dilations=[2, 2]),
        node("Flatten", ["f"], ["v"], "flat"),
        node("Softmax", ["v"], ["p"], "soft"),
        node("MatMul", ["p", "d"], ["y"], "fc"),
    ]
    stored = {
        "w": weights(2, 2, 3, 3), "zero": np.array(0, np.float32), "six": np.array(6, np.float32), "d": weights(8, 3),
    }  # fmt: skip
    path = write_model(tmp_path / "m.onnx", nodes, ["N", 2, 6, 6], stored)
    assert refusal(path).splitlines() == [
        f"PATH: node 'sig' (Sigmoid): the converter cannot quantise this operator. {TAKES}",
        "PATH: node 'relu6' (Clip): the converter cannot quantise this operator here: its limits are 0 and 6, those of "
        f"a relu are 0 and none. {TAKES}",
        f"PATH: node 'pool' (MaxPool): the converter cannot quantise this operator here: its window is dilated. {TAKES}",
        f"PATH: node 'soft' (Softmax): the converter cannot quantise this operator here: it is not the last operator. {TAKES}",
    ]


HERE = "the converter cannot quantise this operator here: "
REFUSED = [
    (node("MatMul", ["x", "x"], ["y"], "m"), [1, 1], {}, HERE + "its input 1 is computed from the image, not stored. "),
    (node("Conv", ["x", "x"], ["y"], "m"), [1, 2, 2, 2], {},
     HERE + "its input 1 is computed from the image, not stored. "),
    (node("Gemm", ["w", "x"], ["y"], "m"), [1, 3], {"w": weights(3, 1)}, HERE + "its first matrix is stored or transposed. "),
    (node("MatMul", ["x", "w"], ["y"], "m"), [1, 2, 3, 3], {"w": weights(3, 4)},
     HERE + "its matrices are [1, 2, 3, 3] and [3, 4]. "),
    (node("Mul", ["x", "x"], ["y"], "m"), [1, 2], {}, HERE + "both its factors are computed from the image. "),
    (node("Sub", ["k", "x"], ["y"], "m"), [1, 2], {"k": weights(2)}, HERE + "it subtracts what is computed from the image. "),
    (node("Div", ["k", "x"], ["y"], "m"), [1, 2], {"k": weights(2)}, HERE + "it divides by what is computed from the image. "),
    (node("Add", ["x", "k"], ["y"], "m"), [1, 2, 3, 3], {"k": weights(3)},
     HERE + "its stored operand [3] is not one number per channel of [1, 2, 3, 3]. "),
    (node("Sum", ["x", "x", "x"], ["y"], "m"), [1, 2], {}, HERE + "it adds 3 tensors. "),
    (node("Reshape", ["x", "s"], ["y"], "m"), [1, 4], {"s": np.array([1, 4, 1, 1])},
     HERE + "it turns [1, 4] into [1, 4, 1, 1]. "),
    (node("Cast", ["x"], ["y"], "m", to=TensorProto.INT8), [1, 2], {}, HERE + "it casts to INT8. "),
    (node("ReduceMean", ["x", "a"], ["y"], "m"), [1, 2, 3, 3], {"a": np.array([1])},
     HERE + "it averages over other axes than rows and columns of an image, [1]. "),
    (node("AveragePool", ["x"], ["y"], "m", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, count_include_pad=1),
     [1, 1, 3, 3], {}, HERE + "it counts padding while ceil_mode lets its window run over the edge. "),
    (node("MaxPool", ["x"], ["y"], "m", kernel_shape=[2, 2], pads=[2, 0, 0, 0]), [1, 1, 3, 3], {},
     HERE + "its padding [[2, 0], [0, 0]] does not fit its window [2, 2]. "),
    (node("MaxPool", ["x"], ["y"], "m", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1), [1, 1, 4, 4], {},
     HERE + "its padding [[0, 1], [0, 1]] does not fit its window [1, 1]. "),
    (node("Softmax", ["x"], ["y"], "m", axis=0), [1, 2], {}, HERE + "it runs along axis 0 of [1, 2], not along the classes. "),
    (node("Clip", ["x", "x"], ["y"], "m"), [1, 2], {}, HERE + "its limit 'x' is no stored number. "),
]  # fmt: skip


@pytest.mark.parametrize(("model_node", "shape", "stored", "why"), REFUSED, ids=[case[0].op_type for case in REFUSED])
def test_a_refusal_says_why(tmp_path: Path, model_node: onnx.NodeProto, shape: list, stored: dict, why: str) -> None:
    path = write_model(tmp_path / "m.onnx", [model_node], shape, stored)
    assert refusal(path) == f"PATH: node 'm' ({model_node.op_type}): {why}{TAKES}"


def test_weights_that_are_missing_beside_the_model_are_an_error(tmp_path: Path) -> None:
    path = write_model(
        tmp_path / "m.onnx", [node("MatMul", ["x", "w"], ["y"], "fc")], ["N", 50], {"w": weights(50, 30)}
    )
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="m.data", size_threshold=0)
    assert agrees(path, 2, 50) < TOLERANCE
    (tmp_path / "m.data").unlink()
    said = refusal(path)
    assert re.fullmatch(
        r"PATH: node 'fc' \(MatMul\): needs the numbers of 'w', but its external data cannot be read \(.*\)\. "
        r"Save the model with its float weights inside or beside it\.",
        said,
    )


def test_weights_that_cannot_be_computed_ahead_are_an_error(tmp_path: Path) -> None:
    nodes = [
        node("DequantizeLinear", ["q", "s"], ["w"], "dq"),
        node("MatMul", ["x", "w"], ["y"], "fc"),
    ]
    stored = {"q": np.ones((2, 2), np.int8), "s": np.array(0.5, np.float32)}
    assert refusal(write_model(tmp_path / "m.onnx", nodes, ["N", 2], stored)) == (
        "PATH: node 'fc' (MatMul): needs the numbers of 'w', but node 'dq' (DequantizeLinear) makes it, which archsim "
        "cannot compute ahead. Save the model with its float weights inside or beside it."
    )


def test_faulty_numbers_and_training_mode_are_errors(tmp_path: Path) -> None:
    ones = np.ones(2, np.float32)
    nodes = [
        node("MatMul", ["x", "w"], ["m"], "fc"),
        node("Div", ["m", "zero"], ["d"], "div"),
        node("BatchNormalization", ["d", "o", "o", "o", "neg"], ["n"], "bn"),
        node("BatchNormalization", ["n", "o", "o", "o", "o"], ["y", "s", "t"], "train", training_mode=1),
    ]
    stored = {"w": np.full((2, 2), np.nan, np.float32), "zero": 0 * ones, "o": ones, "neg": -ones}
    assert refusal(write_model(tmp_path / "m.onnx", nodes, ["N", 2], stored)).splitlines() == [
        "PATH: node 'fc' (MatMul): the stored tensor 'w' holds NaN or infinity. Train or export the model again.",
        "PATH: node 'div' (Div): it divides by zero. Export the model again.",
        "PATH: node 'bn' (BatchNormalization): a variance is negative. Train or export the model again.",
        "PATH: node 'train' (BatchNormalization): is in training mode. Export the model for inference "
        "(model.eval() in PyTorch).",
    ]


def test_inputs_and_outputs_that_the_converter_cannot_take_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    relu = node("Relu", ["x"], ["y"], "r")
    assert refusal(write_model(path, [relu], ["N", 28, 28])) == (
        "PATH: input 'x' is [1, 28, 28]; the converter takes images (N, C, H, W) or vectors (N, C). "
        "Export the model with such an input."
    )
    assert refusal(write_model(path, [relu], ["N", "c"])) == (
        "PATH: input 'x' is [1, 'c'], which leaves sizes open (fix them when exporting). "
        "The converter needs every size but the batch."
    )
    model = onnx.load(write_model(path, [relu], ["N", 2]))
    model.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, None))
    onnx.save(model, path)
    assert refusal(path) == (
        "PATH: has the outputs ['y', 'x']; the converter takes networks of one. Export only the logits."
    )
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 2]))
    onnx.save(model, path)
    assert refusal(path) == (
        "PATH: has the inputs ['x', 'z']; the converter takes networks of one. Export the model with one."
    )
    assert refusal(write_model(path, [node("Identity", ["x"], ["y"])], ["N", 2])) == (
        "PATH: holds no operator that the converter quantises. Export the whole network."
    )


def test_nodes_that_the_logits_do_not_need_are_left_out(tmp_path: Path) -> None:
    nodes = [node("Sigmoid", ["x"], ["s"], "unused"), node("Relu", ["x"], ["y"], "r")]
    network = read_float_network(write_model(tmp_path / "m.onnx", nodes, ["N", 2]))
    assert [item.name for item in network.nodes] == ["r"]


def test_the_shipped_networks_have_the_layers_that_their_workloads_have() -> None:
    for name in ("mnist_webinar", "mnist_big_bn"):
        path = ROOT / "workloads" / f"{name}.onnx"
        network = read_float_network(path)
        assert [item.name for item in network.nodes] == [layer.name for layer in read_onnx(path).layers]
        assert network.content_hash == read_onnx(path).content_hash

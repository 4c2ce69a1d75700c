from collections.abc import Callable
from math import prod
from pathlib import Path

import onnx
import pytest
from onnx import helper

from archsim.convert.onnx_reader import read_onnx
from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer, MatmulLayer, UncostedLayer, VectorLayer

DATA = Path(onnx.__file__).parent / "backend/test/data"

# MACs of conv and fc layers, batch 1, padding counted; alexnet by hand (224 input, valid conv1, groups 2, 1, 2 and 2):
# 54*54*96*363 + 26*26*256*1200 + 12*12*384*(2304 + 1728) + 12*12*256*1728 + 9216*4096 + 4096*4096 + 4096*1000
# = 101,616,768 + 207,667,200 + 222,953,472 + 63,700,992 + 37,748,736 + 16,777,216 + 4,096,000 = 654,560,384
LIGHT_MACS = {
    "bvlc_alexnet": 654_560_384,
    "zfnet512": 1_481_727_008,
    "vgg19": 19_632_062_464,
    "squeezenet": 349_151_936,
    "inception_v1": 1_431_556_352,
    "shufflenet": 124_664_528,
    "resnet50": 4_089_184_256,
    "inception_v2": 2_018_851_840,
    "densenet121": 2_834_161_664,
}

CONVERTED = sorted(path.parent.name for path in DATA.glob("pytorch-converted/*/model.onnx"))


def test_every_light_model_of_onnx_is_listed_here(stored_models: Callable[[str], list[Path]]) -> None:
    assert {path.stem.removeprefix("light_") for path in stored_models("light/*.onnx")} == set(LIGHT_MACS)


@pytest.mark.parametrize(("model", "macs"), LIGHT_MACS.items())
def test_light_model_has_the_macs_of_its_convs_and_fcs(model: str, macs: int) -> None:
    assert read_onnx(DATA / f"light/light_{model}.onnx").macs == macs


@pytest.mark.parametrize(("model", "macs"), LIGHT_MACS.items())
def test_two_images_take_twice_the_macs(model: str, macs: int) -> None:
    assert read_onnx(DATA / f"light/light_{model}.onnx", batch=2).macs == 2 * macs


@pytest.mark.parametrize("model", LIGHT_MACS)
def test_light_model_is_costed_without_a_gap(model: str) -> None:
    assert not [
        layer for layer in read_onnx(DATA / f"light/light_{model}.onnx").layers if isinstance(layer, UncostedLayer)
    ]


@pytest.mark.parametrize("model", LIGHT_MACS)
def test_vector_work_of_two_images_is_twice_that_of_one(model: str) -> None:
    one, two = (read_onnx(DATA / f"light/light_{model}.onnx", batch=batch) for batch in (1, 2))
    for single, double in zip(one.layers, two.layers, strict=True):
        if isinstance(single, VectorLayer) and isinstance(double, VectorLayer):
            assert (double.lane_ops, double.ofmap_words) == (2 * single.lane_ops, 2 * single.ofmap_words)
            assert double.weight_words == single.weight_words


@pytest.mark.parametrize("test_case", CONVERTED)
def test_ofmap_has_the_shape_of_the_stored_expected_output(test_case: str) -> None:
    folder = DATA / "pytorch-converted" / test_case
    expected = onnx.TensorProto.FromString((folder / "test_data_set_0/output_0.pb").read_bytes())
    workload = read_onnx(folder / "model.onnx")
    costed = [layer for layer in workload.layers if not (isinstance(layer, VectorLayer) and layer.is_view)]
    last = costed[-1]
    assert not isinstance(last, UncostedLayer)
    assert last.ofmap_words == prod(expected.dims)
    if isinstance(last, ConvLayer):
        assert (last.batch, last.out_channels, *last.ofmap) == tuple(expected.dims)


def test_resnet50_counts_53_convs_and_one_fc() -> None:
    ops = [layer.op for layer in read_onnx(DATA / "light/light_resnet50.onnx").layers]
    assert (ops.count("conv"), ops.count("fc"), ops.count("sum")) == (53, 1, 16)


def test_constant_of_shape_weights_make_no_layers() -> None:
    ops = {layer.op for layer in read_onnx(DATA / "light/light_densenet121.onnx").layers}
    assert not ops & {"constant_of_shape", "unsqueeze", "constant"}


def test_densenet_scale_is_a_layer_that_reads_its_constant_as_weights() -> None:
    layers = read_onnx(DATA / "light/light_densenet121.onnx").layers
    scale = next(layer for layer in layers if layer.op == "mul")
    assert isinstance(scale, VectorLayer)
    # 64 channels of 112 x 112, one factor per channel
    assert (scale.lane_ops, scale.ifmap_words, scale.weight_words) == (64 * 112 * 112, 64 * 112 * 112, 64)


def test_workload_says_where_it_comes_from() -> None:
    path = DATA / "light/light_bvlc_alexnet.onnx"
    workload = read_onnx(path)
    assert workload.name == "light_bvlc_alexnet"
    assert workload.source == "ONNX model bvlc_alexnet (onnx-caffe2, opset 9)"
    assert len(workload.content_hash) == 64


def test_sources_look_through_views(models) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv"),
        helper.make_node("Flatten", ["a"], ["b"], name="flat"),
        helper.make_node("Dropout", ["b"], ["c"], name="drop"),
        helper.make_node("Gemm", ["c", "v"], ["y"], name="fc"),
    ]
    workload = models.read(nodes, {"x": [1, 3, 4, 4]}, {"w": [2, 3, 3, 3], "v": [8, 5]})
    assert [(layer.name, layer.sources) for layer in workload.layers] == [
        ("conv", ()),
        ("flat", ("conv",)),
        ("drop", ("conv",)),
        ("fc", ("conv",)),
    ]
    assert all(layer.is_view for layer in workload.layers[1:3] if isinstance(layer, VectorLayer))


def test_shape_arithmetic_is_folded_away(models) -> None:
    # y = reshape(x, [shape(x)[0], -1]) as exporters write it
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Constant", [], ["zero"], value_int=0),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Constant", [], ["axes"], value_ints=[0]),
        helper.make_node("Unsqueeze", ["n", "axes"], ["n1"]),
        helper.make_node("Constant", [], ["rest"], value_ints=[-1]),
        helper.make_node("Concat", ["n1", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["r"], name="flatten"),
        helper.make_node("MatMul", ["r", "w"], ["y"], name="fc"),
    ]
    workload = models.read(nodes, {"x": ["n", 2, 3, 4]}, {"w": [24, 7]}, batch=5)
    assert [layer.name for layer in workload.layers] == ["flatten", "fc"]
    assert workload.macs == 5 * 24 * 7


def test_open_batch_is_one_and_said_so(models) -> None:
    workload = models.read([helper.make_node("Gemm", ["x", "w"], ["y"])], {"x": ["n", 4]}, {"w": [4, 8]})
    assert workload.macs == 32
    assert "the model leaves the batch open: 1 is assumed" in workload.assumptions


def test_assumptions_name_what_is_not_costed(models) -> None:
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    workload = models.read(nodes, {"x": [1, 4]}, {"w": [4, 8], "b": [8]})
    text = "\n".join(workload.assumptions)
    assert "biases of conv and matrix layers are not costed" in text
    assert "vector operation counts are estimates" in text


def test_operator_of_another_domain_is_uncosted_and_named(models) -> None:
    nodes = [
        helper.make_node("FusedMatMul", ["x", "w"], ["a"], domain="com.microsoft", name="fused"),
        helper.make_node("Relu", ["x"], ["y"], name="relu"),
    ]
    layer = models.read(nodes, {"x": [1, 4]}, {"w": [4, 8]}).layers[0]
    assert isinstance(layer, UncostedLayer)
    assert "com.microsoft" in layer.reason


def test_unknown_operator_of_the_standard_domain_is_uncosted(models) -> None:
    nodes = [helper.make_node("Frobnicate", ["x"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    workload = models.read(nodes, {"x": [1, 4]})
    assert [type(layer) for layer in workload.layers] == [UncostedLayer, UncostedLayer]
    assert "does not tell the shape" in workload.layers[1].reason


def test_conv_behind_an_unknown_shape_names_both_nodes(models) -> None:
    nodes = [
        helper.make_node("Fancy", ["x"], ["a"], domain="my.domain", name="odd"),
        helper.make_node("Conv", ["a", "w"], ["y"], name="conv1"),
    ]
    with pytest.raises(WorkloadError, match=r"node 'conv1' \(Conv\): needs the shape of 'a'.*node 'odd' \(Fancy\)"):
        models.read(nodes, {"x": [1, 3, 8, 8]}, {"w": [4, 3, 3, 3]})


def test_shape_that_the_file_declares_fills_the_hole(models) -> None:
    nodes = [
        helper.make_node("Fancy", ["x"], ["a"], domain="my.domain"),
        helper.make_node("Conv", ["a", "w"], ["y"], name="conv1"),
    ]
    declared = [helper.make_tensor_value_info("a", onnx.TensorProto.FLOAT, [1, 3, 8, 8])]
    workload = models.read(nodes, {"x": [1, 3, 8, 8]}, {"w": [4, 3, 3, 3]}, value_info=declared)
    assert workload.macs == 4 * 36 * 27


def test_control_flow_is_uncosted_and_its_reads_are_sources(models) -> None:
    branch = [
        helper.make_graph(
            [helper.make_node(op, ["a"], [f"{op}_out"])],
            op,
            [],
            [helper.make_tensor_value_info(f"{op}_out", onnx.TensorProto.FLOAT, [1, 8])],
        )
        for op in ("Relu", "Tanh")
    ]
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["a"], name="fc"),
        helper.make_node("Cast", ["x"], ["b"], to=onnx.TensorProto.BOOL, name="to_bool"),
        helper.make_node("If", ["b"], ["c"], then_branch=branch[0], else_branch=branch[1], name="if"),
        helper.make_node("Gemm", ["c", "v"], ["y"], name="fc2"),
    ]
    workload = models.read(nodes, {"x": [1, 4]}, {"w": [4, 8], "v": [8, 2]})
    decision = workload.layers[2]
    assert isinstance(decision, UncostedLayer)
    assert decision.sources == ("to_bool", "fc")
    assert workload.layers[3].macs == 16


def test_recurrent_layers_are_uncosted_with_a_reason(models) -> None:
    nodes = [helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=5)]
    layer = models.read(nodes, {"x": [7, 1, 4]}, {"w": [1, 20, 4], "r": [1, 20, 5]}).layers[0]
    assert isinstance(layer, UncostedLayer)
    assert "recurrent" in layer.reason
    assert layer.ofmap_words == 7 * 5


def test_sequences_are_uncosted(models) -> None:
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "x"], ["s"]),
        helper.make_node("ConcatFromSequence", ["s"], ["c"], axis=0),
        helper.make_node("Relu", ["x"], ["y"]),
    ]
    layers = models.read(nodes, {"x": [1, 4]}).layers
    assert [type(layer) for layer in layers] == [UncostedLayer, UncostedLayer, VectorLayer]


def test_attention_names_the_layer_that_makes_its_second_matrix(models) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "wq"], ["q"], name="q"),
        helper.make_node("MatMul", ["x", "wk"], ["k"], name="k"),
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 2, 1], name="turn"),
        helper.make_node("MatMul", ["q", "kt"], ["s"], name="scores"),
        helper.make_node("Softmax", ["s"], ["p"], name="softmax"),
        helper.make_node("MatMul", ["p", "x"], ["y"], name="mix"),
    ]
    workload = models.read(nodes, {"x": [2, 5, 8]}, {"wq": [8, 8], "wk": [8, 8]})
    layers = {layer.name: layer for layer in workload.layers}
    scores, mix = layers["scores"], layers["mix"]
    assert isinstance(scores, MatmulLayer)
    assert isinstance(mix, MatmulLayer)
    assert (scores.op, scores.batches, scores.rows, scores.inner, scores.columns) == ("matmul", 2, 5, 8, 5)
    assert (scores.weight_source, scores.sources) == ("turn", ("q", "turn"))
    assert (mix.weight_source, mix.sources) == ("", ("softmax",))


def test_constants_only_graph_is_an_error(models) -> None:
    with pytest.raises(WorkloadError, match="no node depends on a graph input"):
        models.read([helper.make_node("Relu", ["w"], ["y"])], {"x": [1]}, {"w": [4]})


@pytest.mark.parametrize("opset", [7, 9, 13, 18, 22])
def test_small_network_reads_alike_in_every_opset(models, opset: int) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "s", "s", "s", "s"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("MaxPool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["d"], ["e"]),
        helper.make_node("Flatten", ["e"], ["f"]),
        helper.make_node("Gemm", ["f", "v", "bias"], ["y"], transB=1),
    ]
    weights = {"w": [6, 3, 3, 3], "s": [6], "v": [10, 6], "bias": [10]}
    workload = models.read(nodes, {"x": [1, 3, 8, 8]}, weights, opset=opset)
    assert workload.macs == 6 * 64 * 27 + 60
    assert [layer.name for layer in workload.layers] == [
        "conv_1", "batchnormalization_1", "relu_1", "maxpool_1", "globalaveragepool_1", "flatten_1", "gemm_1",
    ]  # fmt: skip
    # batch norm 2 x 384, relu 384, 3 compares x 96, 16 adds and multiplies x 6 channels
    assert [layer.lane_ops for layer in workload.layers if isinstance(layer, VectorLayer)] == [768, 384, 288, 96, 0]

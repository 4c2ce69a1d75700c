import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from archsim.convert.onnx_reader import read_onnx
from archsim.errors import WorkloadError

RELU = helper.make_node("Relu", ["x"], ["y"])
GEMM = helper.make_node("Gemm", ["x", "w"], ["y"], name="fc")


def is_refused(path: Path) -> bool:
    """Whether the reader ends in its own error; any other exception fails the test."""
    try:
        read_onnx(path)
    except WorkloadError as problem:
        return str(problem).startswith(f"{path}: ")
    return False


def with_external(models: Any, location: str) -> Path:
    """A model whose matrix lies outside the file, at the location."""
    path: Path = models.write([GEMM], {"x": [1, 4]}, {"w": [4, 8]})
    model = onnx.ModelProto.FromString(path.read_bytes())
    matrix = model.graph.initializer[0]
    matrix.ClearField("raw_data")
    matrix.data_location = TensorProto.EXTERNAL
    matrix.external_data.add(key="location", value=location)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no graph"),
        (b"layers:\n  - conv\n", "not an ONNX model|holds no graph"),
        (b"\x00\x01\x02\xff" * 100, "not an ONNX model"),
        (numpy_helper.from_array(np.ones(3, np.float32), "t").SerializeToString(), "not an ONNX model|holds no graph"),
    ],
)
def test_what_is_no_model_is_one_message(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(WorkloadError, match=f"wrong.onnx: ({message})"):
        read_onnx(path)


@pytest.mark.parametrize("name", ["missing.onnx", "."])
def test_missing_file_and_folder_are_one_message(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkloadError, match="cannot be read"):
        read_onnx(tmp_path / name)


def test_truncated_and_damaged_files_end_in_a_workload_or_a_workload_error(
    tmp_path: Path, stored_models: Callable[[str], list[Path]]
) -> None:
    rng = random.Random(7)
    path = tmp_path / "damaged.onnx"
    models = [model.read_bytes() for model in stored_models("pytorch-converted/test_*Conv*/model.onnx")]
    refused = 0
    for _ in range(400):
        content = bytearray(rng.choice(models))
        for _ in range(rng.choice((1, 2, 5))):
            content[rng.randrange(len(content))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        path.write_bytes(content[: rng.choice((len(content), rng.randrange(len(content))))])
        refused += is_refused(path)
    assert refused > 100


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../weights.bin", "a/../../weights.bin", "C:\\weights.bin", "..\\w", ""]
)
def test_external_data_outside_the_folder_is_refused(models: Any, location: str) -> None:
    with pytest.raises(WorkloadError, match=r"tensor 'w': its external data .* refused"):
        read_onnx(with_external(models, location))


def test_external_data_behind_a_symbolic_link_is_refused(models: Any, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}_outside.bin"
    outside.write_bytes(b"secret")
    (tmp_path / "weights.bin").symlink_to(outside)
    with pytest.raises(WorkloadError, match="refused"):
        read_onnx(with_external(models, "weights.bin"))


def test_external_data_need_not_be_there(models: Any) -> None:
    assert read_onnx(with_external(models, "weights.bin")).macs == 32


def test_small_external_constant_is_read_for_shape_arithmetic(models: Any, tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "t"], ["r"]), helper.make_node("MatMul", ["r", "w"], ["y"])]
    path = models.write(nodes, {"x": [1, 4]}, {"w": [2, 8]}, constants={"t": np.array([2, 2])})
    model = onnx.ModelProto.FromString(path.read_bytes())
    target = next(tensor for tensor in model.graph.initializer if tensor.name == "t")
    (tmp_path / "t.bin").write_bytes(b"12345678" + target.raw_data)
    target.ClearField("raw_data")
    target.data_location = TensorProto.EXTERNAL
    target.external_data.add(key="location", value="t.bin")
    target.external_data.add(key="offset", value="8")
    path.write_bytes(model.SerializeToString())
    assert read_onnx(path).macs == 32


def test_constant_of_absurd_size_is_refused_without_being_made(models: Any) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["s"], ["w"], name="fill"),
        helper.make_node("Gemm", ["x", "w"], ["y"]),
    ]
    with pytest.raises(
        WorkloadError, match=r"node 'fill' \(ConstantOfShape\): its output 'w' has the shape 1000000x1000000"
    ):
        models.read(nodes, {"x": [1, 10**6]}, constants={"s": np.array([10**6, 10**6])})


def test_large_constant_is_known_by_its_shape(models: Any) -> None:
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["w"]), helper.make_node("Gemm", ["x", "w"], ["y"])]
    workload = models.read(nodes, {"x": [1, 10**5]}, constants={"s": np.array([10**5, 10**5])})
    assert workload.macs == 10**10


def test_stored_tensor_with_a_negative_size_is_refused(models: Any) -> None:
    path = models.write([GEMM], {"x": [1, 4]}, {"w": [4, 8]})
    model = onnx.ModelProto.FromString(path.read_bytes())
    model.graph.initializer[0].dims[0] = -4
    path.write_bytes(model.SerializeToString())
    with pytest.raises(WorkloadError, match="stored tensor 'w' has the shape -4x8"):
        read_onnx(path)


def test_opset_of_the_future_is_read_as_the_newest_known_and_said_so(models: Any) -> None:
    workload = models.read([RELU], {"x": [4]}, opset=999)
    assert any("opset 999 is newer" in sentence for sentence in workload.assumptions)


def test_model_without_an_opset_says_what_is_assumed(models: Any) -> None:
    path = models.write([RELU], {"x": [4]})
    model = onnx.ModelProto.FromString(path.read_bytes())
    del model.opset_import[:]
    path.write_bytes(model.SerializeToString())
    assert any("states no opset" in sentence for sentence in read_onnx(path).assumptions)

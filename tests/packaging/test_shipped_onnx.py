"""The ONNX models that ship: what they are made of, and how many digits one of them tells apart."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from archsim.convert.onnx_reader import read_onnx

TOP = Path(__file__).parents[2]
DIGITS = TOP / "workloads" / "digits_cnn.onnx"
TEST_IMAGES = 500


def test_the_digits_model_has_readable_nodes_and_an_unfolded_batch_norm() -> None:
    model = onnx.load(DIGITS)
    onnx.checker.check_model(model, full_check=True)
    assert [node.name for node in model.graph.node] == [
        "conv1", "bn1", "relu1", "conv2", "bn2", "relu2", "pool2", "conv3", "bn3", "relu3", "flatten", "fc",
    ]  # fmt: skip
    assert 17 <= model.opset_import[0].version <= 20
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_the_digits_model_is_a_workload_of_known_size() -> None:
    # 8x8: conv1 64*16*9, conv2 64*32*16*9; 4x4: conv3 16*32*32*9; fc 10*512
    assert read_onnx(DIGITS).macs == 9_216 + 294_912 + 147_456 + 5_120


def test_the_digits_model_finds_498_of_500_labels() -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="the digits are scikit-learn's")
    pixels, labels = datasets.load_digits(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(labels))[-TEST_IMAGES:]
    images = (pixels[chosen] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    (logits,) = ReferenceEvaluator(str(DIGITS)).run(None, {"image": images})
    assert int((logits.argmax(axis=1) == labels[chosen]).sum()) == 498

"""Models of a few nodes with random weights, and onnxruntime as the oracle that runs them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).parents[2]


def write_model(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str],
    stored: Mapping[str, np.ndarray] | None = None,
    opset: int = 20,
) -> Path:
    """Write a model of the input ``x`` whose last node makes ``y``."""
    graph = helper.make_graph(
        nodes,
        "by_hand",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in (stored or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def run_onnxruntime(path: Path, images: np.ndarray) -> np.ndarray:
    """Logits of the original graph, nothing optimised, float32."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": images.astype(np.float32)})
    return np.asarray(found)


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def mnist_folder() -> Path:
    """Folder of MNIST's files; the test is skipped where there is none."""
    places = [os.environ.get("ARCHSIM_MNIST", ""), "/work/shared/data/mnist", str(ROOT.parent / "shared/data/mnist")]
    found = next((Path(place) for place in places if place and Path(place).is_dir()), None)
    if found is None:
        pytest.skip("MNIST is not here: set ARCHSIM_MNIST to the folder of its files")
    return found

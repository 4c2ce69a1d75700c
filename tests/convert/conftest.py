"""Models made by hand: a test writes nodes and shapes, the fixture writes the file and reads it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from archsim.convert.onnx_reader import read_onnx
from archsim.workload.network import Workload

Sizes = Sequence[int | str | None]


class ModelWriter:
    """Writes models of a few nodes into one folder and reads them back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self,
        nodes: Sequence[onnx.NodeProto],
        inputs: Mapping[str, Sizes],
        weights: Mapping[str, Sequence[int]] | None = None,
        **options: Any,
    ) -> Path:
        """Write a model; ``weights`` are float tensors of the given shapes, ``constants`` arrays of numbers."""
        stored = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in (weights or {}).items()]
        stored += [numpy_helper.from_array(array, name) for name, array in options.get("constants", {}).items()]
        graph = helper.make_graph(
            nodes,
            "by_hand",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
            stored,
            value_info=options.get("value_info", []),
        )
        opsets = [helper.make_opsetid("", options.get("opset", 18)), helper.make_opsetid("my.domain", 1)]
        model = helper.make_model(graph, opset_imports=opsets, functions=options.get("functions", []))
        path = self.folder / "by_hand.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    def read(
        self,
        nodes: Sequence[onnx.NodeProto],
        inputs: Mapping[str, Sizes],
        weights: Mapping[str, Sequence[int]] | None = None,
        **options: Any,
    ) -> Workload:
        """Write as `write`, then read with the option ``batch``."""
        batch = options.pop("batch", None)
        return read_onnx(self.write(nodes, inputs, weights, **options), batch=batch)


@pytest.fixture
def models(tmp_path: Path) -> ModelWriter:
    return ModelWriter(tmp_path)


@pytest.fixture(scope="session")
def stored_models() -> Callable[[str], list[Path]]:
    """Paths below onnx's own test data that match a pattern."""
    root = Path(onnx.__file__).parent / "backend/test/data"
    return lambda pattern: sorted(root.glob(pattern))

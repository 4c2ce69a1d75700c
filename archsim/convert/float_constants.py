"""Numbers of everything in an ONNX graph that depends on no image: weights, and what is computed from them.

Called by `float_reader.py`. Unlike `initialisers.py`, which shapes alone interest, this file loads every weight.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from archsim.convert.constant_folding import FOLDS
from archsim.convert.model_file import ModelFile
from archsim.convert.node import Node
from archsim.convert.resolved_graph import ResolvedGraph
from archsim.convert.value import Value

Array = NDArray[Any]

_CANNOT_LOAD = (ValueError, TypeError, KeyError, OverflowError, OSError, RuntimeError, onnx.checker.ValidationError)


class Constants:
    """Arrays by tensor name; where one cannot be had, the reason."""

    def __init__(self, file: ModelFile, graph: ResolvedGraph) -> None:
        self._folder = file.folder
        self._arrays: dict[str, Array] = {}
        self._reasons: dict[str, str] = {}
        for tensor in file.model.graph.initializer:
            self._store(tensor.name, tensor)
        for sparse in file.model.graph.sparse_initializer:
            self._reasons[sparse.values.name] = "it is stored as a sparse tensor"
        for node in graph.nodes:
            self._compute(node, graph.values)

    def __contains__(self, name: str) -> bool:
        """Whether the tensor depends on no image."""
        return name in self._arrays or name in self._reasons

    def numbers(self, node: Node, name: str) -> NDArray[np.float64]:
        """Return a constant that a node reads, as float64.

        Raises
        ------
        WorkloadError
            It is missing, cannot be computed, or is not finite.
        """
        if name in self._reasons:
            raise node.error(
                f"needs the numbers of {name!r}, but {self._reasons[name]}. "
                "Save the model with its float weights inside or beside it."
            )
        array = np.asarray(self._arrays[name], dtype=np.float64)
        if not np.isfinite(array).all():
            raise node.error(f"the stored tensor {name!r} holds NaN or infinity. Train or export the model again.")
        return array

    def raw(self, name: str) -> Array | None:
        """Return a constant in its own type; None where it cannot be had."""
        return self._arrays.get(name)

    def _store(self, name: str, tensor: onnx.TensorProto) -> None:
        try:
            self._arrays[name] = onnx.numpy_helper.to_array(tensor, base_dir=str(_base(self._folder)))
        except _CANNOT_LOAD as problem:
            is_outside = tensor.data_location == onnx.TensorProto.EXTERNAL
            where = "its external data" if is_outside else "its data"
            self._reasons[name] = f"{where} cannot be read ({(str(problem).splitlines() or ['no reason'])[0]})"

    def _compute(self, node: Node, values: Mapping[str, Value]) -> None:
        """Take in what a node makes, if it depends on no image."""
        reads = node.reads[:1] if node.op == "CastLike" else node.reads  # the second gives its type only
        is_known = all(values[name].is_constant for name in node.outputs if name)
        if not is_known and not (reads and all(name in self for name in reads)):
            return
        for name in filter(None, node.outputs):
            data = values[name].data
            if data is not None:
                self._arrays[name] = data
        if all(name in self for name in node.outputs if name):
            return
        if node.op == "Constant" and "value" in node.attributes:
            self._store(node.outputs[0], node.attributes["value"].t)
            return
        because = next((self._reasons[name] for name in reads if name in self._reasons), "")
        arrays = [self._arrays[name] for name in reads if name in self._arrays]
        made = None if because or len(arrays) < len(reads) else _fold(node, arrays)
        for position, name in enumerate(node.outputs):
            if made is not None and position < len(made):
                self._arrays[name] = made[position]
            elif name:
                self._reasons[name] = because or f"{node.label} makes it, which archsim cannot compute ahead"


def _base(folder: Path) -> Path:
    return folder if str(folder) else Path()


def _fold(node: Node, arrays: list[Array]) -> list[Array] | None:
    if not node.is_standard:
        return None
    fold = FOLDS.get(node.op)
    try:
        with np.errstate(all="raise", under="ignore"):
            if node.op in ("CastLike", "Dropout"):
                return [arrays[0]]
            if node.op == "Reshape":
                return [_reshaped(node, arrays[0], arrays[1])]
            return fold(node, arrays) if fold else None
    except (ArithmeticError, ValueError, TypeError, IndexError):
        return None


def _reshaped(node: Node, array: Array, target: Array) -> Array:
    keeps = not node.integer("allowzero", 0)
    sizes = [array.shape[axis] if size == 0 and keeps else int(size) for axis, size in enumerate(target.ravel())]
    return array.reshape(sizes)

"""Shapes and small constants of every tensor, node after node, for one batch.

Called by `onnx_reader.py`, twice when the batch is not the file's: the first result is then the
baseline from which fixed Reshape targets are scaled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from archsim.convert.constant_folding import fold_constants
from archsim.convert.initialisers import read_tensor
from archsim.convert.node import Node
from archsim.convert.node_inference import InferenceRefused, Inferred, check_arity, check_axes, infer_outputs
from archsim.convert.reshape import rescaled, reshaped
from archsim.convert.value import MAX_FOLDED_ELEMENTS, Value, check_shape

SHAPE_READERS = frozenset({"Shape", "Size"})
"""Operators that read an activation's shape, not its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Propagation:
    """What holds for the whole graph.

    Parameters
    ----------
    folder
        Of the model, for external data of Constant nodes.
    ir_version
        Of the model.
    costed_ops
        Operators whose shapes must fit; a contradiction in any other is no error.
    declared
        Shapes that the file states for inner tensors, used where inference finds none.
    baseline
        Values under the file's own batch; empty when that is the batch.
    """

    folder: Path
    ir_version: int
    costed_ops: frozenset[str]
    declared: Mapping[str, Value] = field(default_factory=dict)
    baseline: Mapping[str, Value] = field(default_factory=dict)

    def values(self, nodes: list[Node], given: Mapping[str, Value]) -> dict[str, Value]:
        """Values of all tensors, from the given inputs and initialisers.

        Raises
        ------
        WorkloadError
            Shapes contradict each other, or one is absurd.
        """
        values = dict(given)
        for node in nodes:
            check_arity(node)
            outputs = _from_attributes(node, self.folder) or self._outputs(node, values)
            values.update(zip(node.outputs, outputs, strict=True))
        return values

    def _outputs(self, node: Node, values: dict[str, Value]) -> list[Value]:
        is_constant = (node.is_standard and node.op in SHAPE_READERS) or all(
            values[name].is_constant for name in node.reads
        )
        inferred = [
            self._fill_hole(name, shape, elem_type)
            for name, (shape, elem_type) in zip(node.outputs, self._inferred(node, values), strict=True)
        ]
        for name, (shape, _) in zip(node.outputs, inferred, strict=True):
            if shape is not None:
                check_shape(f"{node.label}: its output {name!r}", shape)
        data = self._data(node, values, inferred) if is_constant and node.is_standard else None
        because = _reason(node, values) if any(shape is None for shape, _ in inferred) else ""
        return [
            Value(
                shape=shape,
                elem_type=elem_type,
                is_constant=is_constant,
                data=data[position] if data else None,
                unknown_because=because if shape is None else "",
            )
            for position, (shape, elem_type) in enumerate(inferred)
        ]

    def _inferred(self, node: Node, values: dict[str, Value]) -> Inferred:
        if node.is_standard and node.op in ("Reshape", "Resize"):
            own = self._own_shape(node, values)
            if own is not None:
                return [own] * len(node.outputs)
        if node.is_standard and node.op == "ConstantOfShape":
            return [_filled_type(node, values)]
        check_axes(node, values)
        try:
            return infer_outputs(node, values, self.ir_version)
        except InferenceRefused as problem:
            is_known = all(values[name].shape is not None and values[name].elem_type for name in node.reads)
            if node.is_standard and node.op in self.costed_ops and is_known:
                shapes = ", ".join(str(list(values[name].shape or ())) for name in node.reads)
                batch = " or run it with the batch it was exported for" if self.baseline else ""
                raise node.error(
                    f"its inputs of shape {shapes} do not fit: {problem}. Export the model again{batch}."
                ) from problem
            return [(None, 0)] * len(node.outputs)

    def _own_shape(self, node: Node, values: dict[str, Value]) -> tuple[tuple[int, ...], int] | None:
        """Output of a Reshape or Resize whose target does not follow the batch; None = let onnx say."""
        source = values[node.inputs[0]]
        target = values[node.inputs[-1]] if len(node.inputs) > 1 and node.inputs[-1] else None
        if source.shape is None or target is None or target.data is None:
            return None
        old_source, old_result = self.baseline.get(node.inputs[0]), self.baseline.get(node.outputs[0])
        if old_source and old_result and old_source.shape is not None and old_result.shape is not None:
            old_target = self.baseline[node.inputs[-1]].data
            if old_target is not None and np.array_equal(old_target, target.data) and _is_count(target.data):
                return rescaled(node, source.shape, old_source.shape, old_result.shape), source.elem_type
        if node.op == "Reshape":
            return reshaped(node, source.shape, tuple(int(size) for size in target.data.ravel())), source.elem_type
        return None

    def _data(self, node: Node, values: dict[str, Value], inferred: Inferred) -> list[NDArray[Any]] | None:
        """Numbers of a constant node's outputs, where few and computable."""
        shape = inferred[0][0] if inferred else None
        if node.op in SHAPE_READERS:
            return _shape_numbers(node, values[node.inputs[0]])
        if shape is None or prod(shape) > MAX_FOLDED_ELEMENTS:
            return None
        arrays = [values[name].data if name else None for name in node.inputs]
        if node.op == "ConstantOfShape":
            fill = node.attributes.get("value")
            number = np.zeros(1, np.float32) if fill is None else read_tensor(fill.t, self.folder).data
            return None if number is None or number.size != 1 else [np.full(shape, number.ravel()[0])]
        if node.op == "Reshape":
            return None if arrays[0] is None else [arrays[0].reshape(shape)]
        return fold_constants(node, arrays, [known for known, _ in inferred])

    def _fill_hole(
        self, name: str, shape: tuple[int, ...] | None, elem_type: int
    ) -> tuple[tuple[int, ...] | None, int]:
        stated = self.declared.get(name)
        if shape is None and stated is not None:
            return stated.shape, elem_type or stated.elem_type
        return shape, elem_type


def _is_count(data: NDArray[Any]) -> bool:
    """Whether a Resize or Reshape target gives sizes, not scales."""
    return bool(data.dtype.kind in "iu")


def _reason(node: Node, values: dict[str, Value]) -> str:
    inherited = (values[name].unknown_because for name in node.reads)
    return next((because for because in inherited if because), f"{node.label} does not tell the shape of its output")


def _from_attributes(node: Node, folder: Path) -> list[Value] | None:
    """Value of a Constant node; None for any other."""
    if node.op != "Constant" or not node.is_standard:
        return None
    for key, attribute in node.attributes.items():
        if key == "value":
            return [read_tensor(attribute.t, folder)]
        if key == "sparse_value":
            return [Value(shape=tuple(attribute.sparse_tensor.dims), is_constant=True)]
        if key in ("value_int", "value_ints"):
            return [_literal(attribute.i if key == "value_int" else list(attribute.ints), onnx.TensorProto.INT64)]
        if key in ("value_float", "value_floats"):
            return [_literal(attribute.f if key == "value_float" else list(attribute.floats), onnx.TensorProto.FLOAT)]
    return [Value(shape=None, is_constant=True, unknown_because=f"{node.label} holds no number")]


def _literal(numbers: float | list[int] | list[float], elem_type: int) -> Value:
    array = np.asarray(numbers, dtype=onnx.helper.tensor_dtype_to_np_dtype(elem_type))
    data = array if array.size <= MAX_FOLDED_ELEMENTS else None
    return Value(shape=array.shape, elem_type=elem_type, is_constant=True, data=data)


def _filled_type(node: Node, values: dict[str, Value]) -> tuple[tuple[int, ...] | None, int]:
    sizes = values[node.inputs[0]].data
    fill = node.attributes.get("value")
    elem_type = fill.t.data_type if fill is not None else onnx.TensorProto.FLOAT
    return (None if sizes is None else tuple(int(size) for size in sizes.ravel())), elem_type


def _shape_numbers(node: Node, value: Value) -> list[NDArray[Any]] | None:
    if value.shape is None:
        return None
    if node.op == "Size":
        return [np.asarray(value.words, dtype=np.int64)]
    end = node.integer("end", len(value.shape))
    return [np.asarray(value.shape[node.integer("start", 0) : end], dtype=np.int64)]

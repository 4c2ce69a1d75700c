"""Stored tensors as Values: big ones by shape only, small ones with their numbers.

Called by `propagation.py` for initialisers and Constant nodes.
"""

from math import prod
from pathlib import Path
from typing import Any

import onnx
from numpy.typing import NDArray

from archsim.convert.model_file import resolve_external
from archsim.convert.value import MAX_FOLDED_ELEMENTS, Value, check_shape
from archsim.errors import WorkloadError

FOLDED_TYPES = frozenset(
    {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.BFLOAT16,
        onnx.TensorProto.DOUBLE,
        onnx.TensorProto.BOOL,
        onnx.TensorProto.INT8,
        onnx.TensorProto.INT16,
        onnx.TensorProto.INT32,
        onnx.TensorProto.INT64,
        onnx.TensorProto.UINT8,
        onnx.TensorProto.UINT16,
        onnx.TensorProto.UINT32,
        onnx.TensorProto.UINT64,
    }
)
"""Element types whose numbers shape arithmetic may use."""


def read_initialisers(graph: onnx.GraphProto, folder: Path) -> dict[str, Value]:
    """Values of all stored tensors of a graph, by name.

    Raises
    ------
    WorkloadError
        A tensor's shape is impossible, or its data does not fill it.
    """
    values = {tensor.name: read_tensor(tensor, folder) for tensor in graph.initializer}
    for sparse in graph.sparse_initializer:
        shape = check_shape(f"sparse initialiser {sparse.values.name!r}", tuple(sparse.dims))
        values[sparse.values.name] = Value(shape=shape, elem_type=sparse.values.data_type, is_constant=True)
    return values


def read_tensor(tensor: onnx.TensorProto, folder: Path) -> Value:
    """One stored tensor; its numbers only where they are few.

    Raises
    ------
    WorkloadError
        As `read_initialisers`.
    """
    shape = check_shape(f"stored tensor {tensor.name!r}", tuple(tensor.dims))
    data = None
    if prod(shape) <= MAX_FOLDED_ELEMENTS and tensor.data_type in FOLDED_TYPES:
        data = _read_data(tensor, folder)
    return Value(shape=shape, elem_type=tensor.data_type, is_constant=True, data=data)


def _read_data(tensor: onnx.TensorProto, folder: Path) -> NDArray[Any] | None:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        loaded = _load_external(tensor, folder)
        if loaded is None:
            return None
        tensor = loaded
    try:
        return onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OverflowError) as problem:
        raise WorkloadError(
            f"stored tensor {tensor.name!r}: its data does not fill its shape {tuple(tensor.dims)}. "
            "Export the model again."
        ) from problem


def _load_external(tensor: onnx.TensorProto, folder: Path) -> onnx.TensorProto | None:
    """Copy of the tensor with its data inside; None where the file is not there."""
    path = resolve_external(tensor, folder)
    if not path.is_file():
        return None
    entries = {entry.key: entry.value for entry in tensor.external_data}
    itemsize = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    loaded = onnx.TensorProto(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type)
    try:
        with path.open("rb") as file:
            file.seek(int(entries.get("offset", "0")))
            loaded.raw_data = file.read(prod(tensor.dims) * itemsize)
    except (OSError, ValueError, OverflowError) as problem:
        raise WorkloadError(
            f"stored tensor {tensor.name!r}: its external data cannot be read: {problem}. Copy the model with its data."
        ) from problem
    return loaded

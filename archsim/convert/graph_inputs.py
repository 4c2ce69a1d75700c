"""The graph's real inputs, and how many images a run takes.

Called by `onnx_reader.py`. A real input is one that no initialiser fills.
"""

from dataclasses import dataclass

import onnx

from archsim.convert.value import Value, check_shape
from archsim.errors import WorkloadError

DEFAULT_BATCH = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDim:
    """The batch as the file states it.

    Parameters
    ----------
    images
        Leading size of the first real input; 1 where the file leaves it open.
    is_static
        Whether the file states it as a number.
    symbols
        Names that the file gives to it, e.g. ``batch_size``.
    """

    images: int
    is_static: bool
    symbols: frozenset[str]


def real_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """List the inputs that a user of the network must supply."""
    stored = {tensor.name for tensor in graph.initializer}
    stored.update(tensor.values.name for tensor in graph.sparse_initializer)
    return [item for item in graph.input if item.name not in stored]


def find_batch(inputs: list[onnx.ValueInfoProto]) -> BatchDim:
    """Read the batch off the leading axes of the real inputs."""
    leading = [item.type.tensor_type.shape.dim[0] for item in inputs if item.type.tensor_type.shape.dim]
    symbols = frozenset(dim.dim_param for dim in leading if dim.dim_param)
    is_static = bool(leading) and leading[0].HasField("dim_value")
    images = leading[0].dim_value if is_static else DEFAULT_BATCH
    return BatchDim(images=images, is_static=is_static, symbols=symbols)


def read_inputs(inputs: list[onnx.ValueInfoProto], found: BatchDim, images: int) -> dict[str, Value]:
    """Values of the real inputs with ``images`` as the batch.

    Leading axes that are open, or equal to the file's batch, become ``images``; so does any axis that
    bears the batch's name.

    Raises
    ------
    WorkloadError
        A size is not positive or is absurd.
    """
    return {item.name: _read_input(item, found, images) for item in inputs}


def _read_input(item: onnx.ValueInfoProto, found: BatchDim, images: int) -> Value:
    tensor_type = item.type.tensor_type
    if not item.type.HasField("tensor_type"):
        kind = item.type.WhichOneof("value") or "untyped value"
        return Value(shape=None, unknown_because=f"input {item.name!r} is no tensor but a {kind}")
    if not tensor_type.HasField("shape"):
        return Value(shape=None, elem_type=tensor_type.elem_type, unknown_because=f"input {item.name!r} has no shape")
    sizes = [_size(axis, dim, found, images) for axis, dim in enumerate(tensor_type.shape.dim)]
    known = tuple(size for size in sizes if isinstance(size, int))
    if len(known) < len(sizes):
        shown = ", ".join(map(str, sizes))
        because = f"input {item.name!r} is [{shown}], which leaves sizes open (fix them when exporting)"
        return Value(shape=None, elem_type=tensor_type.elem_type, unknown_because=because)
    if known and min(known) < 1:
        raise WorkloadError(
            f"input {item.name!r} has the shape {'x'.join(map(str, known))}: sizes must be positive. "
            "Export the model with its sizes fixed, or give a batch if only the first is wrong."
        )
    return Value(shape=check_shape(f"input {item.name!r}", known), elem_type=tensor_type.elem_type)


def _size(axis: int, dim: onnx.TensorShapeProto.Dimension, found: BatchDim, images: int) -> int | str:
    if dim.HasField("dim_value"):
        return images if axis == 0 and dim.dim_value == found.images else dim.dim_value
    if axis == 0 or dim.dim_param in found.symbols:
        return images
    return repr(dim.dim_param or "?")

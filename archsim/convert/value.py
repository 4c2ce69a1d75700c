"""What is known of one tensor before it exists: shape, type, and small constants.

Made by `graph_inputs.py`, `initialisers.py` and `propagation.py`; read by the layer builders.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import onnx
from numpy.typing import NDArray

from archsim.errors import WorkloadError

MAX_AXES = 32
MAX_DIM = 2**31 - 1
MAX_TENSOR_WORDS = 2**36
"""Beyond this a shape is taken for a fault of the file."""

MAX_FOLDED_ELEMENTS = 1024
"""Larger constants are known by their shape only."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Value:
    """One tensor of the graph.

    Parameters
    ----------
    shape
        Size of each axis; None where any of them is not known.
    elem_type
        A ``TensorProto.DataType``; 0 = not known, or no tensor.
    is_constant
        Whether it depends on no graph input.
    data
        Its values, for constants of at most 1024 elements whose values are known.
    unknown_because
        Why ``shape`` is None, for error messages.
    """

    shape: Shape | None
    elem_type: int = 0
    is_constant: bool = False
    data: NDArray[Any] | None = None
    unknown_because: str = ""

    @property
    def words(self) -> int:
        """Values that the tensor holds; 0 where the shape is not known. [words]"""
        return prod(self.shape) if self.shape is not None else 0

    @property
    def type_proto(self) -> onnx.TypeProto:
        """What onnx's inference is told of it."""
        proto = onnx.TypeProto()
        if self.elem_type:
            proto.tensor_type.elem_type = self.elem_type
            if self.shape is not None:
                proto.tensor_type.shape.dim.extend(_dims(self.shape))
                if not self.shape:
                    proto.tensor_type.shape.SetInParent()
        return proto


def check_shape(what: str, shape: Shape) -> Shape:
    """Return ``shape`` if a tensor can have it.

    Raises
    ------
    WorkloadError
        An axis is negative or absurdly long, or the tensor is, or it has more than 32 axes.
    """
    shown = "x".join(map(str, shape))
    if len(shape) > MAX_AXES:
        raise WorkloadError(f"{what} has {len(shape)} axes; beyond {MAX_AXES} is refused. Export the model again.")
    if any(size < 0 or size > MAX_DIM for size in shape):
        raise WorkloadError(f"{what} has the shape {shown}: sizes must lie in 0..{MAX_DIM}. Export the model again.")
    if prod(shape) > MAX_TENSOR_WORDS:
        raise WorkloadError(
            f"{what} has the shape {shown}, {prod(shape)} values; beyond {MAX_TENSOR_WORDS} is refused. "
            "Check the model's dimensions."
        )
    return shape


def static_shape(tensor_type: onnx.TypeProto.Tensor) -> Shape | None:
    """Shape that a type states, or None where it leaves any axis open."""
    if not tensor_type.HasField("shape"):
        return None
    dims = tensor_type.shape.dim
    if not all(dim.HasField("dim_value") for dim in dims):
        return None
    return tuple(dim.dim_value for dim in dims)


def _dims(shape: Shape) -> Iterable[onnx.TensorShapeProto.Dimension]:
    return (onnx.TensorShapeProto.Dimension(dim_value=size) for size in shape)

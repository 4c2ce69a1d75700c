"""Small constants computed ahead: the shape arithmetic that exporters leave in a graph.

Called by `propagation.py` for nodes whose inputs are all known numbers. Only outputs of at most 1024
elements are computed; anything else stays known by its shape.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from archsim.convert.node import Node
from archsim.convert.value import MAX_FOLDED_ELEMENTS, Shape

Array = NDArray[Any]
Fold = Callable[[Node, list[Array]], list[Array]]


def fold_constants(node: Node, inputs: list[Array | None], shapes: list[Shape | None]) -> list[Array] | None:
    """Compute a node's outputs over known small inputs; None where archsim cannot.

    Parameters
    ----------
    node
        Of the standard domain.
    inputs
        Values in the node's order; None = omitted, or not known.
    shapes
        Shapes of the outputs.
    """
    fold = FOLDS.get(node.op)
    if fold is None or any(shape is None or prod(shape) > MAX_FOLDED_ELEMENTS for shape in shapes):
        return None
    given = [array for array in inputs if array is not None]
    missing = [name for name, array in zip(node.inputs, inputs, strict=True) if name and array is None]
    if missing or len(given) != len([name for name in node.inputs if name]):
        return None
    try:
        with np.errstate(all="raise"):
            outputs = fold(node, given)
    except (ArithmeticError, ValueError, TypeError, IndexError):
        # a division by zero or a misfit makes no number: whoever needs the value reports it with the node's name
        return None
    fits = len(outputs) >= len(shapes) and all(
        output.shape == shape for output, shape in zip(outputs, shapes, strict=False)
    )
    return outputs if fits else None


def axes_of(node: Node, inputs: list[Array], position: int) -> tuple[int, ...] | None:
    """Read the ``axes`` of a node: an attribute in old opsets, an input in new ones."""
    listed = node.integers("axes")
    if listed is None and len(inputs) > position:
        listed = tuple(int(axis) for axis in inputs[position].ravel())
    return listed


def _unsqueeze(node: Node, inputs: list[Array]) -> list[Array]:
    return [np.expand_dims(inputs[0], axes_of(node, inputs, 1) or ())]


def _squeeze(node: Node, inputs: list[Array]) -> list[Array]:
    return [np.squeeze(inputs[0], axes_of(node, inputs, 1))]


def _slice(node: Node, inputs: list[Array]) -> list[Array]:
    starts, ends = node.integers("starts"), node.integers("ends")
    if starts is None or ends is None:
        starts, ends = inputs[1].tolist(), inputs[2].tolist()
        axes = tuple(inputs[3].tolist()) if len(inputs) > 3 else tuple(range(len(starts)))
    else:
        axes = node.integers("axes") or tuple(range(len(starts)))
    steps = inputs[4].tolist() if len(inputs) > 4 else [1] * len(starts)
    cut: list[slice] = [slice(None)] * inputs[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        last = end if step > 0 or end >= -inputs[0].shape[axis] else None
        cut[axis] = slice(start, last, step)
    return [inputs[0][tuple(cut)]]


def _split(node: Node, inputs: list[Array]) -> list[Array]:
    axis = node.integer("axis", 0)
    sizes = node.integers("split") or (inputs[1].tolist() if len(inputs) > 1 else None)
    if sizes is None:
        return list(np.array_split(inputs[0], len(node.outputs), axis=axis))
    return list(np.split(inputs[0], np.cumsum(sizes)[:-1], axis=axis))


def _cast(node: Node, inputs: list[Array]) -> list[Array]:
    return [inputs[0].astype(onnx.helper.tensor_dtype_to_np_dtype(node.integer("to", onnx.TensorProto.FLOAT)))]


def _divide(node: Node, inputs: list[Array]) -> list[Array]:
    if inputs[0].dtype.kind in "iu":
        quotient = np.floor_divide(np.abs(inputs[0]), np.abs(inputs[1]))  # ONNX cuts towards zero
        return [quotient * np.sign(inputs[0]) * np.sign(inputs[1])]
    return [inputs[0] / inputs[1]]


def _modulo(node: Node, inputs: list[Array]) -> list[Array]:
    return [np.fmod(*inputs) if node.integer("fmod", 0) else np.mod(*inputs)]


def _reduced(kind: Callable[..., Any]) -> Fold:
    def fold(node: Node, inputs: list[Array]) -> list[Array]:
        axes, keeps = axes_of(node, inputs, 1), bool(node.integer("keepdims", 1))
        return [np.asarray(kind(inputs[0], axis=axes or None, keepdims=keeps))]

    return fold


def _folded(kind: Callable[..., Any]) -> Fold:
    return lambda node, inputs: [np.asarray(kind(*inputs))]


def _accumulated(kind: Callable[..., Any]) -> Fold:
    def fold(node: Node, inputs: list[Array]) -> list[Array]:
        total = inputs[0]
        for array in inputs[1:]:
            total = kind(total, array)
        return [np.asarray(total)]

    return fold


FOLDS: dict[str, Fold] = {
    "Abs": _folded(np.abs),
    "Add": _folded(np.add),
    "And": _folded(np.logical_and),
    "Cast": _cast,
    "Ceil": _folded(np.ceil),
    "Concat": lambda node, inputs: [np.concatenate(inputs, axis=node.integer("axis", 1))],
    "Div": _divide,
    "Equal": _folded(np.equal),
    "Expand": lambda node, inputs: [inputs[0] * np.ones(inputs[1].tolist(), inputs[0].dtype)],
    "Flatten": lambda node, inputs: [inputs[0].reshape(prod(inputs[0].shape[: node.integer("axis", 1)]), -1)],
    "Floor": _folded(np.floor),
    "Gather": lambda node, inputs: [np.take(inputs[0], inputs[1], axis=node.integer("axis", 0))],
    "Greater": _folded(np.greater),
    "GreaterOrEqual": _folded(np.greater_equal),
    "Identity": _folded(np.array),
    "Less": _folded(np.less),
    "LessOrEqual": _folded(np.less_equal),
    "Max": _accumulated(np.maximum),
    "Min": _accumulated(np.minimum),
    "Mod": _modulo,
    "Mul": _folded(np.multiply),
    "Neg": _folded(np.negative),
    "Not": _folded(np.logical_not),
    "Or": _folded(np.logical_or),
    "Pow": _folded(np.power),
    "Range": lambda node, inputs: [np.arange(*(array.item() for array in inputs), dtype=inputs[0].dtype)],
    "ReduceMax": _reduced(np.max),
    "ReduceMin": _reduced(np.min),
    "ReduceProd": _reduced(np.prod),
    "ReduceSum": _reduced(np.sum),
    "Round": _folded(np.rint),
    "Slice": _slice,
    "Split": _split,
    "Sqrt": _folded(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _folded(np.subtract),
    "Tile": lambda node, inputs: [np.tile(inputs[0], inputs[1].tolist())],
    "Transpose": lambda node, inputs: [np.transpose(inputs[0], node.integers("perm"))],
    "Unsqueeze": _unsqueeze,
    "Where": _folded(np.where),
}
"""What each operator of shape arithmetic computes."""

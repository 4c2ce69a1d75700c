"""The shape that Reshape makes, also when the batch is not the one the file was exported with.

Called by `propagation.py`. Exporters often write the batch into Reshape targets; under another batch
such a target is scaled, along the axis that carries the batch.
"""

from math import prod

from archsim.convert.node import Node
from archsim.convert.value import Shape


def reshaped(node: Node, shape: Shape, target: Shape) -> Shape:
    """Resolve 0 and -1 in a Reshape target.

    Raises
    ------
    WorkloadError
        The target does not hold as many values as the input.
    """
    allows_zero = bool(node.integer("allowzero", 0))
    sizes = list(target)
    for axis, size in enumerate(sizes):
        if size == 0 and not allows_zero and axis < len(shape):
            sizes[axis] = shape[axis]
    if sizes.count(-1) == 1:
        rest = prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = prod(shape) // rest if rest else 0
    if prod(sizes) != prod(shape) or any(size < 0 for size in sizes):
        raise node.error(
            f"cannot reshape {list(shape)} to {list(target)}: the numbers of values differ. "
            "Export the model again, or run it with the batch it was exported for."
        )
    return tuple(sizes)


def rescaled(node: Node, shape: Shape, old_shape: Shape, old_result: Shape) -> Shape:
    """Shape that a Reshape with a fixed target gives under a new batch.

    Parameters
    ----------
    node
        For the error message.
    shape, old_shape
        Input under the new batch and under the file's batch.
    old_result
        Output under the file's batch.

    Raises
    ------
    WorkloadError
        The new input is no multiple that one axis can take.
    """
    if shape == old_shape:
        return old_result
    axis = _batch_axis(shape, old_shape, old_result)
    result = list(old_result)
    grown = result[axis] * prod(shape) if result else 0
    if not prod(old_shape) or not result or grown % prod(old_shape):
        raise node.error(
            f"its target {list(old_result)} is fixed for an input of {list(old_shape)} and cannot take {list(shape)}. "
            "Run the model with the batch it was exported for."
        )
    result[axis] = grown // prod(old_shape)
    return tuple(result)


def _batch_axis(shape: Shape, old_shape: Shape, old_result: Shape) -> int:
    """Axis of the result into which the input's changed axis goes."""
    if len(shape) != len(old_shape):
        return 0
    changed = next(axis for axis, size in enumerate(shape) if size != old_shape[axis])
    before, after = prod(old_shape[:changed]), old_shape[changed + 1 :]
    prefix = 1
    for axis, size in enumerate(old_result):
        if prefix == before or prefix * size > before:
            # (S, 1, E) to (S, E): what follows the batch is unchanged, so it joins the axis in front
            return axis - 1 if axis and old_result[axis:] == after else axis
        prefix *= size
    return len(old_result) - 1

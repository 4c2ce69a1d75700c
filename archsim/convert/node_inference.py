"""Output types of one node, asked of onnx's own inference functions.

Called by `propagation.py`. Node by node rather than by `onnx.shape_inference.infer_shapes`: big
weights are never copied, another batch needs no edit of the model, and one odd node leaves no hole
behind it.
"""

from functools import cache

import onnx
import onnx.shape_inference

from archsim.convert.node import Node
from archsim.convert.value import Shape, Value, static_shape

SHAPE_KEEPING = frozenset({"GroupNormalization", "MeanVarianceNormalization"})
"""Operators without an inference function in onnx; their first output is shaped as their input."""

_NEW_AXIS_OPS = frozenset({"Flatten", "OneHot", "ConcatFromSequence"})
"""Operators whose axis may lie behind the last."""

_AXIS_KEYS = frozenset({"axis", "batch_dims", "batch_axis", "time_axis"})
"""Attributes that name an axis."""

FLOAT_DATA_OPS = frozenset({"Range", "Resize", "Upsample"})
"""Operators whose output shape hangs on the numbers of a float input."""

_REFUSALS = (
    onnx.shape_inference.InferenceError,
    onnx.checker.ValidationError,
    RuntimeError,
    ValueError,
    IndexError,
    OverflowError,
    MemoryError,
)

_OTHER_FLOATS = frozenset(
    number for name, number in onnx.TensorProto.DataType.items() if "FLOAT" in name and number != onnx.TensorProto.FLOAT
)

Inferred = list[tuple[Shape | None, int]]


class InferenceRefused(Exception):
    """onnx finds the node contradictory; the text says why."""


def infer_outputs(node: Node, values: dict[str, Value], ir_version: int) -> Inferred:
    """(shape or None, element type) of each output.

    Raises
    ------
    InferenceRefused
        The inputs do not fit the operator.
    """
    schema = _schema(node.op, node.opset) if node.is_standard else None
    first = values[node.inputs[0]] if node.inputs and node.inputs[0] else None
    if node.op in SHAPE_KEEPING and first:
        return [(first.shape, first.elem_type)] * len(node.outputs)
    if schema is None or not schema.has_type_and_shape_inference_function:
        return [(None, 0)] * len(node.outputs)
    types = {name: values[name].type_proto for name in node.reads}
    data = _small_data(node, values)
    try:
        inferred = _infer(schema, node, types, data, ir_version=ir_version)
    except InferenceRefused:
        if not any(_is_other_float(proto) for proto in types.values()):
            raise
        # old opsets refuse bfloat16 and the like, which exporters write all the same; shapes do not depend on it
        types = {name: _as_float(proto) for name, proto in types.items()}
        inferred = _infer(schema, node, types, data, ir_version=ir_version)
    return [_known(inferred.get(name)) for name in node.outputs]


def check_arity(node: Node) -> None:
    """Hold a standard node to the inputs and outputs that its operator has.

    Raises
    ------
    WorkloadError
        Too few or too many, or a required one has no name.
    """
    schema = _schema(node.op, node.opset) if node.is_standard else None
    if schema is None:
        return
    for what, names, least, most in (
        ("inputs", node.inputs, schema.min_input, schema.max_input),
        ("outputs", node.outputs, schema.min_output, schema.max_output),
    ):
        if not least <= len(names) <= most or "" in names[:least]:
            raise node.error(f"has {what} {list(names)}; the operator takes {least} to {most}. Export the model again.")
    if node.op == "Split" and node.integer("num_outputs", len(node.outputs)) != len(node.outputs):
        raise node.error(f"num_outputs is not the number of its outputs, {len(node.outputs)}. Export the model again.")


def check_axes(node: Node, values: dict[str, Value]) -> None:
    """Hold the axes that a node names to the rank of its first input: onnx reads beyond its memory otherwise.

    Raises
    ------
    WorkloadError
        An axis lies outside.
    """
    first = values[node.inputs[0]].shape if node.inputs and node.inputs[0] else None
    if first is None or not node.is_standard:
        return
    room = len(first) + 1 if node.op in _NEW_AXIS_OPS else len(first)
    for key in _AXIS_KEYS & node.attributes.keys():
        axis = node.integer(key, 0)
        if not (-room <= axis < room if key == "axis" else 0 <= axis < room):
            raise node.error(f"{key} {axis} lies outside its input, {list(first)}. Export the model again.")


def _infer(
    schema: onnx.defs.OpSchema,
    node: Node,
    types: dict[str, onnx.TypeProto],
    data: dict[str, onnx.TensorProto],
    *,
    ir_version: int,
) -> dict[str, onnx.TypeProto]:
    try:
        return onnx.shape_inference.infer_node_outputs(
            schema,
            node.proto,
            types,
            input_data=data,
            opset_imports=[onnx.OperatorSetIdProto(domain="", version=node.opset)],
            ir_version=ir_version,
        )
    except _REFUSALS as problem:
        raise InferenceRefused((str(problem).splitlines() or [type(problem).__name__])[0]) from problem


def _is_other_float(proto: onnx.TypeProto) -> bool:
    return proto.tensor_type.elem_type in _OTHER_FLOATS


def _as_float(proto: onnx.TypeProto) -> onnx.TypeProto:
    if _is_other_float(proto):
        proto.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return proto


def _small_data(node: Node, values: dict[str, Value]) -> dict[str, onnx.TensorProto]:
    wanted = "iubf" if node.op in FLOAT_DATA_OPS else "iub"
    given = ((name, values[name].data) for name in node.inputs if name)
    return {
        name: onnx.numpy_helper.from_array(data)
        for name, data in given
        if data is not None and data.dtype.kind in wanted
    }


def _known(inferred: onnx.TypeProto | None) -> tuple[Shape | None, int]:
    if inferred is None or not inferred.HasField("tensor_type"):
        return None, 0
    return static_shape(inferred.tensor_type), inferred.tensor_type.elem_type


@cache
def _schema(op: str, opset: int) -> onnx.defs.OpSchema | None:
    try:
        return onnx.defs.get_schema(op, opset, "")
    except onnx.defs.SchemaError:  # not an operator of this opset: the caller leaves it uncosted
        return None

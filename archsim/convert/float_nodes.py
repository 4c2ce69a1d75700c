"""ONNX operators into nodes of a float network: one builder per operator, and one dict of them.

Called by `float_reader.py`. A builder returns no node where the operator changes no value.
"""

from collections.abc import Callable
from math import prod

import numpy as np
import onnx

from archsim.convert.float_facts import FloatFacts, Nodes, real
from archsim.convert.float_network import FloatAdd, FloatArray, FloatBatchNorm, FloatFlatten, FloatRelu
from archsim.convert.float_pools import make_average_pool, make_global_average, make_max_pool, make_mean
from archsim.convert.float_products import make_conv_node, make_gemm_node, make_matmul_node

_FLOAT_MAX = float(np.finfo(np.float32).max)


def build_nodes(told: FloatFacts) -> Nodes:
    """Float nodes of one operator; none where it changes no value.

    Raises
    ------
    WorkloadError
        The converter cannot quantise the operator, or its weights are not there.
    """
    build = BUILDERS.get(told.node.op) if told.node.is_standard else None
    if build is None:
        raise told.refuse()
    return build(told)


def _batchnorm(told: FloatFacts) -> Nodes:
    if told.node.integer("training_mode", 0):
        raise told.node.error("is in training mode. Export the model for inference (model.eval() in PyTorch).")
    if len(told.ifmap) not in (2, 4):
        raise told.refuse(f"its input is {list(told.ifmap)}")
    scale, shift, mean, variance = (told.stored(position).ravel() for position in range(1, 5))
    if (variance < 0).any():
        raise told.node.error("a variance is negative. Train or export the model again.")
    epsilon = real(told.node, "epsilon", 1e-5)
    return (
        FloatBatchNorm(
            name=told.name,
            sources=told.sources,
            scale=scale,
            shift=shift,
            mean=mean,
            variance=variance,
            epsilon=epsilon,
        ),
    )


def _relu(told: FloatFacts) -> Nodes:
    return (FloatRelu(name=told.name, sources=told.sources),)


def _clip(told: FloatFacts) -> Nodes:
    low, high = (_limit(told, position, key) for position, key in ((1, "min"), (2, "max")))
    if low != 0 or (high is not None and high < _FLOAT_MAX):
        shown = ["none" if limit is None else f"{limit:g}" for limit in (low, high)]
        raise told.refuse(f"its limits are {shown[0]} and {shown[1]}, those of a relu are 0 and none")
    return _relu(told)


def _limit(told: FloatFacts, position: int, key: str) -> float | None:
    found = told.node.attributes.get(key)
    if found is not None:
        return found.f
    name = told.node.inputs[position] if position < len(told.node.inputs) else ""
    numbers = told.constants.raw(name)
    if name and (numbers is None or numbers.size != 1):
        raise told.refuse(f"its limit {name!r} is no stored number")
    return None if numbers is None else float(numbers.ravel()[0])


def _add(told: FloatFacts) -> Nodes:
    if len(told.makers) != 2:
        raise told.refuse(f"it adds {len(told.makers)} tensors")
    if len(told.sources) == 1:
        return _affine(told, np.ones(1), _per_channel(told))
    if told.facts.shape(0) != told.facts.shape(1):
        raise told.refuse(f"it adds {list(told.facts.shape(0))} and {list(told.facts.shape(1))}")
    return (FloatAdd(name=told.name, sources=told.sources),)


def _subtract(told: FloatFacts) -> Nodes:
    if len(told.sources) != 1 or told.makers[0] is None:
        raise told.refuse("it subtracts what is computed from the image")
    return _affine(told, np.ones(1), -_per_channel(told))


def _multiply(told: FloatFacts) -> Nodes:
    if len(told.sources) != 1:
        raise told.refuse("both its factors are computed from the image")
    return _affine(told, _per_channel(told), np.zeros(1))


def _divide(told: FloatFacts) -> Nodes:
    if len(told.sources) != 1 or told.makers[0] is None:
        raise told.refuse("it divides by what is computed from the image")
    divisor = _per_channel(told)
    if not divisor.all():
        raise told.node.error("it divides by zero. Export the model again.")
    return _affine(told, 1 / divisor, np.zeros(1))


def _per_channel(told: FloatFacts) -> FloatArray:
    """Return the constant operand, one number per channel or one for all."""
    position = told.makers.index(None)
    numbers = told.stored(position)
    shape = told.facts.shape(1 - position)
    aligned = numbers.reshape(*(1,) * (len(shape) - numbers.ndim), *numbers.shape)
    if len(shape) not in (2, 4) or aligned.size not in (1, shape[1]) or aligned.shape[1] != aligned.size:
        raise told.refuse(f"its stored operand {list(numbers.shape)} is not one number per channel of {list(shape)}")
    return numbers.ravel()


def _affine(told: FloatFacts, gain: FloatArray, shift: FloatArray) -> Nodes:
    """Return a batch norm that only scales and shifts; none where it does neither."""
    if (gain == 1).all() and not shift.any():
        return ()
    channels = told.ofmap[1]
    return (
        FloatBatchNorm(
            name=told.name,
            sources=told.sources,
            scale=np.broadcast_to(gain, channels).copy(),
            shift=np.broadcast_to(shift, channels).copy(),
            mean=np.zeros(channels),
            variance=np.ones(channels),
            epsilon=0.0,
        ),
    )


def _view(told: FloatFacts) -> Nodes:
    if told.ofmap == told.ifmap:
        return ()
    if told.ofmap != (1, prod(told.ifmap)):
        raise told.refuse(f"it turns {list(told.ifmap)} into {list(told.ofmap)}")
    return (FloatFlatten(name=told.name, sources=told.sources),)


def _nothing(told: FloatFacts) -> Nodes:
    if any(told.facts.written[1:]):
        raise told.refuse("its second output is read")
    return ()


def _cast(told: FloatFacts) -> Nodes:
    kind = told.facts.outputs[0].elem_type
    if kind not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
        raise told.refuse(f"it casts to {onnx.TensorProto.DataType.Name(kind)}")
    return ()


def _softmax(told: FloatFacts) -> Nodes:
    if not told.is_final:
        raise told.refuse("it is not the last operator")
    axis = told.node.integer("axis", -1 if told.node.opset >= 13 else 1)
    if len(told.ifmap) != 2 or axis % 2 != 1:
        raise told.refuse(f"it runs along axis {axis} of {list(told.ifmap)}, not along the classes")
    return ()


BUILDERS: dict[str, Callable[[FloatFacts], Nodes]] = {
    "Add": _add,
    "AveragePool": make_average_pool,
    "BatchNormalization": _batchnorm,
    "Cast": _cast,
    "CastLike": _cast,
    "Clip": _clip,
    "Conv": make_conv_node,
    "Div": _divide,
    "Dropout": _nothing,
    "Flatten": _view,
    "Gemm": make_gemm_node,
    "GlobalAveragePool": make_global_average,
    "Identity": _nothing,
    "LogSoftmax": _softmax,
    "MatMul": make_matmul_node,
    "MaxPool": make_max_pool,
    "Mul": _multiply,
    "ReduceMean": make_mean,
    "Relu": _relu,
    "Reshape": _view,
    "Softmax": _softmax,
    "Squeeze": _view,
    "Sub": _subtract,
    "Sum": _add,
}
"""Operator of the ONNX standard -> what makes its float nodes."""

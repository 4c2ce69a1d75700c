"""Convolutions: node into ConvLayer, or into a product and a scatter for the transposed kind.

Called by `onnx_reader.py` through `array_ops.py`.
"""

from dataclasses import dataclass
from math import prod

from archsim.convert.layer_facts import LayerFacts
from archsim.convert.value import Shape
from archsim.workload.layer import ConvLayer, MatmulLayer, VectorLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    kernel: Shape
    stride: Shape
    dilation: Shape
    padding: tuple[tuple[int, int], ...]


def make_conv(facts: LayerFacts) -> tuple[ConvLayer]:
    """Conv and ConvInteger: inputs X, W, ...

    Raises
    ------
    WorkloadError
        A shape is not known, or the filters do not fit the ifmap.
    """
    return _conv(facts, 1)


def make_quantised_conv(facts: LayerFacts) -> tuple[ConvLayer]:
    """QLinearConv: the filters are its fourth input. Raises as `make_conv`."""
    return _conv(facts, 3)


def make_transposed_conv(facts: LayerFacts) -> tuple[MatmulLayer, VectorLayer]:
    """ConvTranspose: each ifmap pixel times all filters, then the products added into the ofmap.

    The MACs are those of the whole product, values that padding crops away included.

    Raises
    ------
    WorkloadError
        A shape is not known, or the filters do not fit the ifmap.
    """
    shape, filters = facts.shape(0), facts.shape(1)
    groups = facts.node.integer("group", 1)
    if len(shape) < 3 or len(filters) != len(shape) or filters[0] != shape[1] or groups < 1 or shape[1] % groups:
        raise facts.node.error(
            f"filters {list(filters)} in {groups} groups do not fit the ifmap {list(shape)}. Export the model again."
        )
    product = MatmulLayer(
        name=facts.name,
        op="conv_transpose",
        batches=groups,
        rows=shape[0] * prod(shape[2:]),
        inner=shape[1] // groups,
        columns=prod(filters[1:]),
        sources=facts.sources,
    )
    scatter = VectorLayer(
        name=f"{facts.name}.scatter",
        op="scatter_add",
        lane_ops=product.ofmap_words,
        ifmap_words=product.ofmap_words,
        ofmap_words=facts.ofmap_words,
        sources=(facts.name,),
    )
    return product, scatter


def _conv(facts: LayerFacts, filter_input: int) -> tuple[ConvLayer]:
    shape, filters = facts.shape(0), facts.shape(filter_input)
    groups = facts.node.integer("group", 1)
    if len(shape) < 3 or len(filters) != len(shape) or filters[1] * groups != shape[1]:
        raise facts.node.error(
            f"filters {list(filters)} in {groups} groups do not fit the ifmap {list(shape)}. Export the model again."
        )
    window = _window(facts, shape[2:], filters[2:])
    layer = ConvLayer(
        name=facts.name,
        batch=shape[0],
        in_channels=shape[1],
        out_channels=filters[0],
        groups=groups,
        ifmap=shape[2:],
        kernel=window.kernel,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        sources=facts.sources,
    )
    return (layer,)


def _window(facts: LayerFacts, ifmap: Shape, kernel: Shape) -> _Window:
    node, axes = facts.node, len(ifmap)
    stated = node.integers("kernel_shape")
    if stated is not None and stated != kernel:
        raise node.error(f"kernel_shape {list(stated)} is not that of its filters, {list(kernel)}. Export it again.")
    stride = node.integers("strides") or (1,) * axes
    dilation = node.integers("dilations") or (1,) * axes
    if len(stride) != axes or len(dilation) != axes or min(*stride, *dilation) < 1:
        raise node.error(
            f"strides {list(stride)} and dilations {list(dilation)} must be {axes} positive numbers each. "
            "Export the model again."
        )
    padding = _padding(facts, ifmap, _Window(kernel=kernel, stride=stride, dilation=dilation, padding=()))
    return _Window(kernel=kernel, stride=stride, dilation=dilation, padding=padding)


def _padding(facts: LayerFacts, ifmap: Shape, window: _Window) -> tuple[tuple[int, int], ...]:
    node, axes = facts.node, len(ifmap)
    how = node.text("auto_pad", "NOTSET") or "NOTSET"
    if how == "NOTSET":
        pads = node.integers("pads") or (0,) * (2 * axes)
        if len(pads) != 2 * axes:
            raise node.error(f"pads {list(pads)} must be {2 * axes} numbers. Export the model again.")
        return tuple(zip(pads[:axes], pads[axes:], strict=True))
    if how == "VALID":
        return ((0, 0),) * axes
    if how not in ("SAME_UPPER", "SAME_LOWER"):
        raise node.error(f"auto_pad {how!r} is none of NOTSET, VALID, SAME_UPPER, SAME_LOWER. Export the model again.")
    sizes = zip(ifmap, window.kernel, window.stride, window.dilation, strict=True)
    return tuple(_same_padding(*axis, is_upper=how == "SAME_UPPER") for axis in sizes)


def _same_padding(size: int, kernel: int, stride: int, dilation: int, *, is_upper: bool) -> tuple[int, int]:
    """Pad so that there are ceil(size / stride) windows; the odd one goes after (upper) or before."""
    windows = -(-size // stride)
    total = max((windows - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    less, more = total // 2, total - total // 2
    return (less, more) if is_upper else (more, less)

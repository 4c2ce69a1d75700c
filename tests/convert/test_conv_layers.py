from typing import Any

import numpy as np
import pytest
from onnx import helper

from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer, MatmulLayer, VectorLayer


def read_conv(models: Any, ifmap: list[int], filters: list[int], **attributes: Any) -> ConvLayer:
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv", **attributes)
    layer = models.read([node], {"x": ifmap}, {"w": filters}).layers[0]
    assert isinstance(layer, ConvLayer)
    return layer


@pytest.mark.parametrize(
    ("how", "sizes", "padding", "ofmap"),
    [
        # sizes: ifmap, kernel, stride, dilation
        # ceil(5 / 2) = 3 windows span (3 - 1) * 2 + 3 = 7: 2 more than 5, one each side
        ("SAME_UPPER", (5, 3, 2, 1), (1, 1), 3),
        # ceil(6 / 2) = 3 windows span 7: 1 more than 6, after or before
        ("SAME_UPPER", (6, 3, 2, 1), (0, 1), 3),
        ("SAME_LOWER", (6, 3, 2, 1), (1, 0), 3),
        # kernel 2 spread by 2 spans 3: 6 windows span 8
        ("SAME_UPPER", (6, 2, 1, 2), (1, 1), 6),
        # even kernel: 6 windows span 9, 3 more
        ("SAME_LOWER", (6, 4, 1, 1), (2, 1), 6),
        # stride beyond the kernel: 2 windows span 5, nothing to add to 7
        ("SAME_UPPER", (7, 1, 4, 1), (0, 0), 2),
        ("VALID", (6, 3, 2, 1), (0, 0), 2),
    ],
)
def test_auto_pad(
    models: Any, how: str, sizes: tuple[int, int, int, int], padding: tuple[int, int], ofmap: int
) -> None:
    size, kernel, stride, dilation = sizes
    layer = read_conv(models, [1, 2, size], [4, 2, kernel], auto_pad=how, strides=[stride], dilations=[dilation])
    assert layer.padding == (padding,)
    assert layer.ofmap == (ofmap,)


def test_asymmetric_pads_are_befores_then_afters(models: Any) -> None:
    layer = read_conv(models, [1, 3, 8, 9], [4, 3, 3, 3], pads=[0, 1, 2, 3])
    assert layer.padding == ((0, 2), (1, 3))
    assert layer.ofmap == (8, 11)


def test_dilation_spreads_the_kernel(models: Any) -> None:
    # a kernel of 3 spread by 2 spans 5
    assert read_conv(models, [1, 3, 8, 8], [4, 3, 3, 3], dilations=[2, 2]).ofmap == (4, 4)


def test_groups_divide_the_window(models: Any) -> None:
    layer = read_conv(models, [2, 6, 8, 8], [4, 3, 3, 3], group=2)
    # 2 images x 36 pixels x 4 filters x 27 values
    assert (layer.groups, layer.macs) == (2, 2 * 36 * 4 * 27)


def test_depthwise_is_one_channel_per_group(models: Any) -> None:
    layer = read_conv(models, [1, 6, 8, 8], [12, 1, 3, 3], group=6)
    assert layer.groups == layer.in_channels > 1
    assert layer.macs == 36 * 12 * 9


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_one_to_three_spatial_axes(models: Any, axes: int) -> None:
    layer = read_conv(models, [1, 2] + [5] * axes, [3, 2] + [3] * axes, strides=[2] * axes)
    assert layer.ofmap == (2,) * axes


def test_stored_weights_of_a_quantised_conv_are_its_fourth_input(models: Any) -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("QLinearConv", ["q", "s", "z", "w", "s", "z", "s", "z"], ["y"]),
    ]
    constants = {"z": np.uint8(0), "w": np.zeros((4, 3, 3, 3), np.uint8)}
    workload = models.read(nodes, {"x": [1, 3, 8, 8]}, {"s": []}, constants=constants)
    assert workload.macs == 36 * 4 * 27
    assert any("requantisation" in sentence for sentence in workload.assumptions)


def test_transposed_conv_is_a_product_and_a_scatter(models: Any) -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], name="up", strides=[2, 2], group=2)
    product, scatter = models.read([node], {"x": [1, 4, 5, 5]}, {"w": [4, 3, 2, 2]}).layers
    assert isinstance(product, MatmulLayer)
    assert isinstance(scatter, VectorLayer)
    # 25 pixels x 2 channels x (3 filters x 4 taps), twice
    assert (product.batches, product.rows, product.inner, product.columns) == (2, 25, 2, 12)
    # 600 products go into 6 channels of 10 x 10
    assert (scatter.name, scatter.sources) == ("up.scatter", ("up",))
    assert (scatter.lane_ops, scatter.ifmap_words, scatter.ofmap_words) == (600, 600, 600)


def test_reader_of_a_transposed_conv_reads_the_scatter(models: Any) -> None:
    nodes = [helper.make_node("ConvTranspose", ["x", "w"], ["a"], name="up"), helper.make_node("Relu", ["a"], ["y"])]
    assert models.read(nodes, {"x": [1, 4, 5, 5]}, {"w": [4, 3, 2, 2]}).layers[2].sources == ("up.scatter",)


@pytest.mark.parametrize(
    ("ifmap", "filters", "attributes", "message"),
    [
        ([1, 3, 8, 8], [4, 2, 3, 3], {}, r"node 'conv' \(Conv\)"),
        ([1, 3, 2, 2], [4, 3, 3, 3], {}, r"node 'conv' \(Conv\)"),
        ([1, 3, 8, 8], [4, 3, 3, 3], {"strides": [0, 1]}, r"node 'conv' \(Conv\)"),
        ([1, 3, 8, 8], [4, 3, 3, 3], {"pads": [1, 1]}, r"node 'conv' \(Conv\)"),
        ([1, 3, 8, 8], [4, 3, 3, 3], {"auto_pad": "SAME"}, "none of NOTSET"),
        ([1, 3, 8, 8], [4, 3, 3, 3], {"kernel_shape": [5, 5]}, r"node 'conv' \(Conv\)"),
        ([1, 2, 5, 5, 5, 5], [3, 2, 3, 3, 3, 3], {}, "4 spatial axes"),
    ],
)
def test_contradictions_name_the_node(
    models: Any, ifmap: list[int], filters: list[int], attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkloadError, match=message):
        read_conv(models, ifmap, filters, **attributes)

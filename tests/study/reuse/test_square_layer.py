"""What the study takes from a workload."""

from dataclasses import replace

import pytest

from archsim.catalog import load_workload
from archsim.errors import WorkloadError
from archsim.study.reuse.square_layer import SquareLayer, square_layers, with_images
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.network import Workload
from tests.study.reuse.reuse_cases import small_layer

CONV = ConvLayer(name="conv", in_channels=4, out_channels=6, ifmap=(9, 9), kernel=(3, 3), stride=(2, 2),
                 padding=((1, 1), (1, 1)), dilation=(1, 1), groups=2)  # fmt: skip
FC = MatmulLayer(name="fc", rows=2, inner=150, columns=7)


def taken(*layers: ConvLayer | MatmulLayer) -> tuple[SquareLayer, ...]:
    return square_layers(Workload(name="net", layers=layers))


def test_alexnet_has_the_shapes_of_the_paper() -> None:
    layers = square_layers(load_workload("alexnet"))
    shapes = [
        (layer.groups, layer.channels, layer.filters, layer.ifmap_side, layer.kernel, layer.ofmap_side, layer.stride)
        for layer in layers
    ]
    assert shapes == [
        (1, 3, 96, 227, 11, 55, 4), (2, 48, 128, 31, 5, 27, 1), (1, 256, 384, 15, 3, 13, 1),
        (2, 192, 192, 15, 3, 13, 1), (2, 192, 128, 15, 3, 13, 1),
        (1, 256, 4096, 6, 6, 1, 1), (1, 4096, 4096, 1, 1, 1, 1), (1, 4096, 1000, 1, 1, 1, 1),
    ]  # fmt: skip
    assert [layer.is_fully_connected for layer in layers] == [False] * 5 + [True] * 3


@pytest.mark.parametrize("network", ["alexnet", "vgg16", "mobilenet_v1"])
def test_macs_weights_and_ofmaps_are_those_of_the_workload(network) -> None:
    workload = load_workload(network)
    array_layers = [layer for layer in workload.layers if isinstance(layer, ConvLayer | MatmulLayer)]
    for taken_layer, layer in zip(square_layers(workload), array_layers, strict=True):
        counts = (taken_layer.macs, taken_layer.weight_words, taken_layer.ofmap_words)
        assert counts == (layer.macs, layer.weight_words, layer.ofmap_words), layer.name


def test_a_product_behind_feature_maps_covers_their_planes() -> None:
    conv, fc = taken(CONV, FC)  # 6 ofmap channels of 5 x 5 = 150
    assert (conv.channels, conv.filters, conv.ifmap_side, conv.ofmap_side) == (2, 3, 11, 5)
    assert (fc.channels, fc.kernel, fc.ifmap_side, fc.batch) == (6, 5, 5, 2)


def test_a_product_that_is_no_whole_planes_has_planes_of_one_word() -> None:
    assert [(fc.channels, fc.kernel) for fc in taken(FC)] == [(150, 1)]
    assert taken(CONV, replace(FC, inner=151))[1].channels == 151


@pytest.mark.parametrize(
    "layer",
    [
        replace(CONV, kernel=(3, 1)),
        replace(CONV, dilation=(2, 2)),
        replace(CONV, padding=((1, 1), (0, 0))),
        replace(FC, batches=2),
    ],
)
def test_what_is_not_square_or_has_no_weights_is_refused_by_name(layer) -> None:
    with pytest.raises(WorkloadError, match=f"layer '{layer.name}'"):
        taken(layer)


def test_images_multiply_all_but_the_weights() -> None:
    one, many = small_layer(batch=1), with_images(small_layer(batch=1), 5)
    assert (many.macs, many.ifmap_words, many.ofmap_words) == (5 * one.macs, 5 * one.ifmap_words, 5 * one.ofmap_words)
    assert many.weight_words == one.weight_words


def test_sizes_that_make_no_layer_are_refused() -> None:
    with pytest.raises(WorkloadError, match=r"filters \(=0\)"):
        small_layer(filters=0)
    with pytest.raises(WorkloadError, match="4 windows do not lie in 5 words"):
        small_layer(ifmap_side=5)

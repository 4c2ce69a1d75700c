"""Codes of weights, and what each layer of the converted network says."""

from pathlib import Path

import numpy as np
import pytest

from archsim.catalog import find_model
from archsim.convert.cluster import ClusterRequest
from archsim.convert.image_files import read_images
from archsim.convert.pipeline import Images, convert_model
from archsim.convert.prune import parse_prune
from archsim.convert.weight_codes import code_weights
from archsim.errors import WorkloadError
from archsim.numerics.format_grammar import parse_format
from archsim.terms import CalibrationMethod, WeightScales
from archsim.workload.coded_network import CodedAdd, CodedFlatten, CodedPool, CodedProduct, CodedRelu
from tests.convert.fake_quant import converted, recipe
from tests.convert.odd_networks import ODD
from tests.convert.small_networks import conv, normal

SPREAD = conv("spread", "", (4, 3, 3, 3))
SPREAD.weight[...] *= np.array([1, 0.1, 0.01, 3])[:, None, None, None]


def error_of(fmt: str, **how: object) -> float:
    coded = code_weights(SPREAD, parse_format(fmt), recipe(fmt, **how), None)
    return float(((coded.values - SPREAD.weight) ** 2).sum())


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8, 12, 16])
@pytest.mark.parametrize("method", [CalibrationMethod.MSE, CalibrationMethod.MAX])
def test_a_scale_per_channel_is_no_worse_than_one_per_tensor(bits: int, method: CalibrationMethod) -> None:
    per_channel, per_tensor = (
        error_of(f"int{bits}", weight_scales=scales, calibration=method)
        for scales in (WeightScales.CHANNEL, WeightScales.TENSOR)
    )
    assert per_channel <= per_tensor


@pytest.mark.parametrize("fmt", ["int4", "int8", "fp8_e4m3", "lns8"])
@pytest.mark.parametrize("scales", WeightScales)
def test_mse_is_no_worse_than_max(fmt: str, scales: WeightScales) -> None:
    chosen = [error_of(fmt, weight_scales=scales, calibration=method)
              for method in (CalibrationMethod.MSE, CalibrationMethod.MAX)]  # fmt: skip
    assert chosen[0] <= chosen[1]


@pytest.mark.parametrize("fmt", ["int8", "int2", "fx<8,3>", "ternary", "lns8", "fp8_e4m3"])
def test_what_shares_a_scale_and_where_codes_lie(fmt: str) -> None:
    coded = code_weights(SPREAD, parse_format(fmt), recipe(fmt), None)
    per_channel = fmt.startswith("int") or fmt == "ternary"
    assert coded.exponents.shape == ((4,) if per_channel else ())
    if fmt.startswith(("int", "fx")):
        assert coded.format.lowest_code <= coded.codes.min() <= coded.codes.max() <= coded.format.highest_code
    if fmt == "fx<8,3>":
        assert coded.exponents == 0
    if fmt == "ternary":
        assert set(np.unique(coded.codes)) <= {-1, 0, 1}


def test_a_channel_of_zeros() -> None:
    dead = conv("dead", "", (3, 2, 3, 3))
    dead.weight[1] = 0
    for fmt in ("int8", "lns8", "fx<8,3>", "ternary", "fp8_e4m3"):
        coded = code_weights(dead, parse_format(fmt), recipe(fmt), None)
        assert (coded.codes[1] == coded.format.zero_code).all()
        assert not coded.values[1].any()
    with pytest.raises(
        WorkloadError,
        match=r"^layer 'dead': all weights of output channel 1 are zero, which binary cannot write. "
        r"Use ternary, or prune no whole channels$",
    ):
        code_weights(dead, parse_format("binary"), recipe("binary"), None)


def test_kernels_of_a_codebook_share_a_scale_and_stay_equal() -> None:
    book = normal(5, 3, 3) * np.array([1, 0.01, 3, 0.1, 1])[:, None, None]
    node = conv("shared", "", (4, 3, 3, 3))
    pointers = np.random.default_rng(0).integers(0, 5, (4, 3))
    node.weight[...] = book[pointers]
    coded = code_weights(node, parse_format("int8"), recipe("int8"), book)
    assert coded.exponents.shape == ()
    table = parse_format("int8").encode(book, int(coded.exponents))
    assert np.array_equal(coded.codes, table[pointers])


def test_each_node_becomes_its_layer(tmp_path: Path) -> None:
    found = converted(tmp_path, ODD["relu behind a max pool"](), recipe("int8")).coded
    assert [type(layer) for layer in found.layers] == [CodedProduct, CodedPool, CodedRelu, CodedFlatten, CodedProduct]
    assert found.layers[0].output == found.layers[1].output  # a maximum moves codes
    assert found.layers[-1].output.format is None
    assert not found.layers[0].output.relu
    added = converted(tmp_path, ODD["two scales added"](), recipe("int8")).coded
    total = next(layer for layer in added.layers if isinstance(layer, CodedAdd))
    assert total.output.relu
    scales = {added.outputs[source].exponent for source in total.sources}
    assert len(scales) == 2


def test_clustered_layers_point_to_codebooks() -> None:
    asked = recipe("int8", clusters=ClusterRequest(entries=4), prune=parse_prune("magnitude:0.5"))
    found = convert_model(find_model("digits_cnn"), asked, Images(calibration=read_images("digits:train:5")))
    layers = {layer.name: layer for layer in found.coded.products}
    assert [name for name, layer in layers.items() if layer.clusters] == ["conv2", "conv3"]
    for layer in (layers["conv2"], layers["conv3"]):
        assert (layer.clusters.codebook, layer.clusters.entries, layer.clusters.pointer_bits) == ("network_3x3", 4, 2)
    kernels = np.concatenate([layers[name].weight.codes.reshape(-1, 9) for name in ("conv2", "conv3")])
    assert len(np.unique(kernels, axis=0)) == 4
    for name, mask in found.masks.items():
        assert not layers[name].weight.codes[~mask].any()

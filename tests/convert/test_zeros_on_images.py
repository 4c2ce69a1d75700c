"""Zeros of real images: against another program's counts, and against all values held at once."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from archsim.catalog import load_workload, workload_path
from archsim.convert import zeros_on_images
from archsim.convert.float_network import FloatNetwork
from archsim.convert.float_reader import read_float_network
from archsim.convert.float_run import run_float, run_node
from archsim.convert.image_files import ImageSet, read_images
from archsim.convert.zeros_on_images import masks_of_codes, masks_of_floats
from archsim.engine.bit_true import encode_images, run_bit_true
from archsim.errors import WorkloadError
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.link_code import count_zeros
from archsim.terms import Operand
from archsim.workload.coded_store import read_converted
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.mask_statistics import statistics_of
from tests.convert.float_models import mnist_folder, weights, write_model

with (Path(__file__).parents[1] / "golden/mask_statistics_mnist.csv").open(newline="", encoding="utf-8") as _file:
    GOLDEN = list(csv.DictReader(_file))
FRACTIONS = [name for name in GOLDEN[0] if "fraction" in name]
CONV = ConvLayer(
    name="c", in_channels=1, out_channels=1, ifmap=(1, 1), kernel=(1, 1), stride=(1, 1), padding=((0, 0), (0, 0)),
    dilation=(1, 1),
)  # fmt: skip


@pytest.fixture(scope="module")
def mnist() -> ImageSet:
    return read_images(f"{mnist_folder()}:test:5000")


@pytest.fixture(scope="module")
def tensors(mnist: ImageSet) -> dict[tuple[str, str], np.ndarray]:
    """(network, format) -> masks of all tensors; the format is that of what comes out of each convolution, half to even."""
    found = {}
    for name, fmt in dict.fromkeys((row["network"], row["format"]) for row in GOLDEN):
        network = read_float_network(workload_path(name))
        parts = [dict(_run(network, mnist.values[start : start + 500], fmt)) for start in range(0, len(mnist), 500)]
        found |= {(name, fmt, key): np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return found


def _run(network: FloatNetwork, images: np.ndarray, fmt: str) -> Iterator[tuple[str, np.ndarray]]:
    known = None if fmt == "float" else parse_format(fmt)
    written = {node.sources[0] for node in network.nodes if type(node).__name__ == "FloatRelu"}
    values = {"": images}
    yield "", images != 0 if known is None else known.encode(images) != 0
    for node in network.nodes:
        values[node.name] = run_node(node, [values[source] for source in node.sources])
        if known is not None and node.name in written:
            values[node.name] = known.decode(known.encode(values[node.name]))
        yield node.name, values[node.name] != 0


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['network']}-{row['tensor']}-{row['format']}")
def test_the_mnist_networks_have_the_published_zeros(row: dict[str, str], tensors: dict) -> None:
    mask = tensors[row["network"], row["format"], row["tensor"]]
    assert row["from_memory"] == "False"
    assert len(mask) == int(row["images"])
    found = statistics_of(mask, CONV)
    for name in FRACTIONS:
        published = float(row[name]) if row[name] else None
        assert getattr(found, name) == pytest.approx(published, abs=0.5e-4 + 1e-9), name
    # the file's runs are those of the first 200 images, in float32: a value or two may fall on the other side of zero
    assert statistics_of(mask[:200], CONV).mean_zero_run == pytest.approx(float(row["mean_zero_run"]), abs=1e-4)


@pytest.mark.parametrize("name", ["mnist_webinar", "mnist_big_bn"])
def test_masks_of_a_float_network_are_what_its_layers_read(name: str, mnist: ImageSet) -> None:
    images, path = mnist.first(130), workload_path(name)  # two parts
    network, workload = read_float_network(path), load_workload(path, batch=130)
    masks = masks_of_floats(network, workload, images)
    values = run_float(network, images.values)
    products = [layer for layer in workload.layers if isinstance(layer, ConvLayer | MatmulLayer)]
    assert (
        {key for key, _ in masks.of} == {layer.name for layer in products} == {node.name for node in network.weighted}
    )
    for node, layer in zip(network.weighted, products, strict=True):
        read = values[node.sources[0]] != 0
        found = masks.of[layer.name, Operand.IFMAP].nonzero()
        assert (found == (read if isinstance(layer, ConvLayer) else read[None])).all()
        assert masks.counts[layer.name, Operand.IFMAP] == count_zeros(read)
        weight = node.weight != 0
        assert (
            masks.of[layer.name, Operand.WEIGHT].nonzero() == (weight if weight.ndim == 4 else weight.T[None])
        ).all()
    for (layer_name, operand), counts in masks.counts.items():
        if operand is Operand.OFMAP:
            assert counts == count_zeros(values[layer_name])
    assert masks.source == f"zeros are those of 130 images of {mnist.name}, run through the network as floats"


@pytest.mark.parametrize("name", ["mnist_webinar_int8", "mnist_big_bn_lns8", "digits_cnn_fp8"])
def test_masks_of_a_converted_network_are_codes_that_stand_for_zero(name: str) -> None:
    found = read_converted(workload_path(name))
    images = read_images(f"{mnist_folder()}:test:7") if "mnist" in name else read_images("digits:test:7")
    masks = masks_of_codes(found.network, load_workload(name, batch=7), images)
    codes = run_bit_true(found.network, encode_images(found.network, images.values))
    codes[""] = encode_images(found.network, images.values)
    for layer in found.network.products:
        fmt = found.network.outputs[layer.sources[0]].format
        assert fmt is not None
        read = fmt.decode(codes[layer.sources[0]]) != 0
        mask = masks.of[layer.name, Operand.IFMAP].nonzero()
        assert (mask == (read if layer.window else read[None])).all()
        assert 0.05 < masks.counts[layer.name, Operand.IFMAP].zero_fraction < 0.95


def test_how_many_images_run_together_changes_no_mask(monkeypatch: pytest.MonkeyPatch, mnist: ImageSet) -> None:
    path = workload_path("mnist_webinar")
    network, workload, images = read_float_network(path), load_workload(path, batch=9), mnist.first(9)
    together = masks_of_floats(network, workload, images)
    monkeypatch.setattr(zeros_on_images, "WORDS_AT_ONCE", 1)
    assert masks_of_floats(network, workload, images) == together


def test_an_overflow_is_told_with_its_layer_and_image(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="first"),
        helper.make_node("Conv", ["a", "w"], ["b"], name="second"),
        helper.make_node("Relu", ["b"], ["y"], name="last"),
    ]
    path = write_model(tmp_path / "big.onnx", nodes, (1, 1, 3, 3), {"w": np.full((1, 1, 1, 1), 1e30, dtype=np.float32)})
    images = ImageSet(images=np.ones((4, 1, 3, 3)), labels=None, name="mine")
    images.images[2] = 1e270
    workload = load_workload(path, batch=4)
    with pytest.raises(WorkloadError, match="layer 'second': image 2 of mine makes NaN or infinity there"):
        masks_of_floats(read_float_network(path), workload, images)


def test_what_inference_merges_into_a_layer_tells_nothing_of_its_ofmap(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv"),
        helper.make_node("Add", ["a", "b"], ["s"], name="bias"),
        helper.make_node("Relu", ["s"], ["r"], name="relu"),
        helper.make_node("MaxPool", ["r"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p", "v"], ["y"], name="next"),
    ]
    stored = {"w": weights(4, 2, 3, 3), "b": weights(1, 4, 1, 1), "v": weights(3, 4, 1, 1)}
    path = write_model(tmp_path / "net.onnx", nodes, (1, 2, 8, 8), stored)
    images = ImageSet(images=np.random.default_rng(0).normal(size=(5, 2, 8, 8)), labels=None, name="mine")
    masks = masks_of_floats(read_float_network(path), load_workload(path, batch=5), images)
    assert {name for name, operand in masks.counts if operand is Operand.OFMAP} == {"relu", "pool", "next"}
    assert masks.of["next", Operand.IFMAP].nonzero().shape == (5, 4, 3, 3)

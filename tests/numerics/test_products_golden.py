"""The webinar network of the golden file, layer by layer, on the first 100 test images."""

import gzip
import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from archsim.numerics.accumulator import CastSum, ExactSum
from archsim.numerics.products import integer_sums
from archsim.numerics.window import Window
from tests.numerics.product_cases import fixed
from tests.oracles.products import cast

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "numerics" / "golden.json").read_text())
SAME = Window(padding=((1, 1), (1, 1)))
LAYERS = (("c1.weight", SAME), ("c2.weight", SAME), ("fc.weight", None))


@pytest.fixture(scope="module")
def images():
    folders = [
        os.environ.get("ARCHSIM_MNIST", ""),
        "/work/shared/data/mnist",
        ROOT.parent / "shared" / "data" / "mnist",
    ]
    for folder in folders:
        path = Path(folder) / "t10k-images-idx3-ubyte.gz"
        if folder and path.exists():
            return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:100]
    pytest.skip("MNIST is not here: name its folder in ARCHSIM_MNIST")


@pytest.fixture(scope="module")
def weights():
    graph = onnx.load(ROOT / "workloads" / "mnist_webinar.onnx").graph
    return {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}


def fingerprint(codes):
    return hashlib.sha256(codes.astype(np.int32).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("config", GOLDEN["configs"], ids=lambda config: config["type"] + " " + config["acc"])
def test_every_layer_has_the_golden_codes(config, images, weights):
    width, integer, signed, rounding, overflow = re.fullmatch(
        r"fx<(\d+),(\d+),(\d),(\w+),(\w+)>", config["type"]
    ).groups()
    fraction_bits = int(width) - int(integer)
    rule = {"width": int(width), "signed": signed == "1", "rounding": rounding, "overflow": overflow}

    def encode(values, fraction_bits=fraction_bits):
        distinct, places = np.unique(values, return_inverse=True)
        codes = [cast(value, fraction_bits=fraction_bits, **rule) for value in distinct.tolist()]
        return np.array(codes, dtype=np.int64)[places].reshape(values.shape)

    exact = config["acc"] == "exact"
    register = ExactSum() if exact else CastSum(format=fixed(int(width), int(integer), rounding, overflow))
    codes = encode(images / 255.0)
    found = {"x": fingerprint(codes)}
    for name, (tensor, window) in zip(("conv1", "conv2", "logits"), LAYERS, strict=True):
        operand = codes if window else codes.reshape(len(codes), -1)
        sums = integer_sums(
            operand, encode(weights[tensor]), None, window, accumulator=register,
            product_fraction_bits=2 * fraction_bits,
        )  # fmt: skip
        codes = encode(sums * 4.0**-fraction_bits) if exact else sums
        codes = np.maximum(codes, 0) if window else codes
        found[name] = fingerprint(codes)
    assert found == config["sha256_16"]
    if "logits_img0" in config:
        assert codes[0].tolist() == config["logits_img0"]

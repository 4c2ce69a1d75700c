"""The webinar's network in fixed point against the published hashes of its codes (tests/golden/numerics/golden.json)."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from archsim.engine.bit_true import classify, encode_images, run_bit_true
from tests.coded_cases import Array, mnist_test_images, webinar_network, webinar_weights

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/numerics/golden.json").read_text())
ACCUMULATORS = {"exact": "exact", "sat per MAC (same type)": "fx<10,5,1,TRN,WRAP>"}
"""golden.json -> archsim: each MAC there is cast to the type itself, which truncates and wraps."""


def short_hash(codes: Array) -> str:
    return hashlib.sha256(codes.astype("<i4").tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("config", GOLDEN["configs"], ids=lambda config: config["type"])
def test_codes_of_every_layer_are_those_of_the_reference(config: dict) -> None:
    images, labels = mnist_test_images(100)
    network = webinar_network(config["type"], ACCUMULATORS[config["acc"]])
    codes = encode_images(network, images)
    found = {"x": codes} | run_bit_true(network, codes)
    hashes = {name: short_hash(found[name]) for name in config["sha256_16"]}
    assert hashes == config["sha256_16"]
    assert found["logits"][0].tolist() == config["logits_img0"]
    assert int((classify(network, images, batch=33) == labels).sum()) == config["correct_of_100"]


def test_the_shipped_weights_are_those_of_the_reference() -> None:
    weights = webinar_weights()
    for short, name in (("c1", "c1.weight"), ("c2", "c2.weight"), ("fc", "fc.weight")):
        found = hashlib.sha256(np.ascontiguousarray(weights[name], dtype="<f4").tobytes()).hexdigest()
        assert found == GOLDEN["weights_sha256"][short]

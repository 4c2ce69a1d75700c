"""Checksums of a whole network's codes, layer by layer, against those of the reference. Called by `numerics.py`."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from archsim.catalog import find_model
from archsim.convert.float_reader import read_float_network
from archsim.convert.quantise import coded_in
from archsim.convert.recipe import Recipe
from archsim.engine.bit_true import encode_images, run_bit_true
from archsim.engine.written import CodeArray
from archsim.numerics.accumulator import CastSum, ExactSum
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.format_grammar import parse_format
from archsim.validate.numerics_accuracy import Mnist
from archsim.validate.suite import EQUAL, Row, Tier

GOLDEN = Path(__file__).parent / "golden" / "golden.json"
NETWORK = "mnist_webinar"
IMAGES = 100
"""First test images that the checksums are of. [images]"""
TENSORS = ("x", "conv1", "conv2", "logits")
CAST_NOTE = (
    "'sat per MAC (same type)' of the reference casts every sum to the type itself, with its rounding and overflow"
)


def golden_tiers(mnist: Mnist | None, reason: str = "", path: Path = GOLDEN) -> list[Tier]:
    """Compare weights, and with images every tensor of every configuration.

    Parameters
    ----------
    mnist
        None = there are no images.
    reason
        Why there are none.
    path
        Checksums as the shipped ones.
    """
    golden = json.loads(path.read_text(encoding="utf-8"))
    codes = [] if mnist is None else [row for config in golden["configs"] for row in _code_rows(config, mnist)]
    claim = f"codes of every layer of {NETWORK}, {IMAGES} test images: equal SHA-256"
    return [
        _tier("3 weights", f"float32 weights of {NETWORK}: equal SHA-256", _weight_rows(golden["weights_sha256"])),
        Tier(name="3 codes", claim=claim, quantity="equal checksums", unit="checksums", rows=tuple(codes), bounds=EQUAL,
             notes=(CAST_NOTE,), skipped=reason if mnist is None else ""),
    ]  # fmt: skip


def _weight_rows(published: Mapping[str, str]) -> list[Row]:
    nodes = read_float_network(find_model(NETWORK)).weighted
    return [
        _is_equal(NETWORK, name, hashlib.sha256(node.weight.astype(np.float32).tobytes()).hexdigest(), checksum)
        for node, (name, checksum) in zip(nodes, published.items(), strict=True)
    ]


def _code_rows(config: Mapping[str, Any], mnist: Mnist) -> list[Row]:
    fmt = parse_format(config["type"])
    assert isinstance(fmt, FixedPoint), "the reference's configurations are of fixed point"
    sums = ExactSum() if config["acc"] == "exact" else CastSum(format=fmt)
    network = coded_in(mnist.network(NETWORK), Recipe(weight_format=fmt, ifmap_format=fmt, accumulator=sums))
    ifmap = encode_images(network, mnist.test.first(IMAGES).values)
    ofmaps = run_bit_true(network, ifmap)
    found = [ifmap, *(ofmaps[layer.name] for layer in network.products)]
    return [
        _is_equal(f"{config['type']}, {config['acc']}", name, _checksum(codes), config["sha256_16"][name])
        for name, codes in zip(TENSORS, found, strict=True)
    ]


def _checksum(codes: CodeArray) -> str:
    return hashlib.sha256(codes.astype(np.int32).tobytes()).hexdigest()[:16]


def _is_equal(group: str, case: str, found: str, published: str) -> Row:
    return Row(group=group, case=case, published=1, simulated=int(found == published))


def _tier(name: str, claim: str, rows: list[Row]) -> Tier:
    return Tier(name=name, claim=claim, quantity="equal checksums", unit="checksums", rows=tuple(rows), bounds=EQUAL)

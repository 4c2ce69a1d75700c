"""Converted networks built by hand, for the tests of the bit-true layers and of their files."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from archsim.numerics.accumulator import Accumulator
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.window import Window
from archsim.terms import PoolKind
from archsim.workload.coded_network import (
    ClusterCode,
    CodedAdd,
    CodedFlatten,
    CodedLayer,
    CodedNetwork,
    CodedOutput,
    CodedPool,
    CodedProduct,
    CodedRelu,
)

ROOT = Path(__file__).parents[1]
Array = NDArray[Any]


def mnist_folder() -> Path:
    """ARCHSIM_MNIST, or where the project's machines have it; a test without it is skipped."""
    places = [Path(os.environ["ARCHSIM_MNIST"])] if "ARCHSIM_MNIST" in os.environ else []
    places += [Path("/work/shared/data/mnist"), ROOT.parent / "shared/data/mnist"]
    for place in places:
        if (place / "t10k-images-idx3-ubyte.gz").exists():
            return place
    pytest.skip("MNIST is not here: set ARCHSIM_MNIST to the folder of t10k-images-idx3-ubyte.gz and its labels")


def mnist_test_images(count: int) -> tuple[Array, Array]:
    """Pixels / 255, shape (N, 1, 28, 28), and labels."""
    folder = mnist_folder()
    pixels = np.frombuffer(gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8)[16:]
    labels = np.frombuffer(gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8)[8:]
    return pixels.reshape(-1, 1, 28, 28)[:count] / 255.0, labels[:count].astype(np.int64)


def webinar_weights() -> dict[str, Array]:
    """The weights of the shipped model, float64."""
    model = onnx.load(ROOT / "workloads/mnist_webinar.onnx")
    return {each.name: numpy_helper.to_array(each).astype(np.float64) for each in model.graph.initializer}


def product(
    name: str, source: str, weight: CodedTensor, output: CodedOutput, window: Window | None = None, *,
    accumulator: Accumulator | str = "exact", exponent: int = 0, **bias: Any,
) -> CodedProduct:  # fmt: skip
    """A product whose bias is absent unless given."""
    if isinstance(accumulator, str):
        accumulator = parse_accumulator(accumulator)
    given: dict[str, Any] = {"bias": None, "bias_exponents": None, "bias_values": None, "clusters": None} | bias
    return CodedProduct(
        name=name, sources=(source,), window=window, weight=weight, accumulator=accumulator,
        accumulator_exponent=exponent, output=output, **given,
    )  # fmt: skip


def webinar_network(type_name: str, accumulator: str) -> CodedNetwork:
    """The webinar's network in one fixed-point type throughout, logits included."""
    fmt, weights = parse_format(type_name), webinar_weights()
    out, last = CodedOutput(format=fmt, exponent=0, relu=True), CodedOutput(format=fmt, exponent=0)
    same = Window(padding=((1, 1), (1, 1)))

    def coded(name: str) -> CodedTensor:
        return CodedTensor(codes=fmt.encode(weights[name]), format=fmt, exponents=np.array(0))

    layers: tuple[CodedLayer, ...] = (
        product("conv1", "", coded("c1.weight"), out, same, accumulator=accumulator),
        product("conv2", "conv1", coded("c2.weight"), out, same, accumulator=accumulator),
        CodedFlatten(name="flat", sources=("conv2",)),
        product("logits", "flat", coded("fc.weight"), last, accumulator=accumulator),
    )
    return CodedNetwork(name="webinar", ifmap_shape=(1, 28, 28), ifmap=last, layers=layers)


def some_codes(rng: np.random.Generator, fmt: NumberFormat, shape: tuple[int, ...]) -> Array:
    """Codes of values all over the format's range, a third of them zero."""
    values = rng.normal(size=shape) * rng.choice([0.0, 0.1, 0.45], size=shape) * min(fmt.largest, 1e3)
    return fmt.encode(values)


def branchy_network(seed: int = 0) -> CodedNetwork:
    """Groups, stride, dilation, a depthwise layer, every pool, an addition, a relu of its own, exponents per channel."""
    rng = np.random.default_rng(seed)
    u8, s8, s6 = parse_format("uint8"), parse_format("int8"), parse_format("int6")

    def tensor(fmt: NumberFormat, *shape: int) -> CodedTensor:
        return CodedTensor(codes=some_codes(rng, fmt, shape), format=fmt, exponents=rng.integers(-9, -6, shape[0]))

    def bias(weight: CodedTensor, ifmap_exponent: int, guard: int) -> dict[str, Array]:
        channels = len(weight.codes)
        return {"bias": rng.integers(-400, 400, channels), "bias_exponents": weight.exponents + ifmap_exponent - guard}

    first, grouped, depthwise, last = (
        tensor(s8, 4, 2, 3, 3), tensor(s6, 6, 2, 3, 2), tensor(s8, 6, 1, 3, 3), tensor(s8, 3, 6 * 2 * 2),
    )  # fmt: skip
    layers: tuple[CodedLayer, ...] = (
        product("conv", "", first, CodedOutput(format=u8, exponent=-6, relu=True),
                Window(stride=(1, 2), padding=((1, 1), (0, 1))), **bias(first, -7, 5)),
        CodedPool(name="highest", sources=("conv",), kind=PoolKind.MAX, kernel=(2, 3), stride=(1, 1),
                  padding=((1, 0), (1, 1)), output=CodedOutput(format=u8, exponent=-6)),
        product("grouped", "highest", grouped, CodedOutput(format=s8, exponent=-9),
                Window(dilation=(2, 1), padding=((2, 2), (0, 1)), groups=2), **bias(grouped, -6, 0)),
        product("deep", "grouped", depthwise, CodedOutput(format=s8, exponent=-10),
                Window(padding=((1, 1), (1, 1)), groups=6)),
        CodedAdd(name="join", sources=("deep", "grouped"), output=CodedOutput(format=s8, exponent=-8)),
        CodedRelu(name="positive", sources=("join",)),
        CodedPool(name="mean", sources=("positive",), kind=PoolKind.AVERAGE, kernel=(3, 3), stride=(3, 3),
                  padding=((1, 0), (1, 1)), output=CodedOutput(format=s8, exponent=-9)),
        CodedPool(name="padded", sources=("mean",), kind=PoolKind.AVERAGE, kernel=(2, 2), stride=(1, 1),
                  padding=((0, 1), (0, 1)), output=CodedOutput(format=s8, exponent=-9), counts_padding=True),
        CodedFlatten(name="flat", sources=("padded",)),
        product("logits", "flat", last, CodedOutput(format=None, exponent=-20), **bias(last, -9, 2)),
    )  # fmt: skip
    return CodedNetwork(
        name="branchy", ifmap_shape=(2, 6, 13), ifmap=CodedOutput(format=s8, exponent=-7), layers=layers
    )


def clustered_network(seed: int = 0) -> CodedNetwork:
    """Two convolutions of one codebook, entry 0 zero, and a dense layer."""
    rng = np.random.default_rng(seed)
    s8, u8 = parse_format("int8"), parse_format("uint8")
    table = some_codes(rng, s8, (9, 3, 3))
    table[0] = 0
    layers: list[CodedLayer] = []
    for name, source, shape in (("a", "", (4, 2)), ("b", "a", (3, 4))):
        pointers = rng.integers(0, len(table), shape)
        weight = CodedTensor(codes=table[pointers], format=s8, exponents=np.array(-8))
        clusters = ClusterCode(codebook="network", pointers=pointers, entries=len(table))
        layers.append(product(name, source, weight, CodedOutput(format=u8, exponent=-5, relu=True),
                              Window(padding=((1, 1), (1, 1))), clusters=clusters))  # fmt: skip
    dense = CodedTensor(codes=some_codes(rng, s8, (5, 48)), format=s8, exponents=np.array(-7))
    layers += [
        CodedFlatten(name="flat", sources=("b",)),
        product("out", "flat", dense, CodedOutput(format=None, exponent=-12)),
    ]
    return CodedNetwork(
        name="clustered", ifmap_shape=(2, 4, 4), ifmap=CodedOutput(format=u8, exponent=-8), layers=tuple(layers)
    )


def family_network(format_name: str, accumulator: str, exponent: int = 0, seed: int = 0) -> CodedNetwork:
    """A convolution, a max pool and a dense layer in one format, with a bias of the family's own kind."""
    rng = np.random.default_rng(seed)
    fmt, sums = parse_format(format_name), parse_accumulator(accumulator)
    weights = [CodedTensor(codes=fmt.encode(rng.normal(size=shape), -2), format=fmt, exponents=np.array(-2))
               for shape in ((3, 2, 3, 3), (4, 27))]  # fmt: skip
    values = [rng.normal(size=3), rng.normal(size=4)]
    biases: list[dict[str, Any]] = [{"bias_values": each} for each in values]
    if accumulator.startswith("linear"):
        biases = [{"bias": np.rint(np.ldexp(each, -exponent)).astype(np.int64),
                   "bias_exponents": np.full(len(each), exponent)} for each in values]  # fmt: skip
    out = CodedOutput(format=fmt, exponent=1, relu=True)
    layers: tuple[CodedLayer, ...] = (
        product("c", "", weights[0], out, Window(), accumulator=sums, exponent=exponent, **biases[0]),
        CodedPool(name="p", sources=("c",), kind=PoolKind.MAX, kernel=(2, 2), stride=(1, 1), padding=((0, 0), (0, 0)), output=out),
        CodedFlatten(name="f", sources=("p",)),
        product("y", "f", weights[1], CodedOutput(format=None, exponent=exponent), accumulator=sums, exponent=exponent,
                **biases[1]),
    )  # fmt: skip
    return CodedNetwork(name="family", ifmap_shape=(2, 6, 6), ifmap=CodedOutput(format=fmt, exponent=-1), layers=layers)

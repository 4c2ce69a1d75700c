"""A converted network in float64: decoded weights, values rounded to the grid of each ofmap; and bounds on its error.

The oracle of bit-true inference: nothing of the integer kernels, of guard bits or of shifts is used.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from archsim.convert.float_network import FloatConv, FloatDense, FloatPool, FloatRelu
from archsim.convert.float_run import run_node
from archsim.convert.image_files import ImageSet
from archsim.convert.pipeline import Conversion, Images, convert_model
from archsim.convert.recipe import Recipe, natural_ifmap
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.format_grammar import parse_format
from archsim.terms import PoolKind
from archsim.workload.coded_network import CodedOutput, CodedProduct
from tests.convert.float_models import write_model
from tests.convert.odd_networks import Odd


def recipe(name: str, **how: object) -> Recipe:
    """A recipe of one format."""
    fmt = parse_format(name)
    return Recipe(weight_format=fmt, ifmap_format=natural_ifmap(fmt), **how)  # type: ignore[arg-type]


def image_set(values: np.ndarray, classes: int = 3) -> ImageSet:
    return ImageSet(images=values, labels=np.arange(len(values)) % classes, name="by hand")


def random_images(shape: tuple[int, ...], count: int = 16) -> np.ndarray:
    return np.random.default_rng(3).random((count, *shape))


def converted(folder: Path, odd: Odd, asked: Recipe, values: np.ndarray | None = None) -> Conversion:
    """Write a network and convert it, calibrated on the images that it is tried on."""
    path = write_model(folder / "odd.onnx", odd.nodes, ("N", *odd.shape), odd.stored)
    return convert_model(
        path, asked, Images(calibration=image_set(random_images(odd.shape) if values is None else values))
    )


def rounded(values: np.ndarray, output: CodedOutput) -> np.ndarray:
    """Nearest value of an integer format, a tie up, saturating."""
    fmt = output.format
    if fmt is None:
        return values
    assert isinstance(fmt, FixedPoint)
    step = 2.0 ** (output.exponent - fmt.fraction_bits)
    return np.clip(np.floor(values / step + 0.5), fmt.lowest_code, fmt.highest_code) * step


def fake_quant(conversion: Conversion, images: np.ndarray) -> dict[str, np.ndarray]:
    """Values of every stage."""
    layers = {layer.name: layer for layer in conversion.coded.layers}
    values = {"": rounded(images, conversion.coded.ifmap)}
    for stage in conversion.calibrated.measured.stages:
        node, layer = stage.node, layers[stage.name]
        if isinstance(layer, CodedProduct):
            assert isinstance(node, FloatConv | FloatDense)
            bias = None if layer.bias is None else layer.bias * 2.0**layer.bias_exponents
            node = replace(node, weight=layer.weight.values, bias=bias)
        found = run_node(node, [values[source] for source in stage.sources])
        if stage.makes_codes:
            found = rounded(found, layer.output)
        values[stage.name] = np.maximum(found, 0) if stage.relu else found
    return values


def error_bound(conversion: Conversion, images: np.ndarray) -> np.ndarray:
    """Largest distance of the logits from those of the float network, from the errors of weights, biases and steps.

    Holds where no scale is smaller than the largest value asks for (method max): what saturates comes nearer.
    """
    layers = {layer.name: layer for layer in conversion.coded.layers}
    quantised = fake_quant(conversion, images)
    errors = {"": np.abs(quantised[""] - images)}
    for stage in conversion.calibrated.measured.stages:
        node, layer, reads = stage.node, layers[stage.name], [errors[source] for source in stage.sources]
        if isinstance(layer, CodedProduct):
            assert isinstance(node, FloatConv | FloatDense)
            moved, held = np.abs(layer.weight.values - node.weight), np.abs(node.weight)
            bias = None
            if node.bias is not None:
                bias = np.abs(layer.bias * 2.0**layer.bias_exponents - node.bias)
            from_ifmap = run_node(replace(node, weight=held, bias=bias), reads)
            found = from_ifmap + run_node(replace(node, weight=moved, bias=None), [np.abs(quantised[stage.sources[0]])])
        elif isinstance(node, FloatRelu):
            found = reads[0]
        else:
            found = run_node(node, reads)  # of a maximum, a sum and an average of errors alike
        if stage.makes_codes and layer.output.format is not None:
            step = 2.0 ** (layer.output.exponent - layer.output.format.fraction_bits)
            is_average = isinstance(node, FloatPool) and node.kind is PoolKind.AVERAGE
            reciprocal = 2.0**-16 * np.abs(quantised[stage.name]).max() if is_average else 0.0
            found = found + step / 2 + reciprocal
        errors[stage.name] = found
    return errors[conversion.coded.layers[-1].name]

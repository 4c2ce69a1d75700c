"""The whole path: odd networks against floats, and what must hold of every conversion."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from archsim.catalog import find_model
from archsim.convert.cluster import ClusterRequest
from archsim.convert.float_run import logits, run_node
from archsim.convert.image_files import read_images
from archsim.convert.pipeline import Conversion, Images, convert_model
from archsim.convert.prune import parse_prune
from archsim.engine.bit_true import classify, encode_images, run_bit_true
from archsim.engine.golden_run import check_golden, make_golden
from archsim.numerics.sum_width import required_width
from archsim.terms import CalibrationMethod
from archsim.workload.coded_store import read_converted, write_converted
from archsim.workload.psum_format import guard_bits
from tests.convert.fake_quant import converted, error_bound, fake_quant, random_images, recipe
from tests.convert.odd_networks import ODD, ROUNDED_RECIPROCALS

FORMATS = ("fp8_e4m3", "lns8", "ternary", "bf16", "binary_exact")
DEAD_STEP = "dead relu"
"""Its ofmap has no range: the bound of a step that nothing takes says nothing."""


def values_of(conversion: Conversion, images: np.ndarray) -> dict[str, np.ndarray]:
    """Decoded codes of every layer, bit for bit."""
    network = conversion.coded
    codes = run_bit_true(network, encode_images(network, images))
    found = {}
    for name, output in network.outputs.items():
        if name:
            scale = 2.0**output.exponent
            is_float = codes[name].dtype.kind == "f"
            found[name] = codes[name] * (1.0 if is_float else scale)
            if output.format is not None:
                found[name] = output.format.decode(codes[name]) * scale
    return found


def digits(name: str, count: int = 60, **how: object) -> Conversion:
    return convert_model(
        find_model("digits_cnn"), recipe(name, **how), Images(calibration=read_images(f"digits:train:{count}"))
    )


@pytest.mark.parametrize("name", ODD)
def test_int16_stays_within_the_bound_of_its_rounding_errors(tmp_path: Path, name: str) -> None:
    odd = ODD[name]()
    images = random_images(odd.shape)
    conversion = converted(tmp_path, odd, recipe("int16", calibration=CalibrationMethod.MAX))
    found = list(values_of(conversion, images).values())[-1]
    wanted = logits(conversion.original, images)
    bound = error_bound(conversion, images)
    assert (np.abs(found - wanted) <= bound * 1.0001 + 1e-12).all()
    assert name == DEAD_STEP or bound.max() < 0.03 * np.abs(wanted).max()  # a bound that says something


@pytest.mark.parametrize(
    ("name", "fmt"), [*((name, "int8") for name in ODD), *zip(ODD, cycle(("int4", "fx<10,5>")), strict=False)]
)
def test_bit_true_codes_are_those_of_a_float64_network_rounded_at_each_layer(
    tmp_path: Path, name: str, fmt: str
) -> None:
    odd = ODD[name]()
    images = random_images(odd.shape)
    conversion = converted(tmp_path, odd, recipe(fmt))
    found, wanted = values_of(conversion, images), fake_quant(conversion, images)
    last = conversion.coded.layers[-1].name
    if name in ROUNDED_RECIPROCALS:
        pool = next(layer for layer in conversion.coded.layers if layer.name == "pool")
        step = 2.0 ** (pool.output.exponent - pool.output.format.fraction_bits)
        differs = np.abs(found["pool"] - wanted["pool"])
        reads = wanted[pool.sources[0]]
        exact = run_node(
            next(each.node for each in conversion.calibrated.measured.stages if each.name == "pool"), [reads]
        )
        from_a_tie = np.abs(exact / step - np.floor(exact / step) - 0.5)
        assert differs.max() <= step
        assert (from_a_tie[differs > 0] <= 2.0**-16 * np.abs(reads).max() / step).all()
    else:
        for layer in found:
            assert np.array_equal(found[layer], wanted[layer]), layer
        assert np.array_equal(found[last].argmax(axis=1), classify(conversion.coded, images))


@pytest.mark.parametrize(("name", "fmt"), [*zip(ODD, cycle(FORMATS), strict=False), ("two scales added", "lns8")])
def test_other_formats_take_odd_networks_too(tmp_path: Path, name: str, fmt: str) -> None:
    odd = ODD[name]()
    conversion = converted(tmp_path, odd, recipe(fmt))
    path = tmp_path / "w.yaml"
    images = random_images(odd.shape, 8)
    golden = make_golden(conversion.coded, encode_images(conversion.coded, images))
    write_converted(conversion.coded, path, golden=golden)
    read = read_converted(path)
    assert np.isfinite(list(values_of(conversion, images).values())[-1].astype(float)).all()
    check_golden(read.network, read.golden)
    assert np.array_equal(classify(read.network, images), classify(conversion.coded, images))


@pytest.mark.parametrize("fmt", ["int8", "fx<8,3>", "lns8", "bf16"])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_constant_images_convert(tmp_path: Path, level: float, fmt: str) -> None:
    odd = ODD["no biases"]()
    images = np.full((5, *odd.shape), level)
    conversion = converted(tmp_path, odd, recipe(fmt), images)
    found = list(values_of(conversion, images).values())[-1]
    assert (found == found[0]).all()
    if not level:
        assert not found.any()


def test_a_dead_relu_leaves_the_bias_of_the_next_layer(tmp_path: Path) -> None:
    odd = ODD["dead relu"]()
    images = random_images(odd.shape)
    found = values_of(converted(tmp_path, odd, recipe("int8")), images)["fc"]
    assert np.allclose(found, odd.stored["fb"], atol=1e-6)


@pytest.mark.parametrize("fmt", ["int8", "int16", "fx<10,5>"])
def test_sums_lie_within_the_proven_bound_and_the_register(fmt: str) -> None:
    conversion = digits(fmt)
    network = conversion.coded
    images = read_images("digits:test:100").values
    codes = {"": encode_images(network, images)} | run_bit_true(network, encode_images(network, images))
    for layer in network.products:
        ifmap = network.outputs[layer.sources[0]]
        largest = max(-ifmap.format.lowest_code, ifmap.format.highest_code)
        guards = guard_bits(layer, ifmap.format, ifmap.exponent)
        width = required_width(layer.weight.codes, largest, layer.bias, guards)
        assert (guards >= 0).all()
        assert width <= 32 or not guards.any()
        inside = np.abs(codes[layer.sources[0]]).reshape(len(images), -1).max(axis=1)
        assert inside.max() <= largest
        if layer is network.products[-1] and layer.output.format is None:
            assert np.abs(codes[layer.name]).max() < 1 << (width - 1 + int(np.ptp(layer.weight.exponents)))


def test_the_same_seed_and_inputs_write_the_same_bytes(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        conversion = digits(
            "lns8", prune=parse_prune("magnitude:0.5"), clusters=ClusterRequest(entries=16, seed=3), seed=3
        )
        network = conversion.coded
        golden = make_golden(network, encode_images(network, conversion.golden_images))
        write_converted(network, tmp_path / place / "w.yaml", golden=golden, masks=conversion.masks)
    for suffix in ("yaml", "npz"):
        assert (tmp_path / f"a/w.{suffix}").read_bytes() == (tmp_path / f"b/w.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("fmt", "how"),
    [("int8", "magnitude:0.5"), ("fx<8,3>", "magnitude:0.5"), ("fp8_e4m3", "magnitude:0.5"), ("lns8", "magnitude:0.5"),
     ("ternary", "channels:0.25"), ("lns8", "channels:0.25")],
)  # fmt: skip
def test_pruned_weights_are_the_code_of_zero(fmt: str, how: str) -> None:
    conversion = digits(fmt, 20, prune=parse_prune(how))
    pruned = 0
    for layer in conversion.coded.products:
        if layer.name in conversion.masks:
            gone = layer.weight.codes[~conversion.masks[layer.name]]
            assert (gone == layer.weight.format.zero_code).all()
            assert not layer.weight.values[~conversion.masks[layer.name]].any()
            pruned += gone.size
    assert pruned > 1000


def test_passes_are_recorded_in_their_order() -> None:
    conversion = digits(
        "int8", prune=parse_prune("magnitude:0.3"), clusters=ClusterRequest(entries=16), fine_tune_epochs=0.1
    )
    assert [each.name for each in conversion.passes] == [
        "import", "fold batch norm", "prune", "cluster", "fine-tune", "calibrate", "quantise"
    ]  # fmt: skip
    assert conversion.accuracy is None


def test_digits_keep_their_accuracy_in_eight_bits() -> None:
    images = Images(calibration=read_images("digits:train:200"), evaluation=read_images("digits:test:200"))
    conversion = convert_model(find_model("digits_cnn"), recipe("int8"), images)
    assert conversion.accuracy is not None
    assert conversion.float_accuracy is not None
    assert conversion.float_accuracy.correct >= 196
    assert abs(conversion.accuracy.correct - conversion.float_accuracy.correct) <= 2
    found = classify(conversion.coded, images.evaluation.values)
    wanted = fake_quant(conversion, images.evaluation.values)[conversion.coded.layers[-1].name].argmax(axis=1)
    assert np.array_equal(found, wanted)

"""Texts of the command line -> recipe."""

import pytest

from archsim.convert.request import Request
from archsim.errors import ConfigError
from archsim.numerics.accumulator import ExactSum
from archsim.numerics.format_grammar import parse_format
from archsim.terms import CalibrationMethod


def asked(**how: object) -> Request:
    return Request(model="digits_cnn", **how)  # type: ignore[arg-type]


def test_one_format_serves_weights_and_ifmaps() -> None:
    recipe = asked(format="sx<6>").recipe()
    assert recipe.weight_format == recipe.ifmap_format == parse_format("int6")
    assert recipe.ifmap_sign_is_free
    assert asked(format="ternary").recipe().ifmap_format == parse_format("fp32")


def test_parts_of_it_are_named_apart() -> None:
    recipe = asked(format="int8", weight_format="int4", ifmap_format="uint6").recipe()
    assert (recipe.weight_format.name, recipe.ifmap_format.name) == ("int4", "uint6")
    assert not recipe.ifmap_sign_is_free
    assert asked(format="int8", accumulator="exact<24>").recipe().accumulator == ExactSum(width_bits=24)
    assert asked(accuracy_budget_points=1.5).recipe().accuracy_budget == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("text", "images", "method"),
    [
        ("digits:100", "digits:100", None),
        ("max", None, CalibrationMethod.MAX),
        ("digits,p99.9", "digits", CalibrationMethod.P999),
        ("none , digits", "digits", CalibrationMethod.NONE),
    ],
)
def test_calibration_is_images_or_a_method_or_both(
    text: str, images: str | None, method: CalibrationMethod | None
) -> None:
    request = asked(calibration=text, evaluate="mnist")
    assert request.recipe().calibration is method
    assert request.calibration_images() == (images or "mnist")
    assert request.calibration_names_images() is (images is not None)


def test_formats_beside_are_split_at_commas_outside_of_brackets() -> None:
    assert asked(beside="fx<8,3>, quantized_bits(4,1),lns8").formats_beside() == (
        "fx<8,3>", "quantized_bits(4,1)", "lns8"
    )  # fmt: skip
    assert asked().formats_beside() == ()
    assert asked(arch="tpu_like").formats_beside() == ("int8", "fp8_e4m3")
    assert asked(arch="tpu_like", beside="").formats_beside() == ()


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ({"calibration": "digits,mnist"}, "--calibration: 'digits' and 'mnist' cannot both be the images"),
        ({"calibration": "max,mse"}, "--calibration: 'mse' and 'max' cannot both be the method"),
        ({"clusters": "0"}, "--clusters: a codebook needs 2 entries or more, not 0"),
        ({"seed": -1}, "--seed: -1 must be 0 or more"),
        ({"fine_tune_epochs": -0.5}, "--fine-tune: -0.5 epochs must be 0 or more"),
        ({"accuracy_budget_points": float("nan")}, "--accuracy-budget: nan must be 0 to 100 points"),
    ],
)
def test_faults(how: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError) as told:
        asked(**how).recipe()
    assert str(told.value) == fault


def test_every_text_that_cannot_be_read_is_told_with_its_option() -> None:
    with pytest.raises(ConfigError) as told:
        asked(
            format="z", weight_format="y", ifmap_format="x", accumulator="w", prune="v", clusters="u", beside="t"
        ).recipe()
    starts = [line.split(":")[0] for line in str(told.value).splitlines() if line.startswith("--")]
    assert starts == [
        "--format", "--weight-format", "--ifmap-format", "--accumulator", "--prune", "--clusters", "--beside"
    ]  # fmt: skip


@pytest.mark.parametrize("fmt", ["int8", "fx<8,3>", "fp8_e4m3", "bf16", "lns8", "ternary"])
def test_the_lines_say_what_shares_a_scale(fmt: str) -> None:
    said = dict(asked(format=fmt).recipe().lines())["weights"]
    wanted = {
        "int8": "one scale per channel",
        "fx<8,3>": "no scale",
        "bf16": "no scale",
        "ternary": "one scale per channel",
    }
    assert said.startswith(f"{fmt}, {wanted.get(fmt, 'one scale per tensor')}")


def test_an_ifmap_format_that_leaves_its_sign_open_is_unsigned_where_nothing_is_negative() -> None:
    assert Request(model="m", ifmap_format="sx<3>").recipe().ifmap_sign_is_free
    assert Request(model="m", ifmap_format="int8").recipe().ifmap_sign_is_free
    assert not Request(model="m", ifmap_format="sx<3,1>").recipe().ifmap_sign_is_free
    assert not Request(model="m", ifmap_format="uint8").recipe().ifmap_sign_is_free

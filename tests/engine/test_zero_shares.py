"""`--zeros` over a whole network."""

import pytest

from archsim.catalog import load_workload
from archsim.engine.zero_shares import with_zeros
from archsim.errors import ConfigError, WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.network import Workload
from archsim.workload.zero_pattern import ZeroKind, ZeroPattern
from archsim.workload.zero_request import ZeroRequest, parse_zeros

RUNS8 = ZeroPattern(kind=ZeroKind.RUNS, mean_run=8)


def asked(name: str, *texts: str) -> dict[str, ConvLayer | MatmulLayer]:
    layers = with_zeros(load_workload(name), parse_zeros(texts)).layers
    return {layer.name: layer for layer in layers if isinstance(layer, ConvLayer | MatmulLayer)}


@pytest.mark.parametrize(
    ("text", "operand", "share", "pattern"),
    [
        ("runs:8", Operand.IFMAP, None, RUNS8),
        ("iid", Operand.IFMAP, None, ZeroPattern()),
        ("0.44", Operand.IFMAP, 0.44, None),
        ("weight=0.6", Operand.WEIGHT, 0.6, None),
        ("ifmap=0.4, channels:0.3,images:0.05", Operand.IFMAP, 0.4,
         ZeroPattern(kind=ZeroKind.CHANNELS, spread=0.3, images_std=0.05)),
        ("images:0.1", Operand.IFMAP, None, ZeroPattern(images_std=0.1)),
    ],
)  # fmt: skip
def test_a_text_is_read(text: str, operand: Operand, share: float | None, pattern: ZeroPattern | None) -> None:
    assert parse_zeros([text]) == (ZeroRequest(operand=operand, share=share, pattern=pattern),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("runs", "'runs' is no number"), ("iid:3", "'iid:3' is no part"), ("runs:0.5", "mean_run (=0.5) must be 1 or more"),
        ("runs:nan", "mean_run (=nan) must be 1 or more"), ("1.5", "a share of zeros (=1.5) must lie in 0..1"),
        ("nan", "a share of zeros (=nan) must lie in 0..1"), ("", "'' is no number"), ("ofmap=0.5", "'ofmap' is neither"),
        ("channels:2", "spread (=2.0) must lie in 0..1"), ("images:0.7", "images_std (=0.7) must lie in 0..0.5"),
        ("weight=images:0.1", "weights are the same for every image"), ("runs:8,iid", "in one way only"),
        ("0.5,0.6", "'0.6' is no part, or one too many"), ("images:0.1,images:0.2", "one too many"), ("runs:x", "'x' is no number"),
    ],
)  # fmt: skip
def test_a_text_that_means_nothing_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_zeros([text])
    assert str(raised.value).startswith(f"--zeros {text!r}: ")
    assert why in str(raised.value)
    assert "a share of zeros 0..1, iid, runs:LENGTH, channels:SPREAD, images:STD" in str(raised.value)


def test_an_operand_is_asked_for_once() -> None:
    with pytest.raises(ConfigError, match="zeros of ifmaps are asked for twice"):
        parse_zeros(["0.5", "ifmap=runs:8"])


def test_a_pattern_holds_for_all_layers_that_have_zeros_and_keeps_their_shares() -> None:
    before, after = asked("vgg16", "iid"), asked("vgg16", "runs:8")
    assert [layer.zero_fractions for layer in before.values()] == [layer.zero_fractions for layer in after.values()]
    assert {layer.zero_patterns.ifmap for name, layer in after.items() if name.startswith("conv")} == {RUNS8}
    assert after["fc6"].zero_patterns.ifmap == after["conv1_1"].zero_patterns.weight == ZeroPattern()


def test_a_share_holds_where_none_is_known_but_not_for_the_image() -> None:
    layers = asked("resnet18", "0.44,channels:0.3", "weight=0.6")
    assert layers["conv1"].zero_fractions.ifmap is None
    assert {layer.zero_fractions.ifmap for name, layer in layers.items() if name != "conv1"} == {0.44}
    assert {layer.zero_fractions.weight for layer in layers.values()} == {0.6}
    assert asked("vgg16", "0.44")["conv1_2"].zero_fractions.ifmap == 0.477
    assert asked("vgg16", "0.44")["fc6"].zero_fractions.ifmap == 0.44


def test_a_pattern_holds_as_far_as_the_share_of_a_layer_lets_it() -> None:
    """At 88.5 % zeros runs are 0.885 / 0.115 long at least; 1.6 % leave a spread of 3.2 % over channels at most."""

    def patterns(text: str) -> dict[str, ZeroPattern]:
        return {name: layer.zero_patterns.ifmap for name, layer in asked("vgg16", text).items() if layer.macs}

    runs = {name: pattern.mean_run for name, pattern in patterns("runs:6").items()}
    assert runs["conv5_3"] == pytest.approx(0.885 / 0.115)
    assert runs["conv4_3"] == 6
    spread = patterns("channels:0.3,images:0.2")
    assert spread["conv1_1"].spread == pytest.approx(0.032)
    assert spread["conv3_2"].spread == 0.3
    assert spread["conv1_1"].images_std < (0.016 * 0.984) ** 0.5
    assert all(pattern.fault(0.5) == "" for pattern in spread.values())


def test_a_pattern_of_zeros_that_nobody_knows_is_refused() -> None:
    with pytest.raises(WorkloadError, match="no layer of 'resnet18' has zeros of its ifmap to draw"):
        asked("resnet18", "runs:8")
    with pytest.raises(WorkloadError, match="has zeros of its weight to draw: masks give them"):
        asked("digits_cnn_int8", "weight=runs:8")


def test_what_was_asked_for_is_told() -> None:
    workload: Workload = with_zeros(load_workload("resnet18"), parse_zeros(["0.4,runs:8", "weight=iid,0.5"]))
    assert workload.assumptions[-2:] == (
        "zeros of ifmaps: a share of 0.4 where none is known, drawn in runs of 8 zeros on average, as far as a layer's share lets them (--zeros)",
        "zeros of weights: a share of 0.5 where none is known, drawn i.i.d. (--zeros)",
    )

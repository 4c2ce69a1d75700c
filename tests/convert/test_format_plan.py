"""Which tensor gets which format."""

from dataclasses import replace

import numpy as np

from archsim.convert.calibrate import TensorRange, measure_ranges
from archsim.convert.format_plan import plan_formats
from archsim.convert.stages import cut_into_stages
from archsim.numerics.format_grammar import parse_format
from tests.convert.fake_quant import recipe
from tests.convert.small_networks import residual_network

NETWORK = residual_network()
STAGES = cut_into_stages(NETWORK)
RANGES = measure_ranges(NETWORK, np.random.default_rng(0).random((20, 1, 6, 6)))


def names(fmt: str, **how: object) -> dict[str, str | None]:
    plan = plan_formats(replace(recipe(fmt), **how), STAGES, RANGES)
    return {name: each and each.name for name, each in (("", plan.ifmap), *plan.ofmaps.items())}


def test_integers_lose_their_sign_where_nothing_is_negative() -> None:
    assert names("int8") == {
        "": "uint8", "first": "uint8", "second": "uint8", "third": "int8", "add": "int8", "classes": None
    }  # fmt: skip
    assert RANGES["third"].lowest < 0


def test_a_format_that_is_named_for_ifmaps_is_meant_to_the_letter() -> None:
    found = names("int8", ifmap_sign_is_free=False)
    assert set(found.values()) == {"int8", None}


def test_fixed_point_holds_the_logits_too() -> None:
    assert set(names("fx<10,5>").values()) == {"fx<10,5>"}


def test_weights_have_a_sign() -> None:
    plan = plan_formats(recipe("uint6"), STAGES, RANGES)
    assert {fmt.name for fmt in plan.weights.values()} == {"int6"}
    assert set(plan.weights) == {"first", "second", "third", "classes"}


def test_scales_are_asked_for_where_values_are_measured() -> None:
    plan = plan_formats(recipe("int8"), STAGES, RANGES)
    assert dict(plan.tensors(STAGES)) == {
        "": parse_format("uint8"), "relu": parse_format("uint8"), "relu2": parse_format("uint8"),
        "third": parse_format("int8"), "pool": parse_format("int8"),
    }  # fmt: skip


def test_a_plan_changes_one_tensor_at_a_time() -> None:
    plan, fmt = plan_formats(recipe("int8"), STAGES, RANGES), parse_format("int5")
    assert plan.with_ofmap("", fmt).ifmap == fmt
    assert plan.with_ofmap("add", fmt).ofmaps == {**plan.ofmaps, "add": fmt}
    assert plan.with_weight("third", fmt).weights == {**plan.weights, "third": fmt}
    assert plan.with_weight("third", fmt).ofmaps == plan.ofmaps


def test_a_tensor_of_zeros_has_no_sign() -> None:
    zero = TensorRange(lowest=0.0, highest=0.0, p999=0.0, p9999=0.0, zero_fraction=1.0)
    assert plan_formats(recipe("int8"), STAGES, {**RANGES, "third": zero}).ofmaps["third"] == parse_format("uint8")

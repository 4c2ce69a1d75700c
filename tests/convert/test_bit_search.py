"""Bits per layer: a score made by hand, and digits."""

import numpy as np
import pytest

from archsim.catalog import find_model
from archsim.convert.bit_search import SearchSpace, narrower, search_bits, widths_below
from archsim.convert.format_plan import FormatPlan
from archsim.convert.image_files import read_images
from archsim.convert.pipeline import Images, convert_model
from archsim.engine.bit_true import classify
from archsim.errors import WorkloadError
from archsim.numerics.format_grammar import parse_format
from tests.convert.fake_quant import recipe

INT4 = parse_format("int4")
PLAN = FormatPlan(
    ifmap=parse_format("uint4"), weights={"a": INT4, "b": INT4}, ofmaps={"a": parse_format("uint4"), "b": None}
)


def space(budget: float) -> SearchSpace:
    return SearchSpace(
        stages=(), weight_words={"a": 100, "b": 10}, ofmap_words={"": 5, "a": 5, "b": 5}, images=100, budget=budget
    )


def lost(plan: FormatPlan) -> int:
    """2 images for each bit that "a" lacks, 1 for each of the others."""
    widths = {"a": plan.weights["a"], "b": plan.weights["b"], "": plan.ifmap, "ofmap": plan.ofmaps["a"]}
    return sum((4 - fmt.width_bits) * (2 if name == "a" else 1) for name, fmt in widths.items())


def test_steps() -> None:
    assert [fmt.name for fmt in widths_below(parse_format("uint4"))] == ["uint4", "uint3", "uint2"]
    assert [narrower(parse_format(name)) for name in ("int2", "fx<8,3>", "fp8_e4m3", "lns8", "ternary")] == [None] * 5


def test_the_tensor_that_saves_most_bits_per_image_lost_goes_first() -> None:
    found = search_bits(PLAN, space(0.04), lambda plan: 90 - lost(plan))
    assert [found.weights[name].width_bits for name in "ab"] == [2, 4]
    assert lost(found) == 4


def test_nothing_is_given_away_without_a_budget_and_all_where_nothing_is_lost() -> None:
    assert search_bits(PLAN, space(0.0), lambda plan: 90 - lost(plan)) == PLAN
    free = search_bits(PLAN, space(0.0), lambda _: 90)
    assert {fmt.width_bits for fmt in (free.ifmap, *free.weights.values(), free.ofmaps["a"])} == {2}
    assert free.ofmaps["b"] is None


def test_only_integers_can_be_searched() -> None:
    fixed = PLAN.with_weight("a", parse_format("fx<8,3>")).with_weight("b", parse_format("fx<8,3>"))
    with pytest.raises(WorkloadError, match="only integer formats"):
        search_bits(fixed, space(0.1), lambda _: 0)


def test_digits_lose_no_more_than_the_budget_on_the_images_of_the_search() -> None:
    images = read_images("digits:train:30")
    before = convert_model(find_model("digits_cnn"), recipe("int3"), Images(calibration=images))
    found = convert_model(find_model("digits_cnn"), recipe("int3", accuracy_budget=0.1), Images(calibration=images))
    right = [int((classify(each.coded, images.values) == images.labels).sum()) for each in (before, found)]
    assert right[1] >= right[0] - 3
    widths = [layer.weight.format.width_bits for layer in found.coded.products]
    assert min(widths) == 2
    assert np.all(np.array(widths) <= 3)
    assert found.passes[-2].name == "search bits"

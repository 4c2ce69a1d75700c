"""Errors, statistics and bounds of a suite, by hand."""

import json
from math import inf

import pytest

from archsim.study.plain_json import json_text
from archsim.validate.suite import Bound, Row, Statistic, SuiteResult, Tier
from archsim.validate.tables import plain_suite, suite_notes, suite_tables, suite_verdict


def make_tier(*errors: float, name: str = "T", bounds: tuple[Bound, ...] = (), is_ceiling: bool = False) -> Tier:
    rows = tuple(
        Row(group=f"g{index % 2}", case=f"c{index}", published=100, simulated=100 * (1 + error), is_ceiling=is_ceiling)
        for index, error in enumerate(errors)
    )
    return Tier(name=name, claim="ours = theirs", quantity="cycles", unit="tCK", rows=rows, bounds=bounds)


def at_most(statistic: Statistic, limit: float) -> Bound:
    return Bound(statistic=statistic, limit=limit)


def suite(*tiers: Tier) -> SuiteResult:
    return SuiteResult(name="s", reference="theirs", tiers=tiers)


@pytest.mark.parametrize(
    ("published", "simulated", "error"), [(100, 103, 0.03), (100, 97, -0.03), (0, 0, 0), (0, 2, inf), (5, 0, -1)]
)
def test_an_error_is_relative_to_the_published_number(published: float, simulated: float, error: float) -> None:
    assert Row(group="g", case="c", published=published, simulated=simulated).error == pytest.approx(error)


def test_to_stay_below_a_ceiling_is_no_error() -> None:
    assert [Row(group="g", case="c", published=10, simulated=found, is_ceiling=True).error for found in (9, 10)] == [
        0,
        0,
    ]
    assert Row(group="g", case="c", published=10, simulated=11, is_ceiling=True).error == pytest.approx(0.1)


def test_statistics_are_those_of_absolute_errors() -> None:
    # sorted 1, 2, ... 10 %: half of the rows are at 5 % or less, nine of ten at 9 %
    tier = make_tier(*(sign * n / 100 for n, sign in zip(range(10, 0, -1), [1, -1] * 5, strict=True)))
    found = [tier.reached(statistic) for statistic in Statistic]
    assert found == pytest.approx([0.05, 0.09, 0.10])


@pytest.mark.parametrize(("count", "median", "p90"), [(1, 1, 1), (2, 1, 2), (3, 2, 3), (11, 6, 10)])
def test_a_statistic_is_an_error_that_occurs(count: int, median: int, p90: int) -> None:
    tier = make_tier(*range(1, count + 1))
    assert (tier.reached(Statistic.MEDIAN), tier.reached(Statistic.P90)) == (median, p90)


@pytest.mark.parametrize(("limit", "passes"), [(0.0199, False), (0.0201, True)])
def test_a_bound_holds_up_to_its_limit(limit: float, passes: bool) -> None:
    tier = make_tier(0.01, -0.02, bounds=(at_most(Statistic.MAX, limit), at_most(Statistic.MEDIAN, 1)))
    assert tier.passes is passes
    assert suite(make_tier(9.0), tier).passes is passes
    assert len(tier.broken) == (not passes)


def test_a_tier_without_bounds_breaks_nothing_and_says_that_it_is_reported() -> None:
    tier = make_tier(9.0)
    assert tier.passes
    assert suite_tables(suite(tier))[0].rows[0][-1] == "reported"


def test_an_infinite_error_breaks_every_bound() -> None:
    rows = (Row(group="g", case="c", published=0, simulated=1),)
    tier = Tier(name="T", claim="", quantity="q", unit="u", rows=rows, bounds=(at_most(Statistic.MAX, 1e9),))
    assert not tier.passes
    assert json.loads(json_text(plain_suite(suite(tier))))["tiers"][0]["errors"]["max"] is None


def test_the_worst_rows_come_first_and_exact_ones_never() -> None:
    assert [row.case for row in make_tier(0.01, 0, -0.03, 0.02).worst(3)] == ["c2", "c3", "c0"]
    assert make_tier(0, 0).worst(3) == []


def test_groups_share_out_the_rows() -> None:
    groups = make_tier(0.01, -0.05, 0.02).by_group()
    assert [(group.name, len(group.rows), group.reached(Statistic.MAX)) for group in groups] == [
        ("g0", 2, pytest.approx(0.02)), ("g1", 1, pytest.approx(0.05)),
    ]  # fmt: skip


def test_an_exact_tier_that_fails_lists_its_rows_however_small_the_error() -> None:
    tier = make_tier(0, 1e-6, bounds=(at_most(Statistic.MAX, 0.0),))
    tiers, groups, worst = suite_tables(suite(tier))
    assert tiers.rows[0][-2:] == ("equal", "FAIL")
    assert groups.rows == [("g0", "0"), ("g1", "<0.001")]
    assert [row[2] for row in worst.rows] == ["c1"]


def test_an_exact_tier_that_passes_lists_none() -> None:
    _, groups, worst = suite_tables(suite(make_tier(0, 0, bounds=(at_most(Statistic.MAX, 0.0),))))
    assert (groups.rows, worst.rows) == ([], [])


def test_every_row_of_a_table_has_its_columns() -> None:
    for table in suite_tables(suite(make_tier(0.5, bounds=(at_most(Statistic.P90, 0.1),)), make_tier(0.2, name="U"))):
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_verdict_names_the_bounds_that_are_broken() -> None:
    good = make_tier(0.01, name="good", bounds=(at_most(Statistic.MAX, 0.1),))
    bad = make_tier(0.3, name="bad", bounds=(at_most(Statistic.MAX, 0.1), at_most(Statistic.MEDIAN, 0.5)))
    assert suite_verdict(suite(good, make_tier(9.0))) == "s: pass: all bounds of 1 tiers hold"
    assert suite_verdict(suite(good, bad)) == "s: FAIL: bad (max 10)"


def test_a_sentence_that_tiers_share_is_told_once() -> None:
    assert suite_notes(suite(make_tier(0, name="a"), make_tier(0, name="b"))) == ["a, b: ours = theirs"]

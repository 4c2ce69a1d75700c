"""Errors, statistics and bounds of a suite, by hand."""

import json
from dataclasses import replace
from math import inf

import pytest

from archsim.study.plain_json import json_text
from archsim.validate.row_tables import suite_pages
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
    # sorted 1, 2, ... 10 %: half of the rows are at 5 % or less, nine of ten at 9 %; 55 % / 10 rows
    tier = make_tier(*(sign * n / 100 for n, sign in zip(range(10, 0, -1), [1, -1] * 5, strict=True)))
    found = [tier.reached(statistic) for statistic in Statistic]
    assert found == pytest.approx([0.05, 0.055, 0.09, 0.10])


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


def with_rows(tier: Tier, **changes: dict[str, object]) -> Tier:
    """The tier with some fields of some rows changed, by case; all of its rows listed."""
    rows = tuple(replace(row, **changes.get(row.case, {})) for row in tier.rows)
    return replace(tier, rows=rows, lists_rows=True)


TOTAL = Bound(statistic=Statistic.MAX, limit=0.02, is_of_totals=True)


def test_the_mean_is_that_of_absolute_errors() -> None:
    # (2 + 4 + 9) / 3 = 5
    tier = make_tier(0.02, -0.04, 0.09, bounds=(at_most(Statistic.MEAN, 0.0499),))
    assert tier.reached(Statistic.MEAN) == pytest.approx(0.05)
    assert not tier.passes


def test_a_row_that_is_not_gated_breaks_no_bound() -> None:
    tier = make_tier(0.01, 0.38, bounds=(at_most(Statistic.MAX, 0.02),))
    assert not tier.passes
    spared = with_rows(tier, c1={"is_gated": False, "note": "contradicted"})
    assert spared.passes
    assert spared.reached(Statistic.MAX) == pytest.approx(0.01)


def test_a_tier_of_rows_that_count_for_no_bound_is_reported_and_not_passed() -> None:
    tier = with_rows(make_tier(0.38, bounds=(at_most(Statistic.MAX, 0.02),)), c0={"is_gated": False, "note": "n"})
    assert suite_tables(suite(tier))[0].rows[0][-1] == "reported"
    assert suite_verdict(suite(tier)) == "s: pass: all bounds of 0 tiers hold"


@pytest.mark.parametrize(
    ("layer", "total", "broken"), [(0.05, 0.01, 0), (0.05, 0.03, 1), (0.08, 0.01, 1), (0.08, 0.03, 2)]
)
def test_totals_have_bounds_of_their_own_and_no_others(layer: float, total: float, broken: int) -> None:
    tier = make_tier(layer, total, bounds=(at_most(Statistic.MAX, 0.07), TOTAL))
    assert len(with_rows(tier, c1={"is_total": True}).broken) == broken


def test_a_total_far_off_moves_no_statistic_of_the_layers() -> None:
    tier = with_rows(make_tier(0.01, 0.5), c1={"is_total": True})
    assert [tier.reached(each) for each in Statistic] == pytest.approx([0.01] * 4)
    assert tier.reached(Statistic.MAX, is_of_totals=True) == pytest.approx(0.5)


def test_a_tier_that_lists_its_rows_shows_each_with_its_source_and_mark() -> None:
    tier = with_rows(
        make_tier(0, 0.05, -0.38, bounds=(at_most(Statistic.MAX, 0.06), TOTAL)),
        c0={"source": "ISSCC'16"}, c1={"is_recalled": True}, c2={"is_gated": False, "note": "counted otherwise"},
    )  # fmt: skip
    (tables, notes), (summary, _) = suite_pages(suite(tier))
    assert [table.title for table in tables] == [
        "T [tCK], g0; bound max 6, total 2",
        "T [tCK], g1; bound max 6, total 2",
    ]
    assert [table.rows for table in tables] == [
        [("c0", "100", "100", "0", "", "ISSCC'16"), ("c2", "100", "62", "-38", "not gated", "")],
        [("c1", "100", "105", "+5", "recalled", "")],
    ]
    assert notes == ["  c2, g0: not gated: counted otherwise", ""]
    assert [table.rows for table in summary[1:]] == [[], []]
    assert summary[0].columns == ("tier", "rows", "mean", "max", "total", "bound", "")
    assert summary[0].rows == [("T", "3", "2.5", "5", "", "max 6, total 2", "pass")]


def test_long_sources_are_cut_where_rows_are_listed() -> None:
    tier = make_tier(0.1)
    (tables, _), _ = suite_pages(suite(with_rows(tier, c0={"group": "alexnet", "source": 30 * "x"})))
    assert tables[0].title == "T [tCK], alexnet; reported"
    assert tables[0].rows == [("c0", "100", "110", "+10", "", 17 * "x" + "...")]


def test_json_says_of_every_row_whence_it_is_and_whether_it_counts() -> None:
    tier = with_rows(
        make_tier(0.1), c0={"source": "s", "is_recalled": True, "note": "n", "is_gated": False, "is_total": True}
    )
    (row,) = json.loads(json_text(plain_suite(suite(tier))))["tiers"][0]["rows"]
    said = {key: row[key] for key in ("source", "is_recalled", "note", "is_gated", "is_total")}
    assert said == {"source": "s", "is_recalled": True, "note": "n", "is_gated": False, "is_total": True}

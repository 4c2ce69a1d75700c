"""The NVDLA suite: NVIDIA's sheet row by row, through the planner and the engine."""

import csv
from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.validate.nvdla import GOLDEN, SHEETS, nvdla_suite
from archsim.validate.suite import EQUAL, Bound, Statistic

SUITE = nvdla_suite()
TIERS = {tier.name: tier for tier in SUITE.tiers}
PERCENT = Bound(statistic=Statistic.MAX, limit=0.01)


@pytest.mark.parametrize(
    ("name", "rows"), [("MAC cycles", 130), ("DRAM traffic", 130), ("CVSRAM reads", 65), ("CVSRAM writes", 65)]
)
def test_every_row_of_the_sheet_is_equal(name: str, rows: int) -> None:
    tier = TIERS[name]
    assert len(tier.rows) == rows
    assert tier.bounds == EQUAL
    assert tier.passes


def test_one_row_that_its_twin_contradicts_is_shown_and_explained_not_gated() -> None:
    apart = [row for tier in SUITE.tiers for row in tier.rows if not row.is_gated]
    assert [(row.group, row.case, row.published) for row in apart] == [("alexnet with CVSRAM", "conv2_group1", 9.375)]
    assert "16 frames, those of the other group among 18" in apart[0].note
    twin = next(row for row in TIERS["DRAM traffic"].rows if row.case == "conv2_group2" and "with CV" in row.group)
    assert apart[0].simulated == twin.simulated == twin.published


def test_layer_times_are_the_sheets() -> None:
    tier = TIERS["layer time"]
    assert tier.bounds == (PERCENT,)
    assert (len(tier.rows), tier.reached(Statistic.MAX)) == (130, 0.0)


def test_networks_take_the_sheets_time_and_googlenet_its_mac_cycles() -> None:
    assert [row.group for row in TIERS["network time"].rows] == [
        "alexnet with CVSRAM",
        "alexnet without",
        "resnet50 without",
    ]
    assert TIERS["network time"].reached(Statistic.MAX) < 1e-6
    (row,) = TIERS["GoogLeNet MAC cycles"].rows
    assert (row.published, row.simulated) == (pytest.approx(527_789), 527_790)
    assert SUITE.passes


def test_what_no_bar_holds_stays_where_it_was_measured() -> None:
    """First fetches: two layers of ResNet-50's second stage cannot hide theirs; most rows have nothing to hide."""
    alone = TIERS["simulated time"]
    assert not alone.bounds
    late = {row.case for row in alone.rows if abs(row.error) > 0.01}
    assert late == {"Res2a_branch2b", "Res2b_branch2b", "Res2c_branch2b"}
    assert alone.reached(Statistic.MAX) < 0.14
    assert all(row.error >= 0 for row in alone.rows)


def test_the_largest_size_of_the_primer_comes_out_and_the_others_are_told() -> None:
    rows = TIERS["primer"].rows
    assert len(rows) == 7
    assert rows[0].error == pytest.approx(0, abs=1e-3)
    assert all(row.simulated > row.published for row in rows[1:])
    assert max(row.error for row in rows[1:4]) < 0.05


def test_every_row_says_where_it_stands() -> None:
    assert all("nvdla" in row.source for tier in SUITE.tiers for row in tier.rows)


@pytest.fixture
def reference(tmp_path: Path):
    """Write a reference of one shipped row, some of its values changed."""
    with (GOLDEN / SHEETS[1]).open(newline="") as file:
        shipped = next(iter(csv.DictReader(file)))

    def write(**changes: str) -> Path:
        row = {name: value for name, value in (shipped | changes).items() if value != "left out"}
        path = tmp_path / "mine.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerow(row)
        return path

    return write


def test_rows_of_the_users_own_are_held_to_the_same_bounds(reference) -> None:
    suite = nvdla_suite(reference())
    assert suite.passes
    assert {tier.name for tier in suite.tiers} == {"MAC cycles", "DRAM traffic", "CVSRAM reads", "CVSRAM writes",
                                                  "layer time", "simulated time"}  # fmt: skip
    broken = nvdla_suite(reference(mac_cycles="153663"))
    assert [tier.name for tier in broken.tiers if not tier.passes] == ["MAC cycles"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"kernel": "left out"}, "the columns kernel are missing"), ({"op": "pool"}, r"op \(='pool'\) must be conv or fc"),
     ({"stride": "two"}, "mine.csv:2: not a row of NVIDIA's sheet: invalid literal"), ({"frames": "0"}, "frames must be"),
     ({"kernel": "999"}, "does not fit ifmap"), ({"cvsram_dram": "bias"}, "'bias' is not a valid Operand")],
)  # fmt: skip
def test_a_fault_in_a_reference_is_named_with_its_line(reference, changes, problem) -> None:
    with pytest.raises(ConfigError, match=problem):
        nvdla_suite(reference(**changes))

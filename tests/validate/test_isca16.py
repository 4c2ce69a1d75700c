"""The ISCA 2016 suite: dataflows against the paper's figures."""

import csv

import pytest

from archsim.errors import ConfigError
from archsim.validate import isca16
from archsim.validate.isca16 import POINT_FILES, isca16_suite, published_energies
from archsim.validate.suite import EQUAL, Statistic

SUITE = isca16_suite()
TIERS = {tier.name: tier for tier in SUITE.tiers}


def test_every_bound_of_the_issue_holds() -> None:
    limits = {tier.name: [(bound.statistic, bound.limit) for bound in tier.bounds] for tier in SUITE.tiers}
    assert limits == {
        "energy per MAC": [(Statistic.MAX, 0.15)],
        "DRAM accesses per MAC": [(Statistic.MAX, 0.20)],
        "order": [(Statistic.MAX, 0.0)],
        "feasible": [(Statistic.MAX, 0.0)],
        "energy by level": [],
        "RS by layer": [],
        "energy-delay product": [],
    }
    assert SUITE.passes


@pytest.mark.parametrize(
    ("name", "rows", "largest"),
    [
        ("energy per MAC", 35, 0.0015),
        ("DRAM accesses per MAC", 35, 0.028),
        ("energy by level", 140, 0.028),
        ("RS by layer", 32, 0.0015),
        ("energy-delay product", 35, 0.004),
    ],
)
def test_what_was_measured_stays(name, rows, largest) -> None:
    assert len(TIERS[name].rows) == rows
    assert 0 < TIERS[name].reached(Statistic.MAX) <= largest


def test_only_nlr_with_its_random_search_is_off_by_more_than_the_digits() -> None:
    off = {row.case for row in TIERS["DRAM accesses per MAC"].rows if abs(row.error) > 0.0005}
    assert off == {"NLR N=16", "NLR N=64"}


def test_order_is_a_rank_of_each_size_and_batch() -> None:
    ranks = {(row.group, row.case): row.simulated for row in TIERS["order"].rows}
    assert sorted(ranks["512 PEs", f"{each} N=1"] for each in ("RS", "WS", "OS_A", "OS_B", "OS_C", "NLR")) == [
        *range(1, 7)
    ]
    assert ranks["256 PEs", "RS N=64"] == 1
    assert ranks["256 PEs", "NLR N=64"] == 5  # WS has no mapping there
    assert TIERS["order"].bounds == EQUAL


def test_rows_carry_the_figure_they_stand_in() -> None:
    assert all("ISCA 2016" in row.source for tier in SUITE.tiers for row in tier.rows)
    assert not any(row.is_recalled for tier in SUITE.tiers for row in tier.rows)


def test_the_paper_has_35_points_with_a_mapping() -> None:
    energies = published_energies()
    assert len(energies) == 35
    assert energies["RS", 256, 1] == 6.418


def changed(tmp_path, **cells: str):
    """Write the first published energy with other cells."""
    with POINT_FILES[0].open(newline="") as file:
        row = next(csv.DictReader(file)) | cells
    path = tmp_path / "points.csv"
    path.write_text(",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n")
    return path


def test_other_rows_of_the_same_columns_are_compared(tmp_path) -> None:
    suite = isca16_suite(changed(tmp_path, num_pes="168", batch_N="4", total_in_MAC_units="6.2"))
    energy = suite.tiers[0]
    assert [(row.group, row.case, row.published) for row in energy.rows] == [("168 PEs", "RS N=4", 6.2)]
    assert 0.9 < energy.rows[0].simulated / 6.2 < 1.1
    assert [tier.name for tier in suite.tiers] == ["energy per MAC", "order", "feasible", "energy by level"]


def test_a_wrong_energy_or_a_lost_mapping_fails(tmp_path) -> None:
    assert not isca16_suite(changed(tmp_path, total_in_MAC_units="7.6")).passes
    lost = isca16_suite(changed(tmp_path, dataflow="WS", batch_N="64"))
    assert [tier.name for tier in lost.tiers if not tier.passes] == ["energy per MAC", "feasible"]
    found = isca16_suite(changed(tmp_path, total_in_MAC_units="", total_norm_to_RS256_N1="", dram="", buffer="", array="",
                                 rf="", alu=""))  # fmt: skip
    assert [tier.name for tier in found.tiers if not tier.passes] == ["feasible"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"dataflow": "IS"}, ":2: not a point of the study: 'IS'"),
        ({"num_pes": "many"}, ":2: not a point of the study: invalid literal"),
        ({"batch_N": "0"}, r":2: num_pes \(=256\) and batch_N \(=0\)"),
    ],
)
def test_a_faulty_reference_is_named_with_its_line(cells, message, tmp_path) -> None:
    path = changed(tmp_path, **cells)
    with pytest.raises(ConfigError, match=str(path) + message):
        isca16_suite(path)


def test_a_file_without_the_columns_or_without_rows_is_refused(tmp_path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("dataflow,num_pes,batch_N\nRS,256,1\n")
    with pytest.raises(ConfigError, match=r":1: needs the columns dataflow, num_pes, batch_N and some of total_in_MAC"):
        isca16_suite(path)
    path.write_text("dataflow,num_pes,batch_N,total_in_MAC_units\n")
    with pytest.raises(ConfigError, match="no points in it"):
        isca16_suite(path)


def test_golden_files_name_their_source() -> None:
    for path in (*POINT_FILES, isca16.LAYER_FILE):
        with path.open(newline="") as file:
            assert all("ISCA 2016" in row["source"] for row in csv.DictReader(file)), path.name

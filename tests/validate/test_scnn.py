"""`archsim validate scnn`: what is held to which bound, and which files it takes in place of the shipped tables."""

import csv
from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.validate import scnn
from archsim.validate.scnn import GOLDEN, TABLES, scnn_suite
from archsim.validate.scnn_rows import PassRow, PeerRow, SpeedupRow, read_scnn
from archsim.validate.suite import SuiteResult


@pytest.fixture(scope="module")
def suite() -> SuiteResult:
    return scnn_suite()


def tier(suite: SuiteResult, name: str):
    return next(each for each in suite.tiers if each.name == name)


def test_every_bound_of_scnn_holds(suite: SuiteResult) -> None:
    assert suite.passes
    assert {each.name for each in suite.tiers if each.is_gated} == {
        "RTL passes",
        "products",
        "vector pairs",
        "Monte Carlo",
        "density sweep",
        "bracket",
    }


def test_every_skipping_pass_of_the_rtl_is_met_to_the_cycle(suite: SuiteResult) -> None:
    passes = tier(suite, "RTL passes")
    gated = [row for row in passes.rows if row.is_gated]
    assert (len(passes.rows), len(gated)) == (25, 23)
    assert all(row.published == row.simulated for row in gated)
    assert len({row.published for row in gated}) > 12


def test_recalled_speedups_are_shown_as_recalled_and_lie_in_their_bracket(suite: SuiteResult) -> None:
    speedups = tier(suite, "network speedup").rows
    assert [(row.group, row.published, row.is_recalled) for row in speedups] == [
        ("vgg16", 3.52, True),
        ("alexnet", 2.37, True),
    ]
    assert all(abs(row.error) < 0.12 for row in speedups)
    assert [row.note for row in tier(suite, "bracket").rows] == ["bracket: 2.94 to 3.92", "bracket: 1.56 to 2.71"]


def test_products_that_the_peer_lost_are_shown_and_not_gated(suite: SuiteResult) -> None:
    rows = tier(suite, "products").rows
    assert {row.case for row in rows if row.is_gated} == {"conv1_1", "conv5_1", "conv5_2", "conv5_3"}
    assert all(row.simulated >= row.published for row in rows if not row.is_gated)


@pytest.mark.parametrize(("name", "kind"), [*zip(TABLES, (PassRow, PeerRow, SpeedupRow), strict=True)])
def test_each_table_is_known_by_its_columns(name: str, kind: type) -> None:
    assert all(isinstance(row, kind) for row in read_scnn(GOLDEN / name))


def changed(tmp_path: Path, name: str, line: int, **cells: str) -> Path:
    """A shipped table with some cells of one row changed."""
    rows = list(csv.DictReader((GOLDEN / name).read_text().splitlines()))
    rows[line].update(cells)
    path = tmp_path / name
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_reference_takes_the_place_of_the_tables_and_can_fail(tmp_path: Path) -> None:
    wrong = scnn_suite(changed(tmp_path, "scnn_rtl.csv", 1, last_output_cycle="731"))
    assert [each.name for each in wrong.tiers] == ["RTL passes"]
    assert not wrong.passes
    assert not scnn_suite(changed(tmp_path, "scnn_peer.csv", 0, nonzero_products="48000000")).passes


def test_a_speedup_outside_its_bracket_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scnn, "_speedup", lambda row: 3.95)
    assert not tier(scnn_suite(GOLDEN / "scnn_speedups.csv"), "bracket").passes


def test_raw_measurements_of_other_designs_are_passed_over(tmp_path: Path) -> None:
    path = changed(tmp_path, "scnn_rtl.csv", 0, design="another array")
    assert len(read_scnn(path)) == 24


@pytest.mark.parametrize(
    ("name", "cells", "rule"),
    [("scnn_rtl.csv", {"workload": "some layer"}, "params and workload do not tell a pass"),
     ("scnn_rtl.csv", {"last_output_cycle": "many"}, "invalid literal"),
     ("scnn_peer.csv", {"iact_zero_fraction": "1.5"}, r"iact_zero_fraction must lie in 0..1 \(found 1.5\)"),
     ("scnn_peer.csv", {"weight_shape_KCSR": "(3, 3)"}, "weight_shape_KCSR must be four sizes"),
     ("scnn_speedups.csv", {"published": "-1"}, "published must be a number of at least 0"),
     ("scnn_speedups.csv", {"low": "9", "high": "1"}, "low and high must be a bracket"),
     ("scnn_speedups.csv", {"from_memory": "perhaps"}, "from_memory must be true or false")],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(tmp_path: Path, name: str, cells: dict[str, str], rule: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}:3: .*{rule}"):
        scnn_suite(changed(tmp_path, name, 1, **cells))


def test_a_file_that_is_no_table_or_a_network_without_shares_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"other\.csv:1: no table of SCNN; one of these sets of columns"):
        scnn_suite(path)
    with pytest.raises(ConfigError, match="no shares of zeros are shipped for resnet18"):
        scnn_suite(changed(tmp_path, "scnn_speedups.csv", 0, network="resnet18"))


def test_cycles_of_all_pes_are_the_peers_where_planes_are_cut_evenly(suite: SuiteResult) -> None:
    """13 layers of VGG-16, 28 and 14 places over 8 PEs among them: tiles of ceil(side / PEs) would be 4 to 12 % below."""
    pairs = tier(suite, "vector pairs")
    assert len(pairs.rows) == 13
    assert max(abs(row.error) for row in pairs.rows) < 0.02
    assert sorted(abs(row.error) for row in pairs.rows)[6] < 0.002


def test_energy_of_the_dense_twin_is_about_twice_as_much(suite: SuiteResult) -> None:
    energy = tier(suite, "network energy")
    assert not energy.is_gated
    assert {row.group: round(row.simulated, 1) for row in energy.rows} == {"vgg16_pruned": 2.3, "alexnet_pruned": 1.9}

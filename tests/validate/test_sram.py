"""The SRAM suite: CACTI's points that are not in the grid."""

import csv

import pytest

from archsim.arch.memory_level import SramCell
from archsim.cost.sram_model import SHIPPED_GRIDS
from archsim.errors import ConfigError
from archsim.validate.sram import HELD_OUT, sram_suite
from archsim.validate.suite import Statistic

SUITE = sram_suite()
TIERS = {tier.name: tier for tier in SUITE.tiers}


@pytest.mark.parametrize(("name", "p90"), [("read energy", 0.15), ("area", 0.11)])
def test_interpolation_meets_cacti_at_195_points_outside_the_grid(name, p90) -> None:
    tier = TIERS[name]
    assert len(tier.rows) == 195
    assert [(bound.statistic, bound.limit) for bound in tier.bounds] == [(Statistic.P90, p90)]
    assert tier.reached(Statistic.P90) <= p90
    assert SUITE.passes


@pytest.mark.parametrize(
    ("name", "p90"), [("write energy", 0.09), ("leakage", 0.06), ("access time", 0.09), ("cycle time", 0.29)]
)
def test_what_no_bar_holds_stays_where_it_was_measured(name, p90) -> None:
    assert TIERS[name].reached(Statistic.P90) <= p90


def test_banks_behind_a_tree_are_within_a_fifth_of_cactis_banked_memories() -> None:
    tier = TIERS["banked read energy"]
    assert len(tier.rows) == 285
    assert tier.reached(Statistic.P90) <= 0.2


def test_a_reference_in_cactis_words_reads_alike(tmp_path) -> None:
    with HELD_OUT.open(newline="") as file:
        row = next(csv.DictReader(file))
    row |= {"cell": "itrs-lstp", "ports": "1rw0r0w", "status": "ok"}
    lost = dict.fromkeys(row, "") | {"status": "no_org"}
    path = tmp_path / "points.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows([row, lost])
    suite = sram_suite(path)
    assert [len(tier.rows) for tier in suite.tiers] == [1] * 6
    assert suite.tiers[0].rows == TIERS["read energy"].rows[:1]
    assert suite.reference == str(path)


def test_points_of_the_grid_prove_nothing_and_are_left_out() -> None:
    suite = sram_suite(SHIPPED_GRIDS[SramCell.LSTP])
    assert not suite.tiers[0].rows
    assert suite.tiers[0].notes == ("475 rows are points of archsim's own grid and left out",)


@pytest.mark.parametrize(
    ("change", "message"),
    [(("read_pj", "joules"), ":1: SRAM points need the columns"), (("lstp", "fast"), ":2: not an SRAM point: 'fast'")],
)
def test_a_faulty_reference_is_named_with_its_line(change, message, tmp_path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(HELD_OUT.read_text().replace(*change, 1))
    with pytest.raises(ConfigError, match=str(path) + message):
        sram_suite(path)

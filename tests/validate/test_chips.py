"""The chips suite: headlines of neuFlow, Park, Gupta, ShiDianNao, EEPS and the Edge TPU."""

import pytest

from archsim.catalog import load_arch
from archsim.terms import OPS_PER_MAC
from archsim.validate.chips import DSIP, LIMITS, SHIPPED, chips_suite
from archsim.validate.published_rows import read_published

SUITE = chips_suite()
TIERS = {tier.name: tier for tier in SUITE.tiers}
ROWS = {(tier.name, row.group): row for tier in SUITE.tiers for row in tier.rows}


def test_every_bound_holds_and_says_why_it_is_what_it_is() -> None:
    assert SUITE.passes
    bound = [tier for tier in SUITE.tiers if tier.bounds]
    assert len(bound) == len(LIMITS) == 7
    assert all(limit.reason and any(limit.reason in note for tier in bound for note in tier.notes) for limit in LIMITS)


@pytest.mark.parametrize(
    ("chip", "macs", "gops"),
    [("neuflow", 200, 160), ("gupta2015", 784, 260.288), ("eeps", 256, 104.448), ("shidiannao", 64, 128),
     ("park2015", 1024, 409.6), ("edge_tpu", 4096, 4000), ("tpu_v1", 65536, 91750.4)],
)  # fmt: skip
def test_a_peak_rate_is_two_operations_for_each_mac_and_cycle_of_the_published_array(chip, macs, gops) -> None:
    arch = load_arch(chip)
    assert arch.pe_array.multipliers == macs
    assert OPS_PER_MAC * macs * arch.clock_mhz / 1e3 == pytest.approx(gops, rel=1e-12)


@pytest.mark.parametrize(
    ("chip", "error"),
    [("neuflow", 0), ("gupta2015", 0.0011), ("eeps", 0.024), ("park2015", -0.0041), ("shidiannao", -0.34)],
)
def test_what_published_peaks_contradict_is_shown_not_bent(chip, error) -> None:
    row = ROWS[f"{chip} peak rate", chip]
    assert row.error == pytest.approx(error, abs=0.0006)
    assert row.is_gated is (chip != "shidiannao")
    assert row.note


def test_eeps_runs_alexnet_faster_than_the_chip_within_its_range_of_power() -> None:
    where = "alexnet on eeps"
    assert 47 < ROWS["eeps frame rate", where].simulated < 47 * 1.45
    assert 25 <= ROWS["eeps chip power", where].simulated <= 287
    assert 0.3 <= ROWS["eeps energy efficiency", where].simulated <= 2.7


def test_the_edge_tpu_is_estimated_from_below() -> None:
    rows = TIERS["edge_tpu total latency"].rows
    assert [row.published for row in rows] == [2.2, 2.3, 3.6]
    assert all(-0.6 < row.error < 0 for row in rows)


def test_a_ratio_without_a_denominator_is_told_and_not_compared() -> None:
    assert DSIP in SUITE.tiers
    assert not DSIP.rows
    assert "2.17" in DSIP.skipped


def test_recalled_rows_are_marked() -> None:
    recalled = {row.chip for row in read_published(SHIPPED) if row.from_memory}
    assert recalled == {"neuflow", "park2015", "gupta2015", "shidiannao"}


def test_rows_of_the_users_own_are_held_to_the_same_bounds(tmp_path) -> None:
    head, *lines = [line for line in SHIPPED.read_text().splitlines() if not line.startswith("#")]
    mine = next(line for line in lines if line.startswith("gupta2015,,,,peak_gops")).replace(",260,", ",300,")
    path = tmp_path / "mine.csv"
    path.write_text(f"{head}\n{mine}\n")
    suite = chips_suite(path)
    assert not suite.passes
    assert len(suite.tiers) == 1

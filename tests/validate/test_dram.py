"""The DRAM channels against DRAMsim3 and Ramulator 2.1: every shipped run, tier by tier."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.validate.dram import dram_suite
from archsim.validate.dram_reference import COLUMNS, SHIPPED, read_reference
from archsim.validate.suite import Statistic, SuiteResult, Tier

ROW = dict(zip(COLUMNS, ["dramsim3", "DDR4_2400", "seq_rd", "200", "8", "1100", "200", "0", "1", "40.0", "3.46", "588.6", "0.0", "0.0", "378.0"], strict=True))  # fmt: skip
ROWS = {"A cycles": 511, "A activates": 511, "A closed page": 26, "A several channels": 26, "B cycles": 255,
        "B read latency": 240, "C cycles": 375, "C reported": 136}  # fmt: skip

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def shipped() -> SuiteResult:
    return dram_suite()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a reference of one row per mapping of replaced cells."""

    def _write(*changes: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
        path = tmp_path / "r.csv"
        lines = [",".join((ROW | change)[name] for name in columns) for change in changes]
        path.write_text("\n".join(["# runs of mine", ",".join(columns), *lines]) + "\n")
        return path

    return _write


def tier_of(suite: SuiteResult, name: str) -> Tier:
    return next(tier for tier in suite.tiers if tier.name == name)


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        dram_suite(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("name", ROWS)
def test_no_row_is_lost(shipped: SuiteResult, name: str) -> None:
    assert len(tier_of(shipped, name).rows) == ROWS[name]


@pytest.mark.parametrize("name", ["A cycles", "A activates", "A several channels"])
def test_bank_rr_equals_dramsim3_to_the_clock(shipped: SuiteResult, name: str) -> None:
    inexact = [(row.group, row.case) for row in tier_of(shipped, name).rows if row.error]
    assert inexact == []


def test_closed_pages_differ_by_what_a_legal_refresh_takes(shipped: SuiteResult) -> None:
    closed = tier_of(shipped, "A closed page")
    assert closed.reached(Statistic.MEDIAN) <= 0.0005
    assert closed.reached(Statistic.MAX) <= 0.004


def test_the_default_policy_is_as_near_to_ramulator_as_asked(shipped: SuiteResult) -> None:
    cycles, latency = tier_of(shipped, "B cycles"), tier_of(shipped, "B read latency")
    assert cycles.reached(Statistic.MEDIAN) <= 0.003
    assert cycles.reached(Statistic.P90) <= 0.02
    assert cycles.reached(Statistic.MAX) <= 0.08
    assert latency.reached(Statistic.P90) <= 0.03


def test_the_default_policy_is_as_near_to_dramsim3_as_asked(shipped: SuiteResult) -> None:
    cycles = tier_of(shipped, "C cycles")
    assert cycles.reached(Statistic.MEDIAN) <= 0.005
    assert cycles.reached(Statistic.P90) <= 0.06


@pytest.mark.parametrize(
    ("name", "limit"),
    [("D activate", 1e-4), ("D read", 1e-4), ("D write", 1e-4), ("D refresh", 1e-4), ("D background", 1e-2), ("D total", 1e-2)],
)  # fmt: skip
def test_energies_of_equal_runs_are_dramsim3s(shipped: SuiteResult, name: str, limit: float) -> None:
    tier = tier_of(shipped, name)
    assert len(tier.rows) == 563 - 16  # of the 26 closed-page runs 16 wait longer before a refresh
    assert tier.reached(Statistic.MAX) <= limit


@pytest.mark.parametrize("name", ["E bandwidth", "E activates", "E data clocks"])
def test_no_run_does_what_its_device_cannot(shipped: SuiteResult, name: str) -> None:
    assert tier_of(shipped, name).worst(1) == []


def test_the_suite_holds_every_bound(shipped: SuiteResult) -> None:
    assert shipped.passes
    gated = {tier.name[0] for tier in shipped.tiers if tier.bounds}
    assert gated == set("ABCDE")


def test_rows_of_ones_own_are_compared(write: Write) -> None:
    suite = dram_suite(write({}, {"outstanding": "1"}, {"simulator": "ramulator2.1-FRFCFSRowHit"}))
    assert [row.case for row in tier_of(suite, "A cycles").rows] == ["seq_rd 8", "seq_rd 1"]
    assert len(tier_of(suite, "B cycles").rows) == 1
    assert not suite.passes  # 1100 cycles is not what 200 bursts take


def test_a_trace_of_ones_own_lies_beside_the_reference(write: Write, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("".join(f"{64 * index},0,0\n" for index in range(200)))
    suite = dram_suite(write({"pattern": "mine"}, {}))
    mine, shipped_pattern = tier_of(suite, "A cycles").rows
    assert mine.simulated == shipped_pattern.simulated


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"simulator": "dramsim"}, "no simulator is named 'dramsim'. Did you mean 'dramsim3'? Known: dramsim3, ramulator2.1-FRFCFSRowHit, ramulator2.1-FRFCFS"),
        ({"device": "DDR4_2401"}, "no DRAM device is named 'DDR4_2401'. Did you mean 'DDR4_2400'?"),
        ({"cycles": "-3"}, "cycles must be a whole number (found '-3')"),
        ({"acts": ""}, "acts must be a whole number (found '')"),
        ({"e_bg_nj": "many"}, "e_bg_nj must be a number of at least 0 (found 'many')"),
        ({"avg_read_lat_cyc": "nan"}, "avg_read_lat_cyc must be a number of at least 0 (found 'nan')"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_with_its_line(write: Write, change: dict[str, str], fault: str) -> None:
    assert faults(write({}, change)) == [f"4: {fault}"]


def test_an_unknown_trace_is_told_where_it_would_be_read(write: Write, tmp_path: Path) -> None:
    assert faults(write({"pattern": "seq_rdd"})) == [
        f"3: no trace is named 'seq_rdd'. Did you mean 'seq_rd'? One of your own is read from {tmp_path / 'seq_rdd.csv'}"
    ]


def test_all_faults_are_told_at_once_up_to_20(write: Write) -> None:
    found = faults(write(*[{"cycles": "x"}] * 30))
    assert len(found) == 21
    assert found[-1] == " ... and 10 more"


def test_a_missing_column_is_named(write: Write) -> None:
    assert faults(write({}, columns=tuple(name for name in COLUMNS if name != "acts"))) == [
        f"2: DRAM runs need the columns {', '.join(COLUMNS)}; missing: acts"
    ]


def test_a_short_row_and_an_empty_file_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(",".join(COLUMNS) + "\ndramsim3,DDR4_2400,seq_rd\n")
    assert faults(path) == ["2: n_req and what follows it are missing"]
    path.write_text("# nothing\n")
    assert faults(path) == [f" holds no rows; its columns are {', '.join(COLUMNS)}"]


def test_a_reference_without_rows_to_compare_is_refused(write: Write) -> None:
    assert faults(write({"simulator": "ramulator2.1-FRFCFS"})) == [
        " none of its rows is of dramsim3 or ramulator2.1-FRFCFSRowHit: nothing to compare"
    ]


def test_the_shipped_reference_has_869_runs() -> None:
    assert len(read_reference(SHIPPED)) == 869

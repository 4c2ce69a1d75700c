"""What `archsim dram` reports: names, units, and numbers that follow from the run's."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.study.dram_report import LOG_COLUMNS, DramReport, TraceSettings, command_csv, run_trace_file
from archsim.study.plain_json import json_text
from archsim.terms import DramPolicy, PagePolicy

NAMES = [
    "trace", "device", "source", "from_memory", "protocol", "channels", "ranks", "mapping", "page_policy", "policy",
    "outstanding", "cycles", "time_us", "reads", "writes", "requests_without_command", "requests_inside_bursts",
    "activates", "precharges", "refreshes", "missed_refreshes",
    "row_hit_rate", "moved_bytes", "bandwidth_gb_per_s", "bandwidth_utilization", "peak_gb_per_s",
    "mean_read_latency_cycles", "mean_read_latency_ns", "max_read_latency_cycles", "bus_use_cycles", "energy_nj",
    "pj_per_bit", "versions",
]  # fmt: skip


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """300 bursts in a row, every third written."""
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{64 * index},{int(index % 3 == 2)},0\n" for index in range(300)))
    return path


@pytest.fixture
def report(trace: Path) -> DramReport:
    return run_trace_file(trace, TraceSettings(device="DDR4_2400", keeps_log=True))


def test_the_names_of_the_summary_are_a_promise(report: DramReport) -> None:
    assert list(json.loads(json_text(report.summary()))) == NAMES


def test_the_summary_follows_from_the_counts(report: DramReport) -> None:
    found = report.summary()
    cycles = found["cycles"]
    assert isinstance(cycles, int)
    assert (found["reads"], found["writes"], found["moved_bytes"]) == (200, 100, 19200)
    assert found["time_us"] == pytest.approx(cycles * 0.833e-3)
    assert found["bandwidth_gb_per_s"] == pytest.approx(19200 / (cycles * 0.833))
    assert found["peak_gb_per_s"] == pytest.approx(16 / 0.833)
    assert found["bandwidth_utilization"] == pytest.approx(300 * 4 / cycles)
    assert found["row_hit_rate"] == pytest.approx(1 - report.run.counts.activates / 300)
    assert found["mean_read_latency_ns"] == pytest.approx(report.run.read_latency_sum / 200 * 0.833)


def test_every_clock_of_the_bus_has_one_use(report: DramReport) -> None:
    assert sum(cycles for _, cycles in report.run.bus_use) == report.run.cycles
    assert sum(share for _, share in report.bus_shares) == pytest.approx(1)
    assert report.bus_shares[0] == ("data", pytest.approx(300 * 4 / report.run.cycles))


def test_the_energy_is_the_sum_of_its_components(report: DramReport) -> None:
    energy = report.summary()["energy_nj"]
    assert isinstance(energy, dict)
    parts = [value for name, value in energy.items() if name != "total" and isinstance(value, float)]
    assert energy["total"] == pytest.approx(sum(parts))


@pytest.mark.parametrize(("device", "reads"), [("DDR4_2400", 32), ("HBM2_8ch", 256)])
def test_32_reads_a_channel_are_outstanding_where_nothing_is_said(trace: Path, device: str, reads: int) -> None:
    assert run_trace_file(trace, TraceSettings(device=device)).run.outstanding == reads


def test_settings_reach_the_run(trace: Path) -> None:
    settings = TraceSettings(
        device="DDR4_2400", outstanding=2, policy=DramPolicy.BANK_RR, mapping="rochrabacobg", page=PagePolicy.CLOSED
    )
    found = run_trace_file(trace, settings).summary()
    assert {name: found[name] for name in ("outstanding", "policy", "mapping", "page_policy", "row_hit_rate")} == {
        "outstanding": 2, "policy": "bank_rr", "mapping": "rochrabacobg", "page_policy": "closed", "row_hit_rate": 0,
    }  # fmt: skip


def test_the_command_log_has_a_row_per_command(report: DramReport) -> None:
    rows = list(csv.DictReader(io.StringIO(command_csv(report.run.log).decode())))
    assert tuple(rows[0]) == LOG_COLUMNS
    kinds = Counter(row["command"] for row in rows)
    counts = report.run.counts
    assert kinds == {
        name: count
        for name, count in (("activate", counts.activates), ("read", 200), ("write", 100),
                            ("precharge", counts.precharges), ("refresh", counts.refreshes))
        if count
    }  # fmt: skip


def test_a_log_that_was_not_kept_is_not_written(trace: Path) -> None:
    with pytest.raises(ConfigError, match="kept no command log"):
        command_csv(run_trace_file(trace, TraceSettings(device="DDR4_2400")).run.log)

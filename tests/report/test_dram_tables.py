"""The panel of `archsim dram`: numbers with units, whole at 80 columns."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from archsim.arch.dram_devices import load_device
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import BusUse, DramTrace
from archsim.report.cell_table import cell_table
from archsim.report.dram_tables import USE_MEANINGS, dram_panel
from archsim.study.dram_report import DramReport, report_dram_run


def make_report(device: str, *, writes: bool = False) -> DramReport:
    trace = DramTrace(address=64 * np.arange(600), is_write=np.full(600, writes), arrival=np.zeros(600, dtype=np.int64))
    return report_dram_run(run_dram_trace(load_device(device), trace), "[t].csv")


def printed(report: DramReport, width: int) -> str:
    sink = io.StringIO()
    Console(file=sink, width=width).print(dram_panel(report, is_narrow=width < 100))
    return sink.getvalue()


@pytest.mark.parametrize("width", [80, 140])
def test_the_panel_tells_every_number_the_run_is_asked_for(width: int) -> None:
    report = make_report("DDR4_2400")
    text = printed(report, width)
    counts = report.run.counts
    assert "[t].csv on DDR4_2400" in text
    assert f"{report.run.cycles:,} = " in text
    for count, noun in (
        (600, "reads"),
        (0, "writes"),
        (counts.activates, "activates"),
        (counts.refreshes, "refreshes"),
    ):
        assert re.search(rf"{count:,}[\s│]+{noun}", text), noun
    assert f"{100 * counts.row_hit_rate:.1f} %" in text
    assert f"{100 * report.run.bandwidth_utilization:.1f} % of peak" in text
    assert "GB/s" in text
    assert "pJ/bit" in text
    assert f"{report.run.read_latency_max:,} cycles at most" in text
    assert max(map(len, text.splitlines())) <= width


def test_shares_of_the_data_bus_add_up() -> None:
    table = printed(make_report("DDR4_2400"), 140).partition("data bus")[2].partition("energy")[0]
    shares = [float(share) for share in re.findall(r"([\d.]+) %", table)]
    assert sum(shares) == pytest.approx(100, abs=0.4)


def test_a_run_without_reads_has_no_read_latency() -> None:
    assert re.search(r"read latency +no reads", printed(make_report("DDR4_2400", writes=True), 140))


def test_what_was_recalled_is_marked() -> None:
    assert "partly recalled" in printed(make_report("LPDDR4_3200"), 140)
    assert "partly recalled" not in printed(make_report("DDR4_2400"), 140)


def test_every_use_of_the_bus_is_explained() -> None:
    assert list(USE_MEANINGS) == [use.value for use in BusUse]


def test_columns_of_numbers_stand_at_the_right() -> None:
    table = cell_table(("what", "error %", ""), [("A", "+0.1", "x"), ("B", "inf", "y"), ("C", "", "z")])
    assert [column.justify for column in table.columns] == ["left", "right", "left"]

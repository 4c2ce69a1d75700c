"""The table of zeros in the terminal: what it says, and that the page on zeros shows it as it is."""

from pathlib import Path

import pytest
from rich.console import Console

from archsim.catalog import load_arch, load_workload
from archsim.report.zero_tables import zero_table, zero_title
from archsim.study.result import RunResult
from archsim.study.simulate import simulate


@pytest.fixture(scope="module")
def skipped() -> RunResult:
    return simulate(load_arch("zascas"), load_workload("vgg16"))


def lines_of(run: RunResult) -> list[str]:
    table = zero_table(run)
    assert table is not None
    console = Console(width=140, force_terminal=False)
    with console.capture() as capture:
        console.print(zero_title(run))
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_page_on_zeros_shows_the_table_as_it_is(skipped: RunResult) -> None:
    page = (Path(__file__).parents[2] / "docs" / "zeros.md").read_text()
    shown = page[page.index("    zeros skipped (counts") : page.index("`dense` is the same chip")]
    rows = [line.removeprefix("    ").rstrip() for line in shown.splitlines() if line.strip() and line.strip() != "..."]
    assert len(rows) == 11
    assert [row for row in rows if row not in lines_of(skipped)] == []


def test_every_layer_of_the_array_has_a_row_and_all_have_their_sum(skipped: RunResult) -> None:
    rows = {line.split()[0]: line.split() for line in lines_of(skipped) if line.startswith(("conv", "fc", "total"))}
    assert list(rows) == [*(layer.layer for layer in skipped.layers if layer.macs), "total"]
    cycles = [int(row[7].replace(",", "")) for row in rows.values()]
    assert sum(cycles[:-1]) == cycles[-1] == sum(layer.total_cycles for layer in skipped.layers)


def test_a_chip_that_gates_shows_energy_alone() -> None:
    run = simulate(load_arch("eyeriss_v1"), load_workload("alexnet", batch=4))
    text = "\n".join(lines_of(run))
    assert "zeros gated" in text
    assert "gated MACs" in text
    assert "ideal" not in text

"""Tests of the one load of all weights: its numbers, its price, and its way into a saved run and back."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.cost.energy_table import EnergyTable
from archsim.report.tables import summary_panel
from archsim.study.recost import recost, recost_with_table
from archsim.study.result import RunResult
from archsim.study.saved_run import load_run
from archsim.study.simulate import simulate
from archsim.study.weights_load import WeightsLoad
from archsim.terms import Operand
from archsim.workload.network import Workload

WEIGHTS = 72 + 640
"""Of the conv (2 x 4 x 3 x 3) and the fc (64 x 10), one byte each. [B]"""


def keeps(arch: Architecture, **changes: object) -> Architecture:
    """The chip with a memory of its own for weights, which keeps them."""
    memory = SramLevel(
        name="store", capacity_bytes=4096, width_bytes=8, holds=frozenset({Operand.WEIGHT}), keeps_weights=True
    )
    glb = arch.srams[0]
    others = frozenset(glb.holds - {Operand.WEIGHT})
    parts = tuple((operand, 16384) for operand in sorted(others))
    return replace(arch, srams=(replace(glb, holds=others, partition_bytes=parts), replace(memory, **changes)))


@pytest.fixture
def kept(arch: Architecture, workload: Workload) -> RunResult:
    return simulate(keeps(arch), workload)


def test_the_load_has_its_bytes_and_its_time_and_is_in_no_total(kept: RunResult) -> None:
    assert kept.weights_load is not None
    assert (kept.weights_load.size_bytes, kept.weights_load.cycles) == (WEIGHTS, WEIGHTS // 2 + 10)
    totals = kept.summary()["totals"]
    assert totals["weights_load_bytes"] == WEIGHTS
    assert totals["weights_load_cycles"] == WEIGHTS // 2 + 10
    assert totals["weights_load_energy_pj"] == kept.weights_load.energy_pj
    assert totals["total_cycles"] == sum(layer.total_cycles for layer in kept.layers)
    assert totals["energy_pj"] == pytest.approx(sum(layer.energy_pj for layer in kept.layers))


def test_a_chip_that_keeps_none_says_nothing_was_loaded(arch: Architecture, workload: Workload) -> None:
    for chip in (arch, keeps(arch, capacity_bytes=WEIGHTS - 1)):
        run = simulate(chip, workload)
        assert run.weights_load is None
        totals = run.summary()["totals"]
        assert [totals[f"weights_load_{what}"] for what in ("bytes", "cycles", "energy_pj")] == [0, 0, 0.0]


def test_the_load_costs_bursts_writes_wires_and_the_time_it_takes(kept: RunResult) -> None:
    assert kept.weights_load is not None
    assert kept.prices is not None
    pj = {(each.component, each.action): each.pj for each in kept.prices.prices}
    device = kept.prices.dram_device
    assert device is not None
    bursts = -(-WEIGHTS // device.request_bytes)
    seconds = kept.weights_load.cycles / 100e6
    clocks = math.ceil(seconds / (device.tck_ns * 1e-9)) * device.ranks * device.channels
    moved = (
        bursts * pj["dram", "read"] + -(-WEIGHTS // device.row_bytes) * pj["dram_activate", "activate"]
        + bursts * device.request_bytes * 8 * pj["dram_io", "transfer"]
        + WEIGHTS / 8 * pj["store", "write"] + WEIGHTS * 8 * pj["wires", "span"]
    )  # fmt: skip
    waited = (
        clocks * pj["dram_background", "open"] + round(clocks / device.timing.trefi) * pj["dram_refresh", "refresh"]
    )
    leaked = kept.weights_load.cycles * sum(price for (component, _), price in pj.items() if component == "leakage")
    assert kept.weights_load.energy_pj == pytest.approx(moved + waited + leaked)


def test_a_dearer_link_makes_the_load_dearer_by_its_bits(kept: RunResult, table: EnergyTable) -> None:
    dearer = replace(table, dram_io_pj_per_bit={key: pj + 1.0 for key, pj in table.dram_io_pj_per_bit.items()})
    before, after = recost(kept, table).weights_load, recost(kept, dearer).weights_load
    assert before == kept.weights_load
    assert before is not None
    assert after is not None
    assert after.energy_pj - before.energy_pj == pytest.approx(8 * -(-WEIGHTS // 64) * 64)


def test_a_saved_run_gives_the_load_back(kept: RunResult, tmp_path: Path) -> None:
    kept.save(tmp_path)
    assert load_run(tmp_path) == kept
    assert recost_with_table(load_run(tmp_path), "default") == kept


def test_a_summary_of_before_the_load_was_counted_is_read(kept: RunResult, tmp_path: Path) -> None:
    kept.save(tmp_path)
    file = tmp_path / "summary.json"
    summary = json.loads(file.read_text())
    summary["totals"] = {key: value for key, value in summary["totals"].items() if not key.startswith("weights_load")}
    file.write_text(json.dumps(summary))
    assert load_run(tmp_path) == replace(kept, weights_load=None)
    assert WeightsLoad.of_totals({}) is None


def test_the_panel_shows_it_only_where_weights_stay(kept: RunResult, arch: Architecture, workload: Workload) -> None:
    def shown(run: RunResult) -> str:
        console = Console(width=140)
        with console.capture() as text:
            console.print(summary_panel(run))
        return text.get()

    assert f"712 B, {WEIGHTS // 2 + 10} cycles" in shown(kept)
    assert "loaded once" not in shown(simulate(arch, workload))

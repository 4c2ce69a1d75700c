"""zero_skip.csv and what a run says of its zeros: sums that hold, the dense run beside it, a round trip through files."""

import csv
from pathlib import Path

import numpy as np
import pytest

from archsim.catalog import load_arch, load_workload
from archsim.errors import ConfigError
from archsim.report.zero_plot import zero_figure
from archsim.report.zero_tables import zero_table
from archsim.study.recost import recost_with_table
from archsim.study.result import RunResult
from archsim.study.saved_run import load_run
from archsim.study.simulate import simulate
from archsim.study.zero_table import SKIP_COLUMNS


@pytest.fixture(scope="module")
def skipped() -> RunResult:
    return simulate(load_arch("zascas"), load_workload("alexnet"), seed=3)


@pytest.fixture(scope="module")
def gated() -> RunResult:
    return simulate(load_arch("eyeriss_v1"), load_workload("alexnet", batch=4))


def rows_of(run: RunResult) -> list[dict[str, str]]:
    return list(csv.DictReader(run.files()["zero_skip.csv"].decode().splitlines()))


def test_the_waterfall_adds_up_to_the_cycles_of_every_layer(skipped: RunResult) -> None:
    rows = rows_of(skipped)
    assert [row["layer"] for row in rows] == [layer.layer for layer in skipped.layers if layer.macs]
    for row in rows:
        losses = ("ideal", "fragmentation", "imbalance", "sync", "conflict")
        array = sum(int(row[f"{name}_cycles"]) for name in losses)
        assert array + int(row["memory_stall_cycles"]) == int(row["total_cycles"])
        assert int(row["total_cycles"]) + int(row["cycles_saved"]) == int(row["dense_total_cycles"])
        assert int(row["ideal_cycles"]) <= int(row["dense_compute_cycles"])
        assert float(row["energy_pj"]) + float(row["energy_saved_pj"]) == pytest.approx(float(row["dense_energy_pj"]))


def test_the_dense_side_is_the_chip_without_skipping(skipped: RunResult) -> None:
    dense = simulate(load_arch("zascad"), load_workload("alexnet"))
    assert [layer.dense.total_cycles for layer in skipped.layers if layer.dense] == [
        layer.total_cycles for layer in dense.layers if layer.macs
    ]
    saved = {layer.layer: layer.energy_saved_pj for layer in skipped.layers if layer.dense}
    spent = {layer.layer: layer.energy_pj for layer in dense.layers}
    own = {layer.layer: layer.energy_pj for layer in skipped.layers}
    assert all(saved[name] == pytest.approx(spent[name] - own[name]) for name in saved)


def test_the_zeros_that_were_drawn_are_those_that_are_told(skipped: RunResult) -> None:
    told = {row["layer"]: float(row["ifmap_zero_fraction"]) for row in rows_of(skipped)}
    assert told["conv3"] == pytest.approx(0.725, abs=0.01)
    assert told["fc6"] == 0.0
    assert "seed 3" in rows_of(skipped)[1]["zeros_from"]
    assert any("zeros of ifmaps: " in sentence for sentence in skipped.assumptions)


def test_a_gating_chip_saves_energy_and_no_cycle(gated: RunResult) -> None:
    plain = simulate(load_arch("eyeriss_v1", ("pe_array.zero_skip=none", "energy.gated_share=null")),
                     load_workload("alexnet", batch=4))  # fmt: skip
    for row in rows_of(gated):
        assert (row["scheme"], int(row["cycles_saved"])) == ("gate", 0)
        assert float(row["energy_saved_pj"]) >= 0
    convs = {layer.layer: layer for layer in plain.layers if layer.op == "conv"}
    for layer in gated.layers:
        if layer.layer in convs:  # their mappings are fixed, so the other run differs in nothing but the gate
            assert layer.dense is not None
            assert layer.total_cycles == convs[layer.layer].total_cycles
            assert layer.dense.energy_pj == pytest.approx(convs[layer.layer].energy_pj)


def test_a_saved_run_brings_its_zeros_back(skipped: RunResult, gated: RunResult, tmp_path: Path) -> None:
    for name, run in (("skipped", skipped), ("gated", gated)):
        run.save(tmp_path / name)
        again = load_run(tmp_path / name)
        assert again.files() == run.files()
        assert [layer.dense for layer in again.layers] == [layer.dense for layer in run.layers]


def test_a_wrong_cell_is_told_with_its_line(skipped: RunResult, tmp_path: Path) -> None:
    skipped.save(tmp_path / "run")
    table = tmp_path / "run" / "zero_skip.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1].replace("skip", "hop", 1), *lines[2:]]))
    with pytest.raises(ConfigError, match=r"zero_skip\.csv:2: scheme \(='hop'\) is none of none, gate, skip"):
        load_run(tmp_path / "run")


def test_a_run_priced_anew_does_not_claim_to_know_what_was_saved(skipped: RunResult) -> None:
    again = recost_with_table(skipped, "default")
    row = next(iter(csv.DictReader(again.files()["zero_skip.csv"].decode().splitlines())))
    assert (row["dense_energy_pj"], row["energy_saved_pj"]) == ("", "")
    assert row["cycles_saved"] == rows_of(skipped)[0]["cycles_saved"]


def test_a_chip_that_takes_every_value_has_no_such_table() -> None:
    run = simulate(load_arch("zascad"), load_workload("lenet5"))
    assert "zero_skip.csv" not in run.files()
    assert zero_table(run) is None
    assert zero_figure(run) is None


def test_the_bars_of_the_picture_are_as_high_as_without_skipping(skipped: RunResult) -> None:
    figure = zero_figure(skipped)
    assert figure is not None
    axes = figure.axes[0]
    tops = np.zeros(sum(layer.dense is not None for layer in skipped.layers))
    for bars in axes.containers:
        tops += [bar.get_height() for bar in bars]
    np.testing.assert_allclose(tops, 1.0, atol=2e-3)


def test_the_columns_come_in_the_order_that_was_promised() -> None:
    assert SKIP_COLUMNS[:3] == ("layer", "scheme", "zeros_from")
    assert SKIP_COLUMNS[-7:] == ("memory_stall_cycles", "total_cycles", "dense_total_cycles", "cycles_saved", "energy_pj",
                                 "dense_energy_pj", "energy_saved_pj")  # fmt: skip


def test_the_summary_adds_up_what_the_table_says(skipped: RunResult) -> None:
    told, rows = skipped.summary()["zeros"], rows_of(skipped)
    assert told["scheme"] == "skip"
    for name in ("dense_total_cycles", "cycles_saved", "memory_stall_cycles", "ideal_cycles", "fragmentation_cycles"):
        assert told[name] == sum(int(row[name]) for row in rows)
    assert told["energy_saved_pj"] == pytest.approx(sum(float(row["energy_saved_pj"]) for row in rows))
    assert simulate(load_arch("zascad"), load_workload("lenet5")).summary()["zeros"] is None
    assert recost_with_table(skipped, "default").summary()["zeros"]["energy_saved_pj"] is None

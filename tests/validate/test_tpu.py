"""The TPU suite: counters of six apps against stand-ins of equal layers."""

import csv
from pathlib import Path

import pytest

from archsim.catalog import load_arch, load_workload
from archsim.engine.simulate import run_network
from archsim.study.simulate import simulate
from archsim.validate.array_activity import active_cycles, shift_cycles, useful_cycles, weight_wait_cycles
from archsim.validate.tpu import SHIPPED, tpu_suite

SUITE = tpu_suite()
TIERS = {tier.name: tier for tier in SUITE.tiers}
ACTIVE = {row.group.split()[0]: row for row in TIERS["array active"].rows}
GATED = ("tpu_mlp0", "tpu_mlp1", "tpu_lstm0", "tpu_lstm1")


@pytest.mark.parametrize("app", GATED)
def test_the_array_is_active_as_long_as_the_counter_says_within_five_points(app: str) -> None:
    assert ACTIVE[app].is_gated
    assert abs(ACTIVE[app].distance) < 5


def test_the_other_apps_are_shown_with_what_is_not_modelled() -> None:
    assert SUITE.passes
    assert {app for app, row in ACTIVE.items() if not row.is_gated} == {"tpu_cnn0", "tpu_cnn1"}
    assert all(row.note for row in ACTIVE.values() if not row.is_gated)
    assert any("not modelled" in note for note in TIERS["array active"].notes)
    assert {"utilization", "unused MACs", "weight stall", "weight shift", "performance"} <= set(TIERS)


def test_the_gate_can_break(tmp_path: Path) -> None:
    head = "chip,workload,layer,batch,quantity,unit,published,source,from_memory,note"
    (tmp_path / "mine.csv").write_text(
        f"{head}\ntpu_v1,tpu_mlp1,,168,array_active_percent,%,5,a test,false,\n"
        "tpu_v1,,,,peak_gops,GOPS,92000,a test,false,\n"
    )
    assert not tpu_suite(tmp_path / "mine.csv").passes


def test_active_cycles_are_folds_times_words_streamed_past_each() -> None:
    # 1118 x 1118 weights on 256 x 256: 25 folds a layer, 168 rows past each, four layers.
    run = simulate(load_arch("tpu_v1"), load_workload("tpu_mlp1", batch=168))
    assert active_cycles(run.layers) == pytest.approx(4 * 25 * 168)
    assert useful_cycles(run.layers) == pytest.approx(4 * 1118**2 * 168 / 65536)
    waits = sum(layer.dram_stall_cycles for layer in run.layers)
    assert 0 < weight_wait_cycles(run.layers) <= waits
    assert shift_cycles(run.layers) == pytest.approx(run.total_cycles - waits - 4 * 25 * 168)


@pytest.mark.parametrize(
    ("app", "layers", "weights"),
    [("mlp0", 5, 20e6), ("mlp1", 4, 5e6), ("lstm0", 58, 52e6), ("lstm1", 56, 34e6), ("cnn0", 16, 8e6), ("cnn1", 89, 100e6)],
)  # fmt: skip
def test_a_stand_in_has_the_layers_and_the_weights_that_are_published(app, layers, weights) -> None:
    workload = load_workload(f"tpu_{app}")
    assert len(workload.layers) == layers
    assert sum(layer.weight_words for layer in workload.layers) == pytest.approx(weights, rel=0.005)


def test_a_stand_in_reuses_its_weights_as_often_as_published() -> None:
    golden = {"tpu_mlp0": 200, "tpu_mlp1": 168, "tpu_lstm0": 64, "tpu_lstm1": 96, "tpu_cnn0": 2888, "tpu_cnn1": 1750}
    batches = {"tpu_mlp0": 200, "tpu_mlp1": 168, "tpu_lstm0": 64, "tpu_lstm1": 96, "tpu_cnn0": 8, "tpu_cnn1": 32}
    for app, macs_per_weight in golden.items():
        workload = load_workload(app, batch=batches[app])
        assert workload.macs / sum(layer.weight_words for layer in workload.layers) == pytest.approx(
            macs_per_weight, rel=0.006
        )


def test_a_slower_weight_memory_moves_array_active_as_the_notes_say() -> None:
    arch = load_arch("tpu_v1", ["levels.dram.bandwidth_bytes_per_cycle=42.857"])  # 30 GB/s
    rows = [row for row in csv.DictReader(_shipped()) if row["quantity"] == "array_active_percent"]
    falls = []
    for row in rows:
        runs = run_network(arch, load_workload(row["workload"], batch=int(row["batch"])))
        active = sum(run.occupied_macs / (run.multipliers * run.mapping_efficiency) for run in runs)
        falls.append(ACTIVE[row["workload"]].simulated - 100 * active / sum(run.total_cycles for run in runs))
    assert max(falls) == pytest.approx(1.8, abs=0.15)


def _shipped() -> list[str]:
    return [line for line in SHIPPED.read_text().splitlines() if not line.startswith("#")]

"""Tests of RunResult: totals, summary, saving."""

import json
from pathlib import Path

import pytest

from archsim.study import result as result_module
from archsim.study.result import RunResult


def test_totals_follow_from_the_layers(run: RunResult) -> None:
    # conv 100+7+30, relu 16, fc 200+7+400, loop 0
    assert run.total_cycles == 137 + 16 + 607
    assert run.macs == 1152 + 640
    assert run.dram_bytes == 72 + 72 + 64 + 640 + 10
    assert run.seconds == pytest.approx(760 / 100e6)
    assert run.frames_per_second == pytest.approx(2 * 100e6 / 760)
    assert run.tops == pytest.approx(2 * 1792 / (760 / 100e6) / 1e12)
    assert run.utilization == pytest.approx(1792 / (16 * 760))


def test_tops_per_watt_is_tops_over_power(run: RunResult) -> None:
    watts = run.energy_pj * 1e-12 / run.seconds
    assert run.tops_per_watt == pytest.approx(run.tops / watts)


def test_components_add_up_to_the_energy(run: RunResult) -> None:
    assert sum(run.energy_components.values()) == pytest.approx(run.energy_pj)


def test_assumptions_name_every_source_and_the_uncosted_layer(run: RunResult) -> None:
    shown = run.assumptions
    assert {"clock assumed", "one image", "no overlap"} <= set(shown)
    assert set(run.energy_assumptions) <= set(shown)
    assert any("(loop) is not costed: no model of loops" in sentence for sentence in shown)
    assert len(shown) == len(set(shown))


def test_summary_has_what_the_design_promises(run: RunResult) -> None:
    summary = run.summary()
    assert summary["totals"]["total_cycles"] == 760
    assert summary["totals"]["energy_pj"] == run.energy_pj
    assert summary["arch"]["clock_mhz"] == 100.0
    assert summary["workload"]["layers"][0]["name"] == "=conv,1"
    assert summary["uncosted"] == [{"layer": run.layers[3].layer, "op": "loop", "reason": "no model of loops"}]
    assert (summary["seed"], summary["batch"]) == (7, 2)
    assert summary["versions"] == {"archsim": "0.1.0", "python": "3.11.7"}
    assert summary["bottlenecks"] == {"compute": 2, "dram bandwidth": 1, "none": 1}
    assert len(summary["hashes"]["arch"]) == 64


def test_every_price_and_area_has_a_source_in_the_summary(run: RunResult) -> None:
    sources = run.summary()["energy_sources"]
    assert {action.source for layer in run.layers for action in layer.energy.actions} <= sources.keys()
    assert {part.source for part in run.area_parts} <= sources.keys()
    assert "CACTI 7, itrs-lstp cells at 300 K, at 45 nm" in sources["sram.lstp"]


def test_area_is_the_sum_of_its_pieces(run: RunResult) -> None:
    assert run.area_mm2 == pytest.approx(sum(part.count * part.unit_mm2 for part in run.area_parts))
    assert dict(run.area)["glb"] == pytest.approx(sum(p.area_mm2 for p in run.area_parts if p.component == "glb"))


def test_pandas_has_the_columns_of_layers_csv_with_integers(run: RunResult) -> None:
    frame = run.to_pandas()
    assert list(frame["total_cycles"]) == [137, 16, 607, 0]
    assert frame["total_cycles"].dtype == "int64"
    assert list(frame.columns[:3]) == ["layer", "op", "dataflow"]


def test_the_same_run_saves_the_same_bytes(run: RunResult, tmp_path: Path) -> None:
    run.save(tmp_path / "a")
    run.save(tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["ART.yaml", "ERT.yaml", "accelforge.yaml", "actions.csv", "area.csv", "energy.csv", "layers.csv",
                     "loop_nests.txt", "summary.json", "traffic.csv"]  # fmt: skip
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_failed_save_leaves_the_older_run_untouched(
    run: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.save(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def fail(_value: object) -> str:
        raise RuntimeError("crash")

    monkeypatch.setattr(result_module, "json_text", fail)
    with pytest.raises(RuntimeError, match="crash"):
        run.save(tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_saving_removes_the_pictures_of_an_older_run_but_no_foreign_file(run: RunResult, tmp_path: Path) -> None:
    for name in ("roofline.png", "notes.txt"):
        (tmp_path / name).write_text("old")
    run.save(tmp_path)
    assert not (tmp_path / "roofline.png").exists()
    assert (tmp_path / "notes.txt").read_text() == "old"


def test_the_summary_is_standard_json(run: RunResult, tmp_path: Path) -> None:
    run.save(tmp_path)
    text = (tmp_path / "summary.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == run.summary()

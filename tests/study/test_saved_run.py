"""Tests of reading a run directory."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.catalog import load_arch, load_workload
from archsim.engine.dram_run import BusUse, DramActivity, DramCounts
from archsim.errors import ConfigError
from archsim.numerics.logarithmic import Logarithmic
from archsim.study.recost import recost_with_table
from archsim.study.result import RunResult
from archsim.study.saved_run import load_run
from archsim.study.simulate import simulate


@pytest.fixture
def saved(run: RunResult, tmp_path: Path) -> Path:
    run.save(tmp_path / "run")
    return tmp_path / "run"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_bytes().decode()
    assert old in text
    file.write_bytes(text.replace(old, new, 1).encode())


def test_a_saved_run_comes_back_equal(run: RunResult, saved: Path) -> None:
    assert load_run(saved) == run


def test_a_loaded_run_saves_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    load_run(saved).save(tmp_path / "again")
    for path in saved.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_foreign_directory_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no run directory \(no summary.json in it\)"):
        load_run(tmp_path)


@pytest.mark.parametrize("name", ["layers.csv", "traffic.csv", "energy.csv", "actions.csv", "loop_nests.txt"])
def test_a_missing_file_is_named(saved: Path, name: str) -> None:
    (saved / name).unlink()
    with pytest.raises(ConfigError, match=name):
        load_run(saved)


@pytest.mark.parametrize("name", ["layers.csv", "traffic.csv", "energy.csv", "actions.csv", "summary.json"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[1, 2]", b'"'])
def test_a_broken_file_is_named(saved: Path, name: str, content: bytes) -> None:
    (saved / name).write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        load_run(saved)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "layers.csv",
            ",1152,1000,5,",
            ",1152,many,5,",
            r"layers.csv:2: effectual_macs \(='many'\) must be an integer",
        ),
        ("layers.csv", ",1152,1000,5,", ",1152,-3,5,", r"layers.csv:2: effectual_macs \(='-3'\) must be an integer"),
        ("layers.csv", ",100,7,30,137,", ",100,7,30,138,", r"layers.csv:2: total_cycles \(=138\) is at odds"),
        ("layers.csv", ",144,64,", ",145,64,", r"layers.csv:2: dram_read_bytes \(=145\) is at odds"),
        ("layers.csv", ",mapping_efficiency,", ",efficiency,", r"layers.csv:1: column 'mapping_efficiency' is missing"),
        ("layers.csv", ",compute,", ",coffee,", r"layers.csv:2: bottleneck \(='coffee'\) is none of compute"),
        ("layers.csv", ",1152,16,", ",999999,16,", r"layers.csv:2: .*more MACs than multipliers x cycles"),
        ("traffic.csv", ",glb,ifmap,", ",glb,coffee,", r"traffic.csv:3: operand \(='coffee'\)"),
        ("traffic.csv", '"=conv,1",glb', "ghost,glb", r"traffic.csv:3: layer 'ghost' is not in layers.csv"),
        ("energy.csv", ",mac,", ",mac,1", r"energy.csv:2: energy_pj .* is not the sum of actions.csv, 345.6"),
        ("actions.csv", ",MAC,1152,", ",MAC,1153,", r"energy.csv:2: energy_pj .* is not the sum of actions.csv, 345.9"),
        ("actions.csv", ",MAC,1152,", ",MAC,-,", r"actions.csv:2: count \(='-'\) must be a number"),
        ("actions.csv", ",unit_pj,", ",pj,", r"actions.csv:1: column 'unit_pj' is missing"),
        ("summary.json", '"dram_device"', '"device"', r"summary.json: prices: its keys are those of no known record"),
        ("energy.csv", ",mac,", ",mac,x", r"energy.csv:2: energy_pj \(='x.*'\) must be a number"),
        ("energy.csv", ",mac,", ",", r"energy.csv:2: 2 cells under 3 columns"),
        ("loop_nests.txt", "=conv,1", "=conv,2", r"loop_nests.txt: its layers are not those of layers.csv"),
        ("summary.json", "archsim/run/v1", "archsim/run/v9", r"summary.json: schema is 'archsim/run/v9'"),
        ("summary.json", '"clock_mhz"', '"clock_ghz"', r"summary.json: arch.clock_(mhz: missing|ghz: no such key)"),
        ("summary.json", '"seed": 7', '"seed": [7]', r"summary.json: no summary of a run"),
    ],
)
def test_a_wrong_entry_is_named_with_file_and_line(saved: Path, name: str, old: str, new: str, message: str) -> None:
    edit(saved / name, old, new)
    with pytest.raises(ConfigError, match=message):
        load_run(saved)


def test_what_a_dram_device_did_comes_back(run: RunResult, tmp_path: Path) -> None:
    counts = DramCounts(activates=3, precharges=2, reads=40, writes=7, refreshes=1, missed_refreshes=0, open_cycles=90,
                        closed_cycles=10)  # fmt: skip
    clocks = tuple((use, 94 if use is BusUse.DATA else 1) for use in BusUse)
    activity = DramActivity(cycles=100, counts=counts, bus_use=clocks, burst_bytes=64)
    first, *rest = run.layers
    banked = replace(run, layers=(replace(first, run=replace(first.run, dram=activity)), *rest))
    banked.save(tmp_path)
    assert load_run(tmp_path) == banked
    run.save(tmp_path)
    assert not (tmp_path / "dram.csv").exists()
    assert load_run(tmp_path) == run


def test_an_arch_that_breaks_its_own_rules_is_refused(saved: Path) -> None:
    edit(saved / "summary.json", '"weight_switch_gap": 0', '"weight_switch_gap": 4')
    with pytest.raises(ConfigError, match=r"summary\.json"):
        load_run(saved)


def test_extra_columns_of_a_later_archsim_are_ignored(run: RunResult, saved: Path) -> None:
    lines = (saved / "energy.csv").read_text().splitlines()
    wider = [f"{line},0" if not line.startswith("layer,") else f"{line},later" for line in lines]
    (saved / "energy.csv").write_text("\n".join(wider) + "\n")
    assert load_run(saved) == run


def test_summary_alone_is_enough_to_name_the_chip(saved: Path) -> None:
    assert json.loads((saved / "summary.json").read_text(encoding="utf-8"))["arch"]["name"] == "tiny"


def test_a_run_of_a_converted_clustered_workload_comes_back_and_is_priced_alike(tmp_path: Path) -> None:
    before = simulate(load_arch("recogni_lns"), load_workload("mnist_big_bn_lns8"))
    before.save(tmp_path)
    again = load_run(tmp_path)
    assert again == before
    assert recost_with_table(again, "default") == before
    kinds = {type(fmt) for layer in again.workload.layers if layer.formats for fmt in (layer.formats.ifmap,)}
    assert kinds == {Logarithmic}


def test_a_run_on_a_chip_of_the_workloads_formats_comes_back(tmp_path: Path) -> None:
    arch = load_arch("tpu_like", ["formats.follow_workload=true"])
    before = simulate(arch, load_workload("digits_cnn_fp8"))
    before.save(tmp_path)
    assert load_run(tmp_path) == before
    assert recost_with_table(load_run(tmp_path), "default") == before

"""`archsim convert` from end to end: what it writes is what `run` reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archsim.convert.image_files import read_images
from archsim.engine.bit_true import classify
from archsim.engine.golden_run import check_golden
from archsim.workload.coded_store import read_converted

Converting = Callable[..., dict[str, Any]]


@pytest.fixture
def convert(archsim: Callable[..., tuple[int, str, str]], tmp_path: Path) -> Converting:
    """Convert digits_cnn on few images into w.yaml; return the JSON."""

    def call(*arguments: object) -> dict[str, Any]:
        code, out, err = archsim("convert", "digits_cnn", "--calibration", "digits:60", "--evaluate", "digits:100",
                                 "--out", tmp_path / "w.yaml", "--json", *arguments)  # fmt: skip
        assert (code, err) == (0, f"{tmp_path / 'w.yaml'} and {tmp_path / 'w.npz'}\n")
        found: dict[str, Any] = json.loads(out)
        return found

    return call


@pytest.mark.parametrize(
    ("options", "least"),
    [
        (("--format", "int8"), 97),
        (("--format", "fx<10,5>"), 90),
        (("--format", "fp8_e4m3"), 95),
        (("--format", "lns8"), 95),
        (("--format", "lns8", "--accumulator", "log<8>"), 90),
        (("--format", "int8", "--clusters", "64", "--prune", "kernels:0.1"), 30),
        (("--format", "int8", "--calibration-method", "p99.99", "--weight-scales", "tensor"), 95),
    ],
)
def test_what_is_written_classifies_as_was_measured_and_runs_on_a_chip(
    convert: Converting, archsim: Any, tmp_path: Path, options: tuple[str, ...], least: int
) -> None:
    told = convert(*options)
    read = read_converted(tmp_path / "w.yaml")
    assert read.golden is not None
    check_golden(read.network, read.golden)
    images = read_images("digits:100")
    right = int((classify(read.network, images.values) == images.labels).sum())
    assert told["correct"] == right >= least
    assert told["weight_bits"] < told["float_weight_bits"]
    assert all(mask.any() for mask in read.masks.values())
    code, _, err = archsim("run", "tpu_like", tmp_path / "w.yaml", "--set", "formats.follow_workload=true")
    assert (code, err) == (0, "")


def test_fine_tuning_repairs_clustering(convert: Converting) -> None:
    before = convert("--clusters", "16")
    after = convert("--clusters", "16", "--fine-tune", "0.3")
    assert after["correct"] > before["correct"]
    assert after["weight_bits"] == before["weight_bits"]


def test_formats_side_by_side_cost_less_with_fewer_bits(convert: Converting) -> None:
    rows = {row["format"]: row for row in convert("--arch", "tpu_like", "--beside", "int4,lns8")["formats"]}
    assert list(rows) == ["fp32", "int4", "lns8", "int8"]
    for measure in ("weight_bytes", "dram_bytes", "energy_pj"):
        assert rows["int4"][measure] < rows["int8"][measure] < rows["fp32"][measure]


def test_a_search_lowers_bits(convert: Converting) -> None:
    layers = convert("--format", "int4", "--accuracy-budget", "5", "--calibration-method", "max")["layers"]
    assert min(layer["weight_width_bits"] for layer in layers) < 4


def test_without_json_the_tables_come_and_nothing_is_written(archsim: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = archsim("convert", "digits_cnn", "--calibration", "digits:20")
    assert (code, err) == (0, "")
    assert "conv1" in out
    assert not list(tmp_path.iterdir())

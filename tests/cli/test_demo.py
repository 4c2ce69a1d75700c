"""`archsim demo`: one real network on one chip, nothing to prepare."""

from pathlib import Path
from typing import Any

import pytest


def test_the_demo_runs_resnet50_from_the_onnx_package(archsim: Any, read_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    answer = archsim("demo")
    run = read_run(tmp_path / "archsim-demo")
    assert answer.code == 0
    assert answer.err.endswith("tables and pictures are in archsim-demo\n")
    assert run.summary["totals"]["macs"] == 4_089_184_256  # 53 convolutions and the fc; tests/golden/network_macs.csv
    assert sum(int(row["macs"]) > 0 for row in run.layers) == 54
    assert (tmp_path / "archsim-demo/roofline.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_says_so_when_the_onnx_package_is_missing(archsim: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.setattr("archsim.convert.light_models.find_spec", lambda _: None)
    expected = (2, "", "the onnx package is not installed: pip install onnx\n")
    assert archsim("demo", "--out", tmp_path / "D") == expected
    assert not (tmp_path / "D").exists()

"""The command line in this process: fast, and with its exit code, stdout and stderr apart."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from archsim.cli import main

TOP = Path(__file__).parents[2]


class Answer(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


class RunFiles(NamedTuple):
    """The tables of a run directory, rows as dictionaries."""

    layers: list[dict[str, str]]
    traffic: list[dict[str, str]]
    energy: list[dict[str, str]]
    summary: dict[str, Any]


Cli = Callable[..., Answer]


@pytest.fixture
def archsim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call the command line as the shell does; a traceback fails the test by itself."""

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["archsim", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Answer(code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def read_run() -> Callable[[Path], RunFiles]:
    """Read what `run --out` wrote."""

    def rows(file: Path) -> list[dict[str, str]]:
        with file.open(newline="") as lines:
            return list(csv.DictReader(lines))

    def read(out: Path) -> RunFiles:
        tables = [rows(out / f"{name}.csv") for name in ("layers", "traffic", "energy")]
        return RunFiles(*tables, json.loads((out / "summary.json").read_text()))

    return read


@pytest.fixture
def write_arch(tmp_path: Path) -> Callable[..., Path]:
    """Write tpu_like with (old, new) replacements in its text."""

    def write(*replacements: tuple[str, str], name: str = "a.yaml") -> Path:
        text = (TOP / "arch_configs" / "tpu_like.yaml").read_text()
        for old, new in replacements:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def cfg(tmp_path: Path) -> Callable[..., Path]:
    """Write a SCALE-Sim configuration."""

    def write(rows: int, columns: int, dataflow: str) -> Path:
        path = tmp_path / f"{dataflow}_{rows}x{columns}.cfg"
        path.write_text(
            f"[general]\nrun_name = scale\n[architecture_presets]\nArrayHeight : {rows}\nArrayWidth : {columns}\n"
            f"IfmapSramSzkB: 64\nFilterSramSzkB: 64\nOfmapSramSzkB: 64\nDataflow : {dataflow}\nBandwidth : 10\n"
            "[run_presets]\nInterfaceBandwidth: USER\n"
        )
        return path

    return write

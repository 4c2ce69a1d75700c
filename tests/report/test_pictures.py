"""Tests of the files that hold the pictures and their numbers."""

from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.report import pictures
from archsim.report.pictures import write_roofline, write_run
from archsim.study.result import PICTURE_FILES, RunResult
from archsim.study.run_tables import csv_rows


def test_the_same_run_gives_the_same_bytes(alexnet: RunResult, tmp_path: Path) -> None:
    write_run(alexnet, tmp_path / "a")
    write_run(alexnet, tmp_path / "b")
    assert {path.name for path in (tmp_path / "a").iterdir()} == set(PICTURE_FILES) | alexnet.files().keys()
    for name in (*PICTURE_FILES, *alexnet.files()):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert b"Matplotlib" not in (tmp_path / "a" / "layers.png").read_bytes()


def test_roofline_csv_holds_the_points(alexnet: RunResult, tmp_path: Path) -> None:
    write_run(alexnet, tmp_path)
    rows = [cells for _, cells in csv_rows((tmp_path / "roofline.csv").read_text())]
    assert rows[0] == ["layer", "macs", "dram_bytes", "ops_per_byte", "achieved_gops", "roof_gops", "bottleneck"]
    assert len(rows) == 1 + 8
    assert float(rows[1][3]) == pytest.approx(2 * 105_415_200 / (189_435 + 290_400))


def test_a_failed_picture_leaves_the_directory_untouched(
    alexnet: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_run: RunResult) -> None:
        raise RuntimeError("crash")

    monkeypatch.setattr(pictures, "layers_figure", fail)
    with pytest.raises(RuntimeError, match="crash"):
        write_run(alexnet, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_several_runs_share_a_picture_and_a_csv_with_a_run_column(
    alexnet: RunResult, ideal: RunResult, tmp_path: Path
) -> None:
    write_roofline([alexnet, ideal], tmp_path / "plot.png")
    rows = [cells for _, cells in csv_rows((tmp_path / "plot.csv").read_text())]
    assert rows[0][:2] == ["run", "layer"]
    assert len(rows) == 1 + 16


@pytest.mark.parametrize(
    ("name", "count", "message"), [("plot.jpg", 1, r"ends in \.png"), ("plot.png", 0, "at least one")]
)
def test_a_wrong_request_is_refused(alexnet: RunResult, tmp_path: Path, name: str, count: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_roofline([alexnet] * count, tmp_path / name)
    assert list(tmp_path.iterdir()) == []

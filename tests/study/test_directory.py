"""Tests of writing a directory all together or not at all."""

from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.study.directory import check_directory, write_directory


def test_files_appear_and_no_scratch_remains(tmp_path: Path) -> None:
    write_directory(tmp_path / "deep" / "out", {"a": b"1", "b": b"2"})
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == {"a", "b"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_existing_file_as_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(ConfigError, match=r"out: is a file; --out .* must be a directory"):
        write_directory(tmp_path / "out", {"a": b"1"})


def test_a_crash_while_writing_leaves_out_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_directory(tmp_path / "out", {"a": b"old", "b": b"old"})
    write_bytes = Path.write_bytes

    def fail_on_b(path: Path, data: bytes) -> int:
        if path.name == "b":
            raise OSError(28, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", fail_on_b)
    with pytest.raises(ConfigError, match="No space left on device"):
        write_directory(tmp_path / "out", {"a": b"new", "b": b"new"})
    assert (tmp_path / "out" / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_directory_in_the_way_of_a_file_is_named_before_anything_moves(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(ConfigError, match="b: is a directory"):
        write_directory(tmp_path, {"a": b"1", "b": b"2"})
    assert not (tmp_path / "a").exists()


def test_stale_files_go_and_foreign_files_stay(tmp_path: Path) -> None:
    for name in ("stale", "foreign"):
        (tmp_path / name).write_text("x")
    write_directory(tmp_path, {"a": b"1"}, stale=("stale", "a", "missing"))
    assert {path.name for path in tmp_path.iterdir()} == {"a", "foreign"}


def test_a_place_inside_a_file_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="file: is a file"):
        check_directory(tmp_path / "file" / "deep" / "out")
    check_directory(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()

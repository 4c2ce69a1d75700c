"""The wheel: built, installed elsewhere and used from another folder, as a user would."""

import csv
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, TOP, cwd=folder)
    (built,) = folder.glob("archsim-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of programs of an environment that has the wheel, and sees the dependencies of this one."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_holds_the_shipped_archs_workloads_tables_and_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("arch_configs", "workloads"):
        shipped = {f"archsim/_data/{folder}/{path.name}" for path in (TOP / folder).iterdir()}
        assert shipped
        assert shipped <= names
    for kind in ("*.yaml", "*.csv", "*.j2", "*.npz", "*.json"):
        assert {f"archsim/{path.relative_to(TOP / 'archsim')}" for path in (TOP / "archsim").rglob(kind)} <= names
    assert "archsim/py.typed" in names
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_wheel_holds_neither_tests_nor_caches(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.startswith(("tests/", "scripts/")) or "__pycache__" in name]


def test_the_installed_program_is_the_wheel_s_and_not_the_checkout_s(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import archsim; print(archsim.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_names_of_archs_and_workloads_work_from_another_folder(installed: Path, tmp_path: Path) -> None:
    run(installed / "archsim", "run", "tpu_like", "alexnet", "--out", tmp_path / "results", cwd=tmp_path)
    with (tmp_path / "results" / "layers.csv").open(newline="") as file:
        rows = {row["layer"]: row for row in csv.DictReader(file)}
    assert int(rows["conv1"]["macs"]) == 105_415_200  # 55 x 55 x 96 x 11 x 11 x 3
    assert int(rows["conv1"]["total_cycles"]) > 105_415_200 // (32 * 32)
    assert json.loads((tmp_path / "results" / "summary.json").read_text())

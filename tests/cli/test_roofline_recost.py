"""`archsim roofline` and `archsim recost`: what is done with saved runs."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

TABLE = "archsim/cost/tables/default.yaml"
TOP = Path(__file__).parents[2]


@pytest.fixture
def saved(archsim: Any, tmp_path: Path) -> Path:
    """A run of lenet5 on tpu_like."""
    assert archsim("run", "tpu_like", "lenet5", "--out", tmp_path / "A").code == 0
    return tmp_path / "A"


def test_a_roofline_of_two_runs_has_a_picture_and_a_csv_beside_it(archsim: Any, saved: Path, tmp_path: Path) -> None:
    archsim("run", "os_16x16", "lenet5", "--out", tmp_path / "B")
    picture = tmp_path / "plots" / "both.png"
    answer = archsim("roofline", saved, tmp_path / "B", "--out", picture)
    assert answer == (0, "", f"{picture} and {picture.with_suffix('.csv')}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    with picture.with_suffix(".csv").open() as file:
        runs = [row["run"] for row in csv.DictReader(file)]
    assert runs == ["lenet5 on tpu_like"] * 5 + ["lenet5 on os_16x16"] * 5  # 3 convs and 2 fcs


def test_a_roofline_of_one_run_is_the_run_s_own(archsim: Any, saved: Path, tmp_path: Path) -> None:
    archsim("roofline", saved, "--out", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (saved / "roofline.png").read_bytes()
    assert (tmp_path / "again.csv").read_bytes() == (saved / "roofline.csv").read_bytes()


def test_a_roofline_needs_png(archsim: Any, saved: Path, tmp_path: Path) -> None:
    answer = archsim("roofline", saved, "--out", tmp_path / "x.txt")
    assert answer == (2, "", f"{tmp_path / 'x.txt'}: a roofline is written as PNG; give a name that ends in .png\n")
    assert not (tmp_path / "x.txt").exists()


def test_a_directory_that_is_no_run_is_told_so(archsim: Any, tmp_path: Path) -> None:
    message = f"{tmp_path}: no run directory (no summary.json in it); give what `archsim run --out` wrote\n"
    assert archsim("roofline", tmp_path, "--out", tmp_path / "x.png") == (2, "", message)
    assert archsim("recost", tmp_path, "--table", "default") == (2, "", message)
    assert list(tmp_path.iterdir()) == []


def test_a_tampered_run_is_refused_with_file_and_line(archsim: Any, saved: Path, tmp_path: Path) -> None:
    file = saved / "layers.csv"
    lines = file.read_text().splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index("compute_cycles")] = "1"
    file.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    answer = archsim("roofline", saved, "--out", tmp_path / "x.png")
    assert answer.code == 2
    assert answer.err.startswith(f"{file}:2: ")


def test_recosting_with_the_same_table_changes_nothing(archsim: Any, saved: Path, tmp_path: Path) -> None:
    assert archsim("recost", saved, "--table", "default", "--out", tmp_path / "C").code == 0
    for name in ("layers.csv", "traffic.csv", "energy.csv", "actions.csv", "area.csv", "summary.json", "ERT.yaml",
                 "loop_nests.txt", "roofline.png"):  # fmt: skip
        assert (tmp_path / "C" / name).read_bytes() == (saved / name).read_bytes(), name


def test_a_link_of_twice_the_price_doubles_the_energy_of_the_link_alone(
    archsim: Any, saved: Path, tmp_path: Path
) -> None:
    text = (TOP / TABLE).read_text()
    assert "DDR4: {value: 7," in text
    (tmp_path / "dear.yaml").write_text(text.replace("DDR4: {value: 7,", "DDR4: {value: 14,"))
    before = json.loads((saved / "summary.json").read_text())["totals"]
    after = json.loads(archsim("recost", saved, "--table", tmp_path / "dear.yaml", "--json").out)["totals"]
    assert after["dram_io_energy_pj"] == pytest.approx(2 * before["dram_io_energy_pj"])
    assert after["dram_energy_pj"] == before["dram_energy_pj"]
    assert after["mac_energy_pj"] == before["mac_energy_pj"]
    assert after["total_cycles"] == before["total_cycles"]


def test_an_unknown_table_is_told_what_there_is(archsim: Any, saved: Path, tmp_path: Path) -> None:
    answer = archsim("recost", saved, "--table", "nope", "--out", tmp_path / "C")
    assert answer == (2, "", "energy.table (='nope'): no such table. Use 'default' or the path of a table file\n")
    assert not (tmp_path / "C").exists()


@pytest.mark.parametrize("name", ["ERT.yaml", "accelforge.yaml"])
def test_the_tables_of_a_run_price_it_again_within_half_a_per_cent(
    archsim: Any, saved: Path, tmp_path: Path, name: str
) -> None:
    before = json.loads((saved / "summary.json").read_text())["totals"]
    recosted = json.loads(archsim("recost", saved, "--table", saved / name, "--json").out)["totals"]
    again = archsim("run", "tpu_like", "lenet5", "--energy-table", saved / name, "--json")
    assert json.loads(again.out)["totals"] == recosted
    assert recosted["energy_pj"] == pytest.approx(before["energy_pj"], rel=5e-3)
    assert recosted["total_cycles"] == before["total_cycles"]


def test_an_energy_table_that_lacks_a_component_ends_with_code_2_before_anything_is_written(
    archsim: Any, saved: Path, tmp_path: Path
) -> None:
    table = tmp_path / "ERT.yaml"
    table.write_text((saved / "ERT.yaml").read_text().replace("tpu_like.weight_buffer", "tpu_like.weights"))
    answer = archsim("run", "tpu_like", "lenet5", "--energy-table", table, "--out", tmp_path / "D")
    assert (answer.code, answer.out) == (2, "")
    assert (
        f"{table}: no component 'weight_buffer', which the chip 'tpu_like' has. Did you mean 'weights'?" in answer.err
    )
    assert not (tmp_path / "D").exists()


def test_a_run_without_a_dram_device_leaves_nothing_of_one_with_it(archsim: Any, tmp_path: Path) -> None:
    for settings in (("--set", "levels.dram.device=LPDDR4_3200"), ()):
        assert archsim("run", "tpu_like", "lenet5", *settings, "--out", tmp_path / "D").code == 0
    assert not (tmp_path / "D/dram.csv").exists()
    before = json.loads((tmp_path / "D/summary.json").read_text())["totals"]["energy_pj"]
    again = json.loads(archsim("recost", tmp_path / "D", "--table", "default", "--json").out)
    assert again["totals"]["energy_pj"] == pytest.approx(before)

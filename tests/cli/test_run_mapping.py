"""`archsim run --mapping`, and what a run says of where its mappings come from."""

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

GIVEN = """\
layers:
  - {layer: conv1, m: 96, n: 1, e: 7, p: 16, q: 1, r: 1, t: 2}
  - {workload: alexnet, layer: conv3, m: 64, n: 4, e: 13, p: 16, q: 3, r: 2, t: 2, source: its GLB count}
"""


def mappings(out: Path) -> dict[str, str]:
    """Layer -> the first line of its mapping."""
    lines = (out / "loop_nests.txt").read_text().splitlines()
    return {name: mapping.strip() for name, mapping in pairwise(lines) if not name.startswith(" ")}


def run(archsim: Any, out: Path, *options: str) -> dict[str, Any]:
    answer = archsim(
        "run", "eyeriss_v1", "alexnet", "--batch", 4, "--layers", "conv[135]", *options, "--json", "--out", out
    )
    assert answer.code == 0
    return json.loads(answer.out)


def test_the_published_mapping_is_the_preset_s(archsim: Any, tmp_path: Path) -> None:
    said = run(archsim, tmp_path)["assumptions"]
    assert mappings(tmp_path)["conv3"] == "m=64 n=4 e=13 p=16 q=4 r=1 t=4"
    assert "mapping of conv1, conv3, conv5 fixed: JSSC 52(1), 2017, table III" in said


def test_search_leaves_no_layer_fixed(archsim: Any, tmp_path: Path) -> None:
    said = run(archsim, tmp_path, "--mapping", "search")["assumptions"]
    assert mappings(tmp_path)["conv3"] == "m=64 n=4 e=13 p=16 q=3 r=2 t=2"
    assert any(each.startswith("mapping of 3 layers searched: least energy of all that fit") for each in said)


def test_a_file_maps_the_layers_that_it_names(archsim: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GIVEN)
    said = run(archsim, tmp_path / "out", "--mapping", str(tmp_path / "mine.yaml"))["assumptions"]
    assert mappings(tmp_path / "out")["conv3"] == "m=64 n=4 e=13 p=16 q=3 r=2 t=2"
    assert {"mapping of conv1 fixed: given by the user", "mapping of conv3 fixed: its GLB count"} <= set(said)
    assert any(each.startswith("mapping of 1 layers searched: least energy of all that fit") for each in said)


def test_a_file_may_hold_the_mapping_as_an_arch_file_writes_it(archsim: Any, tmp_path: Path) -> None:
    block = "".join(f"  {line}\n" for line in GIVEN.splitlines())
    (tmp_path / "mine.yaml").write_text(f"mapping:\n{block}")
    run(archsim, tmp_path / "out", "--mapping", str(tmp_path / "mine.yaml"))
    assert mappings(tmp_path / "out")["conv3"] == "m=64 n=4 e=13 p=16 q=3 r=2 t=2"


def test_a_layer_of_the_file_that_the_network_has_not_is_told(archsim: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GIVEN.replace("layer: conv1", "layer: conv99"))
    answer = archsim("run", "eyeriss_v1", "alexnet", "--mapping", tmp_path / "mine.yaml")
    assert answer.code == 2
    assert "'conv99' matches no layer of 'alexnet'" in answer.err


def test_the_columns_of_pes_and_gated_macs(archsim: Any, tmp_path: Path) -> None:
    run(archsim, tmp_path)
    rows = {row["layer"]: row for row in csv.DictReader((tmp_path / "layers.csv").read_text().splitlines())}
    assert [rows[name]["active_pes"] for name in ("conv1", "conv3", "conv5")] == ["154", "156", "156"]
    assert int(rows["conv3"]["gated_macs"]) == pytest.approx(0.725 * int(rows["conv3"]["macs"]), rel=1e-5)


def test_faults_of_a_mapping_file_come_with_their_lines_and_exit_2(archsim: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("objective: speed\nlayers:\n  - {layer: conv1, m: 0, n: 1, e: 7, p: 16, q: 1, r: 1}\n")
    answer = archsim("run", "eyeriss_v1", "alexnet", "--mapping", path)
    assert (answer.code, answer.out) == (2, "")
    assert [line.removeprefix(str(path)).split(" ")[0] for line in answer.err.splitlines()] == [
        ":1:", ":3:", ":3:",
    ]  # fmt: skip


def test_other_dataflows_have_no_such_mapping(archsim: Any) -> None:
    answer = archsim("run", "tpu_like", "alexnet", "--mapping", "search")
    assert (answer.code, answer.err) == (2, "--mapping is for row_stationary arrays; 'tpu_like' is weight_stationary\n")


def test_a_mapping_that_does_not_fit_names_the_capacity(archsim: Any, tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text(GIVEN.replace("m: 96, n: 1", "m: 96, n: 4"))
    answer = archsim("run", "eyeriss_v1", "alexnet", "--batch", 4, "--mapping", tmp_path / "big.yaml")
    assert answer.code == 2
    assert "exceed glb (102,400 B) by" in answer.err
    assert len(answer.err.splitlines()) == 1

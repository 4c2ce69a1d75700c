"""`archsim run`: what it writes, prints and computes, through the door that users take."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from archsim.study.run_tables import ENERGY_COLUMNS, LAYER_COLUMNS, TRAFFIC_COLUMNS

TOP = Path(__file__).parents[2]
FILES = {
    "layers.csv", "traffic.csv", "energy.csv", "actions.csv", "area.csv", "summary.json", "loop_nests.txt", "ERT.yaml",
    "ART.yaml", "accelforge.yaml", "roofline.png", "roofline.csv", "layers.png",
}  # fmt: skip
PROMISED_LAYER_COLUMNS = (
    "layer,op,dataflow,macs,effectual_macs,folds,compute_cycles,onchip_stall_cycles,dram_stall_cycles,total_cycles,"
    "utilization,mapping_efficiency,dram_read_bytes,dram_write_bytes,energy_pj"
)
COUNTS = ("macs", "compute_cycles", "onchip_stall_cycles", "dram_stall_cycles", "total_cycles", "dram_read_bytes", "dram_write_bytes")  # fmt: skip


def test_run_writes_exactly_the_promised_files_and_columns(archsim: Any, tmp_path: Path) -> None:
    answer = archsim("run", "tpu_like", "alexnet", "--out", tmp_path / "D")
    assert (answer.code, answer.err) == (0, f"tables and pictures are in {tmp_path / 'D'}\n")
    assert {path.name for path in (tmp_path / "D").iterdir()} == FILES
    assert (tmp_path / "D/layers.csv").read_text().startswith(PROMISED_LAYER_COLUMNS)
    for name, columns in (("layers", LAYER_COLUMNS), ("traffic", TRAFFIC_COLUMNS), ("energy", ENERGY_COLUMNS)):
        assert (tmp_path / f"D/{name}.csv").read_text().splitlines()[0] == ",".join(columns)
    assert [line.split()[0] for line in answer.out.splitlines() if line.startswith("conv")] == [f"conv{i}" for i in range(1, 6)]  # fmt: skip
    assert "frames per second" in answer.out


def test_stdout_in_a_pipe_is_plain_text_of_one_width(archsim: Any) -> None:
    out = archsim("run", "tpu_like", "lenet5").out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) == 140


def test_json_is_the_summary_and_nothing_else(archsim: Any, tmp_path: Path) -> None:
    answer = archsim("run", "tpu_like", "lenet5", "--json", "--out", tmp_path)
    assert json.loads(answer.out) == json.loads((tmp_path / "summary.json").read_text())


def test_two_runs_write_the_same_bytes(archsim: Any, tmp_path: Path) -> None:
    for out in ("a", "b"):
        archsim("run", "tpu_like", "lenet5", "--batch", 2, "--seed", 7, "--out", tmp_path / out)
    for name in FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_tables_add_up(archsim: Any, read_run: Any, tmp_path: Path) -> None:
    archsim("run", "tpu_like", "alexnet", "--out", tmp_path)
    run = read_run(tmp_path)
    energy, dram = defaultdict(list), defaultdict(int)
    for row in run.energy:
        energy[row["layer"]].append(float(row["energy_pj"]))
    for row in run.traffic:
        if row["level"] == "dram":
            dram[row["layer"], row["direction"]] += int(row["bytes"])
    for row in run.layers:
        parts = [int(row[f"{kind}_cycles"]) for kind in ("compute", "onchip_stall", "dram_stall")]
        assert sum(parts) == int(row["total_cycles"])
        assert math.fsum(energy[row["layer"]]) == pytest.approx(float(row["energy_pj"]), rel=1e-12)
        assert dram[row["layer"], "read"] == int(row["dram_read_bytes"])
        assert dram[row["layer"], "write"] == int(row["dram_write_bytes"])
    for name in COUNTS:
        assert run.summary["totals"][name] == sum(int(row[name]) for row in run.layers)
    assert sum(dram.values()) > 0


def test_a_batch_of_four_has_four_times_the_macs_and_more_cycles(archsim: Any) -> None:
    one, four = (json.loads(archsim("run", "tpu_like", "alexnet", "--json", "--batch", n).out) for n in (1, 4))
    assert four["totals"]["macs"] == 4 * one["totals"]["macs"] == 4 * 724_406_816
    assert four["totals"]["total_cycles"] > one["totals"]["total_cycles"]
    assert (one["batch"], four["batch"]) == (1, 4)


def test_layers_picks_by_shell_pattern(archsim: Any, read_run: Any, tmp_path: Path) -> None:
    archsim("run", "tpu_like", "alexnet", "--layers", "conv[1-3]", "--out", tmp_path)
    assert [row["layer"] for row in read_run(tmp_path).layers] == ["conv1", "conv2", "conv3"]


def test_settings_reach_the_chip_by_index_and_by_name(archsim: Any) -> None:
    settings = (
        "--set",
        "pe_array.rows=16",
        "--set",
        "levels.0.capacity_bytes=32768",
        "--set",
        "levels.dram.latency_cycles=7",
    )
    summary = json.loads(archsim("run", "tpu_like", "lenet5", "--json", *settings).out)
    arch = summary["arch"]
    assert (arch["pe_array"]["rows"], arch["srams"][0]["capacity_bytes"], arch["dram"]["latency_cycles"]) == (
        16,
        32768,
        7,
    )
    assert "set by the user over tpu_like.yaml: pe_array.rows=16" in summary["assumptions"]


def test_a_setting_that_a_later_one_overrides_is_not_claimed(archsim: Any) -> None:
    settings = ("--set", "pe_array.rows=16", "--set", "pe_array.rows=8")
    summary = json.loads(archsim("run", "tpu_like", "lenet5", "--json", *settings).out)
    assert summary["arch"]["pe_array"]["rows"] == 8
    assert [said for said in summary["assumptions"] if "rows=" in said] == [
        "set by the user over tpu_like.yaml: pe_array.rows=8"
    ]


def test_ideal_dram_stalls_nothing_and_keeps_the_traffic(archsim: Any, read_run: Any, tmp_path: Path) -> None:
    archsim("run", "tpu_like", "alexnet", "--dram", "ideal", "--out", tmp_path)
    run = read_run(tmp_path)
    assert {row["dram_stall_cycles"] for row in run.layers} == {"0"}
    assert run.summary["totals"]["dram_bytes"] > 0


@pytest.mark.parametrize("dataflow", ["ws", "os", "is"])
def test_a_scale_sim_conv_topology_gives_scale_sim_s_cycles(archsim: Any, read_run: Any, cfg: Any, tmp_path: Path, dataflow: str) -> None:  # fmt: skip
    topology = tmp_path / "topo.csv"
    topology.write_text(
        "Layer name,IFMAP Height,IFMAP Width,Filter Height,Filter Width,Channels,Num Filter,Stride h,Stride w,\n"
        "c1,13,11,3,3,5,20,1,1,\nc2,14,14,5,5,3,9,2,2,\n"
    )
    archsim("run", cfg(8, 6, dataflow), topology, "--dram", "ideal", "--out", tmp_path / "D")
    # c1: pixels 11 x 9 = 99, window 3 x 3 x 5 = 45, 20 filters.
    # c2: SCALE-Sim rounds up: ceil((14 - 5 + 2) / 2) = 6, so 6 x 6 = 36 pixels, window 5 x 5 x 3 = 75, 9 filters.
    for row, (pixels, window, filters) in zip(
        read_run(tmp_path / "D").layers, [(99, 45, 20), (36, 75, 9)], strict=True
    ):
        assert int(row["compute_cycles"]) == scale_sim_cycles(dataflow, 8, 6, (pixels, window, filters))
        assert int(row["macs"]) == pixels * window * filters


@pytest.mark.parametrize("dataflow", ["ws", "os", "is"])
def test_a_scale_sim_gemm_topology_gives_scale_sim_s_cycles(archsim: Any, read_run: Any, cfg: Any, tmp_path: Path, dataflow: str) -> None:  # fmt: skip
    topology = tmp_path / "gemm.csv"
    topology.write_text("Layer, M, N, K,\ng1, 37, 12, 50,\n")
    archsim("run", cfg(8, 6, dataflow), topology, "--dram", "ideal", "--out", tmp_path / "D")
    (row,) = read_run(tmp_path / "D").layers
    assert int(row["compute_cycles"]) == scale_sim_cycles(dataflow, 8, 6, (37, 50, 12))  # pixels M, window K, filters N


def scale_sim_cycles(dataflow: str, rows: int, columns: int, gemm: tuple[int, int, int]) -> int:
    """SCALE-Sim 3.0, full array on every fold: OS T + R + C - 2, WS and IS T + 2R + C - 2 cycles a fold."""
    pixels, window, filters = gemm
    down, across, stream = {
        "os": (pixels, filters, window), "ws": (window, filters, pixels), "is": (window, pixels, filters),
    }[dataflow]  # fmt: skip
    folds = math.ceil(down / rows) * math.ceil(across / columns)
    return folds * (stream + (rows if dataflow == "os" else 2 * rows) + columns - 2)


@pytest.mark.parametrize("case", ["opentpu_ws_02", "tinytpu_ws_06", "arjun_ws_07", "utlca_os_02"])
def test_rtl_settings_on_a_cfg_give_the_rtl_s_cycles(archsim: Any, read_run: Any, cfg: Any, tmp_path: Path, case: str) -> None:  # fmt: skip
    with (TOP / "tests/golden/rtl_cycles.csv").open() as file:
        row = next(each for each in csv.DictReader(line for line in file if line[0] != "#") if each["id"] == case)
    topology = tmp_path / "gemm.csv"
    topology.write_text(f"Layer,M,N,K,\ng,{row['pixels']},{row['filters']},{row['window']},\n")
    settings = [part for each in row["settings"].split(";") for part in ("--set", f"pe_array.{each}")]
    chip = cfg(int(row["rows"]), int(row["columns"]), "os" if row["dataflow"].startswith("output") else "ws")
    archsim("run", chip, topology, "--dram", "ideal", *settings, "--out", tmp_path / "D")
    assert read_run(tmp_path / "D").layers[0]["compute_cycles"] == row["last_output_cycle"]


def test_operators_without_a_vector_unit_are_rows_named_and_summed_up(archsim: Any, read_run: Any, write_arch: Any, tmp_path: Path) -> None:  # fmt: skip
    chip = write_arch(("vector_unit: {lanes: 32, ops_per_cycle: 1}\n", ""))
    answer = archsim("run", chip, "alexnet", "--out", tmp_path / "D")
    run = read_run(tmp_path / "D")
    uncosted = [row["layer"] for row in run.layers if row["is_costed"] == "false"]
    assert uncosted == ["norm1", "pool1", "norm2", "pool2", "pool5"]
    assert [each["layer"] for each in run.summary["uncosted"]] == uncosted
    assert answer.err.splitlines()[:2] == [
        "not costed: 2 x lrn (norm1, norm2): tpu_like has no vector_unit",
        "not costed: 3 x max_pool (pool1, pool2, pool5): tpu_like has no vector_unit",
    ]
    assert "2 x lrn" in answer.out or "3 x max_pool, 2 x lrn" in answer.out


def test_many_uncosted_layers_are_one_line_per_operator(archsim: Any, write_arch: Any) -> None:
    chip = write_arch(("vector_unit: {lanes: 32, ops_per_cycle: 1}\n", ""))
    answer = archsim("run", chip, "resnet50")
    assert "not costed: 16 x add (res2a, res2b, res2c...): tpu_like has no vector_unit\n" in answer.err
    assert answer.err.count("\n") == 3  # max_pool, add, global_average_pool


def test_an_unknown_onnx_operator_is_a_row_of_its_own(archsim: Any, read_run: Any, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    nodes = [onnx.helper.make_node("Frobnicate", ["x"], ["m"], name="odd", domain="com.example"), onnx.helper.make_node("Relu", ["m"], ["y"], name="act")]  # fmt: skip
    imports = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.example", 1)]
    middle = onnx.helper.make_tensor_value_info("m", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    graph = onnx.helper.make_graph(nodes, "g", [x], [y], value_info=[middle])
    onnx.save(onnx.helper.make_model(graph, opset_imports=imports), tmp_path / "odd.onnx")
    answer = archsim("run", "tpu_like", tmp_path / "odd.onnx", "--out", tmp_path / "D")
    run = read_run(tmp_path / "D")
    assert answer.code == 0, answer.err
    assert [(row["layer"], row["is_costed"]) for row in run.layers] == [("odd", "false"), ("act", "true")]
    assert [each["layer"] for each in run.summary["uncosted"]] == ["odd"]
    assert answer.err.startswith("not costed: 1 x ")


def test_paths_with_spaces_accents_and_links_work(archsim: Any, write_arch: Any, tmp_path: Path) -> None:
    write_arch(name="ein chip é.yaml").rename(tmp_path / "ein chip é.yaml")
    (tmp_path / "link.yaml").symlink_to("ein chip é.yaml")
    (tmp_path / "real").mkdir()
    (tmp_path / "ø ut").symlink_to("real")
    assert archsim("run", tmp_path / "link.yaml", "lenet5", "--out", tmp_path / "ø ut").code == 0
    assert {path.name for path in (tmp_path / "real").iterdir()} == FILES
    assert (tmp_path / "ø ut").is_symlink()


def test_a_file_name_that_is_not_utf8_is_shown_with_a_mark(archsim: Any, tmp_path: Path) -> None:
    name = os.fsdecode(b"net\xff.csv")
    (tmp_path / name).write_text("Layer, M, N, K,\ng1, 4, 4, 4,\n")
    answer = archsim("run", "tpu_like", tmp_path / name, "--out", tmp_path / "D")
    assert answer.code == 0
    assert "net\ufffd on tpu_like" in answer.out
    assert {path.name for path in (tmp_path / "D").iterdir()} == FILES


def test_ctrl_c_ends_with_130_and_no_traceback(archsim: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from archsim.engine import simulate

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "run_layer", interrupted)
    answer = archsim("run", "tpu_like", "lenet5", "--out", tmp_path / "D")
    assert (answer.code, answer.out, answer.err) == (130, "", "")
    assert not (tmp_path / "D").exists()


def shell(command: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which ``archsim`` is this checkout's."""
    line = f'archsim() {{ "{sys.executable}" -m archsim "$@"; }}; {command}'
    environment = os.environ | {"PYTHONPATH": str(TOP)} | settings
    return subprocess.run(["bash", "-c", line], capture_output=True, env=environment, check=False)


def test_a_closed_pipe_gives_no_traceback() -> None:
    ended = shell("archsim run tpu_like lenet5 --json | head -1")
    assert (ended.stdout, ended.stderr) == (b"{\n", b"")


def test_a_full_disk_under_stdout_is_one_sentence() -> None:
    ended = shell("archsim explain fold > /dev/full")
    assert (ended.returncode, ended.stderr) == (1, b"the result cannot be written: No space left on device\n")


def test_an_ascii_terminal_gets_escapes_not_a_traceback() -> None:
    ended = shell("archsim run tpu_like lenet5", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert rb"mm\xb2" in ended.stdout


def test_a_signal_from_the_terminal_ends_with_130() -> None:
    begin = "import os, signal; from archsim.engine import simulate; "
    hook = "simulate.run_layer = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT); "
    go = "import sys; sys.argv = ['archsim', 'run', 'tpu_like', 'lenet5']; from archsim.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", begin + hook + go], capture_output=True, cwd=TOP, check=False)
    assert (ended.returncode, ended.stderr) == (130, b"")
    assert ended.returncode == 128 + signal.SIGINT


def test_few_layers_are_printed_with_their_loop_nests(archsim) -> None:
    shown = archsim("run", "tpu_like", "alexnet", "--layers", "conv3").out
    assert "stream 169 pixels past window (rows) x filters (columns)" in shown
    assert "stream" not in archsim("run", "tpu_like", "alexnet").out

"""What a wrong command line or a wrong file is told: word for word, exit 2, and nothing written."""

import os
import random
from pathlib import Path
from typing import Any

import pytest

from archsim.catalog import arch_names, workload_names
from archsim.convert.light_models import light_model

HEAD = "schema: archsim/workload/v1\nname: w\nlayers:\n"
CSV_HEAD = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"


@pytest.fixture
def refused(archsim: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run in tmp_path, demand exit 2 with nothing on stdout and nothing written; return the message."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        answer = archsim("run", *arguments, "--out", "D")
        assert (answer.code, answer.out) == (2, "")
        assert sorted(tmp_path.rglob("*")) == before
        assert "Traceback" not in answer.err
        message: str = answer.err
        return message

    return call


def test_an_unknown_arch_or_workload_is_told_the_nearest_name(refused: Any) -> None:
    assert refused("tpu_lik", "alexnet") == (
        f"no arch is named 'tpu_lik'. Did you mean 'tpu_like'? Known: {', '.join(arch_names())}. "
        "A file is named by its path, e.g. ./tpu_lik.yaml\n"
    )
    assert refused("tpu_like", "alexnt") == (
        f"no workload is named 'alexnt'. Did you mean 'alexnet'? Known: {', '.join(workload_names())}. "
        "A file is named by its path, e.g. ./alexnt.yaml\n"
    )


@pytest.mark.parametrize(
    ("arch", "workload", "message"),
    [
        ("no.yaml", "alexnet", "no.yaml: cannot be read: No such file or directory\n"),
        ("no.cfg", "alexnet", "no.cfg: cannot be read: No such file or directory\n"),
        ("tpu_like", "no.yaml", "no.yaml: cannot be read: No such file or directory\n"),
        ("tpu_like", "no.csv", "no.csv: cannot be read: No such file or directory\n"),
        ("tpu_like", "no.onnx", "no.onnx: cannot be read: no such file. Name an .onnx file.\n"),
        ("no.json", "alexnet", "no.json: an arch file ends in .yaml, .yml, .cfg\n"),
        ("tpu_like", "no.pt", "no.pt: a workload file ends in .yaml, .yml, .csv, .onnx\n"),
    ],
)
def test_a_file_that_is_not_there_or_not_read(refused: Any, arch: str, workload: str, message: str) -> None:
    assert refused(arch, workload) == message


@pytest.mark.parametrize("suffix", ["yaml", "cfg", "csv", "onnx"])
def test_a_directory_is_no_file(refused: Any, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"d.{suffix}").mkdir()
    arguments = (f"d.{suffix}", "alexnet") if suffix == "cfg" else ("tpu_like", f"d.{suffix}")
    assert refused(*arguments).lower().startswith(f"d.{suffix}: cannot be read: is a directory")


def test_a_link_to_itself_is_refused(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert refused("loop.yaml", "alexnet") == "loop.yaml: cannot be read: Too many levels of symbolic links\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "  rows: 32",
            "  rowz: 32",
            "a.yaml:13: pe_array.rows: this key is required\n"
            "a.yaml:14: pe_array.rowz: no such key (found 32). Did you mean 'rows'?\n",
        ),
        ("  rows: 32", '  rows: "32"', "a.yaml:14: pe_array.rows: input should be a valid integer (found '32')\n"),
        ("  rows: 32", "  rows: 0", "a.yaml:14: pe_array.rows: input should be greater than or equal to 1 (found 0)\n"),
        ("clock_mhz: 700", "clock_mhz: .nan", "a.yaml:11: clock_mhz: input should be a finite number (found nan)\n"),
        ("{table: default}", "[1]", "a.yaml:45: energy: must be a mapping of keys to values (found [1])\n"),
        ("  rows: 32", "  rows: [", "a.yaml:16: not valid YAML: expected ',' or ']', but got ':'\n"),
        ("  rows: 32", "  columns: 32", "a.yaml:15: key 'columns' appears twice in one mapping\n"),
        (
            "  rows: 32",
            '  rows: !!python/object/apply:os.system ["touch pwned"]',
            "a.yaml:14: not valid YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'\n",
        ),
    ],
)
def test_a_wrong_arch_file_names_line_key_and_remedy(refused: Any, write_arch: Any, old: str, new: str, message: str) -> None:  # fmt: skip
    write_arch((old, new))
    assert refused("a.yaml", "alexnet") == message


def test_several_faults_are_told_at_once(refused: Any, write_arch: Any) -> None:
    write_arch(
        ("clock_mhz: 700", "clock_mhz: fast"), ("  rows: 32", "  rows: -1"), ("{lanes: 32,", "{lane: 3,"),
        ("kind: dram", "kind: dramm"),
    )  # fmt: skip
    assert refused("a.yaml", "alexnet") == (
        "a.yaml:11: clock_mhz: input should be a valid number (found 'fast')\n"
        "a.yaml:14: pe_array.rows: input should be greater than or equal to 1 (found -1)\n"
        "a.yaml:18: vector_unit.lanes: this key is required\n"
        "a.yaml:18: vector_unit.lane: no such key (found 3). Did you mean 'lanes'?\n"
        "a.yaml:41: levels.3.kind: must be one of 'sram', 'dram' (found 'dramm')\n"
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("rows", "must be KEY=VALUE with a dotted KEY, e.g. pe_array.rows=8"),
        ("=3", "must be KEY=VALUE with a dotted KEY, e.g. pe_array.rows=8"),
        ("pe_array..rows=3", "must be KEY=VALUE with a dotted KEY, e.g. pe_array.rows=8"),
        ("pe_array.row=3", "no such key. Did you mean 'rows'?"),
        ("pe_array.rows=", "this key is required"),
        ("pe_array.rows=0", "input should be greater than or equal to 1"),
        ("pe_array=3", "must be a mapping of keys to values"),
        ("pe_array.rows=[", "'[' is not a YAML value"),
        ("pe_array.rows=!!python/name:os.system", "'!!python/name:os.system' is not a YAML value"),
        ("levels.9.ports=3", "levels has 4 elements, 0 to 3"),
        ("levels.glb.ports=3", "levels has no element named 'glb'. Its elements: accumulators, unified_buffer, weight_buffer, dram"),
        ("levels.drum.latency_cycles=3", "levels has no element named 'drum'. Did you mean 'dram'?"),
        ("clock_mhz.x=3", "clock_mhz is 700, it has no keys of its own"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_quoted(refused: Any, setting: str, message: str) -> None:
    assert refused("tpu_like", "alexnet", "--set", setting) == f"--set {setting}: {message}\n"


def test_a_setting_of_thousands_of_digits_is_cut(refused: Any) -> None:
    message = refused("tpu_like", "alexnet", "--set", "pe_array.rows=" + "1" * 6000)
    assert message.endswith("is not a YAML value\n")
    assert len(message) < 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: must be a mapping of keys to values (found NoneType)"),
        ("a: &x\n  b: *x\n", ": nested too deeply, or a value that holds itself"),
        ("a: " + "[" * 20_000 + "]" * 20_000, ": nested too deeply, or a value that holds itself"),
        ("? [a, b]\n: 3\n", ":1: a key must be one word, not a list or mapping"),
        ("a: 1\n---\nb: 2\n", ":2: not valid YAML: but found another document"),
        ("a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 40)}]\n" for i in range(1, 9)),
         ": more than 2000000 values (aliases expanded); refused"),
    ],
    ids=["empty", "holds itself", "deep", "list as key", "two documents", "bomb"],
)  # fmt: skip
@pytest.mark.parametrize("role", ["arch", "workload"])
def test_a_hostile_yaml_is_one_sentence(refused: Any, tmp_path: Path, role: str, text: str, message: str) -> None:
    (tmp_path / "h.yaml").write_text(text)
    arguments = ("h.yaml", "alexnet") if role == "arch" else ("tpu_like", "h.yaml")
    assert refused(*arguments) == f"h.yaml{message}\n"


@pytest.mark.parametrize("suffix", ["yaml", "csv", "onnx", "cfg"])
@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_are_refused(refused: Any, tmp_path: Path, suffix: str, seed: int) -> None:
    (tmp_path / f"r.{suffix}").write_bytes(b"\xff" + random.Random(seed).randbytes(5000))
    arguments = (f"r.{suffix}", "alexnet") if suffix == "cfg" else ("tpu_like", f"r.{suffix}")
    assert refused(*arguments).startswith(f"r.{suffix}: not a")  # ... UTF-8 text file, ... ONNX model


def test_a_truncated_onnx_is_refused(refused: Any, tmp_path: Path) -> None:
    whole = light_model("squeezenet").read_bytes()
    (tmp_path / "t.onnx").write_bytes(whole[: len(whole) // 2])
    assert refused("tpu_like", "t.onnx") == (
        "t.onnx: not an ONNX model, or cut short: protobuf cannot parse it. Export the model again, or copy the whole file.\n"
    )


@pytest.mark.parametrize(
    "row", ["c1, 8, 8, 3, x, 2, 4, 1,", "c1, 8, 8, 3, 3, 2, -4, 1,", "c1, 8, 8, 9, 3, 2, 4, 1,", "c1, 8, 8"]
)
def test_a_bad_cell_of_a_csv_names_its_line(refused: Any, tmp_path: Path, row: str) -> None:
    (tmp_path / "n.csv").write_text(f"{CSV_HEAD}ok, 8, 8, 3, 3, 2, 4, 1,\n{row}\n")
    assert refused("tpu_like", "n.csv").startswith("n.csv:3: ")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("  - {name: a, op: cnov}\n", "w.yaml:4: layers.0.op: 'cnov' is no operator. Did you mean 'conv'? Known: "),
        ("  - {name: a, op: fc, inner: 4}\n", "w.yaml:4: layers.0.columns: this key is required"),
        ("  - {name: a, op: relu, elements: 4, wieght_words: 3}\n",
         "w.yaml:4: layers.0.wieght_words: no such key (found 3). Did you mean 'weight_words'?"),
        ("  - {name: a, op: relu, elements: 4}\n  - {name: a, op: relu, elements: 4}\n",
         "w.yaml:5: layer 'a': this name is taken by line 4; every layer needs its own"),
        ("  - 3\n", "w.yaml:4: layers.0: must be a mapping of keys to values (found 3)"),
    ],
)  # fmt: skip
def test_a_wrong_workload_names_line_key_and_remedy(refused: Any, tmp_path: Path, layers: str, message: str) -> None:
    (tmp_path / "w.yaml").write_text(HEAD + layers)
    assert refused("tpu_like", "w.yaml").startswith(message)


def test_a_layer_that_does_not_fit_is_told_by_how_much(refused: Any) -> None:
    assert refused("tpu_like", "alexnet", "--set", "levels.accumulators.capacity_bytes=16").startswith(
        "layer 'conv1' does not fit 'tpu_like', even streamed a line of PEs at a time: "
        "accumulators has 16 B for tiles and needs at least 256 B of psum"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--batch", "0"), "batch (=0) must be at least 1 and at most 1000000\n"),
        (("--batch", "9" * 30), f"batch (={'9' * 30}) must be at least 1 and at most 1000000\n"),
        (("--layers", "zzz*"), "--layers 'zzz*' matches no layer of 'alexnet'; its layers are conv1, norm1, pool1, "
                               "conv2, norm2, pool2, conv3, conv4...\n"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_told_its_rule(refused: Any, arguments: tuple[str, ...], message: str) -> None:
    assert refused("tpu_like", "alexnet", *arguments) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--batch", "x"), "Invalid value for '--batch'"),
        (("--dram", "foo"), "'foo' is not one of 'ideal'"),
        (("--seed", "1.5"), "Invalid value for '--seed'"),
        (("--bacth", "2"), "No such option: --bacth"),
        (("third",), "unexpected extra argument"),
    ],
)
def test_the_parser_names_the_option(refused: Any, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused("tpu_like", "alexnet", *arguments)


def test_out_must_be_able_to_become_a_directory(archsim: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("kept")
    assert archsim("run", "tpu_like", "lenet5", "--out", "file") == (
        2, "", "file: is a file; --out (='file') must be a directory\n")  # fmt: skip
    assert archsim("run", "tpu_like", "lenet5", "--out", "file/sub") == (
        2, "", f"{tmp_path / 'file'}: is a file; --out (='file/sub') must be a directory\n")  # fmt: skip
    assert "Invalid value for '--out': is empty; name a place" in archsim("run", "tpu_like", "lenet5", "--out", "").err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert Path("file").read_text() == "kept"


def test_a_place_that_may_not_be_written_is_told_before_the_run(refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may write anywhere
    monkeypatch.setattr("archsim.study.simulate.simulate", None)
    assert (
        refused("tpu_like", "alexnet") == f"{tmp_path}: may not be written to; --out (='D') must be a place that may\n"
    )


def test_a_file_system_that_refuses_is_told(archsim: Any) -> None:
    answer = archsim("run", "tpu_like", "lenet5", "--out", "/proc/archsim-out")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("/proc")


def test_an_older_run_is_untouched_by_a_failed_one(archsim: Any, tmp_path: Path) -> None:
    archsim("run", "tpu_like", "lenet5", "--out", tmp_path / "D")
    before = {path.name: path.read_bytes() for path in (tmp_path / "D").iterdir()}
    assert (
        archsim("run", "tpu_like", "alexnet", "--set", "levels.0.capacity_bytes=16", "--out", tmp_path / "D").code == 2
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "D").iterdir()} == before

"""The workload YAML: what a layer reads, and every fault with its line."""

from pathlib import Path

import pytest

from archsim.errors import WorkloadError
from archsim.workload.layer import VectorLayer
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_yaml

HEAD = "schema: archsim/workload/v1\nname: net\nlayers:\n"
CONV = "op: conv, in_channels: 3, ifmap: [8, 8], kernel: 3, out_channels: 4"


def _read_text(folder: Path, text: str) -> Workload:
    path = folder / "net.yaml"
    path.write_text(text, encoding="utf-8")
    return read_workload_yaml(path)


def _read(folder: Path, *layers: str) -> Workload:
    return _read_text(folder, HEAD + "".join(f"  - {{{layer}}}\n" for layer in layers))


def _faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(WorkloadError) as raised:
        _read_text(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]


def _layer_faults(folder: Path, *layers: str) -> list[str]:
    return _faults(folder, HEAD + "".join(f"  - {{{layer}}}\n" for layer in layers))


def test_a_layer_reads_the_one_before_unless_inputs_says_otherwise(tmp_path: Path) -> None:
    keys = "op: conv, in_channels: 4, ifmap: [8, 8], kernel: 1, out_channels: 4"
    workload = _read(tmp_path, f"name: a, {keys}", f"name: b, {keys}", f"name: c, {keys}, inputs: [a]",
                     f"name: d, {keys}, inputs: []")  # fmt: skip
    assert [layer.sources for layer in workload.layers] == [(), ("a",), ("a",), ()]


def test_a_concat_is_a_view_of_its_inputs_whose_words_the_next_layer_reads(tmp_path: Path) -> None:
    workload = _read(
        tmp_path, f"name: a, {CONV}", f"name: b, {CONV}, inputs: []",
        "name: j, op: concat, elements: 288, inputs: [a, b]", "name: r, op: relu, elements: 288",
    )  # fmt: skip
    joined, relu = workload.layers[2:]
    assert isinstance(joined, VectorLayer)
    assert isinstance(relu, VectorLayer)
    assert joined.is_view
    assert (relu.ifmap_words, relu.sources) == (288, ("a", "b"))


def test_a_view_of_a_view_and_a_view_of_the_outside_are_seen_through(tmp_path: Path) -> None:
    workload = _read(
        tmp_path, f"name: a, {CONV}", "name: v, op: reshape, elements: 144", "name: w, op: reshape, elements: 144",
        "name: s, op: add, elements: 144, inputs: [w, a]", "name: o, op: reshape, elements: 9, inputs: []",
        "name: r, op: relu, elements: 9",
    )  # fmt: skip
    sources = {layer.name: layer.sources for layer in workload.layers}
    assert sources == {"a": (), "v": ("a",), "w": ("a",), "s": ("a",), "o": (), "r": ()}
    assert isinstance(workload.layers[3], VectorLayer)
    assert workload.layers[3].ifmap_words == 288  # 'a' twice


def test_notes_become_assumptions_and_the_file_its_hash(tmp_path: Path) -> None:
    text = HEAD.replace("layers:", "source: a paper, 1999\nnotes: [one, two]\nlayers:") + f"  - {{name: c, {CONV}}}\n"
    workload = _read_text(tmp_path, text)
    assert (workload.name, workload.source, workload.assumptions) == ("net", "a paper, 1999", ("one", "two"))
    assert len(workload.content_hash) == 64
    assert _read_text(tmp_path, text + "# more\n").content_hash != workload.content_hash


def test_all_faults_of_a_file_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = (
        "schema: archsim/workload/v2\nname: net\ntensor: net.npz\nlayers:\n"
        "  - {name: a, op: conv, in_channels: 3, ifmap: [8, 8], kernal: 3, out_channels: 4, stride: 0}\n"
        "  - {name: b, op: cnov}\n"
        f"  - {{name: c, {CONV.replace('kernel: 3', 'kernel: 9')}, inputs: []}}\n"
        "  - 7\n"
        "  - name: d\n"
        "    op: max_pool\n"
        "    channels: 4\n"
        "    ifmap: [6, 6]\n"
        "    kernel: two\n"
        "    stride: 1\n"
    )
    faults = _faults(tmp_path, text)
    assert faults[0].startswith("net.yaml:1: schema: input should be 'archsim/workload/v1'")
    assert faults[1].startswith("net.yaml:3: tensor: no such key (found 'net.npz'). Did you mean 'tensors'?")
    assert faults[2:5] == [
        "net.yaml:5: layers.0.kernel: this key is required",
        "net.yaml:5: layers.0.stride: must be a whole number from 1 to 2147483647, or a list of one per axis (found 0)",
        "net.yaml:5: layers.0.kernal: no such key (found 3). Did you mean 'kernel'?",
    ]
    assert faults[5].startswith("net.yaml:6: layers.1.op: 'cnov' is no operator. Did you mean 'conv'? Known: conv, fc,")
    assert faults[6:] == [
        "net.yaml:7: layer 'c': kernel (9, 9) does not fit ifmap (8, 8) with padding ((0, 0), (0, 0))",
        "net.yaml:8: layers.3: must be a mapping of keys to values (found 7)",
        "net.yaml:13: layers.4.kernel: must be a whole number from 1 to 2147483647, or a list of one per axis (found 'two')",
    ]


@pytest.mark.parametrize("key", ["schema", "name", "layers"])
def test_schema_name_and_layers_are_required(tmp_path: Path, key: str) -> None:
    lines = {"schema": "schema: archsim/workload/v1", "name": "name: net", "layers": f"layers: [{{name: c, {CONV}}}]"}
    text = "\n".join(line for name, line in lines.items() if name != key)
    assert _faults(tmp_path, text) == [f"net.yaml:1: {key}: this key is required"]


def test_a_workload_without_layers_is_a_fault(tmp_path: Path) -> None:
    assert _faults(tmp_path, HEAD.replace("layers:", "layers: []"))[0].startswith("net.yaml:3: layers: ")


def test_an_unknown_input_is_named_with_the_nearest_earlier_layer(tmp_path: Path) -> None:
    assert _layer_faults(tmp_path, f"name: conv1, {CONV}", f"name: c, {CONV}, inputs: [cnov1]") == [
        "net.yaml:5: layer 'c': input 'cnov1' is not the name of an earlier layer. Did you mean 'conv1'?"
    ]


@pytest.mark.parametrize("source", ["b", "c"])
def test_a_layer_cannot_read_itself_or_a_later_one(tmp_path: Path, source: str) -> None:
    layers = [f"name: {name}, {CONV}, inputs: [{source if name == 'b' else ''}]" for name in "abc"]
    assert "'b': input" in _layer_faults(tmp_path, *layers)[0]


def test_an_unknown_weight_input_is_a_fault(tmp_path: Path) -> None:
    faults = _layer_faults(tmp_path, "name: m, op: matmul, rows: 1, inner: 2, columns: 3, weight_input: k")
    assert faults == ["net.yaml:4: layer 'm': input 'k' is not the name of an earlier layer."]


def test_two_layers_of_one_name_are_a_fault_that_names_both_lines(tmp_path: Path) -> None:
    assert _layer_faults(tmp_path, f"name: c, {CONV}", f"name: c, {CONV}, inputs: []") == [
        "net.yaml:5: layer 'c': this name is taken by line 4; every layer needs its own"
    ]


@pytest.mark.parametrize(
    ("layer", "fault"),
    [
        (
            "op: conv, in_channels: 5, ifmap: [6, 6], kernel: 3, out_channels: 4",
            "reads 5 x 6 x 6 = 180 words, but 'a' makes 144. Correct the shape or `inputs`",
        ),
        (
            "op: conv, in_channels: 4, ifmap: [6, 6], kernel: 3, out_channels: 4, batch: 2",
            "reads 2 x 4 x 6 x 6 = 288 words, but 'a' makes 144. Correct the shape or `inputs`",
        ),
        (
            "op: max_pool, channels: 4, ifmap: [6, 7], kernel: 3, stride: 1",
            "reads 4 x 6 x 7 = 168 words, but 'a' makes 144. Correct the shape or `inputs`",
        ),
        (
            "op: fc, inner: 145, columns: 4",
            "reads 1 x 145 = 145 words, but 'a' makes 144. Correct the shape or `inputs`",
        ),
        ("op: relu, elements: 140", "reads 140 = 140 words, but 'a' makes 144. Correct the shape or `inputs`"),
        ("op: add, elements: 100", "reads 100 = 100 words, but 'a' makes 144. Correct the shape or `inputs`"),
        (
            "op: concat, elements: 300, inputs: [a, a]",
            "reads 300 = 300 words, but 'a' makes 144, 'a' makes 144. Correct the shape or `inputs`",
        ),
        (
            "op: matmul, rows: 2, inner: 72, columns: 3, weight_input: a",
            "takes 1 x 72 x 3 = 216 words as weights, but 'a' makes 144. Correct the shape or `weight_input`",
        ),
    ],
)
def test_a_shape_that_contradicts_its_input_is_a_fault_with_both_numbers(
    tmp_path: Path, layer: str, fault: str
) -> None:
    faults = _layer_faults(tmp_path, f"name: a, {CONV}", f"name: b, {layer}")
    assert faults == [f"net.yaml:5: layer 'b': {fault}"]


def test_a_layer_that_reads_from_outside_is_not_checked_against_the_one_before(tmp_path: Path) -> None:
    read = _read(tmp_path, f"name: a, {CONV}", f"name: b, {CONV}, inputs: []")
    assert [layer.sources for layer in read.layers] == [(), ()]


@pytest.mark.parametrize(
    "keys",
    [
        "in_channels: 0", "in_channels: -3", "in_channels: 3.0", "in_channels: true", "in_channels: '3'",
        "in_channels: 3000000000", "ifmap: 8", "ifmap: []", "ifmap: [8, 8, 8, 8]", "ifmap: [8, 0]", "kernel: []",
        "kernel: [3]", "kernel: 2.5", "padding: -1", "padding: [1, 2, 3]", "padding: [[1, 2, 3], 1]", "padding: [[1], 1]",
        "groups: 2", "batch: 0", "ofmap_rounding: up", "zero_fractions: {ifmap: 1.5}", "zero_fractions: {ifmaps: 0.5}",
        "zero_fractions: {ifmap: .nan}", "inputs: a", "inputs: ['']", "name: ''", "name: 3", "rows: 3",
    ],
)  # fmt: skip
def test_a_wrong_value_is_a_workload_error_on_its_line(tmp_path: Path, keys: str) -> None:
    given = {part.split(": ")[0]: part for part in (f"name: c, {CONV}").replace("[8, 8]", "[8; 8]").split(", ")}
    text = ", ".join({**given, keys.split(": ", maxsplit=1)[0]: keys}.values()).replace(";", ",")
    faults = _layer_faults(tmp_path, text)
    assert len(faults) == 1
    assert faults[0].startswith("net.yaml:4: layer")


@pytest.mark.parametrize("text", ["", "- a\n", "layers: [", "a: 1\na: 2\n", "? [a, b]\n: c\n", "a: &x [*x]\n"])
def test_what_is_no_yaml_mapping_is_a_workload_error(tmp_path: Path, text: str) -> None:
    assert _faults(tmp_path, text)[0].startswith("net.yaml:")

"""What the keys of each operator of a workload YAML become."""

from pathlib import Path

import pytest

from archsim.workload.layer import ConvLayer, MatmulLayer, Rounding, VectorLayer
from archsim.workload.layer_forms import FORMS
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_yaml

HEAD = "schema: archsim/workload/v1\nname: net\nlayers:\n"
CONV = "op: conv, in_channels: 3, ifmap: [8, 8], kernel: 3, out_channels: 4"


def _read(folder: Path, *layers: str) -> Workload:
    path = folder / "net.yaml"
    path.write_text(HEAD + "".join(f"  - {{{layer}}}\n" for layer in layers), encoding="utf-8")
    return read_workload_yaml(path)


def _conv(folder: Path, *layers: str) -> ConvLayer:
    layer = _read(folder, *layers).layers[-1]
    assert isinstance(layer, ConvLayer)
    return layer


def _vector(folder: Path, *layers: str) -> VectorLayer:
    layer = _read(folder, *layers).layers[-1]
    assert isinstance(layer, VectorLayer)
    return layer


def test_a_convolution_has_stride_1_and_no_padding_unless_told(tmp_path: Path) -> None:
    layer = _conv(tmp_path, f"name: c, {CONV}")
    assert layer == ConvLayer(
        name="c", in_channels=3, out_channels=4, ifmap=(8, 8), kernel=(3, 3), stride=(1, 1),
        padding=((0, 0), (0, 0)), dilation=(1, 1),
    )  # fmt: skip
    assert layer.macs == 3888  # 6 * 6 * 4 * 3 * 3 * 3


def test_every_key_of_a_convolution_reaches_the_layer(tmp_path: Path) -> None:
    layer = _conv(
        tmp_path,
        "name: c, op: conv, in_channels: 4, ifmap: [9, 8], kernel: [3, 2], stride: [2, 1], padding: [[0, 1], 2], "
        "dilation: [1, 2], out_channels: 6, groups: 2, batch: 5, ofmap_rounding: ceil, "
        "zero_fractions: {ifmap: 0.25, weight: 0.5}",
    )
    assert (layer.kernel, layer.stride, layer.dilation) == ((3, 2), (2, 1), (1, 2))
    assert layer.padding == ((0, 1), (2, 2))
    assert (layer.groups, layer.batch, layer.ofmap_rounding) == (2, 5, Rounding.CEIL)
    assert (layer.zero_fractions.ifmap, layer.zero_fractions.weight) == (0.25, 0.5)
    assert layer.ofmap == (5, 10)  # ceil((9 + 1 - 3) / 2) + 1; 8 + 4 - 3 + 1


@pytest.mark.parametrize(("axes", "macs"), [("[8]", 216), ("[8, 8]", 3888), ("[8, 8, 8]", 69984)])
def test_one_to_three_axes_are_convolutions(tmp_path: Path, axes: str, macs: int) -> None:
    # 6 * 4 * 3 * 3, 6^2 * 4 * 3^2 * 3, 6^3 * 4 * 3^3 * 3
    text = f"name: c, op: conv, in_channels: 3, ifmap: {axes}, kernel: 3, out_channels: 4"
    assert _conv(tmp_path, text).macs == macs


def test_a_matrix_product_may_have_batches_and_take_its_second_matrix_from_a_layer(tmp_path: Path) -> None:
    workload = _read(
        tmp_path,
        "name: k, op: gemm, rows: 5, inner: 7, columns: 6",
        "name: q, op: gemm, rows: 4, inner: 7, columns: 6, inputs: []",
        "name: s, op: matmul, rows: 4, inner: 3, columns: 5, batches: 2, weight_input: k",
        "name: f, op: fc, inner: 40, columns: 3",
    )
    scores, last = workload.layers[2:]
    assert isinstance(scores, MatmulLayer)
    assert isinstance(last, MatmulLayer)
    assert (scores.sources, scores.weight_source, scores.macs) == (("q",), "k", 120)  # 2 * 4 * 3 * 5
    assert (last.rows, last.op, last.sources) == (1, "fc", ("s",))


def test_a_max_pool_of_n_positions_takes_n_minus_1_compares(tmp_path: Path) -> None:
    pool = _vector(tmp_path, "name: p, op: max_pool, channels: 2, ifmap: [7, 7], kernel: 3, stride: 2, batch: 3")
    assert (pool.ifmap_words, pool.ofmap_words) == (294, 54)  # 3 * 2 * 7 * 7; 3 * 2 * 3 * 3
    assert pool.lane_ops == 432  # 54 * (9 - 1)


def test_a_pool_may_round_up_and_an_average_scales_its_sum(tmp_path: Path) -> None:
    keys = "channels: 1, ifmap: [4, 4], kernel: 3, stride: 2, ofmap_rounding: ceil"
    pool = _vector(tmp_path, f"name: p, op: average_pool, {keys}")
    assert (pool.ofmap_words, pool.lane_ops) == (4, 36)  # ceil(1 / 2) + 1 = 2 per axis; 4 * (8 adds + 1)


def test_a_global_average_pool_has_the_ifmap_as_its_window(tmp_path: Path) -> None:
    pool = _vector(tmp_path, "name: p, op: global_average_pool, channels: 8, ifmap: [7, 7]")
    assert (pool.ifmap_words, pool.ofmap_words, pool.lane_ops) == (392, 8, 392)  # 8 * 49; 8 * (48 adds + 1)


def test_an_add_reads_two_operands_and_one_may_come_from_outside(tmp_path: Path) -> None:
    both = _vector(
        tmp_path, f"name: a, {CONV}", f"name: b, {CONV}, inputs: []", "name: s, op: add, elements: 144, inputs: [a, b]"
    )
    one = _vector(tmp_path, f"name: a, {CONV}", "name: s, op: add, elements: 144")
    for layer in (both, one):
        assert (layer.ifmap_words, layer.ofmap_words, layer.lane_ops) == (288, 144, 144)
    assert (both.sources, one.sources) == (("a", "b"), ("a",))


def test_a_broadcast_operand_is_read_once(tmp_path: Path) -> None:
    scaled = _vector(
        tmp_path, f"name: a, {CONV}", "name: g, op: global_average_pool, channels: 4, ifmap: [6, 6]",
        "name: m, op: mul, elements: 144, inputs: [a, g]",
    )  # fmt: skip
    assert scaled.ifmap_words == 148  # 144 + 4


def test_parameters_of_a_vector_operator_are_weight_words(tmp_path: Path) -> None:
    norm = _vector(tmp_path, "name: n, op: layer_norm, elements: 64, weight_words: 16")
    assert (norm.weight_words, norm.lane_ops) == (16, 448)  # 7 * 64


def test_every_operator_named_in_the_forms_can_be_read(tmp_path: Path) -> None:
    keys = {
        "conv": "in_channels: 2, ifmap: [4], kernel: 1, out_channels: 2",
        "fc": "inner: 8, columns: 8", "gemm": "inner: 8, columns: 8", "matmul": "inner: 8, columns: 8",
        "max_pool": "channels: 2, ifmap: [4], kernel: 1, stride: 1",
        "average_pool": "channels: 2, ifmap: [4], kernel: 1, stride: 1",
        "global_average_pool": "channels: 8, ifmap: [1]",
    }  # fmt: skip
    layers = [f"name: {op}_layer, op: {op}, {keys.get(op, 'elements: 8')}" for op in FORMS]
    assert [layer.op for layer in _read(tmp_path, *layers).layers] == list(FORMS)

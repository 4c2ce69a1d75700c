"""SCALE-Sim topology files: the shapes SCALE-Sim itself ran, leniency, and every fault by line and column."""

import csv
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer, MatmulLayer, Rounding
from archsim.workload.network import Workload
from archsim.workload.topology_csv import read_topology_csv

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "scalesim_shapes.csv"
CONV_HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
GEMM_HEADER = "Layer, M, N, K,\n"


def _read(folder: Path, text: str | bytes) -> Workload:
    path = folder / "net.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_topology_csv(path)


def _conv(folder: Path, text: str | bytes) -> ConvLayer:
    layer = _read(folder, text).layers[0]
    assert isinstance(layer, ConvLayer)
    return layer


def _faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(WorkloadError) as raised:
        _read(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]


def test_every_shape_that_scalesim_ran_has_its_ofmap_macs_and_gemm(tmp_path: Path) -> None:
    with GOLDEN.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["runs"]) for row in rows) == 2001
    columns = ("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride_h", "stride_w")
    lines = [",".join([f"layer{index}", *(row[column] for column in columns)]) for index, row in enumerate(rows)]
    layers = _read(tmp_path, CONV_HEADER + "\n".join(lines)).layers
    for row, layer in zip(rows, layers, strict=True):
        assert isinstance(layer, ConvLayer)
        assert layer.ofmap == (int(row["ofmap_h"]), int(row["ofmap_w"])), row["layer"]
        assert layer.macs == int(row["macs"]), row["layer"]
        gemm = layer.gemm
        assert (gemm.groups, gemm.pixels, gemm.window, gemm.filters) == (
            1, int(row["pixels"]), int(row["window"]), int(row["filters"]),
        )  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ifmap=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    channels=st.tuples(st.integers(1, 2048), st.integers(1, 2048)),
    strides=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    layout=st.sampled_from([(",", ""), (", ", ","), ("\t", "\t"), (";", "; ;"), (" ,\t", ",")]),
)
def test_a_random_shape_reads_back_as_scalesims_gemm(
    tmp_path: Path, *, ifmap: tuple[int, int], shares: tuple[float, float], channels: tuple[int, int],
    strides: tuple[int, int], layout: tuple[str, str],
) -> None:  # fmt: skip
    kernel = 1 + int(shares[0] * (ifmap[0] - 1)), 1 + int(shares[1] * (ifmap[1] - 1))
    separator, ending = layout
    gemm = _conv(tmp_path, separator.join(map(str, ["c", *ifmap, *kernel, *channels, *strides])) + ending + "\n").gemm
    # SCALE-Sim: Oh = ceil((H - Fh + s) / s); output stationary Sr, Sc, T = P, N, W
    rows, columns = (-(-(ifmap[axis] - kernel[axis] + strides[axis]) // strides[axis]) for axis in (0, 1))
    assert (gemm.pixels, gemm.filters, gemm.window) == (
        rows * columns,
        channels[1],
        kernel[0] * kernel[1] * channels[0],
    )


def test_a_last_partial_window_is_kept_without_padding_and_said(tmp_path: Path) -> None:
    workload = _read(tmp_path, CONV_HEADER + "Conv1, 224, 224, 11, 11, 3, 96, 4,\n")
    layer = workload.layers[0]
    assert isinstance(layer, ConvLayer)
    assert layer.ofmap_rounding is Rounding.CEIL
    assert layer.padding == ((0, 0), (0, 0))
    assert layer.ofmap == (55, 55)  # ceil((224 - 11) / 4) + 1 = 55, where rounding down gives 54
    assert layer.macs == 105_415_200  # 55 * 55 * 96 * 11 * 11 * 3
    said = " ".join(workload.assumptions)
    assert "Ceiling ofmap size" in said
    assert "No padding" in said
    assert "starts cold" in said


def test_every_layer_starts_cold_and_the_workload_is_named_after_the_file(tmp_path: Path) -> None:
    workload = _read(tmp_path, CONV_HEADER + "a,8,8,3,3,3,8,1,\nb,6,6,3,3,8,8,1,\n")
    assert [layer.sources for layer in workload.layers] == [(), ()]
    assert (workload.name, workload.source) == ("net", "SCALE-Sim topology net.csv")


def test_a_gemm_row_is_m_rows_n_columns_k_inner(tmp_path: Path) -> None:
    layer = _read(tmp_path, GEMM_HEADER + "fc, 2, 30, 400,\n").layers[0]
    assert isinstance(layer, MatmulLayer)
    assert (layer.rows, layer.columns, layer.inner, layer.op) == (2, 30, 400, "gemm")
    assert layer.macs == 24_000  # 2 * 30 * 400


def test_a_gemm_header_in_another_order_decides_the_columns(tmp_path: Path) -> None:
    layer = _read(tmp_path, "Layer,M,K,N\nfc,2,30,400\n").layers[0]
    assert isinstance(layer, MatmulLayer)
    assert (layer.rows, layer.inner, layer.columns) == (2, 30, 400)


def test_without_a_header_four_cells_are_a_gemm_and_eight_a_convolution(tmp_path: Path) -> None:
    assert isinstance(_read(tmp_path, "fc,2,30,400\n").layers[0], MatmulLayer)
    assert isinstance(_read(tmp_path, "c,8,8,3,3,4,5,1\n").layers[0], ConvLayer)


def test_a_header_of_unknown_words_is_skipped_and_the_cells_counted(tmp_path: Path) -> None:
    layer = _conv(tmp_path, "Schicht,Hoehe,Breite,FH,FW,Kanaele,Filter,Schritt\nc,8,9,3,2,4,5,1\n")
    assert (layer.ifmap, layer.kernel, layer.in_channels, layer.out_channels) == ((8, 9), (3, 2), 4, 5)


@pytest.mark.parametrize(
    "text",
    [
        "c,8,9,3,2,4,5,1\n",
        "c,8,9,3,2,4,5,1,,\n",
        "c, 8 , 9,3,2,4,5,1 ,\r\n",
        '"c","8","9","3","2","4","5","1"\n',
        "c\t8\t9\t3\t2\t4\t5\t1\n",
        "c;8;9;3;2;4;5;1;\n",
        "c,\t8,\t9,\t3,\t2,\t4,\t5,\t1,\n",
        "c,8.0,9,3.,2,4,5.00,1\n",
        "\n# note, 1, 2, 3\n   \n,,,\nc,8,9,3,2,4,5,1\n\n",
        "\r\rc,8,9,3,2,4,5,1\r",
    ],
    ids=["plain", "trailing-commas", "spaces-crlf", "quotes", "tabs", "semicolons", "comma-tab", "floats", "comments",
         "cr"],
)  # fmt: skip
@pytest.mark.parametrize("header", ["", CONV_HEADER], ids=["bare", "header"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
def test_one_layer_is_read_the_same_however_it_is_laid_out(tmp_path: Path, text: str, header: str, mark: bytes) -> None:
    layer = _conv(tmp_path, mark + (header + text).encode())
    assert (layer.name, layer.ifmap, layer.kernel) == ("c", (8, 9), (3, 2))
    assert (layer.in_channels, layer.out_channels, layer.stride) == (4, 5, (1, 1))


@pytest.mark.parametrize("header", ["", CONV_HEADER, CONV_HEADER.replace("Strides,", "Stride Height, Stride Width")])
def test_a_whole_ninth_cell_is_the_stride_along_the_width(tmp_path: Path, header: str) -> None:
    assert _conv(tmp_path, header + "c,8,8,3,3,4,5,1,2,\n").stride == (1, 2)


@pytest.mark.parametrize("header", ["", CONV_HEADER, CONV_HEADER.replace("Strides,", "Strides, Sparsity,")])
def test_a_ninth_cell_with_a_colon_is_weight_sparsity(tmp_path: Path, header: str) -> None:
    layer = _conv(tmp_path, header + "c,8,8,3,3,4,5,2,2:4,\n")
    assert layer.kept_of == (2, 4)
    assert layer.stride == (2, 2)


@pytest.mark.parametrize("cell", ["1:1", "4:4", "", " "])
def test_a_ratio_of_one_or_an_empty_cell_is_dense(tmp_path: Path, cell: str) -> None:
    header = CONV_HEADER.replace("Strides,", "Strides, Sparsity,")
    assert _conv(tmp_path, f"{header}c,8,8,3,3,4,5,2,{cell},\n").kept_of is None


def test_a_gemm_takes_sparsity_in_its_fifth_cell(tmp_path: Path) -> None:
    layer = _read(tmp_path, GEMM_HEADER + "fc,2,30,400,1:4\n").layers[0]
    assert isinstance(layer, MatmulLayer)
    assert layer.kept_of == (1, 4)


def test_dp_in_the_name_makes_a_depthwise_layer_and_is_said(tmp_path: Path) -> None:
    workload = _read(tmp_path, CONV_HEADER + "Conv2DP,8,8,3,3,16,1,1,\nConv3dp,8,8,3,3,16,1,1,\n")
    depthwise, ordinary = workload.layers
    assert isinstance(depthwise, ConvLayer)
    assert isinstance(ordinary, ConvLayer)
    assert (depthwise.groups, depthwise.in_channels, depthwise.out_channels) == (16, 16, 16)
    assert depthwise.macs == 5184  # 6 * 6 pixels * 9 * 16 channels
    assert ordinary.groups == 1
    assert any("Conv2DP" in said and "Conv3dp" not in said for said in workload.assumptions)


def test_names_that_come_twice_are_numbered_and_said(tmp_path: Path) -> None:
    rows = "".join(f"{name},8,8,3,3,4,5,1\n" for name in ("a", "a", "a_2", "a"))
    workload = _read(tmp_path, CONV_HEADER + rows)
    assert [layer.name for layer in workload.layers] == ["a", "a_3", "a_2", "a_4"]
    assert any("'a' of line 3 is 'a_3'" in said for said in workload.assumptions)


def test_a_batch_column_named_in_the_header_is_read(tmp_path: Path) -> None:
    header = CONV_HEADER.replace("Strides,", "Stride Height, Stride Width, Batch Size,")
    assert _conv(tmp_path, header + "c,8,8,3,3,4,5,1,1,6,\n").batch == 6


def test_all_faults_of_a_file_come_at_once_with_line_and_column(tmp_path: Path) -> None:
    text = CONV_HEADER + "a,8,x,3,3,4,5,1\nb,8,8,3,9,-4,0,1\nc,8,8,3,3\n,8,8,3,3,4,5,1,3:2\n"
    assert _faults(tmp_path, text) == [
        "net.csv:2: column 'IFMAP Width': must be a whole number from 1 to 2147483647 (found 'x')",
        "net.csv:3: column 'Channels': must be a whole number from 1 to 2147483647 (found '-4')",
        "net.csv:3: column 'Num Filter': must be a whole number from 1 to 2147483647 (found '0')",
        "net.csv:3: column 'Filter Width': 9 is larger than the IFMAP Width, 8",
        "net.csv:4: 5 cells; a row has 8 (Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides), then a second stride or N:M sparsity",
        "net.csv:5: column 'Sparsity': must be N:M, N of every M weights kept, 1 <= N <= M (found '3:2')",
        "net.csv:5: column 'Layer name': is empty",
    ]


@pytest.mark.parametrize("cell", ["1.5", "1e3", "", "nan", "inf", "99999999999", "\uff19"])
def test_a_cell_that_is_no_whole_number_is_a_fault(tmp_path: Path, cell: str) -> None:
    assert "column 'Channels'" in _faults(tmp_path, f"{CONV_HEADER}a,8,8,3,3,{cell},5,1\n")[0]


@pytest.mark.parametrize("row", ["a,8,8,3,3,4,5,1,1,1", "a,8,8,3,3,4,5,1,1:2,1:2", "a,8,8,3,3,4"])
def test_a_row_with_too_many_or_too_few_cells_is_a_fault(tmp_path: Path, row: str) -> None:
    assert " cells; a row has 8 " in _faults(tmp_path, f"{CONV_HEADER}{row}\n")[0]


def test_a_column_that_archsim_does_not_read_is_a_fault_not_ignored(tmp_path: Path) -> None:
    faults = _faults(tmp_path, CONV_HEADER.replace("Strides,", "Strides, Padding") + "a,8,8,3,3,4,5,1,1\n")
    assert faults[0] == "net.csv:1: column 'Padding' is not one archsim reads, or comes twice. Remove it"


@pytest.mark.parametrize("text", ["", "\n\n", CONV_HEADER, "# only a comment\n"])
def test_a_file_without_layers_is_a_fault(tmp_path: Path, text: str) -> None:
    assert "no layer rows" in _faults(tmp_path, text)[0]


def test_a_missing_or_binary_file_is_a_workload_error(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="cannot be read"):
        read_topology_csv(tmp_path / "absent.csv")
    with pytest.raises(WorkloadError, match="not a UTF-8 text file"):
        _read(tmp_path, b"a,8,8\xff\xfe")


def test_a_cell_of_endless_length_is_a_workload_error(tmp_path: Path) -> None:
    assert "net.csv:1: not a row of a CSV file" in _faults(tmp_path, "a" * 200_000 + ",1,2,3\n")[0]

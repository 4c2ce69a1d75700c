"""Names and paths of archs and workloads: what each finds, and what is said when it finds nothing."""

import re
from pathlib import Path

import pytest

from archsim.catalog import (
    arch_names,
    find_arch,
    find_model,
    find_workload,
    load_arch,
    load_workload,
    shelf_lines,
    workload_names,
)
from archsim.errors import ConfigError, WorkloadError
from archsim.format_shelf import FORMAT_NAMES
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.rounding import RoundingMode
from archsim.terms import Dataflow

TOP = Path(__file__).parents[2]


def test_every_shipped_file_has_its_name() -> None:
    assert arch_names() == sorted(path.stem for path in (TOP / "arch_configs").glob("*.yaml"))
    shipped = [*(TOP / "workloads").glob("*.yaml"), *(TOP / "workloads").glob("*.onnx")]
    assert workload_names() == sorted(path.stem for path in shipped)
    assert "tpu_like" in arch_names()
    assert "alexnet" in workload_names()


def test_every_shipped_workload_is_read() -> None:
    for name in workload_names():
        assert load_workload(name).name == name


def test_a_name_and_its_path_give_the_same_arch() -> None:
    assert load_arch("tpu_like") == load_arch(find_arch("tpu_like")) == load_arch(str(find_arch("tpu_like")))


def test_names_work_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_arch("tpu_like").name == "tpu_like"
    assert load_workload("alexnet").name == "alexnet"


def test_settings_reach_a_named_arch() -> None:
    assert load_arch("tpu_like", ["pe_array.rows=8"]).pe_array.rows == 8


def test_a_cfg_is_read_as_scale_sim_s(tmp_path: Path) -> None:
    path = tmp_path / "s.cfg"
    path.write_text(
        "[architecture_presets]\nArrayHeight: 4\nArrayWidth: 2\nIfmapSramSzkB: 1\nFilterSramSzkB: 1\n"
        "OfmapSramSzkB: 1\nDataflow: os\n"
    )
    assert load_arch(path).pe_array.multipliers == 8  # 4 x 2


def test_the_batch_multiplies_the_macs() -> None:
    assert load_workload("alexnet", batch=3).macs == 3 * load_workload("alexnet").macs


def test_a_topology_csv_is_a_workload(tmp_path: Path) -> None:
    path = tmp_path / "net.csv"
    path.write_text(
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
        "conv1, 8, 8, 3, 3, 2, 4, 1,\n"
    )
    assert load_workload(path).macs == 6 * 6 * 3 * 3 * 2 * 4  # ofmap 6 x 6, window 3 x 3 x 2, 4 filters
    assert load_workload(path, batch=2).macs == 2 * load_workload(path).macs


def test_an_onnx_file_is_a_workload() -> None:
    onnx = pytest.importorskip("onnx")
    path = Path(onnx.__file__).parent / "backend/test/data/light/light_squeezenet.onnx"
    one, two = load_workload(path), load_workload(path, batch=2)
    assert one.macs > 0
    assert two.macs == 2 * one.macs


def test_an_unknown_arch_is_told_the_nearest_name_and_how_to_name_a_file() -> None:
    with pytest.raises(ConfigError) as caught:
        find_arch("tpu_lik")
    assert str(caught.value) == (
        f"no arch is named 'tpu_lik'. Did you mean 'tpu_like'? Known: {', '.join(arch_names())}. "
        "A file is named by its path, e.g. ./tpu_lik.yaml"
    )


def test_an_unknown_workload_is_told_the_nearest_name() -> None:
    with pytest.raises(WorkloadError, match=r"no workload is named 'alexnt'\. Did you mean 'alexnet'\? Known: "):
        find_workload("alexnt")


@pytest.mark.parametrize("name", ["", "../arch_configs/tpu_like", "tpu_like/"])
def test_a_name_is_no_way_around_the_catalog(name: str) -> None:
    with pytest.raises(ConfigError, match="no arch is named"):
        find_arch(name)


def test_a_suffix_that_is_not_read_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"^arch\.json: an arch file ends in \.yaml, \.yml, \.cfg$"):
        load_arch("arch.json")
    with pytest.raises(WorkloadError, match=r"^net\.pt: a workload file ends in \.yaml, \.yml, \.csv, \.onnx$"):
        load_workload("net.pt")


def test_a_file_that_is_not_there_is_told_by_its_path() -> None:
    with pytest.raises(ConfigError, match=r"^none/a\.yaml: cannot be read: No such file or directory$"):
        load_arch("none/a.yaml")


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_below_one_is_refused(batch: int) -> None:
    with pytest.raises(WorkloadError, match=rf"batch \(={batch}\) must be at least 1"):
        load_workload("alexnet", batch=batch)


def test_the_shelves_list_every_name_first() -> None:
    assert [line.split()[0] for line in shelf_lines("archs")] == arch_names()
    assert [line.split()[0] for line in shelf_lines("workloads")] == workload_names()
    assert [line.split()[0] for line in shelf_lines("dataflows")] == list(Dataflow)


def test_every_format_on_the_shelf_can_be_parsed() -> None:
    for name, (one, _) in FORMAT_NAMES.items():
        family = re.split(r"[<(NW]", name)[0]
        assert one.startswith(family)
        assert parse_format(parse_format(one).name) == parse_format(one)


def test_a_format_on_the_shelf_tells_its_bits_and_its_range() -> None:
    lines = {line.split()[0]: line for line in shelf_lines("formats")}
    assert "int8: 8 bits, +-1 to 127;" in lines["intN"]
    assert "uint8: 8 bits, 1 to 255;" in lines["uintN"]
    assert "fp8_e4m3: 8 bits, +-0.00195 to 448;" in lines["fp8_e4m3"]
    assert "tf32: 19 bits; MAC into fp32 1.308 pJ, 4,723 um2; float, stored only" in lines["tf32"]


def test_the_shelf_of_formats_has_every_word_of_rounding_and_overflow() -> None:
    lines = {line.split()[0]: line for line in shelf_lines("formats")}
    assert lines["Q"].endswith(", ".join(RoundingMode))
    assert lines["O"].endswith("overflow: WRAP, SAT, SAT_ZERO, SAT_SYM")


def test_a_mac_on_the_shelf_costs_what_the_model_says() -> None:
    lines = {line.split()[0]: line for line in shelf_lines("formats")}
    assert "; MAC into int32 0.306 pJ, 420 um2;" in lines["intN"]
    assert "; MAC into int32 0.252 pJ, 405 um2;" in lines["lnsW"]
    assert "MAC with int8 into int32" in lines["ternary"]
    assert "model, not published" in lines["MAC"]


def test_a_float_network_has_its_name_and_its_path() -> None:
    assert find_model("digits_cnn") == find_model(str(find_model("digits_cnn")))


def test_a_float_network_that_is_not_there_is_told_the_nearest() -> None:
    with pytest.raises(
        WorkloadError, match=r"^no float network is named 'digits_cn'\. Did you mean 'digits_cnn'\? Known: "
    ):
        find_model("digits_cn")


def test_only_onnx_is_converted() -> None:
    with pytest.raises(WorkloadError, match=r"^net\.pt: only \.onnx models can be converted$"):
        find_model("net.pt")

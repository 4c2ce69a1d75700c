"""The shipped networks: MACs against published counts, names, and the script that wrote them."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from archsim.engine.golden_run import check_golden
from archsim.workload.coded_store import read_converted
from archsim.workload.layer import ConvLayer, MatmulLayer, VectorLayer
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_yaml

ROOT = Path(__file__).resolve().parents[2]
CONVERTED = sorted(path for path in (ROOT / "workloads").glob("*.yaml") if "\ngolden:" in path.read_text())
FILES = sorted({*(ROOT / "workloads").glob("*.yaml")} - {*CONVERTED})
with (ROOT / "tests/golden/network_macs.csv").open(newline="", encoding="utf-8") as _file:
    GOLDEN = list(csv.DictReader(_file))


MEANS = ("nin", "vgg_cnn_m", "vgg_cnn_s")
"""Networks of which a mean share of zeros is known."""
PRUNED = ("alexnet", "vgg16", "lenet5", "lenet_300_100")


def _read(name: str) -> Workload:
    return read_workload_yaml(ROOT / "workloads" / f"{name}.yaml")


def _macs(workload: Workload, layer: str) -> int:
    if layer == "total":
        return workload.macs
    if layer == "all conv":
        return sum(part.macs for part in workload.layers if isinstance(part, ConvLayer))
    return sum(part.macs for part in workload.layers if part.name == layer or part.name.startswith(f"{layer}_"))


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['network']}-{row['layer']}")
def test_macs_of_a_shipped_network_are_the_published_ones(row: dict[str, str]) -> None:
    macs = _macs(_read(row["network"]), row["layer"])
    assert abs(macs - int(row["macs"])) <= int(row["within_macs"]), row["source"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_is_named_after_its_network_and_cites_a_year(path: Path) -> None:
    workload = read_workload_yaml(path)
    assert workload.name == path.stem
    assert any(str(year) in workload.source for year in range(1998, 2025))
    assert workload.content_hash


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_comment_of_a_shipped_file_states_its_macs(path: Path) -> None:
    workload = read_workload_yaml(path)
    assert f"{workload.name}: {workload.macs:,} MACs" in path.read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("path", CONVERTED, ids=lambda path: path.stem)
def test_a_converted_network_gives_its_golden_codes_and_says_what_it_is(path: Path) -> None:
    found = read_converted(path)
    assert found.workload.name == found.network.name == path.stem
    assert "converted to" in found.workload.source
    assert found.golden is not None
    check_golden(found.network, found.golden)


def test_every_network_promised_is_shipped_and_has_a_published_count() -> None:
    shipped = {path.stem for path in FILES}
    wanted = {"alexnet", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "mobilenet_v1",
              "mobilenet_v2", "googlenet", "squeezenet", "lenet5", "lenet_300_100", "bert_base", "decoder_block", *MEANS}  # fmt: skip
    assert wanted <= shipped
    assert wanted <= {row["network"] for row in GOLDEN}


def test_the_script_reproduces_the_shipped_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts/make_workloads.py", tmp_path], check=True)
    made = sorted(tmp_path.glob("*.yaml"))
    by_hand = {"alexnet", "lenet5", "lenet_300_100", *MEANS}
    assert len(made) >= 13
    for path in made:
        assert path.read_bytes() == (ROOT / "workloads" / path.name).read_bytes(), path.name
        assert path.stem not in by_hand


def test_resnet50_has_53_convolutions_16_adds_and_stride_2_in_the_3x3() -> None:
    layers = {layer.name: layer for layer in _read("resnet50").layers}
    convs = {name: layer for name, layer in layers.items() if isinstance(layer, ConvLayer)}
    assert len(convs) == 53
    assert sum(layer.op == "add" for layer in layers.values() if isinstance(layer, VectorLayer)) == 16
    # conv1, the 3x3 and the shortcut of res3a, res4a and res5a
    halving = {name for name, layer in convs.items() if layer.stride == (2, 2)}
    assert halving == {"conv1"} | {f"res{stage}a_branch{part}" for stage in "345" for part in ("1", "2b")}


def test_residual_adds_join_the_block_and_its_shortcut() -> None:
    layers = {layer.name: layer for layer in _read("resnet50").layers}
    assert layers["res2a"].sources == ("res2a_branch1", "res2a_branch2c")
    assert layers["res2b"].sources == ("res2a", "res2b_branch2c")
    assert layers["res2b_branch2a"].sources == ("res2a",)
    assert layers["res3a_branch1"].sources == ("res2c",)


def test_a_layer_behind_a_concat_reads_the_layers_that_were_joined() -> None:
    layers = {layer.name: layer for layer in _read("googlenet").layers}
    joined = tuple(f"inception_3a_{part}" for part in ("1x1", "3x3", "5x5", "pool_proj"))
    assert layers["inception_3b_1x1"].sources == joined
    concat = layers["inception_3a_output"]
    assert isinstance(concat, VectorLayer)
    assert concat.is_view


def test_weights_of_well_known_networks_sum_to_their_parameter_counts() -> None:
    # Conv and fc weights without biases or batch norm: torchvision resnet18 11,689,512 in all, less 9,600 of batch
    # norm and 1,000 biases; VGG-16 138,357,544 less 13,416 biases; AlexNet 60,965,224 less 10,568 biases.
    for name, weights in (("resnet18", 11_678_912), ("vgg16", 138_344_128), ("alexnet", 60_954_656)):
        array_layers = [layer for layer in _read(name).layers if isinstance(layer, ConvLayer | MatmulLayer)]
        assert sum(layer.weight_words for layer in array_layers) == weights, name


def test_alexnet_and_vgg16_carry_the_zero_fractions_of_eyeriss_and_others_carry_none() -> None:
    alexnet = {layer.name: layer for layer in _read("alexnet").layers}
    conv3 = alexnet["conv3"]
    assert isinstance(conv3, ConvLayer)
    assert conv3.zero_fractions.ifmap == 0.725
    assert conv3.zero_fractions.weight is None
    assert conv3.groups == 1
    vgg = [layer.zero_fractions.ifmap for layer in _read("vgg16").layers if isinstance(layer, ConvLayer)]
    assert (len(vgg), vgg[0], vgg[-1]) == (13, 0.016, 0.885)
    for path in FILES:
        for layer in read_workload_yaml(path).layers:
            if path.stem.removesuffix("_pruned") not in (*PRUNED, *MEANS, "feie_example") and isinstance(
                layer, ConvLayer | MatmulLayer
            ):
                assert layer.zero_fractions.ifmap is None


def test_attention_takes_its_second_matrix_from_a_layer() -> None:
    layers = {layer.name: layer for layer in _read("bert_base").layers}
    scores = layers["scores"]
    assert isinstance(scores, MatmulLayer)
    assert (scores.batches, scores.rows, scores.inner, scores.columns) == (12, 128, 64, 128)
    assert scores.weight_source == "k_proj"


def test_a_decode_token_sees_the_prefilled_cache_and_itself() -> None:
    layers = {layer.name: layer for layer in _read("decoder_block").layers}
    scores, cache = layers["decode_scores"], layers["decode_k_cache"]
    assert isinstance(scores, MatmulLayer)
    assert (scores.rows, scores.columns) == (1, 513)
    assert scores.weight_source == "decode_k_cache"
    assert cache.sources == ("prefill_k_proj", "decode_k_proj")

"""The networks that Han et al. pruned: densities as in the tables, totals as published, zeros with a source."""

import csv
from math import prod
from pathlib import Path

import pytest

from archsim.catalog import load_workload
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.mask_statistics import statistics_of
from archsim.workload.tensor_zeros import zeros_by_itself

with (Path(__file__).parents[1] / "golden/pruned_networks.csv").open(newline="", encoding="utf-8") as _file:
    GOLDEN = list(csv.DictReader(_file))
NETWORKS = ("alexnet", "vgg16", "lenet5", "lenet_300_100")


def layers(network: str) -> dict[str, ConvLayer | MatmulLayer]:
    found = load_workload(f"{network}_pruned").layers
    return {layer.name: layer for layer in found if isinstance(layer, ConvLayer | MatmulLayer)}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_layer_keeps_the_share_of_weights_of_the_table(network: str) -> None:
    rows = {row["layer"]: row for row in GOLDEN if row["network"] == network and row["layer"] != "total"}
    found = layers(network)
    assert list(found) == list(rows)
    for name, layer in found.items():
        assert layer.zero_fractions.weight == pytest.approx(1 - float(rows[name]["weights_kept_percent"]) / 100)
        assert layer.zero_fractions.ifmap == pytest.approx(float(rows[name]["ifmap_zero_percent"]) / 100)
        assert rows[name]["from_memory"] in ("True", "False")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_weights_kept_add_up_to_the_published_total(network: str) -> None:
    (total,) = (row for row in GOLDEN if row["network"] == network and row["layer"] == "total")
    kept = sum(layer.weight_words * (1 - (layer.zero_fractions.weight or 0)) for layer in layers(network).values())
    # the table's shares are whole per cents, its totals two or three digits: 1.4 % off for AlexNet, 2.3 % for VGG-16,
    # where half a per cent of fc6 alone is 0.5 M weights; 1.0 % and 0.8 % for the LeNets
    rounding = sum(0.005 * layer.weight_words for layer in layers(network).values())
    assert abs(kept - float(total["weights_kept"])) <= rounding
    assert kept == pytest.approx(float(total["weights_kept"]), rel=0.025 if network == "vgg16" else 0.015)


@pytest.mark.parametrize("network", NETWORKS)
def test_what_was_recalled_is_told(network: str) -> None:
    said = "\n".join(load_workload(f"{network}_pruned").assumptions)
    assert "NIPS 2015" in said
    assert "recalled, not read from the paper" in said
    assert "they are drawn" in said


@pytest.mark.parametrize("network", ["alexnet", "vgg16"])
def test_a_pruned_network_has_the_shapes_of_the_plain_one(network: str) -> None:
    plain = [layer for layer in load_workload(network).layers if isinstance(layer, ConvLayer | MatmulLayer)]
    for layer, other in zip(layers(network).values(), plain, strict=True):
        assert (layer.name, layer.gemm, layer.ifmap_words) == (other.name, other.gemm, other.ifmap_words)


def test_drawn_weights_keep_what_the_table_says() -> None:
    layer = layers("lenet5")["fc1"]
    mask = zeros_by_itself(layer).nonzero(layer, Operand.WEIGHT)
    assert mask.size == prod((800, 500))
    assert statistics_of(mask, layer, Operand.WEIGHT).zero_fraction == pytest.approx(0.92, abs=0.002)

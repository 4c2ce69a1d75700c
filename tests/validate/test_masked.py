"""Tensors in hand: pairs of masks as layers, counted on the chips that skip, beside a reference's counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.errors import ConfigError, WorkloadError
from archsim.validate.masked import masked_suite
from archsim.validate.suites import run_suites
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.mask_layers import network_of_masks

SHAPES = {
    "conv1": ((1, 3, 17, 20), (8, 3, 3, 3)),
    "conv2": ((2, 8, 9, 9), (12, 4, 5, 5)),  # two groups, two images
    "fc": ((1, 30), (7, 30)),
}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Seeded tensors under DNNsim's names."""
    draw, folder = np.random.default_rng(7), tmp_path / "net"
    folder.mkdir()
    for name, (ifmap, weight) in SHAPES.items():
        for stem, shape in ((f"act-{name}-0", ifmap), (f"wgt-{name}", weight)):
            np.save(folder / f"{stem}.npy", draw.integers(-3, 4, shape) * (draw.random(shape) < 0.5))
    return folder


def products(folder: Path, name: str) -> int:
    """Nonzero ifmap values x nonzero weights, channel by channel, by loops."""
    ifmap, weight = np.load(folder / f"act-{name}-0.npy") != 0, np.load(folder / f"wgt-{name}.npy") != 0
    if ifmap.ndim == 2:
        return sum(int(ifmap[:, each].sum() * weight[:, each].sum()) for each in range(ifmap.shape[1]))
    groups = ifmap.shape[1] // weight.shape[1]
    filters = len(weight) // groups
    return sum(
        int(ifmap[:, channel].sum())
        * int(weight[channel // weight.shape[1] * filters :][:filters, channel % weight.shape[1]].sum())
        for channel in range(ifmap.shape[1])
    )


def test_pairs_of_masks_are_layers_of_their_shapes(pairs: Path) -> None:
    (pairs / "layers.csv").write_text("layer,stride,padding\nconv1,2,0\n")
    conv1, conv2, fc = network_of_masks(pairs).layers
    assert isinstance(conv1, ConvLayer)
    assert (conv1.stride, conv1.padding, conv1.ofmap) == ((2, 2), ((0, 0), (0, 0)), (8, 9))
    assert isinstance(conv2, ConvLayer)
    assert (conv2.batch, conv2.groups, conv2.padding) == (2, 2, ((2, 2), (2, 2)))
    assert isinstance(fc, MatmulLayer)
    assert (fc.rows, fc.inner, fc.columns) == (1, 30, 7)


def test_scnn_multiplies_what_the_masks_say(pairs: Path) -> None:
    suite = masked_suite("scnn", pairs, None)
    assert suite.passes
    tiers = {tier.name: tier for tier in suite.tiers}
    assert {row.case: row.simulated for row in tiers["products"].rows} == {
        name: products(pairs, name) for name in SHAPES
    }


@pytest.mark.parametrize("name", ["zasca", "cnvlutin"])
def test_the_other_chips_that_skip_run_them_too(pairs: Path, name: str) -> None:
    suite = run_suites([name], masks=pairs)[0]
    assert suite.passes
    assert [row.case for row in suite.tiers[0].rows] == sorted(SHAPES)


def test_counts_of_a_peer_are_held_against_ours(pairs: Path, tmp_path: Path) -> None:
    path = tmp_path / "peer.csv"
    count = products(pairs, "conv1")
    path.write_text(f"network,layer,nonzero_products,mult_cycles,Kc,source\nnet,conv1,{count},99,4,a peer\n")
    suite = run_suites(["scnn"], path, pairs)[0]
    assert suite.passes  # cycles of a peer are reported, products are exact
    rows = {tier.quantity: tier.rows[0] for tier in suite.tiers}
    assert (rows["products"].simulated, rows["vector_pairs"].published) == (count, 99)
    path.write_text(f"layer,quantity,published\nconv1,products,{count + 1}\nconv1,cycles_dnnsim,1\nfc,cycles,1\n")
    assert not run_suites(["scnn"], path, pairs)[0].passes


def test_a_table_of_dnnsim_is_taken_as_it_is(pairs: Path, tmp_path: Path) -> None:
    """Its layers may be written with other marks; its cycles are counted by its rules, and nothing of it is gated."""
    path = tmp_path / "net.csv"
    path.write_text("layer,n_act,cycles,mults,idle_pe\nCONV-1,1,5000,77,3\nTOTAL,1,5000,77,3\n")
    suite = run_suites(["scnn"], path, pairs)[0]
    assert {tier.quantity: (tier.rows[0].case, tier.rows[0].published) for tier in suite.tiers} == {
        "cycles_dnnsim": ("conv1", 5000.0), "effectual_macs": ("conv1", 77.0),
    }  # fmt: skip
    assert suite.passes


def test_filters_that_a_peer_works_on_together_are_taken_over(pairs: Path, tmp_path: Path) -> None:
    """With one filter at a time every vector of weights is cut short."""
    found = {}
    for together in (1, 8):
        path = tmp_path / f"peer{together}.csv"
        path.write_text(f"layer,mult_cycles,Kc\nconv1,1,{together}\n")
        found[together] = run_suites(["scnn"], path, pairs)[0].tiers[0].rows[0].simulated
    assert found[1] > found[8]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "wgt-fc.npy").unlink(), "layer 'fc' has no mask of its weight"),
        (lambda folder: np.save(folder / "wgt-fc.npy", np.ones((7, 31))), "share no inner dimension"),
        (
            lambda folder: np.save(folder / "wgt-conv1.npy", np.ones((8, 2, 3, 3))),
            "3 channels of the ifmap are no multiple",
        ),
        (lambda folder: np.save(folder / "act-conv1-0.npy", np.full((3, 17, 20), np.nan)), "NaN"),
        (lambda folder: (folder / "act-conv1-0.npy").write_text("no"), "is no .npy file"),
        (lambda folder: (folder / "layers.csv").write_text("layer,stride\n"), "columns layer, stride, padding"),
        (lambda folder: (folder / "layers.csv").write_text("layer,stride,padding\nconv1,x,0\n"), "stride"),
        (
            lambda folder: (folder / "layers.csv").write_text("layer,stride,padding\nconv9,1,0\n"),
            "'conv9' has no masks",
        ),
    ],
)
def test_wrong_masks_are_told(pairs: Path, spoil: Callable[[Path], Any], said: str) -> None:
    spoil(pairs)
    with pytest.raises(WorkloadError, match=said):
        masked_suite("scnn", pairs, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layer,quantity,published\nconv3,cycles,1\n", r"layer 'conv3': has no masks\. Did you mean 'conv2'"),
        ("layer,quantity,published\nconv1,cycle,1\n", r"quantity 'cycle' is not counted\. Did you mean 'cycles'"),
        ("layer,quantity,published\nconv1,cycles,few\n", r"cycles \(='few'\) must be a number"),
        ("layer,nonzero_products,Kc\nconv1,5,many\n", r"Kc \(='many'\) must be a whole number"),
        ("layer,published\nconv1,1\n", "columns layer, quantity, published, or layer and some of nonzero_products"),
    ],
)
def test_wrong_references_are_told(pairs: Path, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "peer.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        masked_suite("scnn", pairs, path)


def test_a_suite_without_tensors_refuses_masks_and_an_empty_folder_is_told(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="suite 'feie' runs no tensors; name one that does: scnn, zasca, cnvlutin"):
        run_suites(["feie"], masks=pairs)
    with pytest.raises(WorkloadError, match="holds no masks"):
        run_suites(["scnn"], masks=tmp_path)

"""`archsim run` with zeros from images, from files, or drawn: what is used, said and refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.workload.layer import ConvLayer
from archsim.workload.mask_files import load_masks
from archsim.workload.store import read_workload_yaml

TEXT = """\
schema: archsim/workload/v1
name: net
layers:
  - {name: c, op: conv, in_channels: 20, ifmap: [6, 6], kernel: 3, padding: 1, out_channels: 8, zero_fractions: {ifmap: 0.5}}
  - {name: f, op: fc, inner: 288, columns: 10}
"""
KEPT = np.random.default_rng(0).random((1, 20, 6, 6)) > 0.7
SKIPS, STEADY = "zascas", "tpu_like"


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(TEXT)
    (tmp_path / "masks").mkdir()
    np.save(tmp_path / "masks/c.ifmap.npy", KEPT.astype(np.float32))
    return path


@pytest.fixture
def refused(archsim: Any, tmp_path: Path) -> Any:
    """Demand exit 2, nothing on stdout, nothing written; return the message."""

    def call(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        answer = archsim("run", *arguments, "--out", tmp_path / "D")
        assert (answer.code, answer.out) == (2, "")
        assert sorted(tmp_path.rglob("*")) == before
        assert "Traceback" not in answer.err
        message: str = answer.err
        return message

    return call


def summary(answer: Any) -> dict[str, Any]:
    assert answer.code == 0, answer.err
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_masks_decide_what_an_array_that_skips_does(archsim: Any, net: Path, read_run: Any, tmp_path: Path) -> None:
    archsim("run", SKIPS, net, "--masks", tmp_path / "masks", "--out", tmp_path / "D")
    first = read_run(tmp_path / "D").layers[0]
    layer = read_workload_yaml(net).layers[0]
    assert isinstance(layer, ConvLayer)
    padded = np.pad(KEPT[0], ((0, 0), (1, 1), (1, 1)))
    met = sum(int(padded[:, row : row + 6, column : column + 6].sum()) for row in range(3) for column in range(3))
    assert int(first["effectual_macs"]) == met * 8
    said = read_run(tmp_path / "D").summary["assumptions"]
    assert f"zeros of 1 tensors stand where the files of {tmp_path / 'masks'} have them; drawn as their shares of zeros say: c.weight, f.ifmap, f.weight" in said  # fmt: skip


def test_an_array_that_does_not_skip_takes_the_shares_and_says_so(archsim: Any, net: Path, tmp_path: Path) -> None:
    answer = archsim("run", STEADY, net, "--masks", tmp_path / "masks", "--json")
    assert answer.err == (
        "tpu_like steps over no zeros: of --masks only the shares of zeros are used (effectual MACs, gated MACs, codes on the "
        "DRAM channel), not their places\n"
    )
    share, macs = KEPT.mean(), 6 * 6 * 9 * 20 * 8
    assert summary(answer)["totals"]["effectual_macs"] == round(share * macs) + 2880


def test_zeros_that_are_drawn_depend_on_seed_and_pattern_alone(archsim: Any) -> None:
    cycles = {}
    for key in (
        ("--seed", 0),
        ("--seed", 0),
        ("--seed", 1),
        ("--zeros", "runs:9"),
        ("--zeros", "channels:0.6"),
        ("--zeros", "iid"),
    ):
        answer = summary(archsim("run", SKIPS, "vgg16_pruned", "--layers", "conv5_1", *key, "--json"))
        assert cycles.setdefault(key, answer["totals"]["effectual_macs"]) == answer["totals"]["effectual_macs"]
    assert cycles["--zeros", "iid"] == cycles["--seed", 0]
    assert len(set(cycles.values())) == 4


def test_images_give_the_batch_and_the_zeros_of_every_layer(archsim: Any, tmp_path: Path) -> None:
    images = np.zeros((3, 1, 8, 8), dtype=np.uint8)
    images[:, 0, 2:6, 2:6] = np.random.default_rng(0).integers(1, 255, (3, 4, 4))
    np.savez(tmp_path / "x.npz", images=images)
    for network, how in (("digits_cnn", "as floats"), ("digits_cnn_int8", "bit for bit")):
        found = summary(archsim("run", STEADY, network, "--inputs", tmp_path / "x.npz", "--json"))
        assert found["workload"]["images"] == 3
        assert found["workload"]["layers"][0]["zero_fractions"]["ifmap"] == 0.75
        assert (
            f"zeros are those of 3 images of {tmp_path / 'x.npz'}, run through the network {how}"
            in found["assumptions"]
        )
    few = summary(archsim("run", STEADY, "digits_cnn_int8", "--inputs", tmp_path / "x.npz", "--batch", 2, "--json"))
    assert few["workload"]["images"] == 2


def test_images_that_do_not_go_with_the_network_are_refused(refused: Any, tmp_path: Path) -> None:
    for name, values in (
        ("odd", np.ones((2, 1, 9, 9))),
        ("nan", np.full((2, 1, 8, 8), np.nan)),
        ("few", np.ones((2, 1, 8, 8))),
    ):
        np.savez(tmp_path / f"{name}.npz", images=values)
    for network in ("digits_cnn", "digits_cnn_int8"):
        assert refused(SKIPS, network, "--inputs", tmp_path / "odd.npz") == (
            f"images '{tmp_path}/odd.npz' are 1x9x9, the network '{network}' takes 1x8x8. Give images of that shape, channels first.\n"
        )
    assert "image 0 holds NaN or infinity" in refused(SKIPS, "digits_cnn", "--inputs", tmp_path / "nan.npz")
    assert refused(SKIPS, "digits_cnn", "--inputs", tmp_path / "few.npz", "--batch", 3) == (
        f"--batch 3 takes more images than the 2 of '{tmp_path}/few.npz'. Ask for no more.\n"
    )
    assert "no such file" in refused(SKIPS, "digits_cnn", "--inputs", tmp_path / "gone.npz")


def test_a_network_without_weights_cannot_be_run_on_images(refused: Any, net: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.ones((1, 20, 6, 6)))
    assert refused(SKIPS, net, "--inputs", tmp_path / "x.npz") == (
        f"{net}: has shapes but no weights, so that no image can be run through it for --inputs. Give the .onnx that it came "
        "from, a workload that archsim convert wrote, masks of its tensors (--masks), or shares of zeros (--zeros)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--masks", "m", "--inputs", "x.npz"), "--inputs and --masks both say where zeros stand: give one of them\n"),
        (("--inputs", "x.npz", "--zeros", "iid"),
         "--inputs says where all zeros stand: leave out --zeros, which says how to draw them\n"),
        (("--masks", "gone"), "gone: cannot be read as a folder of masks: No such file or directory\n"),
        (("--zeros", "runs:0"),
         "--zeros 'runs:0': mean_run (=0.0) must be 1 or more: no run of zeros is shorter. Give [ifmap=|weight=]PARTS; parts, "
         "with commas: a share of zeros 0..1, iid, runs:LENGTH, channels:SPREAD, images:STD\n"),
        (("--seed", "-1"), "the seed of zeros that are drawn (=-1) must be 0 or more\n"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(refused: Any, net: Path, arguments: tuple[str, ...], message: str) -> None:
    assert refused(SKIPS, net, *arguments) == message


def test_a_mask_of_the_wrong_shape_or_with_nan_is_refused(refused: Any, net: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "masks/c.ifmap.npy", np.ones((1, 20, 6, 5)))
    np.save(tmp_path / "masks/f.ifmap.npy", np.full((1, 288), np.nan))
    assert refused(SKIPS, net, "--masks", tmp_path / "masks") == (
        f"{tmp_path}/masks/c.ifmap.npy: is 1 x 20 x 6 x 5, the ifmap of layer 'c' is 20 x 6 x 6 or images x 20 x 6 x 6\n"
        f"{tmp_path}/masks/f.ifmap.npy: holds NaN or infinity, first at value 0: the ifmap of layer 'f' must be finite\n"
    )


@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_a_network_of_zeros_and_one_without_run_through(archsim: Any, net: Path, tmp_path: Path, kept: float) -> None:
    for name, shape in (
        ("c.ifmap", (20, 6, 6)),
        ("c.weight", (8, 20, 3, 3)),
        ("f.ifmap", (1, 288)),
        ("f.weight", (288, 10)),
    ):
        np.save(tmp_path / f"masks/{name}.npy", np.full(shape, kept))
    found = summary(archsim("run", SKIPS, net, "--masks", tmp_path / "masks", "--json"))
    # of the conv's 6 x 6 x 9 windows and taps 36 x 9 - 4 x 6 x 3 + 4 = 256 lie on values, the others on padding
    assert found["totals"]["effectual_macs"] == kept * (256 * 20 * 8 + 2880)


def test_masks_of_layers_that_are_left_out_do_no_harm(archsim: Any, net: Path, tmp_path: Path) -> None:
    assert archsim("run", SKIPS, net, "--masks", tmp_path / "masks", "--layers", "f").code == 0


def test_the_masks_of_a_script_are_those_of_the_command(archsim: Any, net: Path, tmp_path: Path) -> None:
    import archsim as package

    workload = package.load_workload(net)
    assert package.load_masks is load_masks
    run = package.simulate(package.load_arch(SKIPS), workload, masks=package.load_masks(tmp_path / "masks", workload))
    found = summary(archsim("run", SKIPS, net, "--masks", tmp_path / "masks", "--json"))
    assert [layer.total_cycles for layer in run.layers] == [found["totals"]["total_cycles"] - run.layers[1].total_cycles, run.layers[1].total_cycles]  # fmt: skip
    assert package.load_on_images("digits_cnn", "digits:test:2").images == 2

"""What a wrong conversion is told: word for word, exit 2, no traceback, nothing written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from archsim.catalog import arch_names
from tests.convert.float_models import weights, write_model

SHELF = "Known: digits_cnn, mnist_big_bn, mnist_webinar. A file is named by its path, e.g. ./net.onnx\n"
INTEGERS = "Integers take exact, exact<W>, wrap<W>, sat<W,F> or a fixed-point type\n"
NO_LABELS = "images 'bare.npz' have no labels, which accuracy, fine-tuning and the search for bits need. Add an array 'labels' to the .npz.\n"
Refused = Callable[..., str]


@pytest.fixture
def refused(archsim: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Run in tmp_path beside a few broken image files, demand exit 2 and nothing new; return the message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHSIM_MNIST", raising=False)
    np.savez("bare.npz", images=np.zeros((4, 1, 8, 8)))
    np.savez("nan.npz", images=np.full((4, 1, 8, 8), np.nan))
    np.savez("wrong.npz", images=np.zeros((4, 1, 9, 8)), labels=np.zeros(4, dtype=np.int64))

    def call(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        code, out, err = archsim("convert", *arguments)
        assert (code, out) == (2, "")
        assert sorted(tmp_path.rglob("*")) == before
        return err

    return call


@pytest.fixture
def digits(refused: Refused) -> Refused:
    """Convert digits_cnn on 20 of its own images."""
    return lambda *arguments: refused("digits_cnn", "--calibration", "digits:20", *arguments)


@pytest.mark.parametrize(
    ("fmt", "message"),
    [
        ("fx<8,", "--format: 'fx<8,' is not a number format:\n  fx<8,\n       ^ expected bits before the point, -512 to 512\n"),
        ("int", "--format: 'int' is not a number format:\n  int\n  ^ no such format, did you mean 'int8'?\n"),
        ("int1", "weights and ifmaps: int1 takes 1 bit; a conversion takes 2 to 32\n"),
        ("int99", "weights and ifmaps: int99 takes 99 bits; a conversion takes 2 to 32\n"),
        ("fx<40,3>", "weights and ifmaps: fx<40,3> takes 40 bits; a conversion takes 1 to 32\n"),
        ("tf32", "weights and ifmaps: tf32 is known by its width only: values cannot be converted to it\n"),
        ("lns20", "weights and ifmaps: lns20 is known by its width only: values cannot be converted to it\n"),
        ("ulns8", "weights: ulns8 has no sign, which weights need\n"),
    ],
)  # fmt: skip
def test_a_format_that_is_none_or_cannot_be_converted_to(digits: Refused, fmt: str, message: str) -> None:
    assert digits("--format", fmt) == message


def test_ifmaps_have_no_sign_levels(digits: Refused) -> None:
    assert digits("--ifmap-format", "ternary") == (
        "ifmaps: ternary is a format of weights. Ifmaps can be integers, fixed point, floats or logarithms\n"
    )


@pytest.mark.parametrize(
    ("fmt", "accumulator", "why"),
    [
        ("int8", "linear<24>", INTEGERS),
        ("int8", "log<8>", INTEGERS),
        ("fx<8,3>", "fp32", INTEGERS),
        ("int8", "sat<63,0>", "A sum that is cast takes at most 62 bits\n"),
        ("fp8_e4m3", "exact", "Floats take fp32, fp64 or kulisch\n"),
        ("fp8_e4m3", "wrap<20>", "Floats take fp32, fp64 or kulisch\n"),
        ("lns8", "log<2>", "Its logarithms need 3 fraction bits or more, as the operands have\n"),
        ("lns8", "exact<16>", "Logarithms take linear<A>, log<fa>, exact, fp32 or fp64\n"),
        ("lns8", "kulisch", "Logarithms are no sums of powers of two\n"),
        ("lns8", "linear<63>", "A saturating register takes at most 62 bits\n"),
    ],
)
def test_an_accumulator_that_does_not_go_with_the_formats(
    digits: Refused, fmt: str, accumulator: str, why: str
) -> None:
    assert digits("--format", fmt, "--accumulator", accumulator) == (
        f"--accumulator: {accumulator} does not add up products of {fmt} and {fmt}. {why}"
    )


def test_logarithms_of_different_fractions_do_not_add(digits: Refused) -> None:
    assert digits("--weight-format", "lns8", "--ifmap-format", "lns<8,4>") == (
        "weights and ifmaps: linear<32> does not add up products of lns<8,4> and lns8. "
        "They have 4 and 3 fraction bits: their logarithms do not add\n"
    )


def test_a_register_that_is_too_narrow_is_told_the_width_of_every_layer(digits: Refused) -> None:
    lines = digits("--accumulator", "exact<16>").splitlines()
    assert lines[0] == (
        "layer 'conv1': accumulator exact<16> is too narrow to be exact: these weights can make sums of 19 bits. "
        "Use exact<19> or more, wrap<W> or sat<W,F>"
    )
    assert [line.split("'")[1] for line in lines] == ["conv1", "conv2", "conv3", "fc"]
    assert digits("--format", "int32").splitlines()[0] == (
        "layer 'conv1': these weights can make sums of 67 bits, 63 are computed. Convert to fewer bits"
    )


def test_a_search_needs_integers(digits: Refused) -> None:
    for fmt in ("fx<10,5>", "int2"):
        assert digits("--format", fmt, "--accuracy-budget", "1") == (
            f"--accuracy-budget: bits can be searched for weights of intN or sx<b> above 2 bits, not of {fmt}\n"
        )


def test_a_model_that_is_not_there(refused: Refused) -> None:
    on = ("--calibration", "digits:20")
    assert refused("digits_cn", *on) == f"no float network is named 'digits_cn'. Did you mean 'digits_cnn'? {SHELF}"
    assert refused("alexnet", *on) == f"no float network is named 'alexnet'. {SHELF}"
    assert refused("no.onnx", *on) == "no.onnx: cannot be read: no such file. Name an .onnx file.\n"
    assert refused("no.yaml", *on) == "no.yaml: only .onnx models can be converted\n"


def test_all_faults_of_a_request_come_at_once(refused: Refused) -> None:
    told = refused("digits_cn", "--seed", "-1", "--beside", "tf32,ulns8", "--clusters", "x", "--calibration", "no.npz",
                   "--arch", "tpu_lik", "--evaluate", "nan.npz", "--out", "no/w.yaml")  # fmt: skip
    assert told == (
        "--clusters: 'x' is no codebook; write the kernels in it and who shares it, as in 256:network or 128:layer\n"
        "--beside: tf32 is known by its width only: values cannot be converted to it\n"
        "--beside: ulns8 has no sign, which weights need\n"
        "--seed: -1 must be 0 or more\n"
        f"no float network is named 'digits_cn'. Did you mean 'digits_cnn'? {SHELF}"
        f"no arch is named 'tpu_lik'. Did you mean 'tpu_like'? Known: {', '.join(arch_names())}. "
        "A file is named by its path, e.g. ./tpu_lik.yaml\n"
        "no.npz: no such file. Give mnist, digits, a folder of IDX files, an .npz or an .npy; behind it :train or :test, "
        "and :N for the first N.\n"
        "images 'nan.npz': image 0 holds NaN or infinity, 4 of 4 images do. Leave them out.\n"
        "no/w.yaml: cannot be written: No such file or directory\n"
    )


def test_images_that_do_not_serve(refused: Refused) -> None:
    assert refused("digits_cnn", "--calibration", "nan.npz") == (
        "images 'nan.npz': image 0 holds NaN or infinity, 4 of 4 images do. Leave them out.\n"
    )
    assert refused("digits_cnn", "--calibration", "wrong.npz") == (
        "images 'wrong.npz' are 1x9x8, the network 'digits_cnn' takes 1x8x8. Give images of that shape, channels first.\n"
    )
    assert refused("digits_cnn").startswith("--calibration: no images are named")
    assert refused("digits_cnn", "--calibration", "mnist") == (
        "images 'mnist': no folder mnist or ../shared/data/mnist here. Set ARCHSIM_MNIST to the folder that holds "
        "t10k-images-idx3-ubyte.gz and its fellows, or give the folder in place of 'mnist'.\n"
    )


@pytest.mark.parametrize("why", [("--evaluate", "bare.npz"), ("--fine-tune", "1"), ("--accuracy-budget", "1")])
def test_labels_are_missing(refused: Refused, why: tuple[str, str]) -> None:
    assert refused("digits_cnn", "--calibration", "bare.npz", *why) == NO_LABELS


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("w.json", "w.json: a workload is named *.yaml or *.yml; its arrays lie in the .npz beside it\n"),
        ("no/w.yaml", "no/w.yaml: cannot be written: No such file or directory\n"),
        ("bare.npz/w.yaml", "bare.npz/w.yaml: cannot be written: Not a directory\n"),
        ("bare.yaml", "bare.yaml: its arrays would be written over bare.npz, which is read. Name it otherwise\n"),
        ("d.yaml", "d.yaml: is a directory; a file of this name has to be written\n"),
    ],
)
def test_a_place_that_cannot_hold_the_workload_is_told_before_any_work(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, message: str
) -> None:
    (tmp_path / "d.yaml").mkdir()
    monkeypatch.setattr("archsim.conversion.convert_model", lambda *_: pytest.fail("the work was begun"))
    assert refused("digits_cnn", "--calibration", "bare.npz", "--out", out) == message


def test_all_operators_that_cannot_be_converted_are_named(refused: Refused, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Tanh", ["x"], ["a"], "first"),
        helper.make_node("Conv", ["a", "w"], ["b"], "conv"),
        helper.make_node("Sigmoid", ["b"], ["y"], "second"),
    ]
    write_model(tmp_path / "odd.onnx", nodes, ("N", 1, 8, 8), {"w": weights(2, 1, 3, 3)})
    told = refused("odd.onnx", "--calibration", "bare.npz").splitlines()
    assert len(told) == 2
    assert "Tanh" in told[0]
    assert "Sigmoid" in told[1]
    assert all(line.startswith("odd.onnx: ") for line in told)


def test_numbers_that_never_end(digits: Refused) -> None:
    assert digits("--fine-tune", "inf") == "--fine-tune: inf epochs never end\n"
    assert "--fine-tune" in digits("--fine-tune", "nan")
    assert "--accuracy-budget" in digits("--accuracy-budget", "101")

"""Masks in a folder: which file is whose, what its values mean, and every fault."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.mask_files import load_masks
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_yaml
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import NetworkMasks

TEXT = """\
schema: archsim/workload/v1
name: net
layers:
  - {name: /c1/Conv, op: conv, in_channels: 2, ifmap: [4, 5], kernel: 3, out_channels: 6, groups: 2, zero_fractions: {ifmap: 0.5}}
  - {name: r, op: relu, elements: 36}
  - {name: f, op: fc, inner: 36, columns: 3}
  - {name: square, op: fc, inner: 3, columns: 3}
"""
CONV, FC, SQUARE = "/c1/Conv", "f", "square"
rng = np.random.default_rng(0)
IFMAP = rng.integers(-1, 2, (3, 2, 4, 5))
WEIGHT = rng.integers(-1, 2, (6, 1, 3, 3)).astype(np.float32)


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    (tmp_path / "net.yaml").write_text(TEXT)
    return read_workload_yaml(tmp_path / "net.yaml")


def write(folder: Path, **arrays: np.ndarray) -> Path:
    """Save arrays; ``__`` in a name stands for a dot and ``_DASH_`` for a dash."""
    place = folder / "masks"
    place.mkdir(exist_ok=True)
    for name, values in arrays.items():
        np.save(place / (name.replace("__", ".").replace("_DASH_", "-") + ".npy"), values)
    return place


def faults(folder: Path, workload: Workload) -> list[str]:
    with pytest.raises(WorkloadError) as raised:
        load_masks(folder, workload)
    lines = [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]
    return [re.sub(r"(?<=not an array of numbers: ).*(?=\. Save it)", "WHY", line) for line in lines]


def mask(masks: NetworkMasks, name: str, operand: Operand) -> np.ndarray:
    return masks.of[name, operand].nonzero()


def test_files_of_both_conventions_are_masks_of_their_layers(tmp_path: Path, workload: Workload) -> None:
    own = load_masks(write(tmp_path, c1_Conv__ifmap=IFMAP, C1_conv__weight=WEIGHT, f__weight=np.eye(36, 3)), workload)
    assert (mask(own, CONV, Operand.IFMAP) == (IFMAP != 0)).all()
    assert (mask(own, CONV, Operand.WEIGHT) == (WEIGHT != 0)).all()
    assert (mask(own, FC, Operand.WEIGHT) == (np.eye(36, 3) != 0)[None]).all()
    named = {"act_DASH_c1_Conv_DASH_0": IFMAP, "wgt_DASH_c1_Conv": WEIGHT, "wgt_DASH_f": np.eye(3, 36)}
    theirs = load_masks(write(tmp_path / "other", **named) if (tmp_path / "other").mkdir() is None else "", workload)
    assert theirs.counts == own.counts
    assert (mask(theirs, FC, Operand.WEIGHT) == mask(own, FC, Operand.WEIGHT)).all()


def test_square_weights_lie_as_their_name_says(tmp_path: Path, workload: Workload) -> None:
    values = np.triu(np.ones((3, 3)))
    ours = load_masks(write(tmp_path, square__weight=values), workload)
    assert (mask(ours, SQUARE, Operand.WEIGHT)[0] == (values != 0)).all()
    (tmp_path / "masks/square.weight.npy").unlink()
    theirs = load_masks(write(tmp_path, wgt_DASH_square=values.reshape(3, 3, 1, 1)), workload)
    assert (mask(theirs, SQUARE, Operand.WEIGHT)[0] == (values.T != 0)).all()


def test_parts_of_dnnsim_follow_each_other_and_rows_may_have_axes_of_their_own(
    tmp_path: Path, workload: Workload
) -> None:
    named = {f"act_DASH_c1_Conv_DASH_{part}": IFMAP[part] for part in range(3)}
    masks = load_masks(write(tmp_path, **named, act_DASH_f_DASH_0=np.eye(2, 36).reshape(2, 6, 3, 2)), workload)
    assert (mask(masks, CONV, Operand.IFMAP) == (IFMAP != 0)).all()
    assert (mask(masks, FC, Operand.IFMAP) == (np.eye(2, 36) != 0)[None]).all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.float16, np.float64])
def test_values_of_any_real_type_in_any_order_will_do(tmp_path: Path, workload: Workload, dtype: type) -> None:
    folder = write(tmp_path, c1_Conv__ifmap=np.asfortranarray(IFMAP.astype(dtype)))
    assert (mask(load_masks(folder, workload), CONV, Operand.IFMAP) == (IFMAP != 0)).all()


def test_a_negative_zero_is_a_zero(tmp_path: Path, workload: Workload) -> None:
    masks = load_masks(write(tmp_path, f__ifmap=np.full((1, 36), -0.0)), workload)
    assert masks.counts[FC, Operand.IFMAP].zero_fraction == 1.0


def test_the_workload_speaks_of_the_zeros_of_its_masks(tmp_path: Path, workload: Workload) -> None:
    masks = load_masks(write(tmp_path, c1_Conv__ifmap=IFMAP), workload)
    told = workload.with_masks(masks)
    share = (IFMAP == 0).mean()
    assert told.layers[0].zero_fractions.ifmap == pytest.approx(share)
    assert told.measured[0].counts.zero_fraction == pytest.approx(share)
    assert told.content_hash != workload.content_hash
    assert told.assumptions[-1] == (
        f"zeros of 1 tensors stand where the files of {tmp_path / 'masks'} have them; drawn as their shares of zeros say: "
        "/c1/Conv.weight, f.ifmap, f.weight, square.ifmap, square.weight"
    )


def test_a_layer_of_more_images_takes_them_in_turn(tmp_path: Path, workload: Workload) -> None:
    folder = write(tmp_path, c1_Conv__ifmap=IFMAP, f__ifmap=np.eye(2, 36))
    masks = load_masks(folder, workload)
    conv, _, fc, _ = workload.layers
    conv, fc = replace(conv, batch=5), replace(fc, rows=5)
    found = replace(zeros_by_itself(conv), masks=masks.layer(CONV)).nonzero(conv, Operand.IFMAP)
    assert (found == (IFMAP != 0)[[0, 1, 2, 0, 1]]).all()
    found = replace(zeros_by_itself(fc), masks=masks.layer(FC)).nonzero(fc, Operand.IFMAP)
    assert (found == (np.eye(2, 36) != 0)[[0, 1, 0, 1, 0]]).all()


def test_every_fault_of_a_folder_is_told_at_once(tmp_path: Path, workload: Workload) -> None:
    bad = IFMAP.astype(np.float32)
    bad[1, 0, 2, 3] = np.nan
    folder = write(
        tmp_path, c1_Conv__ifmap=bad, c1_Conv__weight=np.ones((6, 2, 3, 3)), f__weight=np.ones((36, 4)), g__ifmap=np.ones(3),
        r__ifmap=np.ones(36), f__ofmap=np.ones(3), mask_DASH_f=np.ones(3), bias_DASH_f=np.ones(3), square__weight=np.array([1j]),
        f__ifmap=np.array([{}], dtype=object), act_DASH_square_DASH_1=np.ones((1, 3)), wgt_DASH_f=np.ones((3, 36)),
    )  # fmt: skip
    (folder / "square.ifmap.npy").write_bytes(b"no array")
    (folder / "notes.txt").write_text("left alone")
    assert faults(folder, workload) == [
        "f.ofmap.npy: is no mask's name. Masks are named LAYER.ifmap.npy, LAYER.weight.npy, act-LAYER-0.npy and wgt-LAYER.npy",
        "g.ifmap.npy: layer 'g': the array runs no layer of this name.",
        "mask-f.npy: is no mask's name. Masks are named LAYER.ifmap.npy, LAYER.weight.npy, act-LAYER-0.npy and wgt-LAYER.npy",
        "r.ifmap.npy: layer 'r': the array runs no layer of this name.",
        "act-square-1.npy: layer 'square' has its ifmap from square.ifmap.npy already",
        "wgt-f.npy: layer 'f' has its weight from f.weight.npy already",
        "square.ifmap.npy: not an array of numbers: WHY. Save it with numpy.save",
        "c1_Conv.ifmap.npy: holds NaN or infinity, first at value 53: the ifmap of layer '/c1/Conv' must be finite",
        "c1_Conv.weight.npy: is 6 x 2 x 3 x 3, the weight of layer '/c1/Conv' is 6 x 1 x 3 x 3",
        "f.ifmap.npy: not an array of numbers: WHY. Save it with numpy.save",
        "f.weight.npy: is 36 x 4, the weight of layer 'f' is 36 x 3 or 3 x 36",
        "square.weight.npy: holds complex128, no integers, real numbers or booleans",
    ]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 4, 4), "is 2 x 4 x 4"),
        ((3, 2, 5, 4), "is 3 x 2 x 5 x 4"),
        ((0, 2, 4, 5), "is 0 x 2 x 4 x 5"),
        ((), "is a scalar"),
    ],
)
def test_an_ifmap_of_another_shape_is_told_both(
    tmp_path: Path, workload: Workload, shape: tuple[int, ...], message: str
) -> None:
    folder = write(tmp_path, c1_Conv__ifmap=np.ones(shape))
    wanted = f"c1_Conv.ifmap.npy: {message}, the ifmap of layer '/c1/Conv' is 2 x 4 x 5 or images x 2 x 4 x 5"
    assert faults(folder, workload) == [wanted]


def test_a_part_that_is_missing_is_named(tmp_path: Path, workload: Workload) -> None:
    folder = write(tmp_path, act_DASH_f_DASH_0=np.ones(36), act_DASH_f_DASH_2=np.ones(36))
    assert faults(folder, workload) == ["act-f-2.npy: part 1 of layer 'f''s ifmap is missing: parts count from 0"]


def test_a_folder_that_is_empty_or_not_there_is_refused(tmp_path: Path, workload: Workload) -> None:
    (tmp_path / "masks").mkdir()
    assert faults(tmp_path / "masks", workload)[0].endswith(
        "masks: holds no mask. Masks are named LAYER.ifmap.npy, LAYER.weight.npy, act-LAYER-0.npy and wgt-LAYER.npy"
    )
    assert "cannot be read as a folder of masks" in faults(tmp_path / "gone", workload)[0]
    assert "cannot be read as a folder of masks" in faults(tmp_path / "net.yaml", workload)[0]


def test_a_name_that_two_layers_have_but_for_their_marks_is_never_guessed(tmp_path: Path) -> None:
    text = "schema: archsim/workload/v1\nname: n\nlayers:\n" + "".join(
        f"  - {{name: {name}, op: fc, inner: 2, columns: 2, inputs: []}}\n" for name in ("a/b", "a.b", "a_b")
    )
    (tmp_path / "net.yaml").write_text(text)
    workload = read_workload_yaml(tmp_path / "net.yaml")
    folder = write(tmp_path, a_b__weight=np.ones((2, 2)), A_b__ifmap=np.ones((1, 2)))
    assert faults(folder, workload) == ["A_b.ifmap.npy: layer 'A_b': both 'a/b' and 'a.b' may be meant."]
    (folder / "A_b.ifmap.npy").unlink()
    assert list(load_masks(folder, workload).of) == [("a_b", Operand.WEIGHT)]


def test_a_file_that_goes_before_its_layer_runs_is_told(tmp_path: Path, workload: Workload) -> None:
    folder = write(tmp_path, c1_Conv__ifmap=IFMAP)
    masks = load_masks(folder, workload)
    (folder / "c1_Conv.ifmap.npy").unlink()
    with pytest.raises(WorkloadError, match="changed since it was looked at"):
        mask(masks, CONV, Operand.IFMAP)

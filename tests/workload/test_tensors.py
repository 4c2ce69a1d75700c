"""Real tensors beside a workload: what is counted, and every fault."""

import re
from pathlib import Path

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_yaml

TEXT = """\
schema: archsim/workload/v1
name: net
tensors: net.npz
layers:
  - {name: c.1, op: conv, in_channels: 2, ifmap: [4, 4], kernel: 3, out_channels: 5}
  - {name: r, op: relu, elements: 20}
  - {name: f, op: fc, inner: 20, columns: 3}
"""


def read(folder: Path, text: str = TEXT, **tensors: np.ndarray) -> Workload:
    """Read the small network with tensors; ``c_1__ifmap`` stands for ``c.1.ifmap``."""
    names = {name: name.replace("c_1", "c.1").replace("__", ".") for name in tensors}
    np.savez_compressed(folder / "net.npz", **{names[name]: values for name, values in tensors.items()})
    (folder / "net.yaml").write_text(text)
    return read_workload_yaml(folder / "net.yaml")


def faults(folder: Path, text: str = TEXT, **tensors: np.ndarray) -> list[str]:
    with pytest.raises(WorkloadError) as raised:
        read(folder, text, **tensors)
    return [line.replace(f"{folder}/", "") for line in str(raised.value).splitlines()]


def test_zeros_of_each_tensor_are_counted(tmp_path: Path) -> None:
    ifmap = np.zeros((2, 4, 4), dtype=np.int16)
    ifmap[0, 0] = [7, 0, 0, -3]  # two values, 28 zeros behind them: one pair more
    workload = read(tmp_path, c_1__ifmap=ifmap, f__weight=np.eye(20, 3, dtype=np.float32), r__ofmap=np.ones(20))
    counts = {(each.layer, each.operand): each.counts for each in workload.measured}
    assert set(counts) == {("c.1", Operand.IFMAP), ("f", Operand.WEIGHT), ("r", Operand.OFMAP)}
    first = counts["c.1", Operand.IFMAP]
    assert (first.words, first.nonzero_words, first.run_pairs) == (32, 2, 3)
    assert workload.layers[0].zero_fractions.ifmap == 30 / 32
    assert workload.layers[2].zero_fractions.weight == pytest.approx(0.95)
    assert workload.layers[2].zero_fractions.ifmap is None
    assert workload.assumptions == ("zeros of 3 tensors are counted in net.npz",)


def test_a_tensor_may_hold_several_images(tmp_path: Path) -> None:
    several = read(tmp_path, c_1__ifmap=np.ones((7, 2, 4, 4)), f__ifmap=np.ones((7, 20)), r__ifmap=np.ones((7, 5, 4)))
    assert [each.counts.words for each in several.measured] == [7 * 32, 7 * 20, 7 * 20]


def test_the_hash_covers_the_tensors(tmp_path: Path) -> None:
    one, other = (read(tmp_path, f__weight=np.full((20, 3), value)) for value in (1, 2))
    assert one.measured == other.measured
    assert one.content_hash != other.content_hash


def test_every_wrong_tensor_is_named_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path, c_1__weight=np.ones((5, 2, 9)), c_1__ofmap=np.ones((2, 2, 5)), d__ifmap=np.ones(3), f__bias=np.ones(3),
        f__weight=np.ones((3, 20)), f__ofmap=np.array([[1.0, np.nan, 2.0]]), f__ifmap=np.array([["a"] * 20]),
        r__ifmap=np.ones(21), r__weight=np.ones(3),
    )  # fmt: skip
    assert found == [
        "net.npz: c.1.ofmap: is 2 x 2 x 5, must be 5 x 2 x 2 or images x 5 x 2 x 2",
        "net.npz: c.1.weight: is 5 x 2 x 9, must be 5 x 2 x 3 x 3",
        "net.npz: d.ifmap: the workload has no layer 'd'.",
        "net.npz: f.bias: a tensor is named LAYER.ifmap, LAYER.weight or LAYER.ofmap",
        "net.npz: f.ifmap: holds <U1, no integers or real numbers",
        "net.npz: f.ofmap: holds NaN or infinite values",
        "net.npz: f.weight: is 3 x 20, must be 20 x 3",
        "net.npz: r.ifmap: is 21, must be 20 words (of one image, or of several)",
        "net.npz: r.weight: is 3, must be 0 words (of one image, or of several)",
    ]


def test_a_share_that_the_tensor_contradicts_is_an_error_and_a_rounded_one_is_not(tmp_path: Path) -> None:
    text = TEXT.replace("columns: 3}", "columns: 3, zero_fractions: {weight: 0.953}}")
    assert read(tmp_path, text, f__weight=np.eye(20, 3)).layers[2].zero_fractions.weight == pytest.approx(0.95)
    (fault,) = faults(tmp_path, text.replace("0.953", "0.5"), f__weight=np.eye(20, 3))
    assert fault == (
        "net.npz: f.weight: 0.9500 of its values are zero, but the layer says zero_fractions.weight (=0.5). "
        "Correct it or leave it out"
    )


def test_a_missing_file_and_one_that_is_no_archive_are_told(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(TEXT)
    with pytest.raises(WorkloadError, match=r"net\.npz: cannot be read: No such file"):
        read_workload_yaml(tmp_path / "net.yaml")
    (tmp_path / "net.npz").write_text("no archive")
    with pytest.raises(WorkloadError, match=r"net\.npz: not an \.npz file"):
        read_workload_yaml(tmp_path / "net.yaml")


def test_pickled_objects_and_cut_arrays_are_refused_unread(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, f__weight=np.array([[{}] * 3] * 20, dtype=object))
    assert fault == "net.npz: f.weight: holds object, no integers or real numbers"
    read(tmp_path, f__weight=np.random.default_rng(1).random((20, 3)))
    whole = (tmp_path / "net.npz").read_bytes()
    start = re.search(b"NUMPY|weight", whole).end() + 40
    (tmp_path / "net.npz").write_bytes(whole[:start] + bytes(60) + whole[start + 60 :])
    with pytest.raises(WorkloadError, match=r"net\.npz"):
        read_workload_yaml(tmp_path / "net.yaml")

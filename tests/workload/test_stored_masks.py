"""Masks that a workload brings itself: the arrays of its .npz, the codes of its weights; and masks of one bit a value."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.catalog import load_arch, load_workload, workload_path
from archsim.errors import WorkloadError
from archsim.study.simulate import simulate
from archsim.terms import Operand
from archsim.workload.coded_store import read_converted
from archsim.workload.packed_mask import PackedMask, join_masks, pack_images, pack_mask
from archsim.workload.store import read_workload_yaml
from archsim.workload.zero_masks import NetworkMasks

TEXT = """\
schema: archsim/workload/v1
name: net
tensors: net.npz
layers:
  - {name: c.1, op: conv, in_channels: 2, ifmap: [4, 4], kernel: 3, out_channels: 5}
  - {name: f, op: fc, inner: 20, columns: 3}
"""


@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=4), seed=st.integers(0, 999), cut=st.integers(1, 8)
)  # fmt: skip
def test_a_packed_mask_is_the_mask_at_one_bit_a_value(shape: list[int], seed: int, cut: int) -> None:
    mask = np.random.default_rng(seed).random(shape) > 0.5
    packed = pack_mask(mask, "here")
    assert (packed.nonzero() == mask).all()
    assert packed.nonzero().dtype == np.bool_
    assert len(packed.bits) == len(mask) * -(-mask[0].size // 8)
    parts = [pack_images(part) for part in (mask[:cut], mask[cut:]) if len(part)]
    assert join_masks(parts, mask.shape, "here") == packed
    assert hash(packed) == hash(pack_mask(mask.copy(), "here"))


def test_the_tensors_of_a_workload_are_its_masks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ifmap, weight = rng.integers(-1, 2, (3, 2, 4, 4)), rng.integers(0, 2, (20, 3)).astype(np.float32)
    rows, one = rng.integers(0, 2, (7, 20)), rng.integers(0, 2, (2, 4, 4))
    for arrays in (
        {"c.1.ifmap": ifmap, "f.weight": weight, "f.ifmap": rows},
        {"c.1.ifmap": one, "f.ofmap": np.ones((1, 3))},
    ):
        np.savez_compressed(tmp_path / "net.npz", **arrays)
        (tmp_path / "net.yaml").write_text(TEXT)
        masks = read_workload_yaml(tmp_path / "net.yaml").masks
        assert masks is not None
        found = {f"{name}.{operand}": mask.nonzero() for (name, operand), mask in masks.of.items()}
        assert set(found) == set(arrays) - {"f.ofmap"}
        for name, mask in found.items():
            assert (mask.reshape(arrays[name].shape) == (arrays[name] != 0)).all()
            assert mask.ndim == (4 if name.startswith("c") else 3)


def test_a_tensor_and_a_pattern_for_it_contradict_each_other(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", **{"f.ifmap": np.eye(2, 20)})
    text = TEXT.replace(
        "columns: 3}", "columns: 3, zero_fractions: {ifmap: 0.95}, zero_pattern: {ifmap: {kind: runs, mean_run: 30}}}"
    )
    (tmp_path / "net.yaml").write_text(text)
    with pytest.raises(WorkloadError, match=r"f\.ifmap: says where zeros stand, zero_pattern\.ifmap how to draw them"):
        read_workload_yaml(tmp_path / "net.yaml")


@pytest.mark.parametrize("name", ["mnist_big_bn_int8", "digits_cnn_lns8"])
def test_the_codes_of_a_converted_workload_are_masks_of_its_weights(name: str) -> None:
    found = read_converted(workload_path(name))
    masks = found.workload.masks
    assert masks is not None
    for layer in found.network.products:
        values = layer.weight.values if layer.window else layer.weight.values.T[None]
        mask = masks.of[layer.name, Operand.WEIGHT]
        assert isinstance(mask, PackedMask)
        assert (mask.nonzero() == (values != 0)).all()


def test_masks_given_go_before_those_of_the_workload(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", **{"f.weight": np.ones((20, 3)), "c.1.weight": np.ones((5, 2, 3, 3))})
    (tmp_path / "net.yaml").write_text(TEXT)
    workload = read_workload_yaml(tmp_path / "net.yaml")
    mine = pack_mask(np.zeros((1, 20, 3), dtype=bool), "mine")
    told = workload.with_masks(NetworkMasks(of={("f", Operand.WEIGHT): mine}, source="mine"))
    assert told.masks is not None
    assert told.masks.of["f", Operand.WEIGHT] == mine
    assert not isinstance(told.masks.of["c.1", Operand.WEIGHT], PackedMask)


def test_a_result_holds_no_masks_but_what_they_count() -> None:
    workload = load_workload("digits_cnn_int8")
    run = simulate(load_arch("tpu_like"), workload)
    assert workload.masks is not None
    assert run.workload.masks is None
    assert run.workload.measured == workload.measured

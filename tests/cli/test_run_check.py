"""`archsim run --check`: the golden inputs of a converted workload through the chip's array."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

WORKLOADS = Path(__file__).parents[2] / "workloads"


@pytest.mark.parametrize(("arch", "workload"), [("tpu_like", "digits_cnn_int8"), ("recogni_lns", "digits_cnn_lns8")])
def test_the_array_gives_the_golden_codes(archsim: Any, arch: str, workload: str) -> None:
    answer = archsim("run", arch, workload, "--check", "--json")
    assert answer.code == 0
    assert answer.err.startswith(
        f"checked: 4 inputs through the array of {arch} give the golden codes of all 6 layers\n"
    )


def test_a_weight_that_was_changed_is_found_and_its_layer_named(archsim: Any, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        (WORKLOADS / "digits_cnn_int8.yaml").read_text().replace("digits_cnn_int8.npz", "net.npz")
    )
    with np.load(WORKLOADS / "digits_cnn_int8.npz") as stored:
        arrays = {name: stored[name].copy() for name in stored}
    arrays["conv3.weight"].flat[0] ^= 1
    np.savez(tmp_path / "net.npz", **arrays)
    answer = archsim("run", "tpu_like", str(tmp_path / "net.yaml"), "--check")
    assert (answer.code, answer.out) == (2, "")
    assert "layer 'conv3' is the first for which a weight_stationary array of 32 x 32 does not compute" in answer.err


def test_a_plain_workload_has_nothing_to_check(archsim: Any) -> None:
    answer = archsim("run", "tpu_like", "alexnet", "--check")
    assert (answer.code, answer.out) == (2, "")
    assert "a plain workload, without codes" in answer.err
    assert "has no golden outputs to check" in archsim("run", "tpu_like", "digits_cnn", "--check").err

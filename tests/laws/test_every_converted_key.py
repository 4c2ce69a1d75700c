"""Every key of a converted workload changes some output, or is rejected: no key is dead.

Outputs are the codes of every layer and the counters of a run. The keys are walked from the schemas themselves.
"""

import copy
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.catalog import load_arch
from archsim.engine.bit_true import checksum, run_bit_true
from archsim.engine.golden_run import check_golden
from archsim.errors import ArchsimError
from archsim.study.simulate import simulate
from archsim.workload.coded_store import read_converted
from archsim.workload.layer_forms import FORMS, WorkloadForm
from tests.laws.outputs import counters, keys_of, printed, write_network

ARRAYS = {
    "c.weight": np.arange(-40, 41).reshape(3, 3, 3, 3),
    "c.weight_exponents": np.array([-6, -7, -6]),
    "c.bias": np.array([50, -60, 7]),
    "c.bias_exponents": np.array([-13, -14, -13]),
    "k.pointers": np.array([[0, 1, 1], [1, 0, 2]]),
    "k.weight_exponents": np.array(-6),
    "codebook.book": np.arange(-13, 14).reshape(3, 3, 3) * 4,
    "y.weight": np.arange(-8, 8).reshape(2, 8),
    "y.weight_exponents": np.array(-4),
    "m.weight": np.arange(-24, 24).reshape(2, 24) % 7 - 3,
    "m.weight_exponents": np.array(-4),
}
FORMATS = {"ifmap": "int8", "weight": "int8", "psum": "int20", "ofmap": "int8"}
CONV = {"op": "conv", "in_channels": 3, "ifmap": [2, 4], "kernel": 3, "padding": 1, "out_channels": 3, "formats": FORMATS,
        "arithmetic": {"accumulator": "exact", "ifmap_exponent": -7, "ofmap_exponent": -6}}  # fmt: skip
BOOK = CONV | {"name": "k", "out_channels": 2, "clusters": {"codebook": "book", "entries": 3}}
FC = {"op": "fc", "inner": 24, "columns": 2, "formats": FORMATS,
      "arithmetic": {"accumulator": "exact", "ifmap_exponent": -7, "ofmap_exponent": -6}}  # fmt: skip
FLAT = {"name": "f", "op": "reshape", "elements": 24, "formats": {"ifmap": "int8", "ofmap": "int8"}}
VECTOR = {"formats": {"ifmap": "int8", "ofmap": "int8"}, "arithmetic": {"ifmap_exponent": -7, "ofmap_exponent": -6}}
POOL = {"op": "average_pool", "channels": 3, "ifmap": [2, 4], "kernel": 2, "stride": 1, "padding": 1} | VECTOR
GLOBAL = {"op": "global_average_pool", "channels": 3, "ifmap": [2, 4]} | VECTOR
ADD = {"op": "add", "elements": 24, "inputs": [], "formats": VECTOR["formats"], "arithmetic": {"ofmap_exponent": -6}}
PRODUCT_CASES: dict[str, Any] = {
    "formats.ifmap": "int9",
    "formats.weight": "fx<8,7>",
    "formats.psum": "int9",
    "formats.ofmap": "int5",
    "arithmetic.accumulator": "wrap<9>",
    "arithmetic.ifmap_exponent": -8,
    "arithmetic.accumulator_exponent": -3,
    "arithmetic.ofmap_exponent": -7,
    "arithmetic.relu": True,
    "arithmetic.raw_sums": True,
}
VECTOR_CASES: dict[str, Any] = {
    "formats.ifmap": "int9",
    "formats.ofmap": "int5",
    "arithmetic.ofmap_exponent": -7,
    "arithmetic.relu": True,
}
POOL_CASES = VECTOR_CASES | {"arithmetic.ifmap_exponent": -8}
CASES: dict[str, tuple[tuple[dict[str, Any], ...], Any]] = {
    **{f"ConvForm.{key}": ((CONV | {"name": "c"},), value) for key, value in PRODUCT_CASES.items()},
    **{f"MatmulForm.{key}": ((FLAT, FC | {"name": "m"}), value) for key, value in PRODUCT_CASES.items()},
    "ConvForm.clusters.codebook": ((BOOK,), "cook"),
    "ConvForm.clusters.entries": ((BOOK,), 4),
    "MatmulForm.clusters.codebook": ((FLAT, FC | {"name": "m"}), "book"),
    "MatmulForm.clusters.entries": ((FLAT, FC | {"name": "m"}), 3),
    **{f"PoolForm.{key}": ((POOL | {"name": "p"},), value) for key, value in POOL_CASES.items()},
    "PoolForm.arithmetic.counts_padding": ((POOL | {"name": "p"},), True),
    **{f"GlobalPoolForm.{key}": ((GLOBAL | {"name": "p"},), value) for key, value in POOL_CASES.items()},
    "GlobalPoolForm.arithmetic.counts_padding": ((GLOBAL | {"name": "p"},), True),
    **{f"ElementwiseForm.{key}": ((ADD | {"name": "a"},), value) for key, value in VECTOR_CASES.items()},
}
"""Key -> the layers of a network, the last of which has the key, and another value."""
WHOLE = ("formats", "clusters", "arithmetic")
"""Keys that hold others."""


def write(folder: Path, *layers: dict[str, Any], **top: Any) -> Path:
    names = {layer["name"] for layer in layers} | ({"codebook"} if "clusters" in layers[-1] else set()) | {"golden"}
    arrays = ARRAYS | ({"golden.ifmap": np.ones((1, 3, 2, 4))} if top.get("golden") else {})
    np.savez(
        folder / "net.npz",
        **{name: values.astype(np.int16) for name, values in arrays.items() if name.split(".")[0] in names},
    )
    ifmap = {"shape": [3, 2, 4], "format": "int8", "exponent": -7}
    network = {"schema": "archsim/workload/v1", "name": "n", "tensors": "net.npz", "ifmap": ifmap, "layers": layers}
    return write_network(folder, network | top)


def outcome(path: Path) -> tuple[Any, ...]:
    read = read_converted(path)
    codes = np.random.default_rng(0).integers(-128, 128, (2, 3, 2, 4))
    made = {name: (checksum(values), values.dtype.kind) for name, values in run_bit_true(read.network, codes).items()}
    outputs = [(name, output.exponent) for name, output in read.network.outputs.items()]
    return made, outputs, counters(simulate(load_arch("tpu_like", ["formats.follow_workload=true"]), read.workload))


def changed(layers: tuple[dict[str, Any], ...], key: str, value: Any) -> tuple[dict[str, Any], ...]:
    copied = copy.deepcopy(layers)
    *parents, last = key.split(".")
    reduce(lambda at, part: at.setdefault(part, {}), parents, copied[-1])[last] = value
    return copied


def test_every_key_of_a_converted_layer_has_a_case() -> None:
    forms = {form.__name__: form for form in FORMS.values()}
    found = {f"{name}.{key}" for name, form in forms.items() for key in keys_of(form) if key.split(".")[0] in WHOLE}
    whole = {key for key in found if key.count(".") == 1}
    assert found - whole == set(CASES)
    assert {key.split(".")[1] for key in whole} == set(WHOLE)


@pytest.mark.parametrize("key", CASES)
def test_a_key_of_a_converted_layer_changes_an_output_or_is_rejected(tmp_path: Path, key: str) -> None:
    layers, value = CASES[key]
    before = outcome(write(tmp_path, *layers))
    path = write(tmp_path, *changed(layers, key.split(".", 1)[1], value))
    assert _outcome_or_fault(path) != before


def _outcome_or_fault(path: Path) -> tuple[Any, ...] | str:
    try:
        return outcome(path)
    except ArchsimError as rejected:
        return str(rejected)


@pytest.mark.parametrize(("key", "value"), [("shape", [3, 4, 2]), ("format", "fx<8,7>"), ("exponent", -6)])
def test_a_key_of_the_input_is_checked_by_the_layers_that_read_it(tmp_path: Path, key: str, value: Any) -> None:
    ifmap = {"shape": [3, 2, 4], "format": "int8", "exponent": -7} | {key: value}
    with pytest.raises(ArchsimError, match="the network's input is"):
        outcome(write(tmp_path, CONV | {"name": "c"}, ifmap=ifmap))


def test_golden_checksums_are_checked(tmp_path: Path) -> None:
    layer = CONV | {"name": "c"}
    path = write(tmp_path, layer, golden={"images": 1, "checksums": {"c": "crc32:00000000"}})
    read = read_converted(path)
    assert read.golden is not None
    with pytest.raises(ArchsimError, match="layer 'c' is the first"):
        check_golden(read.network, read.golden)
    with pytest.raises(ArchsimError, match=r"golden\.ifmap: is 1 x"):
        read_converted(write(tmp_path, layer, golden={"images": 2, "checksums": {"c": "crc32:00000000"}}))


def test_the_calibration_is_shown(tmp_path: Path) -> None:
    path = write(tmp_path, CONV | {"name": "c"}, calibration={"images": "500 of train"})
    run = simulate(load_arch("tpu_like", ["formats.follow_workload=true"]), read_converted(path).workload)
    assert "500 of train" in printed(run)


def test_the_top_keys_of_a_converted_workload_are_those_tried_here() -> None:
    tried = {"ifmap", "golden", "calibration"}
    plain = {"schema", "name", "source", "notes", "tensors", "layers"}
    assert {field.alias or name for name, field in WorkloadForm.model_fields.items()} == tried | plain

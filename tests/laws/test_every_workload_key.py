"""Every key of a workload file changes some output, or is rejected: no key is dead.

The keys are walked from the schemas themselves, so a new one fails here until it has a case.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.catalog import load_arch, load_workload
from archsim.errors import ArchsimError
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.workload.layer_forms import FORMS, WorkloadForm
from tests.laws.outputs import counters, keys_of, printed, write_network

CONV = {"name": "c", "op": "conv", "in_channels": 4, "ifmap": [11, 11], "kernel": 3, "stride": 2, "out_channels": 6}
FC = {"name": "m", "op": "matmul", "rows": 4, "inner": 20, "columns": 30}
POOL = {"name": "p", "op": "max_pool", "channels": 3, "ifmap": [8, 8], "kernel": 3, "stride": 2}
GLOBAL_POOL = {"name": "g", "op": "global_average_pool", "channels": 3, "ifmap": [7, 7]}
RELU = {"name": "r", "op": "relu", "elements": 800}
ADD = {"name": "r", "op": "add", "elements": 800}

LAYER_CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ConvForm.in_channels": (CONV, {"in_channels": 5}),
    "ConvForm.out_channels": (CONV, {"out_channels": 7}),
    "ConvForm.ifmap": (CONV, {"ifmap": [13, 11]}),
    "ConvForm.kernel": (CONV, {"kernel": [3, 2]}),
    "ConvForm.stride": (CONV, {"stride": 1}),
    "ConvForm.padding": (CONV, {"padding": 1}),
    "ConvForm.dilation": (CONV, {"dilation": 2}),
    "ConvForm.groups": (CONV, {"groups": 2}),
    "ConvForm.batch": (CONV, {"batch": 2}),
    "ConvForm.ofmap_rounding": (CONV | {"kernel": 4}, {"ofmap_rounding": "ceil"}),
    "ConvForm.zero_fractions": (CONV, {"zero_fractions": {"ifmap": 0.5, "weight": 0.5}}),
    "ConvForm.zero_fractions.ifmap": (CONV, {"zero_fractions": {"ifmap": 0.5}}),
    "ConvForm.zero_fractions.weight": (CONV, {"zero_fractions": {"weight": 0.5}}),
    "ConvForm.zero_fractions.ofmap": (CONV, {"zero_fractions": {"ofmap": 0.5}}),
    "MatmulForm.zero_fractions.ofmap": (FC, {"zero_fractions": {"ofmap": 0.5}}),
    "MatmulForm.rows": (FC, {"rows": 5}),
    "MatmulForm.inner": (FC, {"inner": 21}),
    "MatmulForm.columns": (FC, {"columns": 31}),
    "MatmulForm.batches": (FC, {"batches": 2}),
    "MatmulForm.zero_fractions": (FC, {"zero_fractions": {"ifmap": 0.5, "weight": 0.5}}),
    "MatmulForm.zero_fractions.ifmap": (FC, {"zero_fractions": {"ifmap": 0.5}}),
    "MatmulForm.zero_fractions.weight": (FC, {"zero_fractions": {"weight": 0.5}}),
    "PoolForm.channels": (POOL, {"channels": 4}),
    "PoolForm.ifmap": (POOL, {"ifmap": [9, 8]}),
    "PoolForm.batch": (POOL, {"batch": 2}),
    "PoolForm.kernel": (POOL, {"kernel": 2}),
    "PoolForm.stride": (POOL, {"stride": 1}),
    "PoolForm.padding": (POOL, {"padding": 1}),
    "PoolForm.ofmap_rounding": (POOL, {"ofmap_rounding": "ceil"}),
    "GlobalPoolForm.channels": (GLOBAL_POOL, {"channels": 4}),
    "GlobalPoolForm.ifmap": (GLOBAL_POOL, {"ifmap": [8, 7]}),
    "GlobalPoolForm.batch": (GLOBAL_POOL, {"batch": 2}),
    "ElementwiseForm.elements": (RELU, {"elements": 801}),
    "ElementwiseForm.weight_words": (RELU, {"weight_words": 100}),
}
"""Key -> a layer, and what changes it."""
ZEROS = {"zero_fractions": {"ifmap": 0.5, "weight": 0.5}}
PATTERNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "": ({}, {"kind": "runs", "mean_run": 9}),
    ".kind": ({}, {"kind": "runs", "mean_run": 9}),
    ".mean_run": ({"kind": "runs", "mean_run": 3}, {"kind": "runs", "mean_run": 9}),
    ".spread": ({"kind": "channels", "spread": 0.2}, {"kind": "channels", "spread": 0.9}),
    ".images_std": ({}, {"images_std": 0.3}),
}
"""Key below ``zero_pattern.OPERAND`` -> the pattern before and after."""
PATTERN_KEYS = [f"{form}.zero_pattern.{operand}{key}" for form in ("ConvForm", "MatmulForm") for operand in ("ifmap", "weight")
                for key in PATTERNS]  # fmt: skip
LAYER_NAMES = {
    "ConvForm": CONV,
    "MatmulForm": FC,
    "PoolForm": POOL,
    "GlobalPoolForm": GLOBAL_POOL,
    "ElementwiseForm": RELU,
}
OPS = {"MatmulForm": (FC, "gemm"), "PoolForm": (POOL, "average_pool"), "ElementwiseForm": (RELU, "softmax")}
ONE_OP = {"ConvForm": (CONV, "fc"), "GlobalPoolForm": (GLOBAL_POOL, "relu")}
CHAINED = {
    "ConvForm": (CONV, 484), "MatmulForm": (FC, 80), "PoolForm": (POOL, 192), "GlobalPoolForm": (GLOBAL_POOL, 147),
    "ElementwiseForm": (RELU, 800),
}  # fmt: skip
"""Form -> a layer and the words that it reads."""
COMMON = ("name", "op", "inputs")
CONVERTED = ("formats", "clusters", "arithmetic")
"""Keys whose cases are in `test_every_converted_key.py`."""


def form_keys() -> set[str]:
    found = set()
    for form in {form.__name__: form for form in FORMS.values()}.values():
        found |= {f"{form.__name__}.{key}" for key in keys_of(form)}
    return {key for key in found if key.split(".")[1] not in CONVERTED}


def run_layers(
    folder: Path, *layers: Mapping[str, Any], batch: int | None = None, settings: tuple[str, ...] = (),
    arch: str = "tpu_like", **top: Any,
) -> RunResult:  # fmt: skip
    network = {"schema": "archsim/workload/v1", "name": "n", "layers": layers} | top
    return simulate(load_arch(arch, settings), load_workload(write_network(folder, network), batch))


def test_every_key_of_a_layer_has_a_case() -> None:
    common = {f"{form}.{key}" for form in LAYER_NAMES for key in COMMON}
    patterns = {*PATTERN_KEYS, "ConvForm.zero_pattern", "MatmulForm.zero_pattern"}
    assert form_keys() == {*LAYER_CASES, *common, *patterns, "MatmulForm.weight_input"}
    assert set(OPS) | set(ONE_OP) == set(LAYER_NAMES) == set(CHAINED)


@pytest.mark.parametrize("key", LAYER_CASES)
def test_a_layer_key_changes_an_output(tmp_path: Path, key: str) -> None:
    layer, change = LAYER_CASES[key]
    settings = ("levels.dram.compression=rlc5",) if key.endswith("zero_fractions.ofmap") else ()
    before, after = (run_layers(tmp_path, each, settings=settings) for each in (layer, layer | change))
    assert counters(before) != counters(after)


@pytest.mark.parametrize("key", PATTERN_KEYS)
def test_a_pattern_changes_what_an_array_that_skips_is_counted_on(tmp_path: Path, key: str) -> None:
    form, _, operand, *below = key.split(".")
    layer = (CONV if form == "ConvForm" else FC) | ZEROS
    before, after = PATTERNS["".join(f".{part}" for part in below)]
    runs = [({"zero_pattern": {operand: pattern}} if pattern else {}) for pattern in (before, after)]
    if operand == "weight" and "images_std" in after:
        with pytest.raises(ArchsimError, match="weights are the same for every image"):
            run_layers(tmp_path, layer | runs[1])
        return
    one, other = (run_layers(tmp_path, layer | pattern, arch="zascas") for pattern in runs)
    assert counters(one) != counters(other)


@pytest.mark.parametrize("form", LAYER_NAMES)
def test_a_layer_s_name_is_its_row(tmp_path: Path, form: str) -> None:
    assert run_layers(tmp_path, LAYER_NAMES[form] | {"name": "other"}).layers[0].layer == "other"


@pytest.mark.parametrize("form", OPS)
def test_a_layer_s_op_is_in_its_row(tmp_path: Path, form: str) -> None:
    layer, op = OPS[form]
    assert run_layers(tmp_path, layer | {"op": op}).layers[0].op == op


@pytest.mark.parametrize("form", ONE_OP)
def test_an_op_that_is_alone_in_its_form_rejects_others(tmp_path: Path, form: str) -> None:
    layer, op = ONE_OP[form]
    with pytest.raises(ArchsimError, match="no such key"):
        run_layers(tmp_path, layer | {"op": op})


@pytest.mark.parametrize("form", CHAINED)
def test_inputs_from_outside_cost_dram_reads_that_a_neighbour_on_chip_does_not(tmp_path: Path, form: str) -> None:
    layer, words = CHAINED[form]
    maker = {"name": "first", "op": "relu", "elements": words}
    near, far = (run_layers(tmp_path, maker, layer | extra).layers[1] for extra in ({}, {"inputs": []}))
    assert far.dram_read_bytes == near.dram_read_bytes + words  # int8: 1 byte a word, each read once


def test_every_operand_of_an_add_can_come_from_outside(tmp_path: Path) -> None:
    maker = {"name": "first", "op": "relu", "elements": 800}
    near, far = (run_layers(tmp_path, maker, ADD | extra).layers[1] for extra in ({}, {"inputs": []}))
    assert far.dram_read_bytes > near.dram_read_bytes


def test_a_weight_input_brings_a_matrix_per_image(tmp_path: Path) -> None:
    maker = {"name": "first", "op": "relu", "elements": 600}
    product = FC | {"inputs": []}
    stored, made = (run_layers(tmp_path, maker, product | extra, batch=2) for extra in ({}, {"weight_input": "first"}))
    assert counters(stored) != counters(made)


@pytest.mark.parametrize("key", ["name", "source", "notes"])
def test_a_network_s_name_source_and_notes_are_shown(tmp_path: Path, key: str) -> None:
    value = ["told of the network"] if key == "notes" else "told of the network"
    assert "told of the network" in printed(run_layers(tmp_path, CONV, **{key: value}))


def test_a_network_s_tensors_say_how_many_macs_have_no_zero(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", **{"c.weight": np.eye(6, 36).reshape(6, 4, 3, 3)})
    plain, told = run_layers(tmp_path, CONV), run_layers(tmp_path, CONV, tensors="net.npz")
    assert told.layers[0].effectual_macs * 36 == plain.layers[0].effectual_macs  # one weight in 36 is not zero


def test_a_network_of_another_schema_or_without_layers_is_rejected(tmp_path: Path) -> None:
    assert {field.alias or name for name, field in WorkloadForm.model_fields.items()} == {
        "schema", "name", "source", "notes", "tensors", "layers", "ifmap", "golden", "calibration"}  # fmt: skip
    with pytest.raises(ArchsimError, match="schema: input should be 'archsim/workload/v1'"):
        run_layers(tmp_path, CONV, schema="archsim/workload/v2")
    with pytest.raises(ArchsimError, match="layers"):
        run_layers(tmp_path)

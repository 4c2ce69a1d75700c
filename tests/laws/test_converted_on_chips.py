"""Every shipped converted workload runs on a chip that suits it, and obeys the laws of conservation there."""

import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

from archsim import catalog
from archsim.mapping.kernel_table import WEIGHT_LUT
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.terms import Direction, Operand

WORKLOADS = Path(__file__).parents[2] / "workloads"
CONVERTED = sorted(path.stem for path in WORKLOADS.glob("*.yaml") if "\ngolden:" in path.read_text(encoding="utf-8"))
FOLLOWS = ("formats.follow_workload=true",)
CHIPS = {"int8": ("tpu_like", ()), "lns8": ("recogni_lns", ()), "fp8": ("tpu_like", FOLLOWS),
         "fx8": ("tpu_like", FOLLOWS), "fx10": ("tpu_like", FOLLOWS)}  # fmt: skip
"""Last word of a workload's name -> the chip for it."""
KEPT = [name for name in CONVERTED if name.endswith("_lns8")]
FETCHED = [name for name in CONVERTED if name not in KEPT]


@cache
def run_of(name: str) -> RunResult:
    arch, settings = CHIPS[name.rsplit("_", maxsplit=1)[-1]]
    return simulate(catalog.load_arch(arch, settings), catalog.load_workload(name))


@cache
def stored_bytes(name: str) -> dict[str, int]:
    """Weights (or pointers) of each layer, and each codebook, counted in the arrays and packed to whole bytes. [B]"""
    layers = {each["name"]: each for each in yaml.safe_load((WORKLOADS / f"{name}.yaml").read_text())["layers"]}
    found = {}
    with np.load(WORKLOADS / f"{name}.npz") as arrays:
        for key in arrays.files:
            owner, _, kind = key.rpartition(".")
            if kind == "weight":
                found[owner] = -(-arrays[key].size * width_bits(layers[owner]["formats"]["weight"]) // 8)
            elif kind == "pointers":
                entries = layers[owner]["clusters"]["entries"]
                found[owner] = -(-arrays[key].size * math.ceil(math.log2(entries)) // 8)
            elif owner == "codebook":
                found[key] = arrays[key].size  # LNS8: a byte each
    return found


def width_bits(fmt: str) -> int:
    """Read from the first number in the name of a shipped format. [b]"""
    return int(re.findall(r"\d+", fmt)[0])


def moved(run: RunResult, level: str, operand: Operand, direction: Direction = Direction.READ) -> dict[str, int]:
    """Bytes by layer. [B]"""
    return {
        layer.layer: sum(row.bytes for row in layer.run.traffic
                         if (row.level, row.operand, row.direction) == (level, operand, direction))
        for layer in run.layers
    }  # fmt: skip


def words(run: RunResult, level: str, operand: Operand, direction: Direction) -> int:
    rows = [row for layer in run.layers for row in layer.run.traffic]
    return sum(row.words for row in rows if (row.level, row.operand, row.direction) == (level, operand, direction))


def test_workloads_of_every_shipped_kind_are_tried() -> None:
    assert {name.split("_")[-1] for name in CONVERTED} == set(CHIPS)


@pytest.mark.parametrize("name", FETCHED)
def test_weights_that_are_fetched_are_the_stored_codes(name: str) -> None:
    read = {layer: size for layer, size in moved(run_of(name), "dram", Operand.WEIGHT).items() if size}
    assert read == stored_bytes(name)
    assert run_of(name).weights_load is None
    assert run_of(name).summary()["totals"]["weights_load_bytes"] == 0


@pytest.mark.parametrize("name", KEPT)
def test_weights_that_stay_are_loaded_once_and_are_the_stored_codes(name: str) -> None:
    run = run_of(name)
    assert not any(moved(run, "dram", Operand.WEIGHT).values())
    assert not any(moved(run, "dram", Operand.METADATA).values())
    assert run.weights_load is not None
    assert run.weights_load.size_bytes == sum(stored_bytes(name).values())
    assert any(f"{sum(stored_bytes(name).values()):,} B (weights_load_bytes)" in said for said in run.assumptions)


def test_clustered_layers_and_no_others_read_the_table_of_kernels() -> None:
    read = {layer for layer, size in moved(run_of("mnist_big_bn_lns8"), WEIGHT_LUT, Operand.WEIGHT).items() if size}
    assert read == {"/c2/Conv", "/c3/Conv"}
    assert not any(moved(run_of("mnist_webinar_lns8"), WEIGHT_LUT, Operand.WEIGHT).values())


@pytest.mark.parametrize("name", CONVERTED)
def test_every_product_is_made_and_every_psum_that_was_written_is_read(name: str) -> None:
    run = run_of(name)
    assert not run.uncosted
    for layer in run.layers:
        assert layer.run.occupied_macs == layer.macs
        assert layer.total_cycles * run.arch.pe_array.multipliers >= layer.macs
        assert sum(cycles for _, cycles in layer.run.waits) == layer.dram_stall_cycles
    assert words(run, "spad", Operand.WEIGHT, Direction.READ) == run.macs
    for level in (*run.arch.srams, run.arch.dram):
        written = words(run, level.name, Operand.PSUM, Direction.WRITE)
        assert words(run, level.name, Operand.PSUM, Direction.READ) == written


@pytest.mark.parametrize("name", CONVERTED)
def test_energy_is_the_sum_of_its_actions(name: str) -> None:
    for layer in run_of(name).layers:
        assert layer.energy_pj == pytest.approx(math.fsum(each.energy_pj for each in layer.energy.actions))


@pytest.mark.parametrize("name", CONVERTED)
def test_activations_take_the_width_of_their_codes_on_the_chip(name: str) -> None:
    run = run_of(name)
    codes = {layer.name: layer.formats for layer in run.workload.layers}
    for layer in run.layers:
        fmt = codes[layer.layer]
        for row in layer.run.traffic:
            if row.operand is Operand.OFMAP and row.level != "spad" and fmt is not None and fmt.ofmap.width_bits == 8:
                assert row.bytes == row.words

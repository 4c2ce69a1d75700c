"""Laws that hold for every layer on every chip, whatever the numbers are."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings

from archsim.arch.pe_array import StartEvent
from archsim.cost.energy import price_layer
from archsim.cost.price_source import load_prices
from archsim.engine.layer_run import LayerRun
from archsim.engine.simulate import run_layer
from archsim.errors import MappingError
from archsim.mapping.effectual_macs import issued_macs
from archsim.mapping.ifmap_geometry import ifmap_geometry
from archsim.terms import Direction, Operand
from archsim.workload.zero_masks import mask_shape
from tests.strategies import any_architecture, array_layers


def run_or_skip(layer, arch) -> LayerRun:
    """Run a layer, or drop the example when it honestly does not fit."""
    try:
        return run_layer(layer, arch)
    except MappingError:
        assume(False)
        raise


def words(run: LayerRun, level: str, operand: Operand, direction: Direction) -> int:
    return sum(t.words for t in run.traffic if (t.level, t.operand, t.direction) == (level, operand, direction))


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_macs_are_conserved_and_utilization_stays_below_one(layer, arch) -> None:
    run = run_or_skip(layer, arch)
    all_nonzero = np.ones(mask_shape(layer, Operand.IFMAP), dtype=np.bool_)
    on_padding = run.macs - issued_macs(layer, all_nonzero) if arch.pe_array.skips else 0
    assert run.macs - on_padding == run.occupied_macs == words(run, "spad", Operand.WEIGHT, Direction.READ)
    assert 0 < run.utilization <= 1 or on_padding == run.macs
    assert 0 < run.mapping_efficiency <= 1
    assert run.compute_cycles * arch.pe_array.multipliers >= run.occupied_macs


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_dram_moves_at_least_every_operand_once(layer, arch) -> None:
    run = run_or_skip(layer, arch)
    gemm = layer.gemm
    assert words(run, "dram", Operand.IFMAP, Direction.READ) >= gemm.groups * ifmap_geometry(layer).unique_words
    assert words(run, "dram", Operand.WEIGHT, Direction.READ) >= gemm.groups * gemm.window * gemm.filters
    assert words(run, "dram", Operand.OFMAP, Direction.WRITE) == gemm.groups * gemm.pixels * gemm.filters


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_psums_are_read_back_as_often_as_they_were_written(layer, arch) -> None:
    run = run_or_skip(layer, arch)
    assert words(run, "dram", Operand.PSUM, Direction.READ) == words(run, "dram", Operand.PSUM, Direction.WRITE)
    for level in arch.srams:
        into = words(run, level.name, Operand.PSUM, Direction.WRITE)
        # What DRAM gives back goes past the buffer, so a level reads each psum it was given: into the array or to DRAM.
        assert words(run, level.name, Operand.PSUM, Direction.READ) == into


@settings(max_examples=100, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_the_dram_stall_is_the_sum_of_its_waits(layer, arch) -> None:
    run = run_or_skip(layer, arch)
    assert sum(cycles for _, cycles in run.waits) == run.dram_stall_cycles
    assert all(cycles > 0 for _, cycles in run.waits)
    assert run.dram_latency_stall_cycles <= run.dram_stall_cycles


@settings(max_examples=100, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_a_layer_is_never_faster_than_its_dram_traffic(layer, arch) -> None:
    assume(arch.pe_array.start_event is StartEvent.FIRST_OPERAND)  # the other one counts from after the first load
    run = run_or_skip(layer, arch)
    moved = sum(t.bytes for t in run.traffic if t.level == "dram")
    assert run.total_cycles >= math.floor(moved / arch.dram.bandwidth_bytes_per_cycle)


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_energy_is_the_sum_of_its_parts(layer, arch) -> None:
    run = run_or_skip(layer, arch)
    energy = price_layer(run, arch, load_prices(arch))
    assert energy.total_pj == pytest.approx(math.fsum(pj for _, pj in energy.components))
    assert energy.total_pj == pytest.approx(math.fsum(action.count * action.unit_pj for action in energy.actions))
    assert min(pj for _, pj in energy.components) >= 0
    levels = dict.fromkeys(("spad", "noc", *(level.name for level in arch.srams), arch.dram.name), 0.0)
    for count, pj in zip(run.traffic, energy.traffic_pj, strict=True):
        levels[count.level] += pj
    for name, pj in energy.components:
        parts = math.fsum(action.energy_pj for action in energy.actions if action.component == name)
        assert pj == pytest.approx(parts)
        if name in levels:
            assert pj == pytest.approx(levels[name])


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=any_architecture)
def test_the_same_input_gives_the_same_run(layer, arch) -> None:
    assert run_or_skip(layer, arch) == run_layer(layer, arch)

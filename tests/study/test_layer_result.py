"""Tests of LayerResult."""

from dataclasses import replace

import pytest

from archsim.errors import SimulationError
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult


def test_dram_bytes_are_those_of_the_dram_rows_only(run: RunResult) -> None:
    conv = run.layers[0]
    assert (conv.dram_read_bytes, conv.dram_write_bytes) == (72 + 72, 64)


def test_energy_of_the_traffic_of_a_level_is_its_component(run: RunResult) -> None:
    for layer in run.layers:
        components = dict(layer.energy.components)
        for level in ("spad", "glb", "dram"):
            rows = zip(layer.run.traffic, layer.energy.traffic_pj, strict=True)
            assert sum(pj for row, pj in rows if row.level == level) == pytest.approx(components.get(level, 0.0))


def test_energy_is_the_sum_of_its_components(run: RunResult) -> None:
    for layer in run.layers:
        assert layer.energy_pj == pytest.approx(sum(pj for _, pj in layer.energy.components))


def test_dram_stall_is_bandwidth_and_latency(run: RunResult) -> None:
    conv = run.layers[0]
    assert conv.dram_bandwidth_stall_cycles + conv.dram_latency_stall_cycles == conv.dram_stall_cycles == 30
    assert (conv.wait_cycles("ifmap"), conv.wait_cycles("last_drain"), conv.wait_cycles("psum")) == (21, 9, 0)


def test_a_wait_that_no_column_shows_is_refused(run: RunResult) -> None:
    conv = run.layers[0]
    with pytest.raises(SimulationError, match="'coffee'"):
        LayerResult(run=replace(conv.run, waits=(("coffee", 3),)), energy=conv.energy, dram_level="dram")


def test_unpriced_traffic_is_refused(run: RunResult) -> None:
    conv = run.layers[0]
    with pytest.raises(SimulationError, match="5 traffic rows, 4 priced"):
        LayerResult(run=conv.run, energy=replace(conv.energy, traffic_pj=conv.energy.traffic_pj[1:]), dram_level="dram")

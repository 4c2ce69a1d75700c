"""Tests of the Python face: small networks through the real engine."""

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.arch.architecture import Architecture
from archsim.errors import WorkloadError
from archsim.study.saved_run import load_run
from archsim.study.simulate import DRAM_CHANNEL, IDEAL_DRAM, simulate
from archsim.workload.batch import with_batch
from archsim.workload.layer import MatmulLayer
from archsim.workload.network import Workload


def test_every_layer_has_a_row_and_the_macs_are_kept(arch: Architecture, workload: Workload) -> None:
    run = simulate(arch, workload)
    assert [layer.layer for layer in run.layers] == [layer.name for layer in workload.layers]
    assert run.macs == workload.macs == 1152 + 640
    assert [layer.layer for layer in run.uncosted] == [workload.layers[3].name]


def test_waits_of_a_layer_add_up_to_its_dram_stall(arch: Architecture, workload: Workload) -> None:
    for layer in simulate(arch, workload).layers:
        assert sum(cycles for _, cycles in layer.run.waits) == layer.dram_stall_cycles


def test_a_simulated_run_survives_saving(arch: Architecture, workload: Workload, tmp_path: Path) -> None:
    run = simulate(arch, workload, batch=3, seed=5)
    run.save(tmp_path)
    assert load_run(tmp_path) == run


def test_progress_is_told_layer_by_layer(arch: Architecture, workload: Workload) -> None:
    seen: list[tuple[int, int, str]] = []
    simulate(arch, workload, on_layer=lambda index, count, name: seen.append((index, count, name)))
    assert seen == [(index, 4, layer.name) for index, layer in enumerate(workload.layers)]


def test_ideal_dram_is_said_and_stalls_no_cycle(arch: Architecture, workload: Workload) -> None:
    real, ideal = simulate(arch, workload), simulate(arch.with_ideal_dram(), workload)
    assert DRAM_CHANNEL in real.assumptions
    assert IDEAL_DRAM in ideal.assumptions
    assert sum(layer.dram_stall_cycles for layer in ideal.layers) == 0
    assert 0 < ideal.dram_bytes <= real.dram_bytes  # counted all the same; time no longer speaks for more


def test_assumptions_count_the_layers_whose_zeros_are_not_known(arch: Architecture, workload: Workload) -> None:
    assert any(
        sentence.startswith("zeros are not known in 2 of 2") for sentence in simulate(arch, workload).assumptions
    )
    known = replace(workload.layers[0], zero_fractions=type(workload.layers[0].zero_fractions)(ifmap=0.5, weight=0.0))
    half = replace(workload, layers=(known, *workload.layers[1:]))
    assert any(sentence.startswith("zeros are not known in 1 of 2") for sentence in simulate(arch, half).assumptions)


def test_a_batch_multiplies_the_work_and_the_frames(arch: Architecture, workload: Workload) -> None:
    one, four = simulate(arch, workload), simulate(arch, workload, batch=4)
    assert four.macs == 4 * one.macs
    assert (one.batch, four.batch) == (2, 8)
    assert four.frames_per_second == pytest.approx(8 / four.seconds)


def test_a_workload_with_a_batch_of_its_own_says_how_many_images_it_holds(
    arch: Architecture, workload: Workload
) -> None:
    assert simulate(arch, with_batch(workload, 3)).batch == 3 * workload.images


def test_a_batch_of_nothing_is_refused(arch: Architecture, workload: Workload) -> None:
    with pytest.raises(WorkloadError, match=r"batch \(=0\)"):
        simulate(arch, workload, batch=0)


def test_frames_count_the_images_of_a_network_without_convolutions(arch: Architecture) -> None:
    layers = (MatmulLayer(name="fc", rows=1, inner=64, columns=10, op="fc"),)
    four = simulate(arch, with_batch(Workload(name="net", layers=layers), 4))
    assert four.batch == 4
    assert four.frames_per_second == pytest.approx(4 / four.seconds)

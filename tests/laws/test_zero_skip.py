"""What gating and skipping zeros may do, on every dataflow: gating saves energy and no cycle, skipping both, and no value is lost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.catalog import load_arch, load_workload
from archsim.engine.simulate import run_layer
from archsim.errors import MappingError
from archsim.study.result import RunResult
from archsim.study.simulate import simulate
from archsim.terms import Dataflow, Operand, ZeroSkip
from archsim.workload.layer import ArrayLayer
from archsim.workload.tensor_zeros import zeros_by_itself
from archsim.workload.zero_masks import LayerMasks, mask_shape
from tests.laws.outputs import write_network
from tests.masks import GivenMask
from tests.strategies import array_layers

NETWORK = {
    "schema": "archsim/workload/v1",
    "name": "zeros",
    "layers": [
        {"name": "c1", "op": "conv", "in_channels": 3, "ifmap": [15, 13], "kernel": 3, "padding": 1, "out_channels": 20},
        {"name": "c2", "op": "conv", "in_channels": 20, "ifmap": [15, 13], "kernel": [3, 5], "stride": 2, "padding": 1,
         "out_channels": 34, "zero_fractions": {"ifmap": 0.6, "weight": 0.3}},
        {"name": "c3", "op": "conv", "in_channels": 34, "ifmap": [8, 6], "kernel": 1, "out_channels": 40, "groups": 2,
         "zero_fractions": {"ifmap": 0.95, "weight": 0.5}},
        {"name": "c4", "op": "conv", "in_channels": 40, "ifmap": [8, 6], "kernel": 3, "padding": 1, "out_channels": 9,
         "zero_fractions": {"ifmap": 1.0}},
        {"name": "fc", "op": "fc", "inner": 432, "columns": 70, "zero_fractions": {"ifmap": 0.8, "weight": 0.7}},
    ],
}  # fmt: skip
CHIPS = {
    Dataflow.WEIGHT_STATIONARY: ("tpu_like", ("pe_array.rows=16", "pe_array.columns=16")),
    Dataflow.OUTPUT_STATIONARY: ("os_16x16", ()),
    Dataflow.INPUT_STATIONARY: ("is_16x16", ()),
    Dataflow.ROW_STATIONARY: ("eyeriss_v1", ("energy.gated_share=null", "mapping.objective=time")),
    Dataflow.CHANNEL_PARALLEL: ("nvdla_small", ()),
    Dataflow.PIXEL_BROADCAST: ("zascad", ()),
    Dataflow.BRICK_LANES: ("dadiannao", ()),
    Dataflow.PLANAR_TILES: ("scnn", ()),
}
"""A chip of each dataflow that can be set to take every value, to gate or to skip."""


@pytest.fixture(scope="module", params=list(Dataflow))
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[ZeroSkip, RunResult]:
    """The same network on the same chip, its zeros treated in each way."""
    name, given = CHIPS[request.param]
    workload = load_workload(write_network(Path(tmp_path_factory.mktemp("zeros")), NETWORK), batch=2)
    return {
        scheme: simulate(load_arch(name, (*given, f"pe_array.zero_skip={scheme.value}")), workload)
        for scheme in ZeroSkip
    }


def test_every_dataflow_has_a_chip() -> None:
    assert {load_arch(name, given).pe_array.dataflow for name, given in CHIPS.values()} == set(Dataflow) == set(CHIPS)


def test_gating_saves_energy_and_no_cycle(runs: dict[ZeroSkip, RunResult]) -> None:
    plain, gated = runs[ZeroSkip.NONE], runs[ZeroSkip.GATE]
    for before, after in zip(plain.layers, gated.layers, strict=True):
        assert (before.total_cycles, before.occupied_macs) == (after.total_cycles, after.occupied_macs)
        assert after.energy_pj <= before.energy_pj
        assert after.gated_macs <= after.occupied_macs
    assert sum(layer.gated_macs for layer in gated.layers) > 0
    assert gated.energy_pj < plain.energy_pj


def test_what_gating_is_said_to_save_is_what_the_chip_without_it_spends_more(runs: dict[ZeroSkip, RunResult]) -> None:
    for before, after in zip(runs[ZeroSkip.NONE].layers, runs[ZeroSkip.GATE].layers, strict=True):
        if after.macs:
            assert after.energy_saved_pj == pytest.approx(
                before.energy_pj - after.energy_pj, abs=1e-6 * before.energy_pj
            )


def test_skipping_never_adds_a_cycle_nor_energy_and_saves_both(runs: dict[ZeroSkip, RunResult]) -> None:
    plain, skipped = runs[ZeroSkip.NONE], runs[ZeroSkip.SKIP]
    for before, after in zip(plain.layers, skipped.layers, strict=True):
        assert after.compute_cycles <= before.compute_cycles
        assert after.total_cycles <= before.total_cycles
        assert after.occupied_macs <= before.occupied_macs
        assert after.macs == before.macs
        assert after.utilization <= 1
    assert skipped.total_cycles < plain.total_cycles
    assert skipped.energy_pj < plain.energy_pj


def test_what_skipping_is_said_to_save_is_what_the_chip_without_it_takes_more(runs: dict[ZeroSkip, RunResult]) -> None:
    for before, after in zip(runs[ZeroSkip.NONE].layers, runs[ZeroSkip.SKIP].layers, strict=True):
        if after.dense is not None:
            assert after.cycles_saved == before.total_cycles - after.total_cycles
            assert after.energy_saved_pj == pytest.approx(before.energy_pj - after.energy_pj)


def test_the_waterfall_of_every_layer_adds_up(runs: dict[ZeroSkip, RunResult]) -> None:
    for layer in runs[ZeroSkip.SKIP].layers:
        skip = layer.run.skip
        assert skip is not None
        assert skip.compute_cycles == layer.compute_cycles
        assert skip.ideal_cycles <= skip.dense_cycles


def test_no_macs_without_a_zero_operand_are_lost(runs: dict[ZeroSkip, RunResult]) -> None:
    """MACs of the layer >= those issued >= those without a zero operand; of a layer of zeros there are none."""
    layers = {layer.layer: layer for layer in runs[ZeroSkip.SKIP].layers}
    for layer in layers.values():
        assert layer.macs >= layer.effectual_macs
        assert layer.occupied_macs >= layer.effectual_macs
    assert layers["c4"].effectual_macs == 0


def test_another_seed_draws_other_zeros_and_the_same_seed_the_same(tmp_path: Path) -> None:
    workload = load_workload(write_network(tmp_path, NETWORK))
    first, again, other = (simulate(load_arch("zascas"), workload, seed=seed) for seed in (1, 1, 2))
    assert first.files() == again.files()
    assert [layer.occupied_macs for layer in first.layers] != [layer.occupied_macs for layer in other.layers]


@pytest.mark.parametrize("dataflow", list(Dataflow))
@settings(max_examples=40, deadline=None)
@given(layer=array_layers, seed=st.integers(0, 2**31), rate=st.sampled_from([0.3, 2.4, 33.0]), coded=st.booleans())
def test_no_zero_costs_a_cycle_of_any_layer_however_slow_the_channel(
    dataflow: Dataflow, layer: ArrayLayer, seed: int, rate: float, coded: bool
) -> None:
    name, given_settings = CHIPS[dataflow]
    chip = load_arch(name, (*given_settings, "pe_array.zero_skip=skip"))
    if dataflow is Dataflow.PLANAR_TILES:
        coded = False  # its coded bytes follow the nonzero values step by step, and no share of the dense array's
    code = chip.dram.compression if coded else ()
    chip = replace(chip, dram=replace(chip.dram, bandwidth_bytes_per_cycle=rate, compression=code))
    draw = np.random.default_rng(seed)
    masks = (
        GivenMask.of(draw.random(mask_shape(layer, operand)) < draw.choice([0.0, 0.2, 0.6, 1.0]))
        for operand in (Operand.IFMAP, Operand.WEIGHT)
    )
    zeros = replace(zeros_by_itself(layer), masks=LayerMasks(**dict(zip(("ifmap", "weight"), masks, strict=True))))
    try:
        skipped, dense = (
            run_layer(layer, replace(chip, pe_array=array), zeros=zeros)
            for array in (chip.pe_array, chip.pe_array.dense)
        )
    except MappingError:
        return  # planes of three axes on planar tiles
    assert skipped.total_cycles <= dense.total_cycles
    assert skipped.occupied_macs <= dense.occupied_macs

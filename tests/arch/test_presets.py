"""The named chips of arch_configs/ (`eyeriss_v1` and `nvdla_*` have files of their own): each runs what is shipped, and says what it was checked against and what is not known."""

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.arch.validation import ValidationState
from archsim.catalog import load_arch, load_workload
from archsim.engine.simulate import run_layer
from archsim.mapping.layer_arch import arch_for_layer
from archsim.mapping.matrix_planner import array_work
from archsim.mapping.row_fit import misfits
from archsim.mapping.row_search import SMALLEST
from archsim.mapping.row_stationary import row_work
from archsim.mapping.tile_search import search_nests
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.study.simulate import simulate
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, UncostedLayer

TOP = Path(__file__).parents[2]
HEADLINES = ("dsip", "edge_tpu", "eeps", "gupta2015", "neuflow", "park2015", "shidiannao", "tpu_v1")
DESCRIBED = sorted(path.stem for path in (TOP / "workloads").glob("*.yaml") if not path.with_suffix(".npz").exists())
SIZES = (
    lambda layer: layer.macs,
    lambda layer: layer.ifmap_words,
    lambda layer: layer.weight_words,
    lambda layer: layer.ofmap_words,
    lambda layer: layer.gemm.window,
    lambda layer: layer.gemm.filters,
    lambda layer: layer.gemm.groups,
    lambda layer: -layer.gemm.pixels,
)
"""What is hardest to fit is the largest of something."""


def hardest(workload: str) -> list[Layer]:
    """Layers of a network that are the largest in some way, and one of every operator that takes no multiplier."""
    layers = load_workload(workload).layers
    products = [layer for layer in layers if isinstance(layer, ConvLayer | MatmulLayer)]
    others = {layer.op: layer for layer in layers if layer not in products}
    return [*(max(products, key=size) for size in SIZES), *others.values()]


def shape(layer: Layer) -> Layer:
    return replace(layer, name="layer", sources=(), **({"weight_source": ""} if isinstance(layer, MatmulLayer) else {}))


LAYERS = {shape(layer): f"{name} {layer.name}" for name in DESCRIBED for layer in hardest(name)}


@pytest.mark.parametrize("preset", HEADLINES)
def test_a_preset_has_room_for_the_hardest_layers_of_every_shipped_network(preset: str) -> None:
    arch = load_arch(preset)
    assert len(LAYERS) > 60
    for layer, where in LAYERS.items():
        if isinstance(layer, ConvLayer | MatmulLayer):
            work = array_work(layer, arch_for_layer(layer, arch))
            assert next(search_nests(work, compute_cycles=1)), where
        elif not isinstance(layer, UncostedLayer):
            assert run_layer(layer, arch).is_costed, where


def test_a_row_stationary_preset_has_room_for_the_hardest_layers_of_every_shipped_network() -> None:
    arch = load_arch("eyeriss_v1")
    for layer, where in LAYERS.items():
        if isinstance(layer, ConvLayer | MatmulLayer):
            assert list(misfits(SMALLEST, row_work(layer, arch).shape, arch)) == [], where


@pytest.mark.parametrize("preset", ["nvdla_large", "nvdla_small"])
def test_a_channel_parallel_preset_runs_the_hardest_layers(preset: str) -> None:
    arch = load_arch(preset)
    for layer, where in LAYERS.items():
        if isinstance(layer, ConvLayer | MatmulLayer):
            assert run_layer(layer, arch).is_costed, where


@pytest.mark.parametrize("preset", [*HEADLINES, "eyeriss_v1", "nvdla_large", "nvdla_small"])
def test_a_preset_runs_a_small_network_from_end_to_end(preset: str) -> None:
    arch = load_arch(preset)
    runs = [run_layer(layer, arch) for layer in load_workload("lenet5").layers]
    assert all(run.is_costed for run in runs if arch.vector_unit or run.macs)
    assert sum(run.macs for run in runs) == load_workload("lenet5").macs


@pytest.mark.parametrize("preset", HEADLINES)
def test_a_preset_says_what_it_was_checked_against_and_what_is_not_known(preset: str) -> None:
    arch = load_arch(preset)
    head = (TOP / f"arch_configs/{preset}.yaml").read_text().partition("\nschema:")[0]
    assert "Checked against" in head
    assert "Not known, chosen here:" in head
    assert ("estimated" in arch.source) is (preset in ("edge_tpu", "dsip"))
    assert arch.validation.against


def test_eeps_takes_less_energy_for_fewer_bits_and_no_less_time() -> None:
    conv3 = load_workload("alexnet").only("conv3")
    codes = {
        name: parse_format(form)
        for name, form in (("ifmap", "int8"), ("weight", "int8"), ("psum", "int32"), ("ofmap", "int8"))
    }
    scaled = replace(conv3, layers=(replace(conv3.layers[0], formats=OperandFormats(**codes)),))
    wide, narrow = (simulate(load_arch("eeps"), each) for each in (conv3, scaled))
    assert narrow.layers[0].compute_cycles == wide.layers[0].compute_cycles
    assert narrow.energy_components["mac"] < 0.5 * wide.energy_components["mac"]


def test_only_what_a_suite_holds_to_more_than_a_peak_is_called_validated() -> None:
    states = {name: load_arch(name).validation.state for name in HEADLINES}
    assert [name for name, state in states.items() if state is ValidationState.VALIDATED] == ["tpu_v1"]


def test_the_tpu_moves_34_gigabytes_of_weights_a_second_into_four_tiles() -> None:
    arch = load_arch("tpu_v1")
    assert arch.dram.bandwidth_bytes_per_cycle * arch.clock_mhz / 1e3 == pytest.approx(34, rel=1e-12)
    fifo = arch.sram_of(Operand.WEIGHT)
    assert fifo is not None
    assert fifo.capacity_bytes == 4 * 256 * 256

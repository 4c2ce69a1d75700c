"""Laws of coded words: narrower, packed and clustered values, over many layers and chips."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import Architecture
from archsim.cost.layer_prices import price_layers
from archsim.cost.price_source import load_prices, own_table
from archsim.engine.layer_run import LayerRun
from archsim.engine.simulate import run_layer, run_network
from archsim.errors import MappingError
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.kernel_table import WEIGHT_LUT
from archsim.mapping.layer_arch import arch_for_layer
from archsim.mapping.matrix_planner import array_work, ideal_compute_cycles
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import Direction, Operand
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.layer_formats import WeightClusters
from archsim.workload.network import Workload
from tests.strategies import architectures, array_layers, conv_layers, drawn_plan

READ = Direction.READ
packings = st.sampled_from([None, None, 8, 32, 40])


def formats(weight_bits: int, ifmap_bits: int = 8) -> dict[str, object]:
    widths = {"ifmap": ifmap_bits, "weight": weight_bits, "psum": 32, "ofmap": ifmap_bits}
    return {operand: parse_format(f"int{bits}") for operand, bits in widths.items()}


@st.composite
def packing_chips(draw: st.DrawFn) -> Architecture:
    arch = draw(architectures())
    srams = tuple(replace(level, packing_bits=draw(packings)) for level in arch.srams)
    return replace(arch, srams=srams, dram=replace(arch.dram, packing_bits=draw(packings)))


def moved(run: LayerRun, level: str, operand: Operand, direction: Direction = READ) -> tuple[int, int]:
    rows = [row for row in run.traffic if (row.level, row.operand, row.direction) == (level, operand, direction)]
    return sum(row.words for row in rows), sum(row.bytes for row in rows)


def run_or_skip(layer: ConvLayer | MatmulLayer, arch: Architecture) -> LayerRun:
    try:
        return run_layer(layer, arch)
    except MappingError:
        assume(False)
        raise


def clustered(layer: ConvLayer, entries: int) -> ConvLayer:
    clusters = WeightClusters(codebook="net", entries=entries, kernel_words=math.prod(layer.kernel))
    return replace(layer, clusters=clusters, formats=OperandFormats(**formats(8)))


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=packing_chips(), bits=st.integers(1, 8))
def test_dram_moves_at_least_the_unique_coded_bytes(layer, arch, bits) -> None:
    coded = replace(layer, formats=OperandFormats(**formats(bits)))
    arch = replace(arch, follows_workload=True)
    run = run_or_skip(coded, arch)
    assert moved(run, "dram", Operand.WEIGHT)[1] >= -(-layer.weight_words * bits // 8)
    assert moved(run, "dram", Operand.OFMAP, Direction.WRITE)[1] >= layer.ofmap_words


@settings(max_examples=60, deadline=None)
@given(data=st.data(), layer=array_layers, arch=packing_chips(), bits=st.integers(1, 7))
def test_narrower_formats_never_move_more_bytes_in_one_mapping(data, layer, arch, bits) -> None:
    runs = []
    nest = drawn_plan(data, layer, arch).nest
    for width in (bits, bits + 1):
        work = array_work(layer, replace(arch, formats=OperandFormats(**formats(width, width))))
        runs.append(plan_array_steps(work, nest, ideal_compute_cycles(work)))
    narrow, wide = ({(t.level, t.operand, t.direction): t for t in run.traffic} for run in runs)
    assert narrow.keys() == wide.keys()
    for key, row in narrow.items():
        assert row.words == wide[key].words
        assert row.bytes <= wide[key].bytes
    assert runs[0].transfers.length_bytes.sum() <= runs[1].transfers.length_bytes.sum()


@settings(max_examples=60, deadline=None)
@given(layer=array_layers, arch=packing_chips())
def test_packed_words_hold_no_more_than_their_bits(layer, arch) -> None:
    for row in run_or_skip(layer, arch).traffic:
        if row.level != "spad":
            assert 8 * row.bytes >= row.words * arch.formats.of(row.operand).width_bits
        if row.level == "dram" and arch.dram.packing_bits:
            assert row.bytes % (arch.dram.packing_bits // 8) == 0


@settings(max_examples=60, deadline=None)
@given(layer=conv_layers(), arch=packing_chips(), entries=st.sampled_from([2, 100, 1024]))
def test_the_table_of_kernels_gives_the_array_every_weight_it_reads(layer, arch, entries) -> None:
    run = run_or_skip(clustered(layer, entries), arch)
    read, _ = moved(run, WEIGHT_LUT, Operand.WEIGHT)
    level = arch.sram_of(Operand.WEIGHT)
    stored = moved(run, level.name if level else "dram", Operand.WEIGHT)[0]
    assert read >= layer.weight_words
    assert stored >= -(-read // math.prod(layer.kernel))
    if level:
        assert stored == -(-read // math.prod(layer.kernel))
    table = entries * math.prod(layer.kernel)
    assert moved(run, "dram", Operand.METADATA) == (table, table)
    assert moved(run, WEIGHT_LUT, Operand.METADATA, Direction.WRITE) == (table, table)


@settings(max_examples=40, deadline=None)
@given(layer=conv_layers(), arch=architectures(), entries=st.sampled_from([2, 64]))
def test_pointers_move_at_least_one_per_kernel(layer, arch, entries) -> None:
    coded = clustered(layer, entries)
    run = run_or_skip(coded, arch)
    kernels = layer.weight_words // math.prod(layer.kernel)
    words, size = moved(run, "dram", Operand.WEIGHT)
    assert words >= kernels
    assert 8 * size >= kernels * coded.clusters.pointer_bits


@settings(max_examples=30, deadline=None)
@given(layer=conv_layers(), arch=packing_chips(), entries=st.sampled_from([2, 100]))
def test_energy_of_coded_layers_is_the_sum_of_its_parts(layer, arch, entries) -> None:
    arch = replace(arch, follows_workload=True)
    coded = replace(clustered(layer, entries), formats=OperandFormats(**formats(5, 6)))
    run = run_or_skip(coded, arch)
    workload = Workload(name="one", layers=(coded,))
    (energy,) = price_layers((run,), workload, arch, load_prices, table=own_table(arch)).energies
    assert energy.total_pj == pytest.approx(math.fsum(action.energy_pj for action in energy.actions))
    lut = sum(pj for row, pj in zip(run.traffic, energy.traffic_pj, strict=True) if row.level == WEIGHT_LUT)
    assert dict(energy.components)[WEIGHT_LUT] == pytest.approx(lut)
    assert lut > 0


@settings(max_examples=30, deadline=None)
@given(layers=st.lists(array_layers, min_size=1, max_size=3), arch=architectures())
def test_weights_that_stay_are_read_from_dram_by_no_layer(layers, arch) -> None:
    level = arch.sram_of(Operand.WEIGHT)
    assume(level is not None and level.partition_bytes is not None)
    named = tuple(replace(layer, name=f"layer{index}") for index, layer in enumerate(layers))
    keeps = replace(level, keeps_weights=True, capacity_bytes=10**7,
                    partition_bytes=tuple((operand, 10**6) for operand, _ in level.partition_bytes))  # fmt: skip
    arch = replace(arch, srams=(keeps,))
    runs = run_network(arch, Workload(name="net", layers=named))
    assert all(moved(run, "dram", Operand.WEIGHT) == (0, 0) for run in runs)
    assert all(arch_for_layer(layer, arch) is arch for layer in named)

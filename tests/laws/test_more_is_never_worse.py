"""More bandwidth, more ports, a bigger buffer: never slower, never more DRAM bytes."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.arch.pe_array import PeArray
from archsim.catalog import load_workload
from archsim.engine.measure import measure_plan
from archsim.engine.simulate import run_layer
from archsim.errors import MappingError
from archsim.mapping.array_plan import plan_array_steps
from archsim.mapping.matrix_planner import MATRIX_DATAFLOWS, array_work, ideal_compute_cycles
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.tile_options import tile_options
from archsim.mapping.tile_room import copies_held
from archsim.mapping.tile_search import nest_of
from archsim.mapping.tile_traffic import tile_traffic
from archsim.terms import Dataflow
from tests.strategies import HELD, architecture, architectures, array_layers, drawn_plan


def total(plan, dram) -> int:
    times = measure_plan(plan, dram)
    return times.compute_cycles + times.onchip_stall_cycles + times.dram_stall_cycles


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=architectures(), data=st.data())
def test_more_bandwidth_or_less_latency_never_slows_a_mapping(layer, arch, data) -> None:
    plan = drawn_plan(data, layer, arch)
    factor = data.draw(st.sampled_from([1.01, 1.5, 2.0, 10.0]))
    faster = replace(arch.dram, bandwidth_bytes_per_cycle=arch.dram.bandwidth_bytes_per_cycle * factor)
    slow = total(plan, arch.dram)
    assert total(plan, faster) <= slow
    assert total(plan, replace(arch.dram, latency_cycles=0)) <= slow
    assert total(plan, replace(arch.dram, is_ideal=True)) <= slow


@settings(max_examples=100, deadline=None)
@given(layer=array_layers, arch=architectures(), data=st.data())
def test_more_ports_never_slow_a_mapping(layer, arch, data) -> None:
    wider = replace(arch, srams=tuple(replace(level, ports=level.ports * 2) for level in arch.srams))
    work = array_work(layer, arch)
    options = tile_options(work)
    index = data.draw(st.integers(0, len(options.order) - 1))
    copies = copies_held(work, options, tile_traffic(work, options))
    nest = nest_of(work, options, copies, index)
    compute_cycles = ideal_compute_cycles(work)
    plan = plan_array_steps(work, nest, compute_cycles)
    other = plan_array_steps(array_work(layer, wider), nest, compute_cycles)
    assert other.traffic == plan.traffic
    assert total(other, arch.dram) <= total(plan, arch.dram)


def grown(arch, factor: int):
    """The same chip with every buffer `factor` times as large."""
    levels = tuple(
        replace(
            level,
            capacity_bytes=level.capacity_bytes * factor,
            partition_bytes=level.partition_bytes
            and tuple((operand, size * factor) for operand, size in level.partition_bytes),
        )
        for level in arch.srams
    )
    return replace(arch, srams=levels)


@settings(max_examples=150, deadline=None)
@given(layer=array_layers, arch=architectures(), factor=st.sampled_from([2, 3, 10]))
def test_a_bigger_buffer_never_makes_the_best_estimate_worse(layer, arch, factor) -> None:
    try:
        small = next(plan_array_layer(layer, arch))
    except MappingError:
        assume(False)
    large = next(plan_array_layer(layer, grown(arch, factor)))
    assert large.estimated_cycles <= small.estimated_cycles


def real_layers():
    """Layers of four shapes of work: large ifmaps, deep windows, depthwise, vectors."""
    picked = {"alexnet": ("conv1", "conv3", "fc8"), "resnet18": ("conv2_2_1", "conv5_1_proj"), "mobilenet_v1": ("dw5",)}
    for network, names in picked.items():
        yield from (layer for layer in load_workload(network).layers if layer.name in names)


def shared_buffer(dataflow: Dataflow, kilobytes: int, rate: float):
    level = SramLevel(name="glb", capacity_bytes=kilobytes * 1024, holds=HELD)
    dram = DramLevel(name="dram", bandwidth_bytes_per_cycle=rate, latency_cycles=50)
    return architecture(PeArray(rows=16, columns=16, dataflow=dataflow), (level,), dram)


@pytest.mark.parametrize("dataflow", list(MATRIX_DATAFLOWS))
def test_more_memory_hardly_ever_makes_a_real_layer_slower(dataflow) -> None:
    # The choice rests on estimates, so this is no law: it is how well the mapper does, held where it stands.
    worse = []
    for layer in real_layers():
        cycles = {
            (size, rate): run_layer(layer, shared_buffer(dataflow, size, rate)).total_cycles
            for size in (24, 96, 384)
            for rate in (1.0, 4.0, 16.0)
        }
        pairs = [((s, r), (s * 4, r)) for s in (24, 96) for r in (1.0, 4.0, 16.0)]
        pairs += [((s, r), (s, r * 4)) for s in (24, 96, 384) for r in (1.0, 4.0)]
        worse += [cycles[more] / cycles[less] - 1 for less, more in pairs]
    assert max(worse) < 0.15
    assert sum(change > 0.01 for change in worse) <= len(worse) * 0.05

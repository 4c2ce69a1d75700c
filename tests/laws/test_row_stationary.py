"""Laws of row-stationary chips for a given mapping: more of anything never slows it down, and nothing overflows."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.arch.row_mapping import FixedMapping, MappingChoice, RowMapping
from archsim.engine.event import run_events
from archsim.engine.measure import measure_plan, schedule_timeline
from archsim.engine.simulate import run_layer
from archsim.engine.timeline import channel_clock, with_ports
from archsim.mapping.fold_plan import OPERAND_CODES
from archsim.mapping.planner import plan_array_layer
from archsim.mapping.row_fit import tile_bytes
from archsim.mapping.row_search import legal_mappings
from archsim.mapping.row_stationary import row_work
from archsim.terms import Operand, ZeroSkip
from archsim.workload.layer import ZeroFractions
from tests.strategies import array_layers, row_architectures


@st.composite
def mapped(draw: st.DrawFn):
    """A layer, and a chip with one of the mappings that fit it fixed; None where none does."""
    layer, arch = draw(array_layers), draw(row_architectures())
    legal = legal_mappings(row_work(layer, arch))
    if not len(legal):
        return None
    letters = legal[draw(st.integers(0, len(legal) - 1))]
    mapping = RowMapping(**dict(zip("mnepqrt", map(int, letters), strict=True)))
    return layer, replace(arch, mapping=MappingChoice(fixed=(FixedMapping(workload="*", layer="*", mapping=mapping),)))


def total(layer, arch) -> int:
    return run_layer(layer, arch).total_cycles


@settings(max_examples=60, deadline=None)
@given(case=mapped())
def test_wider_networks_and_a_faster_channel_never_slow_a_mapping(case) -> None:
    if case is None:
        return
    layer, arch = case
    array, before = arch.pe_array, total(layer, arch)
    for name in ("ifmap_bits", "weight_bits", "psum_bits"):
        wider = replace(array.networks, **{name: 2 * getattr(array.networks, name)})
        assert total(layer, replace(arch, pe_array=replace(array, networks=wider))) <= before
    for rate in (2.0, 4.0):
        faster = replace(arch.dram, bandwidth_bytes_per_cycle=rate * arch.dram.bandwidth_bytes_per_cycle)
        assert total(layer, replace(arch, dram=faster)) <= before
    assert total(layer, arch.with_ideal_dram()) <= before


@settings(max_examples=60, deadline=None)
@given(case=mapped(), zeros=st.floats(0, 1))
def test_gating_moves_no_cycle_and_saves_exactly_its_zeros(case, zeros) -> None:
    if case is None:
        return
    layer, arch = case
    layer = replace(layer, zero_fractions=ZeroFractions(ifmap=zeros))
    gates, not_ = (
        run_layer(layer, replace(arch, pe_array=replace(arch.pe_array, zero_skip=skip)))
        for skip in (ZeroSkip.GATE, ZeroSkip.NONE)
    )
    assert gates.total_cycles == not_.total_cycles
    assert gates.occupied_macs == not_.occupied_macs == layer.macs
    assert not_.gated_macs == 0
    words = round(layer.ifmap_words * zeros)
    assert gates.gated_macs == round(layer.macs * (1.0 - (layer.ifmap_words - words) / layer.ifmap_words))


@settings(max_examples=60, deadline=None)
@given(case=mapped())
def test_tiles_of_a_mapping_never_fill_more_than_their_level(case) -> None:
    if case is None:
        return
    layer, arch = case
    shape = row_work(layer, arch).shape
    tiles = shape.tiles_of(np.array([arch.mapping.fixed[0].mapping.letters]))
    for level in arch.srams:
        held = [operand for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM) if arch.sram_of(operand) is level]
        assert sum(int(tile_bytes(operand, tiles[operand], arch)[0]) for operand in held) <= level.capacity_bytes


@settings(max_examples=60, deadline=None)
@given(case=mapped())
def test_every_transfer_waits_for_its_room_and_every_pass_for_its_words(case) -> None:
    """Simpy and the kernel give the same start of every pass, and no read ends after the pass that wants it began."""
    if case is None:
        return
    layer, arch = case
    (plan,) = plan_array_layer(layer, arch)
    steps, clock = with_ports(plan.steps), channel_clock(plan.transfers, arch.dram)
    events, kernel = run_events(steps, plan.transfers, clock), schedule_timeline(steps, plan.transfers, clock)
    assert events.start.tolist() == kernel.start.tolist()
    assert (events.array_end, events.channel_end) == (kernel.array_end, kernel.channel_end)
    moved = dict.fromkeys(OPERAND_CODES, 0)
    for operand, size in zip(plan.transfers.operand, plan.transfers.length_bytes, strict=True):
        moved[OPERAND_CODES[operand]] += int(size)
    counted = {row.operand: row.bytes for row in plan.traffic if row.level == "dram"}
    assert {operand: size for operand, size in moved.items() if size} == counted
    times = measure_plan(plan, arch.dram)
    assert times.compute_cycles == plan.compute_cycles

from dataclasses import replace
from math import fsum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import EnergyChoice
from archsim.arch.memory_level import SramLevel
from archsim.cost.energy import price_layer
from archsim.cost.energy_table import load_energy_table
from archsim.errors import SimulationError
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import Direction, Operand

TABLE = load_energy_table(EnergyChoice())
QUIET = load_energy_table(EnergyChoice(overrides=(("leakage_mw", 0.0),)))


def count(level, operand, direction, words, size=None):
    return TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=size or words)


def test_1000_int8_macs_cost_300_pj(run, chip):
    # 1000 x (0.2 multiply + 0.1 add to int32)
    energy = price_layer(run(macs=1000, occupied_macs=1000), chip(), QUIET)
    assert dict(energy.components)["mac"] == pytest.approx(300)
    assert energy.total_pj == pytest.approx(300)


def test_macs_that_took_no_multiplier_cost_nothing(run, chip):
    assert price_layer(run(macs=1000, occupied_macs=0), chip(), QUIET).total_pj == 0


def test_each_level_has_its_own_price(run, chip):
    traffic = (
        count("spad", Operand.PSUM, Direction.WRITE, 10, 40),  # 10 x 32 bit x 0.0103586 pJ = 3.31474 pJ
        count("spad", Operand.WEIGHT, Direction.READ, 10),  # 10 x 8 bit x 0.0103586 pJ = 0.828686 pJ
        count("glb", Operand.IFMAP, Direction.READ, 80),  # 80 B / 8 B x 25.8695 pJ = 258.695 pJ
        count("glb", Operand.OFMAP, Direction.WRITE, 80),  # 80 B / 8 B x 19.6486 pJ = 196.486 pJ
        count("dram", Operand.PSUM, Direction.READ, 25, 100),  # 800 bit x 20 pJ = 16000 pJ
    )
    energy = price_layer(run(traffic=traffic, lane_ops=50), chip(), QUIET)
    assert energy.traffic_pj == pytest.approx((3.31474, 0.828686, 258.695, 196.486, 16000), rel=1e-5)
    expected = {"mac": 0, "spad": 4.143426, "glb": 455.181, "dram": 16000, "vector": 50 * 0.1, "leakage": 0}
    assert dict(energy.components) == pytest.approx(expected, rel=1e-5)


def test_components_stand_in_order_array_first_leakage_last(run, chip, glb):
    levels = (replace(glb, name="weights"), glb)
    names = [name for name, _ in price_layer(run(), chip(srams=levels), TABLE).components]
    assert names == ["mac", "spad", "weights", "glb", "dram", "vector", "leakage"]


def test_leakage_is_power_times_time(run, chip):
    # 2 mW x 150 cycles / 500 MHz = 2e-3 W x 0.3e-6 s = 0.6 nJ = 600 pJ
    table = load_energy_table(EnergyChoice(overrides=(("leakage_mw", 2.0),)))
    energy = price_layer(run(compute_cycles=100, dram_stall_cycles=50), chip(clock_mhz=500), table)
    assert energy.total_pj == pytest.approx(600)


def test_a_bank_is_priced_by_its_own_capacity(run, chip, glb):
    # 8 banks of 8 KB: 6.13702 pJ per 8 bytes
    traffic = (count("glb", Operand.IFMAP, Direction.READ, 8),)
    energy = price_layer(run(traffic=traffic), chip(srams=(replace(glb, banks=8),)), QUIET)
    assert energy.traffic_pj == pytest.approx((6.13702,))


def test_a_partition_is_priced_by_its_own_capacity(run, chip, glb):
    # 1 KB for psums: 1.66966 pJ per 8 bytes
    level = replace(glb, partition_bytes=((Operand.PSUM, 1024), (Operand.IFMAP, 64512)))
    traffic = (count("glb", Operand.PSUM, Direction.READ, 2, 8),)
    assert price_layer(run(traffic=traffic), chip(srams=(level,)), QUIET).traffic_pj == pytest.approx((1.66966,))


def test_an_uncosted_layer_has_no_energy_and_no_component(run, chip):
    energy = price_layer(run(is_costed=False), chip(), TABLE)
    assert energy.components == ()
    assert energy.traffic_pj == ()
    assert energy.total_pj == 0


def test_traffic_at_an_unknown_level_is_our_own_bug(run, chip):
    with pytest.raises(SimulationError) as caught:
        price_layer(run(traffic=(count("l2", Operand.IFMAP, Direction.READ, 1),)), chip(), TABLE)
    assert str(caught.value) == "layer 'conv1': traffic at level 'l2', which arch 'chip' does not have"


ROWS = st.lists(
    st.builds(
        count,
        st.sampled_from(["spad", "glb", "dram"]),
        st.sampled_from(Operand),
        st.sampled_from(Direction),
        st.integers(1, 10**12),
        st.integers(1, 10**12),
    ),
    max_size=12,
)
SHARED = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(rows=ROWS, macs=st.integers(0, 1600), lane_ops=st.integers(0, 10**9))
def test_energy_is_the_sum_of_its_parts(rows, macs, lane_ops, run, chip):
    layer = run(traffic=tuple(rows), occupied_macs=macs, lane_ops=lane_ops)
    energy = price_layer(layer, chip(), TABLE)
    components = dict(energy.components)
    assert len(energy.traffic_pj) == len(rows)
    for level in ("spad", "glb", "dram"):
        parts = [pj for row, pj in zip(rows, energy.traffic_pj, strict=True) if row.level == level]
        assert components[level] == pytest.approx(fsum(parts), rel=1e-12)
    rest = components["mac"] + components["vector"] + components["leakage"]
    assert energy.total_pj == pytest.approx(fsum(energy.traffic_pj) + rest, rel=1e-12)
    assert min(components.values()) >= 0


@SHARED
@given(
    level=st.sampled_from(["spad", "glb", "dram"]), words=st.integers(1, 10**9), direction=st.sampled_from(Direction)
)
def test_more_words_never_cost_less(level, words, direction, run, chip):
    few, many = (
        price_layer(run(traffic=(count(level, Operand.IFMAP, direction, n),)), chip(), TABLE)
        for n in (words, words + 1)
    )
    assert few.total_pj < many.total_pj


@SHARED
@given(capacity=st.integers(64, 1 << 26), direction=st.sampled_from(Direction))
def test_a_larger_buffer_never_costs_less(capacity, direction, run, chip):
    layer = run(traffic=(count("glb", Operand.IFMAP, direction, 1000),))
    totals = [
        price_layer(layer, chip(srams=(_level(size),)), TABLE).total_pj for size in (capacity, capacity + capacity // 3)
    ]
    assert totals[0] <= totals[1]


def _level(capacity_bytes):
    return SramLevel(name="glb", capacity_bytes=capacity_bytes, holds=frozenset(Operand), width_bytes=8)

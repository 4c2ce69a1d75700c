from dataclasses import replace
from math import fsum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archsim.arch.architecture import EnergyChoice
from archsim.arch.dram_devices import load_device
from archsim.arch.memory_level import DramLevel, SramLevel
from archsim.cost.chip_prices import chip_prices
from archsim.cost.dram_energy import command_energy
from archsim.cost.energy import price_layer
from archsim.cost.energy_table import load_energy_table
from archsim.engine.dram_run import DramActivity, DramCounts
from archsim.errors import SimulationError
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import HELD_OPERANDS, Direction, Operand


def table(**overrides):
    return load_energy_table(EnergyChoice(overrides=tuple(overrides.items())))


TABLE, QUIET, FLAT = table(), table(leakage_mw=0.0), table(leakage_mw=0.0, dram_pj_per_bit=20.0)


def price(run, arch, prices=TABLE):
    return price_layer(run, arch, chip_prices(arch, prices))


def wires_off(components):
    return {name: pj for name, pj in components if name != "wires"}


def count(level, operand, direction, words, size=None):
    return TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=size or words)


def test_1000_int8_macs_cost_300_pj(run, chip):
    # 1000 x (0.2 multiply + 0.1 add to int32)
    energy = price(run(macs=1000, occupied_macs=1000), chip(), FLAT)
    assert dict(energy.components)["mac"] == pytest.approx(300)
    assert energy.total_pj == pytest.approx(300)


def test_macs_that_took_no_multiplier_cost_nothing(run, chip):
    assert price(run(macs=1000, occupied_macs=0), chip(), FLAT).total_pj == 0


def test_each_level_has_its_own_price(run, chip):
    traffic = (
        count("spad", Operand.PSUM, Direction.WRITE, 10, 40),  # 10 x 32 bit x 0.0103570 pJ = 3.31424 pJ
        count("spad", Operand.WEIGHT, Direction.READ, 10),  # 10 x 8 bit x 0.0103570 pJ = 0.828560 pJ
        count("glb", Operand.IFMAP, Direction.READ, 80),  # 80 B / 8 B x 25.8695 pJ = 258.695 pJ
        count("glb", Operand.OFMAP, Direction.WRITE, 80),  # 80 B / 8 B x 19.6486 pJ = 196.486 pJ
        count("dram", Operand.PSUM, Direction.READ, 25, 100),  # 800 bit x 20 pJ = 16000 pJ
    )
    energy = price(run(traffic=traffic, lane_ops=50), chip(), FLAT)
    assert energy.traffic_pj == pytest.approx((3.31424, 0.828560, 258.695, 196.486, 16000), rel=1e-5)
    expected = {"mac": 0, "spad": 4.142802, "glb": 455.181, "dram": 16000, "vector": 50 * 0.1, "leakage": 0}
    flat = {f"dram_{part}": 0 for part in ("activate", "refresh", "background", "io")}
    assert wires_off(energy.components) == pytest.approx(expected | flat, rel=1e-5)


def test_components_stand_in_order_array_first_leakage_last(run, chip, glb):
    levels = (replace(glb, name="weights"), glb)
    names = [name for name, _ in price(run(), chip(srams=levels), TABLE).components]
    dram = ["dram", "dram_activate", "dram_refresh", "dram_background", "dram_io"]
    assert names == ["mac", "spad", "weights", "glb", *dram, "vector", "wires", "leakage"]


def test_leakage_is_power_times_time(run, chip):
    # 2 mW x 150 cycles / 500 MHz = 2e-3 W x 0.3e-6 s = 0.6 nJ = 600 pJ
    prices = table(leakage_mw=2.0, dram_pj_per_bit=0.0)
    energy = price(run(compute_cycles=100, dram_stall_cycles=50), chip(clock_mhz=500), prices)
    assert energy.total_pj == pytest.approx(600)


def test_a_bank_is_priced_by_its_own_capacity(run, chip, glb):
    # 8 banks of 8 KB: 6.13702 pJ per 8 bytes
    traffic = (count("glb", Operand.IFMAP, Direction.READ, 8),)
    energy = price(run(traffic=traffic), chip(srams=(replace(glb, banks=8),)), QUIET)
    assert energy.traffic_pj == pytest.approx((6.13702,))


def test_a_partition_is_priced_by_its_own_capacity(run, chip, glb):
    # 1 KB for psums: 1.66966 pJ per 8 bytes
    level = replace(glb, partition_bytes=((Operand.PSUM, 1024), (Operand.IFMAP, 64512)))
    traffic = (count("glb", Operand.PSUM, Direction.READ, 2, 8),)
    assert price(run(traffic=traffic), chip(srams=(level,)), QUIET).traffic_pj == pytest.approx((1.66966,))


def test_an_uncosted_layer_has_no_energy_and_no_component(run, chip):
    energy = price(run(is_costed=False), chip(), TABLE)
    assert energy.components == ()
    assert energy.traffic_pj == ()
    assert energy.total_pj == 0


def test_traffic_at_an_unknown_level_is_our_own_bug(run, chip):
    with pytest.raises(SimulationError) as caught:
        price(run(traffic=(count("l2", Operand.IFMAP, Direction.READ, 1),)), chip(), TABLE)
    assert str(caught.value) == "layer 'conv1': traffic at level 'l2', which arch 'chip' does not have"


ROWS = st.lists(
    st.builds(
        count,
        st.sampled_from(["spad", "glb", "dram"]),
        st.sampled_from(HELD_OPERANDS),
        st.sampled_from(Direction),
        st.integers(1, 10**12),
        st.integers(1, 10**12),
    ),
    max_size=12,
)
SHARED = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SHARED
@given(rows=ROWS, macs=st.integers(0, 1600), prices=st.sampled_from([TABLE, FLAT]))
def test_energy_is_the_sum_of_its_parts(rows, macs, prices, run, chip):
    layer = run(traffic=tuple(rows), occupied_macs=macs, lane_ops=7 * macs)
    energy = price(layer, chip(), prices)
    components = dict(energy.components)
    assert len(energy.traffic_pj) == len(rows)
    for level in ("spad", "glb", "dram"):
        parts = [pj for row, pj in zip(rows, energy.traffic_pj, strict=True) if row.level == level]
        assert components[level] == pytest.approx(fsum(parts), rel=1e-12)
    for component, pj in components.items():
        acted = fsum(action.count * action.unit_pj for action in energy.actions if action.component == component)
        assert pj == pytest.approx(acted, rel=1e-12)
    assert energy.total_pj == pytest.approx(fsum(action.energy_pj for action in energy.actions), rel=1e-12)
    assert min(components.values()) >= 0


def test_every_action_names_a_source_that_the_list_explains(run, chip):
    prices = chip_prices(chip(), TABLE)
    traffic = tuple(count(level, Operand.IFMAP, Direction.READ, 640) for level in ("spad", "glb", "dram"))
    actions = price_layer(run(traffic=traffic, occupied_macs=9, lane_ops=9), chip(), prices).actions
    assert {action.source for action in actions} <= dict(prices.sources).keys()
    assert {part.source for part in prices.areas} <= dict(prices.sources).keys()
    assert all(action.count > 0 for action in actions)


def activity(device, cycles, **counts):
    zero = dict.fromkeys(("activates", "precharges", "reads", "writes", "refreshes", "missed_refreshes", "open_cycles",
                          "closed_cycles"), 0)  # fmt: skip
    return DramActivity(cycles=cycles, counts=DramCounts(**zero | counts), bus_use=(), burst_bytes=device.request_bytes)


def test_simulated_commands_are_priced_by_the_currents_of_the_device(run, chip):
    # DDR4_2400 at 0.833 ns: 100 cycles of 1 ns are 121 tCK; the 21 behind the last burst stay open
    device = load_device("DDR4_2400")
    arch = chip(dram=DramLevel(name="dram", bandwidth_bytes_per_cycle=19.2, device=device))
    did = activity(device, 100, activates=3, reads=40, writes=8, refreshes=1, open_cycles=90, closed_cycles=10)
    rows = (
        count("dram", Operand.IFMAP, Direction.READ, 1280),
        count("dram", Operand.WEIGHT, Direction.READ, 1280),
        count("dram", Operand.OFMAP, Direction.WRITE, 500),
    )
    energy = price(run(traffic=rows, dram=did), arch, QUIET)
    each = command_energy(device)
    found = dict(energy.components)
    assert found["dram"] == pytest.approx(40 * each.read_pj + 8 * each.write_pj)
    assert found["dram_activate"] == pytest.approx(3 * each.activate_pj)
    assert found["dram_refresh"] == pytest.approx(each.refresh_pj)
    assert found["dram_background"] == pytest.approx(111 * each.open_pj_per_cycle + 10 * each.closed_pj_per_cycle)
    assert found["dram_io"] == pytest.approx(48 * 64 * 8 * 7)  # whole bursts, 7 pJ/bit
    # reads are shared out by bytes
    assert energy.traffic_pj == pytest.approx((20 * each.read_pj, 20 * each.read_pj, 8 * each.write_pj))


def test_a_flat_price_per_bit_replaces_commands_background_and_link(run, chip):
    rows = (count("dram", Operand.IFMAP, Direction.READ, 100),)
    found = dict(price(run(traffic=rows), chip(), FLAT).components)
    assert found["dram"] == 800 * 20
    assert sum(pj for name, pj in found.items() if name.startswith("dram_")) == 0


@SHARED
@given(
    level=st.sampled_from(["spad", "glb", "dram"]), words=st.integers(1, 10**9), direction=st.sampled_from(Direction)
)
def test_more_words_never_cost_less(level, words, direction, run, chip):
    few, many = (
        price(run(traffic=(count(level, Operand.IFMAP, direction, n),)), chip(), TABLE) for n in (words, words + 1)
    )
    assert few.total_pj <= many.total_pj if level == "dram" else few.total_pj < many.total_pj  # whole bursts


@SHARED
@given(capacity=st.integers(64, 1 << 26), direction=st.sampled_from(Direction))
def test_a_larger_buffer_never_costs_less(capacity, direction, run, chip):
    layer = run(traffic=(count("glb", Operand.IFMAP, direction, 1000),))
    totals = [
        price(layer, chip(srams=(_level(size),)), TABLE).total_pj for size in (capacity, capacity + capacity // 3)
    ]
    assert totals[0] <= totals[1]


def _level(capacity_bytes):
    return SramLevel(name="glb", capacity_bytes=capacity_bytes, holds=frozenset(HELD_OPERANDS), width_bytes=8)

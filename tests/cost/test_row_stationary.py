"""Energy of a row-stationary chip: gated MACs, networks of the array, clock."""

from math import fsum

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.assumptions import pricing_assumptions
from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy import STATIONARY, price_layer
from archsim.cost.energy_table import SHIPPED_TABLES, load_energy_table
from archsim.cost.wires import wire_lengths
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import Dataflow, Direction, Operand

TABLE = load_energy_table(EnergyChoice(node_nm=65))
CLOCKED = load_energy_table(EnergyChoice(node_nm=65, overrides=(("clock_pj_per_pe_cycle", 2.0),)))
WORD_PJ_PER_MM = 16 * 0.25 * 0.521  # 16 bit x swings x CACTI's wire at 65 nm


def count(level, operand, direction, words):
    return TrafficCount(level=level, operand=operand, direction=direction, words=words, bytes=2 * words)


TRAFFIC = (
    count("spad", Operand.IFMAP, Direction.READ, 1000),
    count("spad", Operand.IFMAP, Direction.WRITE, 500),
    count("spad", Operand.WEIGHT, Direction.WRITE, 300),
    count("spad", Operand.PSUM, Direction.WRITE, 600),
    count("noc", Operand.IFMAP, Direction.READ, 500),
    count("noc", Operand.WEIGHT, Direction.READ, 300),
    count("noc", Operand.PSUM, Direction.WRITE, 200),
    count("glb", Operand.IFMAP, Direction.READ, 100),
)


def priced(run, arch, table=TABLE, **counters):
    return price_layer(run(**counters), arch, chip_prices(arch, table))


def actions(energy, component):
    return {(each.action, each.operand): each for each in energy.actions if each.component == component}


def test_every_dataflow_says_what_stays():
    assert set(STATIONARY) == set(Dataflow)


def test_a_gated_mac_costs_no_multiplication(run, row_chip):
    full = priced(run, row_chip(), occupied_macs=1000)
    gated = priced(run, row_chip(), occupied_macs=1000, gated_macs=400)
    assert dict(gated.components)["mac"] == pytest.approx(0.6 * dict(full.components)["mac"])
    assert actions(gated, "mac")["compute", ""].count == 600


def test_a_word_pays_a_row_for_an_ifmap_and_a_pitch_for_a_weight_or_a_psum(run, row_chip):
    chip = row_chip()
    hop = wire_lengths(chip, TABLE).hop
    found = {key: each.energy_pj for key, each in actions(priced(run, chip, traffic=TRAFFIC), "noc").items()}
    assert found == {
        ("read", "ifmap"): pytest.approx(500 * 14 * hop * WORD_PJ_PER_MM),  # 14 PEs in a row
        ("read", "weight"): pytest.approx(300 * hop * WORD_PJ_PER_MM),
        ("write", "psum"): pytest.approx(200 * hop * WORD_PJ_PER_MM),
    }


def test_words_that_networks_bring_are_not_handed_on_as_well(run, row_chip):
    # 100 words x 16 bit from the GLB go down one side of the array
    wires = actions(priced(run, row_chip(), traffic=TRAFFIC), "wires")
    assert {key: each.count for key, each in wires.items()} == {("span", ""): 1600}


def test_rows_of_a_level_add_up_to_its_component_and_actions_to_the_total(run, row_chip):
    energy = priced(run, row_chip(), CLOCKED, traffic=TRAFFIC, occupied_macs=1000, gated_macs=300)
    by_level = dict(energy.components)
    for level in ("spad", "noc", "glb"):
        rows = zip(TRAFFIC, energy.traffic_pj, strict=True)
        assert fsum(pj for row, pj in rows if row.level == level) == pytest.approx(by_level[level])
    assert fsum(each.energy_pj for each in energy.actions) == pytest.approx(energy.total_pj)


def test_every_pe_is_clocked_in_every_cycle_of_the_layer_idle_or_waiting(run, row_chip):
    # 168 PEs x (100 + 20 + 30) cycles x 2 pJ
    energy = priced(run, row_chip(), CLOCKED, compute_cycles=100, onchip_stall_cycles=20, dram_stall_cycles=30)
    assert dict(energy.components)["clock"] == pytest.approx(50_400)
    assert actions(energy, "clock")["cycle", ""].source == "overrides.clock_pj_per_pe_cycle"


def test_networks_and_clock_are_components_of_the_chips_that_have_them(run, row_chip, chip):
    def names(arch, table):
        return [name for name, _ in priced(run, arch, table).components if not name.startswith("dram")]

    assert names(row_chip(), CLOCKED) == ["mac", "spad", "noc", "glb", "vector", "wires", "clock", "leakage"]
    assert names(row_chip(), TABLE) == ["mac", "spad", "noc", "glb", "vector", "wires", "leakage"]
    assert names(chip(), CLOCKED) == ["mac", "spad", "glb", "vector", "wires", "clock", "leakage"]
    assert names(chip(), TABLE) == ["mac", "spad", "glb", "vector", "wires", "leakage"]


def test_a_table_may_price_the_clock_scaled_to_the_node_of_the_chip(tmp_path):
    text = SHIPPED_TABLES["default"].read_text()
    assert text.count("  value: 0\n  unit: pJ/PE/cycle\n") == 1
    (tmp_path / "mine.yaml").write_text(text.replace("value: 0\n  unit: pJ/PE", "value: 5\n  unit: pJ/PE"))
    (tmp_path / "old.yaml").write_text(text[: text.index("clock:")] + text[text.index("logic_leakage:") :])
    # 65 nm costs 1.24066 times what the table's 45 nm does
    mine, old = (
        load_energy_table(EnergyChoice(table=str(tmp_path / name), node_nm=65)) for name in ("mine.yaml", "old.yaml")
    )
    assert mine.clock_pj_per_pe_cycle == pytest.approx(5 * 1.24066, rel=1e-5)
    assert old.clock_pj_per_pe_cycle == TABLE.clock_pj_per_pe_cycle == 0


def test_the_clock_and_the_networks_are_told(row_chip):
    quiet, clocked = ("\n".join(pricing_assumptions(row_chip(), table)) for table in (TABLE, CLOCKED))
    assert "clock tree, pipeline registers and control are not modelled" in quiet
    assert "clock tree, pipeline registers and control: 2 pJ per PE and cycle, idle PEs and stalls included" in clocked
    assert "energy.overrides.clock_pj_per_pe_cycle = 2 replaces" in clocked
    assert "a row's bus) for an ifmap word per PE that takes it" in quiet
    assert "at every register write" not in quiet

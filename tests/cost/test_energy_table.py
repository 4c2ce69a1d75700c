import os
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.config_file import read_yaml
from archsim.cost import energy_table
from archsim.cost.chip_prices import chip_prices
from archsim.cost.dram_energy import price_dram
from archsim.cost.dram_standin import standin_counts
from archsim.cost.energy_table import OVERRIDE_KEYS, load_energy_table
from archsim.cost.register_file import register_file_pj
from archsim.errors import ConfigError
from archsim.terms import Direction, Operand

OWN_GRID = "\nsram_grid: {file: mine.csv, node_nm: 45, from_memory: true, source: a friend}\n"
DEFAULT = Path(energy_table.__file__).parent / "tables" / "default.yaml"


def test_a_flip_flop_bit_is_scaled_from_its_own_node():
    # 40 nm lies 8/13 of the way from 32 to 45: 0.659340 + 0.340660 * 8 / 13 = 0.868977; 9 fJ / 0.868977 = 10.3570 fJ
    assert load_energy_table(EnergyChoice()).spad_pj_per_bit == pytest.approx(0.0103570, rel=1e-5)
    assert load_energy_table(EnergyChoice(node_nm=40)).spad_pj_per_bit == pytest.approx(0.009, rel=1e-12)


def test_an_sram_access_is_cactis_at_the_node_of_the_chip(chip):
    # 64 KB by 64 bit: 25.8695 and 19.6486 pJ at 45 nm, 12.8735 and 10.7719 pJ at 32 nm
    for node, read_pj, write_pj in ((45, 25.8695, 19.6486), (32, 12.8735, 10.7719)):
        prices = chip_prices(chip(), load_energy_table(EnergyChoice(node_nm=node))).by_name()
        assert prices["glb", "read", ""].pj == pytest.approx(read_pj, rel=1e-12)
        assert prices["glb", "write", ""].pj == pytest.approx(write_pj, rel=1e-12)


def test_a_partition_has_prices_of_its_own(chip, glb):
    parts = replace(glb, partition_bytes=((Operand.IFMAP, 64512), (Operand.PSUM, 1024)))
    prices = chip_prices(chip(srams=(parts,)), load_energy_table(EnergyChoice())).by_name()
    assert prices["glb", "read", "psum"].pj == pytest.approx(1.66966, rel=1e-12)  # 1 KB by 64 bit
    assert prices["glb", "read", "ifmap"].pj > 15 * prices["glb", "read", "psum"].pj


def test_a_lane_operation_is_an_addition_of_psums(formats):
    table = load_energy_table(EnergyChoice())
    assert table.lane_op_pj(formats()) == 0.1
    assert table.lane_op_pj(formats("fp16", psum="fp16")) == 0.4


def test_every_override_replaces_its_final_number_exactly(chip):
    overrides = tuple((key, 1.25 + index) for index, key in enumerate(OVERRIDE_KEYS))
    prices = chip_prices(chip(), load_energy_table(EnergyChoice(node_nm=7, overrides=overrides)))
    found = {f"{each.component}.{each.action}": each for each in prices.prices if each.source.startswith("overrides.")}
    assert {name: each.pj for name, each in found.items()} == {
        "mac.compute": 1.25, "spad.read": 8 * 2.25, "spad.write": 8 * 2.25, "glb.read": 8 * 3.25, "glb.write": 8 * 4.25,
        "dram.read": 5.25, "dram.write": 5.25, "vector.compute": 6.25,
        "leakage.chip": 7.25,  # mW / 1000 MHz x 1000 = pJ a cycle
        "clock.cycle": 8.25,
    }  # fmt: skip


def test_an_override_of_zero_is_an_override(formats):
    assert load_energy_table(EnergyChoice(overrides=(("mac_pj", 0.0),))).mac_pj(formats()) == 0.0


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mac_pJ", 1.0, "energy.overrides.mac_pJ: no such key (found 1.0). Did you mean 'mac_pj'?"),
        (
            "voltage",
            0.9,
            f"energy.overrides.voltage: no such key (found 0.9). Known: {', '.join(OVERRIDE_KEYS)}",
        ),
        ("mac_pj", -0.1, "energy.overrides.mac_pj (=-0.1) must be a number from 0 up"),
        ("mac_pj", float("nan"), "energy.overrides.mac_pj (=nan) must be a number from 0 up"),
        ("mac_pj", float("inf"), "energy.overrides.mac_pj (=inf) must be a number from 0 up"),
    ],
)
def test_a_wrong_override_is_refused(key, value, message):
    with pytest.raises(ConfigError) as caught:
        load_energy_table(EnergyChoice(overrides=((key, value),)))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("archs/defualt", "energy.table (='archs/defualt'): no such table. Did you mean 'default'?"),
        ("mine.yml", "energy.table (='mine.yml'): no such table. Use 'default' or the path of a table file"),
    ],
)
def test_a_table_that_is_not_there_is_named(table, message):
    with pytest.raises(ConfigError) as caught:
        load_energy_table(EnergyChoice(table=table))
    assert str(caught.value) == message


def test_a_table_of_the_users_own_replaces_the_default(tmp_path, chip):
    path = tmp_path / "mine.yaml"
    path.write_text(
        DEFAULT.read_text().replace("{width_bits: 8, value: 0.2,", "{width_bits: 8, value: 0.5,") + OWN_GRID
    )
    (tmp_path / "mine.csv").write_text(
        "capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n65536,64,80,1,1,1\n"
    )
    prices = chip_prices(chip(), load_energy_table(EnergyChoice(table=str(path)))).by_name()
    assert prices["mac", "compute", ""].pj == pytest.approx(0.6)  # 0.5 + 0.1
    assert prices["glb", "read", ""].pj == 80


def test_a_grid_from_memory_is_told(tmp_path, chip):
    path = tmp_path / "mine.yaml"
    path.write_text(DEFAULT.read_text() + OWN_GRID)
    (tmp_path / "mine.csv").write_text(
        "capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n65536,64,80,1,1,1\n"
    )
    prices = chip_prices(chip(), load_energy_table(EnergyChoice(table=str(path))))
    assert "SRAM at 45 nm: a friend, from memory, to be verified" in "\n".join(prices.assumptions)


def test_a_changed_table_file_is_read_again(tmp_path, formats):
    path = tmp_path / "mine.yaml"
    path.write_text(DEFAULT.read_text())
    assert load_energy_table(EnergyChoice(table=str(path))).mac_pj(formats()) == pytest.approx(0.3)
    path.write_text(DEFAULT.read_text().replace("8, value: 0.2,", "8, value: 0.5,"))
    os.utime(path, ns=(1, 1))
    assert load_energy_table(EnergyChoice(table=str(path))).mac_pj(formats()) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        (
            "HBM: {value: 1, unit: pJ/bit",
            "HBM: {value: 1, unit: nJ/bit",
            ["dram_io.HBM.unit: input should be 'pJ/bit' (found 'nJ/bit')"],
        ),
        (
            "HBM: {value: 1,",
            "HBM: {value: -1,",
            ["dram_io.HBM.value: input should be greater than or equal to 0 (found -1)"],
        ),
        (
            "logarithmic_add:",
            "logarithmic_ad:",
            ["logarithmic_add: this key is required", "logarithmic_ad: no such key (found {'value': 3"],
        ),
        (
            "  float_add:\n    - {width_bits: 16, value: 0.4",
            "  float_add:\n    - {width_bits: 64, value: 0.4",
            ["energy.float_add: needs at least one entry, widths rising and different; they are [64, 32] (found "],
        ),
        (
            "  table_supply: {value: 0.8",
            "  table_supply: {value: 0",
            ["scaling.table_supply.value: input should be greater than or equal to 0.000001 (found 0)"],
        ),
        (
            "  lstp:\n    - {node_nm: 22, value: 0.208",
            "  lstp:\n    - {node_nm: 32, value: 0.208",
            [
                "wires.lstp: needs at least one entry, nodes rising and different; they are [32.0, 32.0, 45.0, 65.0, 90.0] ("
            ],
        ),
    ],
)
def test_a_fault_in_a_table_is_named_with_file_line_and_key(old, new, messages, tmp_path):
    path = tmp_path / "mine.yaml"
    text = DEFAULT.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    line = 1 + text[: text.index(old)].count("\n")
    with pytest.raises(ConfigError) as caught:
        load_energy_table(EnergyChoice(table=str(path)))
    found = str(caught.value).splitlines()
    assert len(found) == len(messages)
    assert f"{path}:{line}: {messages[-1]}" in found[-1]
    assert messages[0] in found[0]


def test_every_number_of_the_default_table_has_unit_source_and_says_whether_it_is_from_memory():
    entries = list(_entries(read_yaml(DEFAULT, ConfigError).data))
    assert len(entries) == 46  # operators 11 + 10, wires 1 + 10, links 5, registers 4, supplies 2, and 3 single ones
    for entry in entries:
        assert entry["unit"]
        assert len(entry["source"]) > 20
        assert isinstance(entry["from_memory"], bool)


def _entries(node):
    if isinstance(node, dict):
        if "value" in node:
            yield node
        for value in node.values():
            yield from _entries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _entries(value)


def test_published_ratios_hold(golden, formats, chip):
    ratios = {row["ratio"]: row for row in golden("energy_ratios.csv")}
    int16 = formats("int16", psum="int16")
    at_45, at_65 = load_energy_table(EnergyChoice()), load_energy_table(EnergyChoice(node_nm=65))
    sram_pj_per_bit = chip_prices(chip(), at_45).by_name()["glb", "read", ""].pj / 64
    # 6144 sequential reads of 64 B in the 27.91 us that DRAMsim3 takes for them
    device = at_45.dram_stand_in
    stream = standin_counts(read_bytes=6144 * 64, write_bytes=0, seconds=27.9105e-6, device=device, copies=1)
    file_pj = register_file_pj(256, 16, Direction.READ, at_65)  # 512 bytes
    found = {
        "sram_16bit_to_int16_mac_45nm": 16 * sram_pj_per_bit / at_45.mac_pj(int16),
        "dram_16bit_at_20pj_to_int16_mac_65nm": 16 * 20 / at_65.mac_pj(int16),
        "dram_bit_to_sram_bit_45nm": price_dram(stream, device).pj_per_bit / sram_pj_per_bit,
        "spad_16bit_to_int16_mac_65nm": file_pj / at_65.mac_pj(int16),
    }
    assert found.keys() == ratios.keys()
    for name, value in found.items():
        assert value == pytest.approx(float(ratios[name]["value"]), rel=float(ratios[name]["tolerance"])), name

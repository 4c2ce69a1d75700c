import os
from pathlib import Path

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.config_file import read_yaml
from archsim.cost import energy_table
from archsim.cost.energy_table import OVERRIDE_KEYS, load_energy_table
from archsim.errors import ConfigError
from archsim.terms import Direction, Operand

DEFAULT = Path(energy_table.__file__).parent / "tables" / "default.yaml"


def test_a_flip_flop_bit_is_scaled_from_its_own_node():
    # 40 nm lies 8/13 of the way from 32 to 45: 0.659 + 0.341 * 8 / 13 = 0.868846; 9 fJ / 0.868846 = 10.3586 fJ
    assert load_energy_table(EnergyChoice()).spad_pj_per_bit == pytest.approx(0.0103586, rel=1e-5)
    assert load_energy_table(EnergyChoice(node_nm=40)).spad_pj_per_bit == pytest.approx(0.009, rel=1e-12)


def test_dram_costs_20_pj_per_bit_at_every_node():
    assert load_energy_table(EnergyChoice()).dram_pj_per_bit == 20
    assert load_energy_table(EnergyChoice(node_nm=7)).dram_pj_per_bit == 20


def test_an_sram_byte_is_its_share_of_a_full_access(glb):
    table = load_energy_table(EnergyChoice())
    assert table.sram_pj_per_byte(glb, Operand.IFMAP, Direction.READ) == pytest.approx(25.8695 / 8, rel=1e-12)
    assert table.sram_pj_per_byte(glb, Operand.IFMAP, Direction.WRITE) == pytest.approx(19.6486 / 8, rel=1e-12)


def test_sram_energy_is_scaled_to_the_node(glb):
    # 25.8695 pJ / 8 bytes x 0.659
    table = load_energy_table(EnergyChoice(node_nm=32))
    assert table.sram_pj_per_byte(glb, Operand.IFMAP, Direction.READ) == pytest.approx(25.8695 / 8 * 0.659, rel=1e-12)


def test_a_lane_operation_is_an_addition_of_psums(formats):
    table = load_energy_table(EnergyChoice())
    assert table.lane_op_pj(formats()) == 0.1
    assert table.lane_op_pj(formats("fp16", psum="fp16")) == 0.4


def test_every_override_replaces_its_final_number_exactly(formats, glb):
    overrides = tuple((key, 1.25 + index) for index, key in enumerate(OVERRIDE_KEYS))
    table = load_energy_table(EnergyChoice(node_nm=7, overrides=overrides))
    found = (
        table.mac_pj(formats()),
        table.spad_pj_per_bit,
        table.sram_pj_per_byte(glb, Operand.PSUM, Direction.READ),
        table.sram_pj_per_byte(glb, Operand.PSUM, Direction.WRITE),
        table.dram_pj_per_bit,
        table.lane_op_pj(formats()),
    )
    assert found == (1.25, 2.25, 3.25, 4.25, 5.25, 6.25)  # leakage_mw: test_leakage.py


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


def test_a_table_of_the_users_own_replaces_the_default(tmp_path, formats, glb):
    path = tmp_path / "mine.yaml"
    text = DEFAULT.read_text().replace("value: 0.2,", "value: 0.5,").replace("file: cacti_45nm_lstp", "file: mine.csv")
    path.write_text(text)
    (tmp_path / "mine.csv").write_text(
        "capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n65536,64,80,1,1,1\n"
    )
    table = load_energy_table(EnergyChoice(table=str(path)))
    assert table.mac_pj(formats()) == pytest.approx(0.6)  # 0.5 + 0.1
    assert table.sram_pj_per_byte(glb, Operand.IFMAP, Direction.READ) == 10  # 80 pJ / 8 bytes


def test_a_grid_from_memory_is_told(tmp_path):
    path = tmp_path / "mine.yaml"
    text = DEFAULT.read_text()
    before, after = text.split("file: cacti_45nm_lstp", 1)
    path.write_text(before + "file: cacti_45nm_lstp" + after.replace("from_memory: false", "from_memory: true", 1))
    (told,) = (
        line for line in load_energy_table(EnergyChoice(table=str(path))).assumptions if line.startswith("SRAM at")
    )
    assert "from memory, to be verified" in told


def test_a_changed_table_file_is_read_again(tmp_path, formats):
    path = tmp_path / "mine.yaml"
    path.write_text(DEFAULT.read_text())
    assert load_energy_table(EnergyChoice(table=str(path))).mac_pj(formats()) == pytest.approx(0.3)
    path.write_text(DEFAULT.read_text().replace("value: 0.2,", "value: 0.5,"))
    os.utime(path, ns=(1, 1))
    assert load_energy_table(EnergyChoice(table=str(path))).mac_pj(formats()) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        (
            "dram_access: {value: 20, unit: pJ/bit",
            "dram_access: {value: 20, unit: nJ/bit",
            ["dram_access.unit: input should be 'pJ/bit' (found 'nJ/bit')"],
        ),
        (
            "dram_access: {value: 20",
            "dram_access: {value: -20",
            ["dram_access.value: input should be greater than or equal to 0 (found -20)"],
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
            "    - {node_nm: 65, value: 1.241",
            "    - {node_nm: 65, value: 0",
            ["scaling.energy.2.value: input should be greater than or equal to 0.000001 (found 0)"],
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
    assert len(entries) == 46  # operators 11 + 10, scaling 20, and 5 single ones
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


def test_published_ratios_hold(golden, formats, glb):
    ratios = {row["ratio"]: row for row in golden("energy_ratios.csv")}
    int16 = formats("int16", psum="int16")
    at_45, at_65 = load_energy_table(EnergyChoice()), load_energy_table(EnergyChoice(node_nm=65))
    ddr4 = load_energy_table(EnergyChoice(overrides=(("dram_pj_per_bit", 10.1),)))
    sram_pj = at_45.sram_pj_per_byte(glb, Operand.IFMAP, Direction.READ)
    found = {
        "sram_16bit_to_int16_mac_45nm": 2 * sram_pj / at_45.mac_pj(int16),
        "dram_16bit_to_int16_mac_65nm": 16 * at_65.dram_pj_per_bit / at_65.mac_pj(int16),
        "dram_bit_to_sram_bit_45nm": ddr4.dram_pj_per_bit / (sram_pj / 8),
        "spad_16bit_to_int16_mac_65nm": 16 * at_65.spad_pj_per_bit / at_65.mac_pj(int16),
    }
    assert found.keys() == ratios.keys()
    for name, value in found.items():
        assert value == pytest.approx(float(ratios[name]["value"]), rel=float(ratios[name]["tolerance"])), name


def test_the_note_on_scaled_srams_tells_what_cacti_says(golden):
    told = {"65": 1.47, "32": 0.76, "22": 0.75}
    note = next(line for line in DEFAULT.read_text().splitlines() if "scaling_note" in line)
    for row in golden("energy_sram_other_nodes.csv"):
        if row["node_nm"] in told:
            table = load_energy_table(EnergyChoice(node_nm=float(row["node_nm"])))
            scaled = table.sram.point(65536, 64).read_pj * table.sram_energy_factor
            assert float(row["read_pj"]) / scaled == pytest.approx(told[row["node_nm"]], abs=0.006)
            assert f"{told[row['node_nm']]} x" in note

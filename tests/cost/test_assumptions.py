from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.assumptions import pricing_assumptions
from archsim.cost.energy_table import load_energy_table

TABLE = load_energy_table(EnergyChoice())


def sentences(arch, table=TABLE):
    return "\n".join(pricing_assumptions(arch, table))


def test_the_table_names_every_estimate_and_every_recalled_number():
    text = "\n".join(TABLE.assumptions)
    assert "energy.integer_multiply 16 bit = 0.8 pJ is an estimate: quadratic" in text
    assert "area.float_add 32 bit = 4184 um2 is from memory, to be verified: M. Horowitz" in text
    assert "logarithmic_add = 3 integer adds is an estimate" in text
    assert "dram_io.DDR4 = 7 pJ/bit is an estimate, from memory, to be verified: middle of 4 to 10 pJ/bit" in text
    assert "wires.swings = 0.25 swings/bit is an estimate" in text


def test_a_chip_is_told_only_of_entries_it_uses(chip):
    text = sentences(chip())
    assert "energy.integer_multiply 16 bit" not in text
    assert "logarithmic" not in text
    assert "float" not in text
    assert "area.integer_multiply 8 bit = 282 um2" in text
    assert "logic_leakage" in text
    assert "SRAM at 45 nm: CACTI 7, itrs-lstp cells at 300 K" in text
    assert "dram_io.HBM" not in text
    assert "register.mux" not in text


def test_wires_are_told_with_their_lengths(chip):
    text = sentences(chip())
    assert "wires: 0.101 pJ per bit and mm (itrs-lstp); an estimate of length from cell area: 0.028 mm" in text


def test_scaling_is_told_with_its_factors_and_voltages():
    text = "\n".join(load_energy_table(EnergyChoice(node_nm=65)).assumptions)
    assert "registers scaled from 45 nm by 1.241 (energy, 0.8 V to 0.8 V) and 1.5 (area); A. Stillmaker" in text
    assert "low-power fits at 45 and 32 nm" in text


def test_a_width_between_the_listed_ones_is_told_with_its_price(chip, formats):
    text = sentences(chip(formats=formats("int12")))
    assert "energy of integer_multiply at 12 bit = 0.45 pJ is an estimate" in text
    assert "energy.integer_multiply 16 bit = 0.8 pJ is an estimate" in text


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("bf16", "bf16", "fp32"), "bf16 is priced as an IEEE float of its width"),
        (("fp8_e4m3", "fp8_e4m3", "fp32"), "MAC of fp8_e4m3 x fp8_e4m3 into fp32: 0.9665 pJ (multiply 0.05"),
        (("lns8", "lns8", "int32"), "MAC of lns8 x lns8 into int32: 0.2522 pJ (exponent add 0.026"),
        (("lns8", "lns8", "int32"), "a model, not published"),
        (("lns8", "int8", "int32"), "energy.logarithmic_convert 8 bit = 0.158 pJ is an estimate"),
        (("lns8", "lns8", "lns16"), "logarithmic_add = 3 integer adds is an estimate"),
        (("lns8", "lns8", "lns16"), "an LNS multiplication is priced as an integer add"),
    ],
)
def test_formats_without_published_numbers_are_told(names, sentence, chip, formats):
    assert sentence in sentences(chip(formats=formats(*names)))


def test_a_level_without_a_width_is_told(chip, glb):
    text = sentences(chip(srams=(replace(glb, width_bytes=None),)))
    assert "level 'glb': no width_bytes given; energy assumes accesses of 8 bytes" in text
    assert "no width_bytes given" not in sentences(chip())


def test_an_sram_beyond_the_grid_is_told(chip, glb):
    text = sentences(chip(srams=(replace(glb, capacity_bytes=1 << 24),)))
    assert "level 'glb': a bank of 16777216 bytes by 64 bit: 4 macros of 4194304 bytes behind a tree of wires" in text
    assert "behind a tree of wires" not in sentences(chip())


def test_a_second_port_is_told(chip, glb):
    assert "by 64 bit: costs what CACTI's itrs-lstp cells with 2rw ports" in sentences(
        chip(srams=(replace(glb, ports=2),))
    )


def test_an_sram_slower_than_the_clock_is_told(chip):
    assert "level 'glb': a bank takes 1.66 ns to read, a clock cycle is 1 ns: it needs 2 pipeline stages" in sentences(
        chip()
    )
    assert "pipeline stages" not in sentences(chip(clock_mhz=500))


def test_an_sram_beyond_cactis_nodes_is_told(chip):
    text = sentences(chip(), load_energy_table(EnergyChoice(node_nm=7)))
    assert "SRAM at 7 nm is beyond its points" in text
    assert "by the factors of logic; leakage and access time are those of 22 nm" in text


def test_overrides_are_told_and_silence_what_they_replace(chip, formats):
    keys = ("mac_pj", "lane_op_pj", "leakage_mw", "dram_pj_per_bit", "spad_pj_per_bit")
    table = load_energy_table(EnergyChoice(overrides=tuple((key, 0.7) for key in keys)))
    arch = chip(formats=formats("int16"))
    text = sentences(arch, table)
    for key in keys:
        assert f"energy.overrides.{key} = 0.7 replaces the number of the energy table" in text
    for silenced in ("energy.integer_multiply 16 bit", "logic_leakage", "DRAM interface:", "energy of PE registers"):
        assert silenced in sentences(arch)
        assert silenced not in text


def test_overrides_of_energy_leave_the_areas_doubts(chip):
    table = load_energy_table(EnergyChoice(overrides=(("mac_pj", 0.7),)))
    assert "area.integer_multiply 8 bit = 282 um2 is from memory" in sentences(chip(), table)

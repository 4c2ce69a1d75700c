"""Stores of PEs: one register per operand, or the spads of a row-stationary PE priced by their size."""

from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.arch.memory_level import SramCell, SramPorts
from archsim.arch.row_pe import Spads
from archsim.cost.accelforge import accelforge_text
from archsim.cost.area import area_parts
from archsim.cost.assumptions import pricing_assumptions
from archsim.cost.chip_prices import chip_prices
from archsim.cost.energy_table import load_energy_table
from archsim.cost.leakage import leakage_mw
from archsim.cost.spads import pe_store
from archsim.cost.wires import wire_lengths
from archsim.terms import Operand

TABLE = load_energy_table(EnergyChoice(node_nm=65))
MACRO = TABLE.sram_models[SramCell.LSTP].point(bank_bytes=448, access_bits=16, ports=SramPorts())


@pytest.fixture
def small(row_chip):
    """The same array with spads that are all flip-flops."""
    chip = row_chip()
    return replace(chip, pe_array=replace(chip.pe_array, spads=Spads(ifmap_words=12, weight_words=64, psum_words=24)))


def test_each_spad_is_priced_by_its_own_size(row_chip):
    prices = chip_prices(row_chip(), TABLE).by_name()
    bit, mux = TABLE.register_pj_per_bit, TABLE.mux_pj_per_bit_entry
    assert prices["spad", "read", "ifmap"].pj == pytest.approx(16 * (bit + 12 * mux))
    assert prices["spad", "read", "psum"].pj == pytest.approx(16 * (bit + 24 * mux))
    assert prices["spad", "write", "psum"].pj == pytest.approx(16 * bit)
    assert prices["spad", "read", "ofmap"].pj == prices["spad", "read", "psum"].pj  # it lies where the psum lay
    assert prices["spad", "read", "weight"].pj == MACRO.read_pj
    assert prices["spad", "write", "weight"].pj == MACRO.write_pj


def test_a_macro_and_a_file_of_flip_flops_have_sources_of_their_own(row_chip):
    prices = chip_prices(row_chip(), TABLE)
    source = dict(prices.sources)
    assert "CACTI 7" in source[prices.by_name()["spad", "read", "weight"].source]
    assert "Aladdin" in source[prices.by_name()["spad", "read", "ifmap"].source]
    spad = next(part for part in prices.areas if part.component == "spad")
    assert "Aladdin" in source[spad.source]
    assert "CACTI 7" in source[spad.source]


def test_a_pe_is_as_large_as_its_registers_and_macros(row_chip, small):
    # (12 + 24) x 16 = 576 bit of flip-flops, and 224 x 16 of SRAM; all 100 x 16 of flip-flops
    area = {part.component: part for part in area_parts(row_chip(), TABLE)}
    assert area["spad"].count == 168
    assert area["spad"].unit_mm2 == pytest.approx(576e-6 * TABLE.register_um2_per_bit + MACRO.area_mm2)
    assert pe_store(small, TABLE).register_bits == 1600
    assert pe_store(small, TABLE).macros == ()


def test_a_hop_grows_with_the_spads(row_chip, chip):
    assert wire_lengths(row_chip(), TABLE).hop > 1.5 * wire_lengths(chip(), TABLE).hop


def test_macros_leak_as_cacti_says_and_registers_by_their_area(row_chip):
    density = TABLE.leakage_area_factor * TABLE.logic_leakage_mw_per_mm2
    expected = 168 * (576e-6 * TABLE.register_um2_per_bit * density + MACRO.leakage_mw)
    assert leakage_mw(row_chip(), TABLE)["spad"] == pytest.approx(expected)


def test_the_override_replaces_spads_of_every_size(row_chip):
    flat = load_energy_table(EnergyChoice(overrides=(("spad_pj_per_bit", 0.5),)))
    prices = chip_prices(row_chip(), flat)
    spads = [each for each in prices.prices if each.component == "spad"]
    assert {each.pj for each in spads} == {8.0}
    assert {each.source for each in spads} == {"overrides.spad_pj_per_bit"}
    assert "register.mux" not in "\n".join(prices.assumptions)


def test_files_are_told_with_their_multiplexer_and_their_macros(row_chip, small):
    text = "\n".join(pricing_assumptions(row_chip(), TABLE))
    assert "register.mux = 0.2 fJ/bit/entry at 40 nm is an estimate" in text
    assert "weight spad: 224 x 16 bit, an SRAM macro with one port in every PE (CACTI 7" in text
    assert "spad: " not in "\n".join(pricing_assumptions(small, TABLE))


def test_other_tools_are_told_the_size_of_each_spad(row_chip):
    text = accelforge_text(chip_prices(row_chip(), TABLE), row_chip())
    for operand, words in ((Operand.IFMAP, 12), (Operand.WEIGHT, 224), (Operand.PSUM, 24)):
        assert f"name: spad_{operand}\n    size: {words * 16}\n" in text

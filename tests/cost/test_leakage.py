from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.area import logic_areas
from archsim.cost.energy_table import load_energy_table
from archsim.cost.leakage import chip_leakage_mw
from archsim.terms import Operand


def test_leakage_is_srams_and_logic_by_area_at_the_densitys_node(chip):
    table = load_energy_table(EnergyChoice())
    logic_mm2 = sum(logic_areas(chip(), table).values())
    # CACTI's 64 KB + 12.6 mW/mm2 of the same logic at 40 nm, 0.792308 of its area at 45 nm
    assert chip_leakage_mw(chip(), table) == pytest.approx(0.00167027 + 12.6 * 0.792308 * logic_mm2, rel=1e-6)


def test_leakage_does_not_change_with_the_node(chip):
    found = [chip_leakage_mw(chip(), load_energy_table(EnergyChoice(node_nm=node))) for node in (65, 45, 7)]
    assert found == pytest.approx([found[0]] * 3, rel=1e-12)


def test_each_partition_leaks(chip, glb):
    # 64 KB as 32 + 16 + 16 KB by 64 bit
    table = load_energy_table(EnergyChoice())
    parts = replace(glb, partition_bytes=((Operand.IFMAP, 32768), (Operand.PSUM, 16384)))
    difference = chip_leakage_mw(chip(srams=(parts,)), table) - chip_leakage_mw(chip(), table)
    assert difference == pytest.approx(0.000923907 + 2 * 0.000469172 - 0.00167027)


def test_each_bank_leaks(chip, glb):
    # 64 KB as 8 x 8 KB by 64 bit
    table = load_energy_table(EnergyChoice())
    banked = chip_leakage_mw(chip(srams=(replace(glb, banks=8),)), table)
    assert banked - chip_leakage_mw(chip(), table) == pytest.approx(8 * 0.000256785 - 0.00167027, rel=1e-6)


def test_the_override_is_the_whole_chips_leakage(chip):
    assert chip_leakage_mw(chip(), load_energy_table(EnergyChoice(overrides=(("leakage_mw", 3.5),)))) == 3.5

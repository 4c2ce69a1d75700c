from dataclasses import replace
from math import fsum

import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.arch.memory_level import SramCell
from archsim.cost.area import logic_areas
from archsim.cost.energy_table import load_energy_table
from archsim.cost.leakage import leakage_mw
from archsim.terms import Operand

TABLE = load_energy_table(EnergyChoice())


def glb_mw(arch, table=TABLE):
    return leakage_mw(arch, table)["glb"]


def test_leakage_is_srams_and_logic_by_area_at_the_densitys_node(chip):
    logic_mm2 = fsum(logic_areas(chip(), TABLE).values())
    # CACTI's 64 KB + 12.6 mW/mm2 of the same logic at 40 nm, 0.792308 of its area at 45 nm
    total = fsum(leakage_mw(chip(), TABLE).values())
    assert total == pytest.approx(0.00167027 + 12.6 * 0.792308 * logic_mm2, rel=1e-6)


def test_leakage_of_logic_does_not_change_with_the_node(chip):
    found = [leakage_mw(chip(), load_energy_table(EnergyChoice(node_nm=node)))["mac"] for node in (65, 45, 7)]
    assert found == pytest.approx([found[0]] * 3, rel=1e-12)


def test_leakage_of_sram_is_cactis_at_the_node_for_the_cells(chip, glb):
    # 64 KB by 64 bit at 45 nm: 1.7 uW of low standby power cells at 300 K, 61 mW of high performance ones at 350 K
    hot = chip(srams=(replace(glb, cell=SramCell.HP),))
    assert glb_mw(hot) == pytest.approx(61, rel=0.02)
    assert glb_mw(chip(), load_energy_table(EnergyChoice(node_nm=22))) != pytest.approx(glb_mw(chip()), rel=0.01)


def test_each_partition_leaks(chip, glb):
    # 64 KB as 32 + 16 + 16 KB by 64 bit
    parts = replace(glb, partition_bytes=((Operand.IFMAP, 32768), (Operand.PSUM, 16384)))
    assert glb_mw(chip(srams=(parts,))) == pytest.approx(0.000923907 + 2 * 0.000469172)


def test_each_bank_leaks(chip, glb):
    # 64 KB as 8 x 8 KB by 64 bit
    assert glb_mw(chip(srams=(replace(glb, banks=8),))) == pytest.approx(8 * 0.000256785, rel=1e-6)


def test_the_override_is_the_whole_chips_leakage(chip):
    assert leakage_mw(chip(), load_energy_table(EnergyChoice(overrides=(("leakage_mw", 3.5),)))) == {"chip": 3.5}

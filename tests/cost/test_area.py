from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice, VectorUnit
from archsim.cost.area import chip_area, register_bits_per_pe
from archsim.cost.energy_table import load_energy_table
from archsim.terms import Dataflow

TABLE = load_energy_table(EnergyChoice())


def test_a_small_chip_adds_up_by_hand(chip):
    area = dict(chip_area(chip(), TABLE))
    # 16 PEs x (282 multiply + 137 add) um2
    assert area["mac"] == pytest.approx(16 * 419e-6)
    # 16 PEs x (8 + 8 + 32) bit x 5.98 um2 / 0.792308 (40 nm: 0.46 + 0.54 * 8 / 13)
    assert area["spad"] == pytest.approx(16 * 48 * 5.98e-6 / 0.792308, rel=1e-6)
    # 8 lanes x 137 um2
    assert area["vector"] == pytest.approx(8 * 137e-6)
    # CACTI, 64 KB by 64 bit
    assert area["glb"] == pytest.approx(0.209046)
    assert list(area) == ["mac", "spad", "glb", "vector"]


def test_banks_are_macros_of_their_own(chip, glb):
    # 8 x 8 KB by 64 bit
    area = dict(chip_area(chip(srams=(replace(glb, banks=8),)), TABLE))
    assert area["glb"] == pytest.approx(8 * 0.0262673)


def test_every_component_shrinks_by_the_nodes_factor(chip):
    at_32 = load_energy_table(EnergyChoice(node_nm=32))
    for (_, large), (_, small) in zip(chip_area(chip(), TABLE), chip_area(chip(), at_32), strict=True):
        assert small == pytest.approx(0.46 * large)


def test_a_chip_without_a_vector_unit_spends_no_area_on_one(chip):
    assert dict(chip_area(chip(vector_unit=None), TABLE))["vector"] == 0


def test_a_lane_of_two_operations_per_cycle_has_two_adders(chip):
    unit = VectorUnit(lanes=8, ops_per_cycle=2)
    assert dict(chip_area(chip(vector_unit=unit), TABLE))["vector"] == pytest.approx(16 * 137e-6)


@pytest.mark.parametrize(
    ("dataflow", "bits"),
    [
        (Dataflow.WEIGHT_STATIONARY, 4 + 8 + 32 + 8),  # the weight twice
        (Dataflow.INPUT_STATIONARY, 4 + 8 + 32 + 4),  # the ifmap word twice
    ],
)
def test_a_second_register_holds_the_stationary_operand(dataflow, bits, chip, formats):
    arch = chip(formats=formats("int4", "int8"))
    array = replace(arch.pe_array, dataflow=dataflow, weight_regs=2)
    assert register_bits_per_pe(replace(arch, pe_array=array)) == bits

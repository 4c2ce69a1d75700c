from dataclasses import replace

import pytest

from archsim.arch.architecture import EnergyChoice, VectorUnit
from archsim.cost.area import area_parts
from archsim.cost.energy_table import load_energy_table
from archsim.cost.spads import register_bits_per_pe
from archsim.terms import Dataflow, Operand

TABLE = load_energy_table(EnergyChoice())


def areas(arch, table=TABLE):
    found = {}
    for part in area_parts(arch, table):
        found[part.component] = found.get(part.component, 0.0) + part.area_mm2
    return found


def test_a_small_chip_adds_up_by_hand(chip):
    area = areas(chip())
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
    area = areas(chip(srams=(replace(glb, banks=8),)))
    assert area["glb"] == pytest.approx(8 * 0.0262673)


def test_logic_shrinks_by_its_own_factor_and_sram_by_cactis_points(chip):
    large, small = areas(chip()), areas(chip(), load_energy_table(EnergyChoice(node_nm=32)))
    for component in ("mac", "spad", "vector"):
        assert small[component] == pytest.approx(0.46 * large[component])
    assert small["glb"] == pytest.approx(0.124417)  # CACTI, 64 KB by 64 bit at 32 nm


def test_a_partitioned_level_has_pieces_of_each_size(chip, glb):
    # 64 KB as 32 + 16 + 16 KB, two banks each
    parts = replace(glb, banks=2, partition_bytes=((Operand.IFMAP, 32768), (Operand.PSUM, 16384)))
    pieces = [part for part in area_parts(chip(srams=(parts,)), TABLE) if part.component == "glb"]
    assert [part.count for part in pieces] == [2, 2, 2]
    assert pieces[0].unit_mm2 > pieces[1].unit_mm2 == pieces[2].unit_mm2


def test_a_chip_without_a_vector_unit_spends_no_area_on_one(chip):
    assert areas(chip(vector_unit=None))["vector"] == 0


def test_a_lane_of_two_operations_per_cycle_has_two_adders(chip):
    unit = VectorUnit(lanes=8, ops_per_cycle=2)
    assert areas(chip(vector_unit=unit))["vector"] == pytest.approx(16 * 137e-6)


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

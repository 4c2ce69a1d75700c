import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.arch.memory_level import SramCell, SramPorts
from archsim.cost.energy_table import load_energy_table
from archsim.cost.register_file import register_file_pj
from archsim.terms import Direction

AT_40 = load_energy_table(EnergyChoice(node_nm=40))


def test_one_register_has_no_multiplexer():
    # 16 bit x 9 fJ
    for direction in Direction:
        assert register_file_pj(1, 16, direction, AT_40) == pytest.approx(0.144)


def test_a_read_of_a_file_passes_its_multiplexer():
    # 16 bit x (9 + 12 entries x 0.2) fJ
    assert register_file_pj(12, 16, Direction.READ, AT_40) == pytest.approx(0.1824)
    assert register_file_pj(12, 16, Direction.WRITE, AT_40) == pytest.approx(0.144)


def test_a_file_of_more_than_64_entries_is_an_sram_macro():
    # Eyeriss's weight spad: 224 x 16 bit = 448 bytes
    point = AT_40.sram_models[SramCell.LSTP].point(bank_bytes=448, access_bits=16, ports=SramPorts())
    assert register_file_pj(224, 16, Direction.READ, AT_40) == point.read_pj
    assert register_file_pj(224, 16, Direction.WRITE, AT_40) == point.write_pj
    assert register_file_pj(64, 16, Direction.READ, AT_40) == pytest.approx(16 * (9 + 12.8) / 1000)


def test_the_override_replaces_files_too():
    table = load_energy_table(EnergyChoice(overrides=(("spad_pj_per_bit", 0.5),)))
    assert register_file_pj(224, 16, Direction.READ, table) == 8

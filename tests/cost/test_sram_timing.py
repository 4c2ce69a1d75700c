from dataclasses import replace

from archsim.arch.memory_level import SramCell
from archsim.cost.sram_model import OwnGrid, load_sram_model
from archsim.cost.sram_timing import slow_srams


def model_of(cell: SramCell):
    return load_sram_model(node_nm=45, cell=cell, energy_factor=lambda a, b: b / a, area_factor=lambda a, b: b / a)


def test_a_bank_slower_than_the_clock_is_told_with_what_to_do(chip) -> None:
    # 64 KB at 45 nm takes 1.66341 ns; the clock is 1 GHz
    assert slow_srams(chip(), model_of) == (
        "level 'glb': a bank takes 1.66 ns to read, a clock cycle is 1 ns: it needs 2 pipeline stages, which are not "
        "charged; or smaller banks (more of them), cells of lop or hp (more leakage), or a slower clock",
    )


def test_faster_cells_smaller_banks_or_a_slower_clock_silence_it(chip, glb) -> None:
    assert slow_srams(chip(srams=(replace(glb, cell=SramCell.HP),)), model_of) == ()
    assert slow_srams(chip(srams=(replace(glb, banks=64),)), model_of) == ()
    assert slow_srams(chip(clock_mhz=600), model_of) == ()


def test_a_grid_without_times_says_nothing(chip, tmp_path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n512,8,1,1,1,1\n")
    own = OwnGrid(path=path, node_nm=45, source="mine")
    model = load_sram_model(
        node_nm=45, cell=SramCell.LSTP, energy_factor=lambda a, b: 1, area_factor=lambda a, b: 1, grid=own
    )
    assert slow_srams(chip(), lambda cell: model) == ()

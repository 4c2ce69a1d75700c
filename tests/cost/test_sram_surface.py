"""CACTI's points between nodes, capacities and widths."""

from math import sqrt

import pytest

from archsim.arch.memory_level import SramCell
from archsim.cost.sram_model import SHIPPED_GRIDS
from archsim.cost.sram_surface import COSTS, read_sram_surface
from archsim.errors import ConfigError

LSTP = read_sram_surface(SHIPPED_GRIDS[SramCell.LSTP])
READ, WRITE, LEAKAGE = (COSTS.index(name) for name in ("read_pj", "write_pj", "leak_mw_total"))
COLUMNS = "capacity_bytes, width_bits, read_pj, write_pj, leak_mw_total, area_mm2"
HEADER = "capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n"


@pytest.mark.parametrize(("cell", "points"), [(SramCell.LSTP, 475), (SramCell.HP, 475), (SramCell.LOP, 63)])
def test_every_point_comes_back_as_it_stands(cell, points) -> None:
    surface = read_sram_surface(SHIPPED_GRIDS[cell])
    listed = [
        (costs, surface.at(node, capacity, width))
        for node, columns in surface.columns.items()
        for width, column in columns.items()
        for capacity, costs in zip(column.capacities, column.costs, strict=True)
    ]
    assert len(listed) == points
    assert all(found == costs for costs, found in listed)


def test_half_way_between_capacities_is_the_geometric_mean() -> None:
    # 45 nm, 64 bit: 1 KB reads for 1.66966, 2 KB for 2.75566 pJ
    found = LSTP.at(45, 1024 * sqrt(2), 64)
    assert found[READ] == pytest.approx(sqrt(1.66966 * 2.75566))
    assert found[LEAKAGE] == pytest.approx(sqrt(3.53876e-05 * 7.41733e-05))


def test_half_way_between_widths_is_the_geometric_mean() -> None:
    # 45 nm: 64 KB writes 64 bit for 19.6486, 128 bit for 36.0435 pJ
    assert LSTP.at(45, 65536, 64 * sqrt(2))[WRITE] == pytest.approx(sqrt(19.6486 * 36.0435))


def test_half_way_between_nodes_is_the_geometric_mean() -> None:
    # 64 KB by 64 bit reads for 25.8695 pJ at 45 nm, 47.0445 at 65 nm
    assert LSTP.at(sqrt(45 * 65), 65536, 64)[READ] == pytest.approx(sqrt(25.8695 * 47.0445))


def test_a_hole_takes_the_smallest_capacity_of_its_width() -> None:
    # CACTI has no 512-byte memory of 256-bit words; the smallest one has 1024 bytes
    assert LSTP.at(45, 512, 256) == LSTP.at(45, 1024, 256)
    assert LSTP.extent(45, 256)[0] == 1024
    assert LSTP.extent(45, 64) == (512, 4194304, 8, 512)


def test_beyond_an_edge_the_costs_are_those_at_the_edge() -> None:
    assert LSTP.at(7, 100, 4) == LSTP.at(22, 512, 8)
    assert LSTP.at(180, 1 << 30, 9999) == LSTP.at(90, 1 << 22, 512)


def test_a_file_of_one_node_takes_it_from_its_table(tmp_path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(HEADER + "512,8,1.5,2,0.001,0.01\n")
    surface = read_sram_surface(path, 28.0)
    assert surface.nodes == (28.0,)
    assert not surface.has_times
    assert surface.at(28.0, 4096, 64) == (1.5, 2.0, 0.001, 0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("write_pj,", ""), f":1: an SRAM grid needs the columns {COLUMNS}; missing: write_pj"),
        ("", f":1: an SRAM grid needs the columns {COLUMNS}; missing: {COLUMNS}"),
        (HEADER, ": an SRAM grid needs at least one row"),
        (HEADER + "512,8,1,1,1,1\n512,8,2,1,1,1\n", ":3: 512 bytes by 8 bit appears twice"),
        (HEADER + "512,8,-1,1,1,1\n", ":2: read_pj (='-1') must be a positive number"),
        (HEADER + "512,8,1,x,1,1\n", ":2: write_pj (='x') must be a positive number"),
        (HEADER + "512,8,1,1,1\n", ":2: area_mm2 (=None) must be a positive number"),
        (HEADER + "512,8,1,1,inf,1\n", ":2: leak_mw_total (='inf') must be a positive number"),
    ],
)
def test_a_faulty_grid_is_named_with_its_line(text, message, tmp_path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_sram_surface(path, 45.0)
    assert str(caught.value) == f"{path}{message}"


def test_a_grid_without_a_node_anywhere_asks_for_the_column(tmp_path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text(HEADER + "512,8,1,1,1,1\n")
    with pytest.raises(ConfigError, match="missing: node_nm"):
        read_sram_surface(path)

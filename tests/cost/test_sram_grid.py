from itertools import pairwise
from math import sqrt

import numpy as np
import pytest

from archsim.arch.architecture import EnergyChoice
from archsim.cost.energy_table import load_energy_table
from archsim.cost.sram_grid import read_sram_grid
from archsim.errors import ConfigError

GRID = load_energy_table(EnergyChoice()).sram
COLUMNS = "capacity_bytes, width_bits, read_pj, write_pj, leak_mw_total, area_mm2"
HEADER = "capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n"


def test_grid_points_come_back_as_they_stand():
    for width, column in GRID.columns.items():
        for listed in column:
            assert GRID.point(listed.capacity_bytes, width) == listed


def test_published_reads_of_64_bit_words(golden):
    for row in golden("energy_sram_anchors_45nm.csv"):
        point = GRID.point(float(row["capacity_bytes"]), float(row["width_bits"]))
        assert point.read_pj == pytest.approx(float(row["read_pj"]), rel=2e-3)


def test_half_way_between_capacities_is_the_geometric_mean():
    # 1 KB reads for 1.66966, 2 KB for 2.75566 pJ: sqrt(1.66966 * 2.75566) at 1024 * sqrt(2) bytes
    point = GRID.point(1024 * sqrt(2), 64)
    assert point.read_pj == pytest.approx(sqrt(1.66966 * 2.75566))
    assert point.leakage_mw == pytest.approx(sqrt(3.53876e-05 * 7.41733e-05))


def test_half_way_between_widths_is_the_geometric_mean():
    # 64 KB writes 64 bit for 19.6486, 128 bit for 36.0435 pJ
    assert GRID.point(65536, 64 * sqrt(2)).write_pj == pytest.approx(sqrt(19.6486 * 36.0435))


@pytest.mark.parametrize(("cost", "p90"), [("read_pj", 0.15), ("write_pj", 0.11), ("area_mm2", 0.11)])
def test_interpolation_meets_cacti_between_the_grids_capacities(cost, p90, golden):
    errors = [
        abs(getattr(GRID.point(float(row["capacity_bytes"]), float(row["width_bits"])), cost) / float(row[cost]) - 1)
        for row in golden("energy_sram_heldout_45nm.csv")
    ]
    assert len(errors) == 39
    assert np.quantile(errors, 0.9) < p90


def test_a_larger_memory_never_costs_less():
    sizes = [300, 512, 700, 1024, 5000, 8192, 100_000, 1 << 20, 3_000_000, 1 << 22, 1 << 25]
    for small, large in pairwise(GRID.point(size, 64) for size in sizes):
        assert small.read_pj <= large.read_pj
        assert small.write_pj <= large.write_pj
        assert small.leakage_mw < large.leakage_mw
        assert small.area_mm2 < large.area_mm2


def test_beyond_the_largest_capacity_energy_stays_and_area_and_leakage_grow_in_proportion():
    edge, beyond = GRID.point(1 << 22, 64), GRID.point(3 << 22, 64)
    assert (beyond.read_pj, beyond.write_pj) == (edge.read_pj, edge.write_pj)
    assert beyond.area_mm2 == pytest.approx(3 * edge.area_mm2)
    assert beyond.leakage_mw == pytest.approx(3 * edge.leakage_mw)
    assert edge.is_in_grid
    assert not beyond.is_in_grid


def test_a_word_beyond_the_widest_is_that_many_macros_side_by_side():
    edge, beyond = GRID.point(65536, 512), GRID.point(65536, 2048)
    assert beyond.read_pj == pytest.approx(4 * edge.read_pj)
    assert beyond.area_mm2 == edge.area_mm2
    assert not beyond.is_in_grid


def test_a_hole_in_the_grid_takes_the_nearest_capacity_of_its_width():
    # CACTI has no 512-byte memory of 256-bit words; the smallest one has 1024 bytes
    hole = GRID.point(512, 256)
    assert hole.read_pj == GRID.point(1024, 256).read_pj
    assert not hole.is_in_grid


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
def test_a_faulty_grid_is_named_with_its_line(text, message, tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_sram_grid(path)
    assert str(caught.value) == f"{path}{message}"


def test_a_grid_of_one_point_prices_every_memory(tmp_path):
    path = tmp_path / "grid.csv"
    path.write_text(HEADER + "512,8,1.5,2,0.001,0.01\n")
    point = read_sram_grid(path).point(1024, 16)
    assert (point.read_pj, point.write_pj) == (3.0, 4.0)  # two 8-bit words
    assert point.area_mm2 == pytest.approx(0.02)

"""A bank's costs at the chip's node: ports, and what is done where CACTI has no points."""

from itertools import pairwise
from math import sqrt

import pytest

from archsim.arch.memory_level import SramCell, SramPorts
from archsim.cost.sram_model import OwnGrid, load_sram_model

ONE = SramPorts()
KB64 = 65536


def model(node_nm: float = 45.0, cell: SramCell = SramCell.LSTP, **options):
    """Energies shrink by the node, areas by its square, beyond the grid."""
    return load_sram_model(
        node_nm=node_nm, cell=cell, energy_factor=lambda a, b: b / a, area_factor=lambda a, b: (b / a) ** 2, **options
    )


def point(size: float = KB64, bits: float = 64, ports: str = "1rw", of=None):
    return (of or model()).point(bank_bytes=size, access_bits=bits, ports=SramPorts.named(ports))


def told(size: float = KB64, bits: float = 64, ports: str = "1rw", of=None) -> tuple[str, ...]:
    return (of or model()).beyond(bank_bytes=size, access_bits=bits, ports=SramPorts.named(ports))


def test_published_reads_of_64_bit_words(golden) -> None:
    for row in golden("energy_sram_anchors_45nm.csv"):
        found = point(float(row["capacity_bytes"]), float(row["width_bits"]))
        assert found.read_pj == pytest.approx(float(row["read_pj"]), rel=2e-3)


@pytest.mark.parametrize(
    ("node", "read_pj"), [(22, 5.66959), (32, 12.8735), (45, 25.8695), (65, 47.0445), (90, 103.687)]
)
def test_each_node_has_points_of_its_own(node, read_pj) -> None:
    # sram_cacti_lstp.csv, 64 KB by 64 bit
    assert point(of=model(node)).read_pj == read_pj
    assert model(node).statements() == (
        f"SRAM at {node} nm: CACTI 7, itrs-lstp cells at 300 K; every access moves the full width",
    )


def test_cell_types_trade_leakage_for_time() -> None:
    # 64 KB at 45 nm: 0.0017, 1.4 and 61 mW; 1.66, 1.10 and 0.50 ns
    lstp, lop, hp = (point(of=model(cell=cell)) for cell in (SramCell.LSTP, SramCell.LOP, SramCell.HP))
    assert (lstp.leakage_mw, lop.leakage_mw, hp.leakage_mw) == (0.00167027, 1.39757, 61.3973)
    assert (lstp.access_ns, lop.access_ns, hp.access_ns) == (1.66341, 1.09733, 0.504959)
    assert "itrs-lop cells at 300 K, a coarse grid" in model(cell=SramCell.LOP).statements()[0]
    assert "itrs-hp cells at 350 K" in model(cell=SramCell.HP).statements()[0]


def test_between_nodes_it_is_said() -> None:
    assert model(28).statements()[1] == (
        "SRAM at 28 nm lies between its points (22, 32, 45, 65, 90 nm): log-log between them; CACTI's leakage rises and "
        "falls from node to node, by up to 3 x"
    )


def test_beyond_the_nodes_factors_are_applied_and_said() -> None:
    small, edge = model(11), model(22)
    assert point(of=small).read_pj == pytest.approx(point(of=edge).read_pj / 2)
    assert point(of=small).area_mm2 == pytest.approx(point(of=edge).area_mm2 / 4)
    assert point(of=small).leakage_mw == point(of=edge).leakage_mw
    assert small.statements()[1] == (
        "SRAM at 11 nm is beyond its points (22, 32, 45, 65, 90 nm): energy x 0.5 and area x 0.25 from 22 nm, by the "
        "factors of logic; leakage and access time are those of 22 nm"
    )


def test_inside_the_nodes_the_factors_change_nothing() -> None:
    def tenfold(start: float, end: float) -> float:
        return 1.0 if start == end else 10.0

    scaled = load_sram_model(node_nm=28, cell=SramCell.LSTP, energy_factor=tenfold, area_factor=tenfold)
    assert point(of=scaled) == point(of=model(28))


def test_a_larger_memory_never_costs_less() -> None:
    sizes = [300, 512, 700, 1024, 5000, 8192, 100_000, 1 << 20, 3_000_000, 1 << 22, 1 << 23, 1 << 25]
    for small, large in pairwise(point(size) for size in sizes):
        assert small.read_pj <= large.read_pj
        assert small.write_pj <= large.write_pj
        assert small.leakage_mw <= large.leakage_mw
        assert small.area_mm2 <= large.area_mm2


def test_beyond_the_largest_capacity_macros_hang_on_a_tree_of_wires() -> None:
    # Four macros of 11.989 mm2: sqrt(11.989) * (2 - 1) = 3.4625 mm; 1.65 * 0.404 pJ/b/mm * 64 b * 3.4625 = 147.7 pJ
    edge, beyond = point(1 << 22), point(1 << 24)
    assert beyond.read_pj == pytest.approx(edge.read_pj + 1.65 * 0.404 * 64 * sqrt(11.989))
    assert beyond.leakage_mw == pytest.approx(4 * edge.leakage_mw)
    assert beyond.area_mm2 == pytest.approx(4 * edge.area_mm2 + 36.5 * 45e-6 * 64 * sqrt(11.989))
    assert beyond.access_ns == pytest.approx(edge.access_ns + 3.5 * 0.334 * sqrt(11.989))
    assert told(1 << 24) == ("4 macros of 4194304 bytes behind a tree of wires",)


def test_a_word_beyond_the_widest_is_macros_side_by_side() -> None:
    # 64 KB by 1024 bit = two macros of 32 KB by 512 bit
    half, wide = point(32768, 512), point(KB64, 1024)
    assert wide.read_pj == pytest.approx(2 * half.read_pj)
    assert wide.area_mm2 == pytest.approx(2 * half.area_mm2)
    assert wide.access_ns == half.access_ns
    assert told(KB64, 1024) == ("2 macros of 512 bit side by side",)


@pytest.mark.parametrize(
    ("size", "bits", "words"),
    [
        (KB64, 64, ()),
        (KB64, 4, ("costs as a word of 8 bit",)),
        (100, 64, ("costs as the smallest macro of its width, 512 bytes",)),
        (512, 512, ("costs as the smallest macro of its width, 2048 bytes",)),
    ],
)
def test_what_lies_outside_the_grid_is_said(size, bits, words) -> None:
    assert told(size, bits) == words


@pytest.mark.parametrize(("ports", "read", "area"), [("1r1w", 33.9549, 0.415546), ("2rw", 38.1025, 0.439751)])
def test_second_ports_cost_what_cacti_says(ports, read, area) -> None:
    # sram_cacti_lstp_1r1w.csv and _2rw.csv: 45 nm, 64 KB by 64 bit
    found = point(ports=ports)
    assert found.read_pj == pytest.approx(read)
    assert found.area_mm2 == pytest.approx(area)
    assert told(ports=ports) == (f"costs what CACTI's itrs-lstp cells with {ports} ports cost over one port",)


def test_ports_multiply_the_costs_of_other_cells_alike() -> None:
    hp = model(cell=SramCell.HP)
    assert point(ports="2rw", of=hp).read_pj / point(of=hp).read_pj == pytest.approx(38.1025 / 25.8695)


def test_further_ports_go_on_as_the_second_did() -> None:
    # A port more is a wire more along both sides of a cell: area (1 + 2 (sqrt f - 1))^2 for three, energy 1 + 2 (f - 1)
    one, two, three = (point(ports=ports) for ports in ("1rw", "2rw", "3rw"))
    assert three.read_pj - two.read_pj == pytest.approx(two.read_pj - one.read_pj)
    assert sqrt(three.area_mm2) - sqrt(two.area_mm2) == pytest.approx(sqrt(two.area_mm2) - sqrt(one.area_mm2))
    assert told(ports="3rw")[0].endswith("drawn on from 2rw to 3rw")


def test_ports_beyond_their_points_are_said() -> None:
    points = "at the nearest of its points (2048 to 524288 bytes by 16 to 128 bit, 22 to 65 nm)"
    assert told(1 << 20, ports="1r1w")[0].endswith(points)
    assert told(bits=256, ports="2rw")[0].endswith(points)
    assert told(ports="2rw", of=model(90))[0].endswith(points)


def test_banks_behind_a_tree_leak_and_take_area_together() -> None:
    bank = point(16384)
    made = model().banked(bank_bytes=16384, access_bits=64, ports=ONE, banks=4)
    assert made.leakage_mw == pytest.approx(4 * bank.leakage_mw)
    assert made.area_mm2 == pytest.approx(4 * bank.area_mm2 + 36.5 * 45e-6 * 64 * sqrt(bank.area_mm2))
    assert made.read_pj - bank.read_pj == pytest.approx(1.65 * 0.404 * 64 * sqrt(bank.area_mm2))
    assert model().banked(bank_bytes=16384, access_bits=64, ports=ONE, banks=1) == bank


def test_a_users_grid_scales_from_its_one_node_and_has_no_times(tmp_path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("capacity_bytes,width_bits,read_pj,write_pj,leak_mw_total,area_mm2\n512,8,1.5,2,0.001,0.01\n")
    own = model(90, grid=OwnGrid(path=path, node_nm=45, source="mine"))
    found = point(512, 8, of=own)
    assert (found.read_pj, found.write_pj, found.area_mm2) == (3.0, 4.0, 0.04)
    assert (found.access_ns, found.cycle_ns) == (None, None)
    assert own.statements()[0].startswith("SRAM at 90 nm: mine")

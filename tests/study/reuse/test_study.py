"""The study as a whole, its tables and its script."""

import csv
from time import process_time

import pytest

from archsim.catalog import load_workload
from archsim.errors import ConfigError, MappingError, WorkloadError
from archsim.study.reuse.rows import ACCESS_COLUMNS, POINT_COLUMNS, access_rows, point_row
from archsim.study.reuse.split import AccessCosts, ReuseLevel
from archsim.study.reuse.square_layer import square_layers
from archsim.study.reuse.study import ReuseDataflow, dataflow_study, run_point, spad_words
from archsim.terms import Operand
from tests.script_module import load_script

LAYERS = tuple(layer for layer in square_layers(load_workload("alexnet")) if not layer.is_fully_connected)
POINTS = dataflow_study(LAYERS)
FEASIBLE = [point for point in POINTS if point.is_feasible]


def test_every_dataflow_is_run_at_every_size_and_batch_in_order() -> None:
    keys = [(point.storage.pes, point.dataflow, point.batch) for point in POINTS]
    assert keys == [(pes, dataflow, batch) for pes in (256, 512) for dataflow in ReuseDataflow for batch in (1, 16, 64)]


def test_the_whole_study_takes_well_under_five_seconds() -> None:
    start = process_time()
    dataflow_study(LAYERS)
    assert process_time() - start < 5


def test_energy_is_the_sum_of_its_levels_and_of_its_operands() -> None:
    for point in FEASIBLE:
        operands = sum(point.operand_energy_per_mac(each) for each in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM))
        assert point.total_energy_per_mac == pytest.approx(operands + point.energy_per_mac(ReuseLevel.ALU))
        assert point.energy_per_mac(ReuseLevel.ALU) == 1


def test_dram_moves_every_weight_and_each_ofmap_value_once() -> None:
    """650,080 ofmap values and 2,332,704 weights for 665,784,864 MACs of an image."""
    for point in FEASIBLE:
        assert point.dram_writes_per_mac == pytest.approx(650_080 / 665_784_864)
        assert point.dram_reads_per_mac > 2_332_704 / 665_784_864 / point.batch


@pytest.mark.parametrize("dataflow", [each for each in ReuseDataflow if each is not ReuseDataflow.WS])
def test_more_images_never_cost_more_per_mac(dataflow) -> None:
    """A larger batch holds the tiles of a smaller one that divides it; WS must keep the psums of all images."""
    for pes in (256, 512):
        energies = [
            point.total_energy_per_mac for point in FEASIBLE if (point.dataflow, point.storage.pes) == (dataflow, pes)
        ]
        assert energies == sorted(energies, reverse=True)


def test_a_point_without_a_mapping_says_which_layer_and_why() -> None:
    lost = [point for point in POINTS if not point.is_feasible]
    assert [(point.dataflow, point.storage.pes, point.batch) for point in lost] == [("WS", 256, 64)]
    # conv1: 64 images x 55 x 55 psums
    assert lost[0].why_none.startswith("layer 'conv1' at batch 64 takes at least 193600 words of the GLB")


def test_spads_hold_what_travels_from_pe_to_pe() -> None:
    """conv1, stride 4 and kernel 11, decides: psum + 4 along the row + 44 along the column."""
    assert [spad_words(dataflow, LAYERS) for dataflow in ReuseDataflow] == [256, 1, 49, 5, 1, 0]
    assert spad_words(ReuseDataflow.OS_A, LAYERS[2:]) == 1 + 1 + 3


def test_dearer_dram_makes_fewer_dram_accesses() -> None:
    def reads(dram: float) -> float:
        point = run_point(LAYERS, dataflow=ReuseDataflow.RS, pes=256, batch=16, costs=AccessCosts(dram=dram))
        return point.dram_reads_per_mac

    assert reads(2000) <= reads(200) <= reads(2)
    assert reads(2000) < reads(2)
    with pytest.raises(ConfigError, match=r"glb \(=-1\) must not be negative"):
        AccessCosts(glb=-1)


def test_what_cannot_be_studied_is_refused() -> None:
    with pytest.raises(WorkloadError, match="at least one layer"):
        dataflow_study([])
    with pytest.raises(WorkloadError, match=r"batch \(=0\)"):
        dataflow_study(LAYERS, batches=[0])
    with pytest.raises(MappingError, match=r"pes \(=0\)"):
        dataflow_study(LAYERS, pe_counts=[0])


def test_tables_hold_every_point_and_add_up() -> None:
    rows = [dict(zip(POINT_COLUMNS, point_row(point), strict=True)) for point in POINTS]
    lost = next(row for row in rows if row["why_none"])
    assert lost["total_energy_per_mac"] == ""
    accesses = [dict(zip(ACCESS_COLUMNS, row, strict=True)) for row in access_rows(POINTS[:1])]
    assert len(accesses) == len(LAYERS) * 3 * 4
    energy = sum(row["energy_macs"] for row in accesses) / sum(layer.macs for layer in LAYERS)
    assert energy + 1 == pytest.approx(rows[0]["total_energy_per_mac"])
    assert accesses[0]["mapping"].startswith("n=1 m=96 ")


def test_the_script_prints_the_published_bars_beside_ours_and_writes_three_files(tmp_path) -> None:
    script = load_script("dataflow_study")
    published = script.published_energies()
    text = script.study_table(POINTS, published)
    assert "| 256 | RS | 1 | 1.143 | 0.107 | 0.263 | 3.907 | 1.000 | 6.420 | 6.418 | 0.005716 | 1.375 |" in text
    assert "| 256 | WS | 64 | no mapping |" in text
    files = script.study_files(POINTS, "title", published)
    assert sorted(files) == ["accesses.csv", "points.csv", "study.png"]
    assert files["study.png"].startswith(b"\x89PNG")
    lines = list(csv.DictReader(files["points.csv"].decode().splitlines()))
    assert [float(line["batch"]) for line in lines[:3]] == [1, 16, 64]

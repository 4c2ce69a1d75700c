"""Tests of the roofline points: 2 * 16 * 0.1 GHz = 3.2 GOPS; 2 B * 0.1 GHz = 0.2 GB/s; ridge 16 ops/B."""

from dataclasses import replace
from math import inf

import pytest

from archsim.study.result import RunResult
from archsim.study.roofline import ROOFLINE_COLUMNS, roofline_points, roofline_rows


def test_roofs_and_ridge(run: RunResult) -> None:
    roofline = roofline_points(run)
    assert roofline.compute_gops == pytest.approx(3.2)
    assert roofline.dram_gb_per_second == pytest.approx(0.2)
    assert roofline.ridge_ops_per_byte == pytest.approx(16)


def test_points_by_hand_and_only_for_layers_with_macs(run: RunResult) -> None:
    conv, fc = roofline_points(run).points
    assert conv.ops_per_byte == pytest.approx(2 * 1152 / 208)
    assert conv.achieved_gops == pytest.approx(2 * 1152 / (137 / 0.1))  # 137 cycles at 0.1 per ns
    assert conv.roof_gops == pytest.approx(0.2 * 2 * 1152 / 208)
    assert fc.roof_gops == pytest.approx(0.2 * 2 * 640 / 650)


def test_points_lie_under_the_roof(run: RunResult) -> None:
    for point in roofline_points(run).points:
        assert point.achieved_gops <= point.roof_gops


def test_ideal_dram_has_no_bandwidth_roof(run: RunResult) -> None:
    roofline = roofline_points(replace(run, arch=run.arch.with_ideal_dram()))
    assert roofline.dram_gb_per_second is None
    assert roofline.ridge_ops_per_byte is None
    assert {point.roof_gops for point in roofline.points} == {roofline.compute_gops}


def test_a_layer_without_dram_traffic_is_marked(run: RunResult) -> None:
    conv = run.layers[0]
    dry = replace(conv, run=replace(conv.run, traffic=()), energy=replace(conv.energy, traffic_pj=()))
    (point,) = roofline_points(replace(run, layers=(dry,))).points
    assert point.on_chip
    assert point.ops_per_byte == inf
    assert point.roof_gops == pytest.approx(3.2)


def test_rows_have_the_columns(run: RunResult) -> None:
    rows = roofline_rows(roofline_points(run))
    assert rows[0][:3] == ("=conv,1", 1152, 208)
    assert {len(row) for row in rows} == {len(ROOFLINE_COLUMNS)}

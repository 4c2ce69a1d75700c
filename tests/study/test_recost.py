"""Tests of pricing a run again."""

from dataclasses import replace

import pytest

from archsim.cost.energy_table import EnergyTable
from archsim.errors import ConfigError
from archsim.study.recost import recost, recost_with_table
from archsim.study.result import RunResult


def test_the_same_table_gives_the_same_run(run: RunResult, table: EnergyTable) -> None:
    assert recost(run, table) == run


def test_a_dearer_link_doubles_only_the_component_of_the_link(run: RunResult, table: EnergyTable) -> None:
    dearer = replace(table, dram_io_pj_per_bit={key: 2 * pj for key, pj in table.dram_io_pj_per_bit.items()})
    before, after = run.energy_components, recost(run, dearer).energy_components
    assert after.pop("dram_io") == pytest.approx(2 * before.pop("dram_io"))
    assert after == before


def test_cycles_and_traffic_stay(run: RunResult, table: EnergyTable) -> None:
    dearer = replace(table, overrides={"mac_pj": 5.0})
    again = recost(run, dearer)
    assert [layer.run for layer in again.layers] == [layer.run for layer in run.layers]
    assert again.energy_components["mac"] == pytest.approx(1792 * 5.0)


def test_a_table_by_name_is_the_table(run: RunResult) -> None:
    assert recost_with_table(run, "default") == run
    with pytest.raises(ConfigError, match="no such table"):
        recost_with_table(run, "defalt")

"""Tests of the tables and their CSV form."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.study.result import RunResult
from archsim.study.run_tables import LAYER_COLUMNS, csv_rows, csv_text, layer_row, traffic_rows

PROMISED = [
    "layer",
    "op",
    "dataflow",
    "macs",
    "effectual_macs",
    "folds",
    "compute_cycles",
    "onchip_stall_cycles",
    "dram_stall_cycles",
    "total_cycles",
    "utilization",
    "mapping_efficiency",
    "dram_read_bytes",
    "dram_write_bytes",
    "energy_pj",
]


def test_the_promised_columns_come_first_and_in_order() -> None:
    assert list(LAYER_COLUMNS[: len(PROMISED)]) == PROMISED


def test_wait_columns_add_up_to_the_dram_stall(run: RunResult) -> None:
    for layer in run.layers:
        row = dict(zip(LAYER_COLUMNS, layer_row(layer), strict=True))
        waits = [value for column, value in row.items() if column.startswith("wait_")]
        assert sum(int(value) for value in waits) == row["dram_stall_cycles"]
        assert len(waits) == 5


def test_counts_are_integers_and_fractions_floats(run: RunResult) -> None:
    row = dict(zip(LAYER_COLUMNS, layer_row(run.layers[1]), strict=True))
    assert all(type(value) is int for column, value in row.items() if column.endswith(("_cycles", "_bytes", "macs")))
    text = csv_text(LAYER_COLUMNS, [layer_row(run.layers[1])])
    assert "0.3333333333333333," in text


def test_traffic_energy_adds_up_to_the_levels(run: RunResult) -> None:
    rows = traffic_rows(run.layers)
    for level in ("spad", "glb", "dram"):
        assert sum(float(row[6]) for row in rows if row[1] == level) == pytest.approx(run.energy_components[level])


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2), max_size=4))
def test_any_text_survives_csv(rows: list[list[str]]) -> None:
    assert [cells for _, cells in csv_rows(csv_text(("a", "b"), rows))] == [["a", "b"], *rows]


def test_csv_is_what_the_csv_module_reads() -> None:
    text = csv_text(("layer", "macs"), [("=1+1", 2), ('a,"b', True)])
    assert text == 'layer,macs\n=1+1,2\n"a,""b",true\n'
    assert list(csv.reader(io.StringIO(text)))[2] == ['a,"b', "true"]

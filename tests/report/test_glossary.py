"""Tests of the glossary: every word that a user meets has an entry."""

import pytest

from archsim.errors import ConfigError
from archsim.glossary import GLOSSARY, explain
from archsim.study.roofline import ROOFLINE_COLUMNS
from archsim.study.run_tables import (
    ACTION_COLUMNS,
    AREA_COLUMNS,
    DRAM_COLUMNS,
    ENERGY_COLUMNS,
    LAYER_COLUMNS,
    TRAFFIC_COLUMNS,
)
from archsim.terms import Bottleneck, Dataflow, Direction, Operand

STYLE_WORDS = (
    "ifmap", "weight", "ofmap", "psum", "layer", "network", "workload", "arch", "PE", "lane", "spad", "GLB", "DRAM",
    "fold", "tile", "access", "stall", "zero skip", "format",
)  # fmt: skip


RUN_COLUMNS = (*LAYER_COLUMNS, *TRAFFIC_COLUMNS, *ENERGY_COLUMNS, *ACTION_COLUMNS, *AREA_COLUMNS, *DRAM_COLUMNS)


@pytest.mark.parametrize("column", sorted({*RUN_COLUMNS, *ROOFLINE_COLUMNS}))
def test_every_column_has_an_entry(column: str) -> None:
    assert column in GLOSSARY


@pytest.mark.parametrize("word", [*STYLE_WORDS, *Dataflow, *Bottleneck, *Operand])
def test_every_word_and_choice_has_an_entry(word: str) -> None:
    assert explain(word)


def test_directions_are_explained_in_one_entry() -> None:
    assert all(f"{direction} =" in explain("direction") for direction in Direction)


def test_every_cycle_and_byte_column_gives_its_unit() -> None:
    for term, text in GLOSSARY.items():
        if term.endswith("_cycles"):
            assert "[cycles]" in text
        if term.endswith("_bytes"):
            assert "[B]" in text


def test_case_and_separators_do_not_matter() -> None:
    assert explain("Total-Cycles") == explain("total cycles") == GLOSSARY["total_cycles"]


def test_an_unknown_term_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'utilisation' is not in the glossary\. Did you mean 'utilization'\?"):
        explain("utilisation")
    with pytest.raises(ConfigError, match="archsim explain layer"):
        explain("xyzzy")

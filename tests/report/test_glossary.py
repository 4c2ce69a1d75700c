"""Tests of the glossary: every word that a user meets has an entry."""

import re
from collections.abc import Iterable

import pytest

from archsim.arch.row_mapping import LETTERS
from archsim.arch.validation import ValidationState
from archsim.errors import ConfigError
from archsim.glossary import GLOSSARY, explain
from archsim.numerics.accumulator import LogAdderKind
from archsim.numerics.accumulator_grammar import parse_accumulator
from archsim.numerics.rounding import OverflowMode, RoundingMode
from archsim.study.roofline import ROOFLINE_COLUMNS
from archsim.study.run_tables import (
    ACTION_COLUMNS,
    AREA_COLUMNS,
    DRAM_COLUMNS,
    ENERGY_COLUMNS,
    LAYER_COLUMNS,
    TRAFFIC_COLUMNS,
)
from archsim.study.zero_table import SKIP_COLUMNS
from archsim.terms import Bottleneck, CalibrationMethod, Dataflow, Direction, MapObjective, Operand, ZeroSkip

STYLE_WORDS = (
    "ifmap", "weight", "ofmap", "psum", "layer", "network", "workload", "arch", "PE", "lane", "spad", "GLB", "DRAM",
    "fold", "tile", "access", "stall", "zero skip", "format",
)  # fmt: skip

MAPPING_WORDS = (
    *LETTERS,
    "PE set",
    "pass",
    "atom",
    "Winograd",
    "gate",
    "gated_share",
    "pass_overhead",
    "set",
    "segment",
    "brick",
)

CONVERSION_WORDS = (
    "fixed point", "shared exponent", "LNS", "minifloat", "guard bits", "calibration", "golden", "codebook", "pointer", "cluster",
    "cluster compression", "weight_lut", "packing_bits", "keeps_weights", "follow_workload", "log_adder", "bit-true",
)  # fmt: skip
ACCUMULATORS = ("exact", "wrap", "sat", "linear", "log", "fp32", "fp64", "kulisch")


RUN_COLUMNS = (
    *LAYER_COLUMNS, *TRAFFIC_COLUMNS, *ENERGY_COLUMNS, *ACTION_COLUMNS, *AREA_COLUMNS, *DRAM_COLUMNS,
    *SKIP_COLUMNS,
)  # fmt: skip


@pytest.mark.parametrize("column", sorted({*RUN_COLUMNS, *ROOFLINE_COLUMNS}))
def test_every_column_has_an_entry(column: str) -> None:
    assert column in GLOSSARY


@pytest.mark.parametrize("word", [*STYLE_WORDS, *MAPPING_WORDS, *Dataflow, *Bottleneck, *Operand])
def test_every_word_and_choice_has_an_entry(word: str) -> None:
    assert explain(word)


def test_directions_are_explained_in_one_entry() -> None:
    assert all(f"{direction} =" in explain("direction") for direction in Direction)


@pytest.mark.parametrize("word", CONVERSION_WORDS)
def test_every_word_of_a_conversion_has_an_entry(word: str) -> None:
    assert explain(word)


@pytest.mark.parametrize(("term", "choices"), [("rounding", RoundingMode), ("overflow", OverflowMode),
                                               ("calibration", CalibrationMethod), ("log_adder", LogAdderKind),
                                               ("accumulator", ACCUMULATORS), ("objective", MapObjective),
                                               ("validation", ValidationState), ("zero_skip", ZeroSkip)])  # fmt: skip
def test_an_entry_names_all_that_can_be_chosen(term: str, choices: Iterable[str]) -> None:
    said = explain(term)
    assert [choice for choice in choices if not re.search(rf"\b{re.escape(choice)}\b", said)] == []


@pytest.mark.parametrize("name", ["exact<20>", "wrap<20>", "sat<16,8>", "linear<32>", "log<8>", "kulisch"])
def test_every_kind_of_accumulator_has_an_entry(name: str) -> None:
    assert parse_accumulator(name)
    assert "ccumulator" in explain(name.partition("<")[0])


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

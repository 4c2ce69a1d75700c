"""docs/webinar.md says what scripts/reproduce_webinar.py prints; the tables of accuracies are those of the reference."""

import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from archsim.catalog import load_arch
from archsim.convert.evaluate import coded_accuracy
from archsim.convert.image_files import read_images
from archsim.study.conversion import Accuracy
from tests.coded_cases import mnist_folder
from tests.script_module import load_script

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "webinar.md").read_text(encoding="utf-8")
PICTURE_NUMBERS = TOP / ".readme" / "webinar.csv"
NUMBER = re.compile(r"(?<![\w.<])\d[\d,]*(?:\.\d+)?")
TOLD = {"98.15", "97.6", "7", "10,000"}
"""Figures of the webinar that only the page repeats: its accuracies, its integer bits, its images."""
NOT_MEASURED_HERE = 2
"""The last columns of the table of engines need MNIST."""


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOP / "scripts"))
        yield load_script("reproduce_webinar")


@pytest.fixture(scope="module")
def engines(script: ModuleType) -> list[Any]:
    return [script.run_engine(width) for width in script.WIDTHS]


@pytest.fixture(scope="module")
def referred(script: ModuleType) -> list[Any]:
    """Return the sweeps with the reference's counts in place of ours."""
    rows = [*script.sweep_rows("a_overflow"), *script.sweep_rows("b_ptq")]
    counts = [round(row.reference * script.TEST_IMAGES) for row in rows]
    images = script.TEST_IMAGES
    return [
        replace(row, measured=Accuracy(correct=count, images=images)) for row, count in zip(rows, counts, strict=True)
    ]


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]


def table_of_page(head: str) -> str:
    return PAGE[PAGE.index(head) :].split("\n\n")[0].strip()


def test_the_engines_on_the_page_are_those_the_script_runs(script, engines):
    ours = cells(script.engine_table(engines))
    told = cells(table_of_page("| format | values per word"))
    assert [line[:-NOT_MEASURED_HERE] for line in told] == [line[:-NOT_MEASURED_HERE] for line in ours]


def test_the_tables_of_accuracies_are_those_of_the_reference(script, referred):
    assert script.overflow_table(referred) in PAGE
    assert script.split_table(referred) in PAGE


def test_the_numbers_beside_the_picture_are_those_of_the_page(script, engines):
    with PICTURE_NUMBERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = {tuple(line[:2]): line for line in cells(table_of_page("| weights | ifmaps |"))[2:]}
    for part, place in (("c_converted", 2), ("c_retrained", 4)):
        for row in (row for row in rows if row["part"] == part):
            line = told[f"`{row['weights']}`", f"`{row['ifmaps']}`"]
            shares = (row["accuracy"], row["reference_accuracy"])
            assert line[place : place + 2] == [f"{100 * float(share):.2f}" for share in shares]
    drawn = [row for row in rows if row["part"] == "d_engine"]
    assert [int(row["total_cycles"]) for row in drawn] == [engine.total_cycles for engine in engines]
    assert [float(row["chip_pj"]) for row in drawn] == pytest.approx([engine.chip_pj for engine in engines])
    measured = {row["weights"]: f"{100 * float(row['accuracy']):.2f}" for row in drawn}
    lines = cells(table_of_page("| format | values per word"))[3:]
    assert {line[0].strip("`"): line[-2] for line in lines} == measured
    sweeps = [row for row in rows if row["part"] in ("a_overflow", "b_ptq")]
    assert len(sweeps) == 86
    assert all(row["accuracy"] == row["reference_accuracy"] for row in sweeps)


def test_every_number_of_the_text_is_printed_by_the_script(script, engines, referred):
    printed = "\n".join(
        (script.engine_table(engines), script.engine_facts(engines), script.overflow_table(referred),
         script.split_table(referred), script.agreement(referred), table_of_page("| weights | ifmaps |"), table_of_page("| format | values per word"))
    )  # fmt: skip
    prose = re.sub(r"`[^`]*`|^    .*$|\([^)]*\.png\)|^\|.*\|$|DDR4|RISC-V", "", PAGE, flags=re.MULTILINE)
    known = {number.rstrip(",") for number in NUMBER.findall(printed)} | TOLD
    assert {number.rstrip(",") for number in NUMBER.findall(prose)} - known == set()


def test_the_ratio_to_the_software_follows_the_clock(engines):
    engine = engines[0]
    slower = replace(engine, clock_mhz=engine.claimed_clock_mhz)
    assert slower.times_faster == pytest.approx(80)
    assert replace(engine, clock_mhz=2 * engine.clock_mhz).times_faster == pytest.approx(2 * engine.times_faster)


def test_engine_bus_and_standby_are_all_the_energy_of_the_run(engines):
    pieces, row = sys.modules["webinar_engine"], engines[-1]
    run = pieces.simulate_converted(load_arch("hls_mnist_4"), row.format)
    parts = run.energy_components
    assert {"mac", "spad", "buffer", "wires", "leakage"} <= set(parts) - {*pieces.TRANSFER, *pieces.STANDBY}
    assert row.transfer_pj == pytest.approx(sum(parts[name] for name in pieces.TRANSFER))
    assert row.standby_pj == pytest.approx(sum(parts[name] for name in pieces.STANDBY))
    assert row.chip_pj + row.transfer_pj + row.standby_pj == pytest.approx(run.energy_pj)


@pytest.mark.parametrize("name", ["fx<4,2>", "fx<15,6,1,RND,WRAP>"])
def test_a_row_of_the_tables_is_measured_bit_for_bit(script, referred, monkeypatch, name):
    monkeypatch.setenv("ARCHSIM_MNIST", str(mnist_folder()))
    (row,) = [each for each in referred if each.format == name]
    coded = script.in_format(script.blank_conversion(name), name)
    first = coded_accuracy(coded, read_images("mnist:test:10000"))
    assert first == row.measured

"""docs/eyeriss.md says what scripts/eyeriss_page.py prints."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.script_module import load_script

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "eyeriss.md").read_text(encoding="utf-8")
LARGE = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("eyeriss_page")


@pytest.mark.parametrize("table", ["pass_table", "dram_table", "search_table"])
def test_the_tables_are_what_the_script_prints(script: ModuleType, table: str) -> None:
    assert getattr(script, table)() in PAGE


def test_the_worked_pass_is_what_the_script_prints(script: ModuleType) -> None:
    prose = re.sub(r"^\|.*$", "", PAGE, flags=re.MULTILINE)
    said = set(LARGE.findall(prose)) - {"21,632", "1,728"}  # psums and weights, in words
    assert said == set(LARGE.findall(script.facts()))
    times = script.pass_times("conv5")
    assert (times.psum, times.weight) == (21_632 // 4, 1_728 // 4)

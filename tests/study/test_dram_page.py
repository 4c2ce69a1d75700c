"""docs/dram.md says what scripts/dram_timeline.py prints."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "dram.md").read_text()
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dram_timeline_script", TOP / "scripts" / "dram_timeline.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def printed(script: ModuleType) -> str:
    shipped = script.run_variant(script.VARIANTS[0], log=True)
    return f"{script.facts(shipped)}\n{script.table(map(script.run_variant, script.VARIANTS))}"


def test_the_table_is_what_the_script_prints(printed: str) -> None:
    table = printed[printed.index("| mapping") :]
    assert table in PAGE


def test_every_number_of_the_text_is_printed_by_the_script(printed: str) -> None:
    prose = re.sub(r"`[^`]*`|^    .*$|\([^)]*\.png\)|Ramulator 2\.1|DRAMsim3", "", PAGE, flags=re.MULTILINE)
    known = {number.rstrip(",") for number in NUMBER.findall(printed)}
    strange = {number.rstrip(",") for number in NUMBER.findall(prose)} - known
    assert strange == set()


def test_the_picture_shows_all_that_the_page_speaks_of(script: ModuleType) -> None:
    from archsim.study.dram_timeline import dram_timeline

    run = script.run_variant(script.VARIANTS[0], log=True).run
    drawn = dram_timeline(run, start=script.DRAWN_CLOCKS[0], end=script.DRAWN_CLOCKS[1])
    assert drawn.refreshes
    assert len(drawn.turnarounds) >= 2
    assert len({row.row for row in drawn.open_rows if row.bank == script.CONTESTED}) > 1

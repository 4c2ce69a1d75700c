"""docs/dram.md says what scripts/dram_timeline.py prints, and that is what `archsim run` writes."""

import csv
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from archsim.cli import main
from archsim.engine.dram_run import COMMANDS
from tests.script_module import load_script

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "dram.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("dram_timeline")


@pytest.fixture(scope="module")
def outcomes(script: ModuleType) -> list[Any]:
    return [script.run_variant(variant) for variant in script.VARIANTS]


@pytest.fixture(scope="module")
def printed(script: ModuleType, outcomes: list[Any]) -> str:
    return f"{script.facts(outcomes[0])}\n{script.table(outcomes)}"


def test_the_table_is_what_the_script_prints(printed: str) -> None:
    assert printed[printed.index("| layout") :] in PAGE


def test_every_number_of_the_text_is_printed_by_the_script(printed: str) -> None:
    prose = re.sub(r"`[^`]*`|^    .*$|\([^)]*\.png\)|Ramulator 2\.1|DRAMsim3", "", PAGE, flags=re.MULTILINE)
    known = {number.rstrip(",") for number in NUMBER.findall(printed)}
    strange = {number.rstrip(",") for number in NUMBER.findall(prose)} - known
    assert strange == set()


def test_the_pages_command_writes_the_numbers_of_the_first_line(
    script: ModuleType, outcomes: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = re.findall(r"^    (archsim run .*)$", PAGE, flags=re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (None, 0)
    (written,) = _rows(tmp_path / "pw2" / "dram.csv")
    run = outcomes[0].dram
    uses = {f"bus_{use.value}_cycles": cycles for use, cycles in run.bus_use}
    counts = {name: getattr(run.counts, name) for name in run.counts.__slots__}
    ours = {"layer": "pw2", "cycles": run.cycles, "burst_bytes": run.device.request_bytes} | counts | uses
    assert written == {name: str(value) for name, value in ours.items()}
    (layer,) = _rows(tmp_path / "pw2" / "layers.csv")
    assert int(layer["total_cycles"]) == outcomes[0].layer.total_cycles
    energies = {row["component"]: float(row["energy_pj"]) for row in _rows(tmp_path / "pw2" / "energy.csv")}
    assert sum(energies[name] for name in script.CHIPS) / 1e6 == pytest.approx(outcomes[0].chips_uj)


def test_the_settings_named_in_the_text_are_those_of_the_variants(script: ModuleType) -> None:
    set_here = {setting for variant in script.VARIANTS for setting in (*script.SHIPPED, *variant.settings)}
    named = set(re.findall(r"--set (\S+=[^\s`]+)", PAGE))
    assert named <= set_here


def test_the_whole_layer_is_in_the_log(outcomes: list[Any]) -> None:
    run = outcomes[0].dram
    kinds = [COMMANDS[kind] for kind in run.log.kind.tolist()]
    assert (kinds.count("read"), kinds.count("write")) == (run.counts.reads, run.counts.writes)


def test_the_picture_shows_all_that_the_page_speaks_of(script: ModuleType, outcomes: list[Any]) -> None:
    drawn = script.drawn_stretch(outcomes[0].dram)
    assert drawn.refreshes
    assert len(drawn.turnarounds) >= 2
    assert {burst.is_write for burst in drawn.bursts} == {False, True}
    assert len({row.row for row in drawn.open_rows if row.bank == script.CONTESTED}) > 1


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

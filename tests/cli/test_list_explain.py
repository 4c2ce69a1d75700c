"""`archsim list`, `explain`, `--help`, `--version` and `archsim` alone."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archsim.arch.validation import ValidationState
from archsim.catalog import arch_names, workload_names
from archsim.glossary import GLOSSARY
from archsim.study.run_tables import ENERGY_COLUMNS, LAYER_COLUMNS, TRAFFIC_COLUMNS
from archsim.terms import Dataflow

COMMANDS = ("run", "convert", "demo", "recost", "roofline", "dram", "validate", "list", "explain")


@pytest.mark.parametrize(
    ("shelf", "names"),
    [
        ("archs", arch_names()),
        ("workloads", workload_names()),
        ("dataflows", [dataflow.value for dataflow in Dataflow]),
    ],
)
def test_a_shelf_lists_a_name_and_its_meaning_per_line(archsim: Any, shelf: str, names: list[str]) -> None:
    answer = archsim("list", shelf)
    assert (answer.code, answer.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in answer.out.splitlines()]
    assert sorted(name for name, _ in lines) == sorted(names)
    assert all(meaning for _, meaning in lines)


def test_the_archs_are_a_table_of_dataflow_pes_clock_node_state_and_source(archsim: Any) -> None:
    lines = archsim("list", "archs").out.splitlines()
    cells = {line.split()[0]: re.split(r"  +", line) for line in lines}
    assert cells["os_16x16"] == [
        "os_16x16", "output_stationary", "16 x 16", "500 MHz", "45 nm", "example",
        "archsim example: a textbook output-stationary array, not ...",
    ]  # fmt: skip
    assert {len(row) for row in cells.values()} == {7}
    assert {row[5] for row in cells.values()} <= set(ValidationState)
    starts = {line.index(row[-1]) for line, row in zip(lines, cells.values(), strict=True)}
    assert len(starts) == 1


def test_the_formats_name_int8_and_fixed_point(archsim: Any) -> None:
    out = archsim("list", "formats").out
    assert "intN" in out
    assert "fx<W,I>" in out


def test_an_unknown_shelf_is_told_the_known_ones(archsim: Any) -> None:
    answer = archsim("list", "foo")
    assert (answer.code, answer.out) == (2, "")
    assert "'foo' is not one of 'archs', 'workloads', 'formats', 'dataflows', 'devices'" in answer.err


@pytest.mark.parametrize("term", sorted(GLOSSARY))
def test_every_term_is_explained_on_stdout(archsim: Any, term: str) -> None:
    assert archsim("explain", term) == (0, GLOSSARY[term] + "\n", "")


@pytest.mark.parametrize("column", sorted({*LAYER_COLUMNS, *TRAFFIC_COLUMNS, *ENERGY_COLUMNS}))
def test_every_column_of_every_table_is_explained(archsim: Any, column: str) -> None:
    assert archsim("explain", column).code == 0


@pytest.mark.parametrize("term", ["Utilization", "DRAM_Bandwidth", "zero-skip"])
def test_case_and_joints_do_not_matter(archsim: Any, term: str) -> None:
    assert archsim("explain", term).code == 0


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("utilisation", "'utilisation' is not in the glossary. Did you mean 'utilization'?\n"),
        ("xyzzy", "'xyzzy' is not in the glossary. `archsim explain layer` shows what an entry looks like.\n"),
        ("", "'' is not in the glossary. `archsim explain layer` shows what an entry looks like.\n"),
    ],
)
def test_an_unknown_term_is_told_the_nearest(archsim: Any, term: str, message: str) -> None:
    assert archsim("explain", term) == (2, "", message)


def test_help_names_every_command_in_whole_sentences(archsim: Any) -> None:
    answer = archsim("--help")
    assert (answer.code, answer.err) == (0, "")
    commands = answer.out.split("Commands:")[1]
    assert tuple(re.findall(r"^  (\w+)  +\S", commands, re.MULTILINE)) == COMMANDS
    assert "..." not in commands


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(archsim: Any, command: str) -> None:
    assert archsim(command, "--help").out.startswith(f"Usage: archsim {command}")


def test_archsim_alone_shows_the_help_as_talk(archsim: Any) -> None:
    assert archsim() == (2, "", archsim("--help").out)


def test_the_version_is_that_of_a_run(archsim: Any) -> None:
    from archsim.study.simulate import program_versions

    assert archsim("--version") == (0, f"archsim {dict(program_versions())['archsim']}\n", "")


def test_an_unknown_command_exits_2(archsim: Any) -> None:
    answer = archsim("foo")
    assert (answer.code, answer.out) == (2, "")
    assert "No such command 'foo'" in answer.err


def heavy_imports(*words: str) -> str:
    """Which of the heavy packages a command has imported when it ends."""
    heavy = "{'numba', 'onnx', 'matplotlib', 'pandas', 'numpy'}"
    program = (
        f"import sys; sys.argv = ['archsim', *{words!r}]\nfrom archsim.cli import main\n"
        f"try: main()\nexcept SystemExit: pass\nprint(sorted({heavy} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
    return ended.stdout.splitlines()[-1]


def test_help_imports_nothing_heavy() -> None:
    assert heavy_imports("--help") == "[]"


def test_a_run_imports_nothing_that_only_files_and_pictures_need() -> None:
    assert heavy_imports("run", "tpu_like", "lenet5") == "['numba', 'numpy']"


def test_explain_knows_number_formats_too(archsim: Any) -> None:
    answer = archsim("explain", "fx<8,4>")
    assert answer.code == 0
    assert answer.out.startswith("fx<8,4>: 8 bits, +-0.0625 to 7.9375; MAC into int32 0.306 pJ, 420 um2 (model). ")

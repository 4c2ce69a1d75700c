"""`archsim validate`: tables or JSON on stdout, exit 1 where a bound is broken, exit 2 for wrong input."""

import json
from pathlib import Path
from typing import Any

import pytest

from archsim.validate.dram_reference import SHIPPED
from archsim.validate.numerics import CLUSTERS

LINES = SHIPPED.read_text().splitlines()
HEADER = LINES[2]


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped runs of one sequential trace, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("r.csv")
    path.write_text("\n".join([HEADER, *(line for line in LINES[3:] if ",seq_rd," in line)]) + "\n")
    return path


def test_the_tables_tell_each_tier_its_errors_and_its_bound(archsim: Any, reference: Path) -> None:
    answer = archsim("validate", "dram", "--reference", reference)
    assert (answer.code, answer.err) == (0, "")
    tiers = [line.split() for line in answer.out.splitlines() if line[:2] in ("A ", "B ", "C ", "D ", "E ")]
    assert tiers[0][:2] == ["A", "cycles"]
    assert tiers[0][-2:] == ["equal", "pass"]
    assert "dram: pass: all bounds of" in answer.out
    assert "FAIL" not in answer.out


def test_a_broken_bound_exits_1_and_names_the_rows(archsim: Any, reference: Path) -> None:
    text = reference.read_text()
    first = next(line for line in text.splitlines()[1:] if line.startswith("dramsim3"))
    cells = first.split(",")
    cells[5] = str(int(cells[5]) + 1)  # cycles
    reference.write_text(text.replace(first, ",".join(cells)))
    answer = archsim("validate", "dram", "--reference", reference)
    assert (answer.code, answer.err) == (1, "")
    assert "dram: FAIL: A cycles (equal)" in answer.out
    row = next(line for line in answer.out.splitlines() if line.startswith("A cycles") and cells[1] in line)
    assert f"{cells[2]} {cells[4]}" in row


EVERY_DRAMSIM3 = ("A cycles", "A closed page", "A several channels")


def test_json_holds_every_row(archsim: Any, reference: Path) -> None:
    answer = archsim("validate", "dram", "--reference", reference, "--json")
    assert (answer.code, answer.err) == (0, "")
    (suite,) = json.loads(answer.out)
    assert (suite["suite"], suite["reference"], suite["passes"]) == ("dram", "r.csv", True)
    tier = suite["tiers"][0]
    assert tier["errors"] == {"median": 0, "p90": 0, "max": 0}
    assert tier["bounds"] == {"max": 0}
    assert set(tier["rows"][0]) == {"group", "case", "published", "simulated", "error"}
    theirs = [line for line in reference.read_text().splitlines() if line.startswith("dramsim3")]
    assert sum(len(each["rows"]) for each in suite["tiers"] if each["tier"] in EVERY_DRAMSIM3) == len(theirs)


def test_the_sram_suite_is_one_of_them(archsim: Any) -> None:
    answer = archsim("validate", "sram")
    assert (answer.code, answer.err) == (0, "")
    assert "sram: pass" in answer.out


def test_the_numerics_suite_runs_the_rows_of_a_table(archsim: Any) -> None:
    answer = archsim("validate", "numerics", "--reference", CLUSTERS)
    assert (answer.code, answer.err) == (0, "")
    assert "numerics: pass: all bounds of 2 tiers hold" in answer.out
    (suite,) = json.loads(archsim("validate", "numerics", "--reference", CLUSTERS, "--json").out)
    assert [(tier["tier"], len(tier["rows"])) for tier in suite["tiers"]] == [
        ("5 bits of convolutions", 8), ("5 bytes of networks", 8)
    ]  # fmt: skip


def test_a_wrong_size_of_a_cluster_table_exits_1(archsim: Any, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(CLUSTERS.read_text().replace(",15336,", ",15337,"))
    answer = archsim("validate", "numerics", "--reference", path)
    assert (answer.code, answer.err) == (1, "")
    assert "numerics: FAIL: 5 bytes of networks (equal)" in answer.out


def test_a_table_of_other_columns_exits_2(archsim: Any, reference: Path) -> None:
    answer = archsim("validate", "numerics", "--reference", reference)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("r.csv:1: none of the published tables has these columns. Known: single types: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("darm",), "no suite is named 'darm'. Did you mean 'dram'? Known: dram, sram, numerics\n"),
        (("dram", "x"), "no suite is named 'x'. Known: dram, sram, numerics\n"),
        (("--reference", "r.csv"), "--reference r.csv: has the rows of one suite; name it, e.g. archsim validate dram --reference r.csv\n"),
        (("dram", "--reference", "no.csv"), "no.csv: cannot be read: No such file or directory\n"),
    ],
)  # fmt: skip
def test_wrong_input_exits_2(archsim: Any, reference: Path, arguments: tuple[str, ...], message: str) -> None:
    assert archsim("validate", *arguments) == (2, "", message)


def test_a_wrong_reference_is_told_with_its_line(archsim: Any, reference: Path) -> None:
    reference.write_text(reference.read_text() + LINES[3].replace("DDR3_1600", "DDR3_160") + "\n")
    answer = archsim("validate", "dram", "--reference", reference)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"r.csv:{len(reference.read_text().splitlines())}: no DRAM device is named 'DDR3_160'. Did you mean 'DDR3_1600'?\n"
    )

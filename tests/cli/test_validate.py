"""`archsim validate`: tables or JSON on stdout, exit 1 where a bound is broken, exit 2 for wrong input."""

import json
from pathlib import Path
from typing import Any

import pytest

from archsim.validate.dram_reference import SHIPPED
from archsim.validate.numerics import CLUSTERS
from archsim.validate.published_rows import COLUMNS
from archsim.validate.suites import SUITES

LINES = SHIPPED.read_text().splitlines()
HEADER = LINES[2]
KNOWN = ", ".join(SUITES)


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
    assert tier["errors"] == {"median": 0, "mean": 0, "p90": 0, "max": 0}
    assert tier["bounds"] == {"max": 0}
    assert set(tier["rows"][0]) == {
        "group", "case", "published", "simulated", "error", "source", "is_recalled", "is_gated", "is_total", "note"
    }  # fmt: skip
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
        (("darm",), f"no suite is named 'darm'. Did you mean 'dram'? Known: {KNOWN}\n"),
        (("dram", "x"), f"no suite is named 'x'. Known: {KNOWN}\n"),
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


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three measurements of one's own on an example chip, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = Path("mine.csv")
    path.write_text(
        ",".join(COLUMNS) + "\n"
        "os_16x16,lenet5,conv1,2,macs_M,M,0.2352,my bench,false,\n"  # 2 x 28 x 28 x 6 x 25
        "os_16x16,lenet5,conv2,2,macs_M,M,0.48,my bench,true,recalled at lunch\n"  # 2 x 10 x 10 x 16 x 150
        "os_16x16,lenet5,conv*,2,macs_M,M,0.8112,my bench,false,\n"  # and 2 x 1 x 1 x 120 x 400
    )
    return path


def test_measurements_of_ones_own_run_against_the_bounds_of_a_chips_suite(archsim: Any, mine: Path) -> None:
    answer = archsim("validate", "eyeriss", "--reference", mine)
    assert (answer.code, answer.err) == (0, "")
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines[0] == "MACs [M], lenet5 on os_16x16, batch 2; bound max 0.1, total 0.1"
    assert lines[3].split() == ["conv1", "0.2352", "0.2352", "0", "my", "bench"]
    assert lines[4].split() == ["conv2", "0.48", "0.48", "0", "recalled,", "see", "below", "my", "bench"]
    assert lines[5].split() == ["conv*", "total", "0.8112", "0.8112", "0", "my", "bench"]
    assert lines[7] == "  conv2: recalled at lunch"
    assert lines[-1] == "eyeriss: pass: all bounds of 1 tiers hold"
    assert max(map(len, lines)) <= 80


def test_a_measurement_beyond_the_bound_exits_1_and_one_that_is_not_gated_does_not(archsim: Any, mine: Path) -> None:
    text = mine.read_text()
    mine.write_text(text.replace(",0.48,", ",0.485,"))
    answer = archsim("validate", "eyeriss", "--reference", mine)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines()[-1] == "eyeriss: FAIL: MACs (max 0.1)"
    mine.write_text(text.replace(",0.48,", ",0.485,").replace("recalled at lunch", "not gated: recalled at lunch"))
    answer = archsim("validate", "eyeriss", "--reference", mine)
    assert answer.code == 0
    assert "  conv2: not gated: recalled at lunch" in answer.out.splitlines()


def test_json_holds_every_measurement(archsim: Any, mine: Path) -> None:
    (suite,) = json.loads(archsim("validate", "eyeriss", "--reference", mine, "--json").out)
    (tier,) = suite["tiers"]
    assert tier["bounds"] == {"max": 0.001, "total": 0.001}
    assert [(row["case"], row["is_recalled"], row["is_total"]) for row in tier["rows"]] == [
        ("conv1", False, False), ("conv2", True, False), ("conv* total", False, True)
    ]  # fmt: skip


def test_a_picture_is_drawn_with_its_numbers_beside_it(archsim: Any, mine: Path) -> None:
    answer = archsim("validate", "eyeriss", "--reference", mine, "--plot", "rows.png")
    assert (answer.code, answer.err) == (0, "rows.png and rows.csv\n")
    assert Path("rows.png").read_bytes().startswith(b"\x89PNG")
    assert len(Path("rows.csv").read_text().splitlines()) == 4


def test_a_picture_never_overwrites_the_measurements(archsim: Any, mine: Path) -> None:
    before = mine.read_text()
    answer = archsim("validate", "eyeriss", "--reference", mine, "--plot", "mine.png")
    assert (answer.code, answer.out) == (2, "")
    assert "--plot mine.png writes mine.csv too, which is the reference; rename it" in answer.err
    assert mine.read_text() == before


def test_a_picture_is_a_png_and_of_rows(archsim: Any, reference: Path) -> None:
    assert "'rows.pdf' must end in .png" in archsim("validate", "eyeriss", "--plot", "rows.pdf").err
    answer = archsim("validate", "dram", "--reference", reference, "--plot", "rows.png")
    assert answer.code == 2
    assert answer.err.startswith("--plot draws the rows of chips' suites; dram: none.")


def test_wrong_measurements_are_told_with_their_lines(archsim: Any, mine: Path) -> None:
    mine.write_text(mine.read_text().replace("os_16x16,lenet5,conv2", "os_16,lenet5,conv7"))
    answer = archsim("validate", "eyeriss", "--reference", mine)
    assert (answer.code, answer.out) == (2, "")
    assert [line.split(" ", 1)[0] for line in answer.err.splitlines()] == ["mine.csv:3:", "mine.csv:3:"]


def test_help_names_every_suite(archsim: Any) -> None:
    said = archsim("validate", "--help").out
    assert [name for name in SUITES if name not in said] == []

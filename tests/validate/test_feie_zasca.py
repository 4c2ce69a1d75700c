"""The suites feie and zasca: every bound holds, rows that are wrong break them, references are read with their faults."""

import re
from pathlib import Path

import pytest

from archsim.errors import ConfigError
from archsim.validate.feie import SHIPPED, feie_suite, read_cases
from archsim.validate.suites import run_suites
from archsim.validate.zasca import SHIPPED as ZASCA
from archsim.validate.zasca import zasca_suite


def test_the_feie_table_is_met_in_every_cell() -> None:
    suite = feie_suite()
    assert suite.passes
    tiers = {tier.name: tier for tier in suite.tiers}
    assert [(row.case, row.simulated) for row in tiers["cycles"].rows] == [("dense", 16), ("sparse", 10)]
    assert sum(row.published for row in tiers["table"].rows) == 3 * (16 + 10)
    assert all(tier.is_exact for tier in suite.tiers)


def test_the_shipped_table_is_the_rule_of_the_tutorial() -> None:
    """Psum o of a row lives in PE o mod 3 and meets pixel i at tap i - o; 75 % of the dense slots are used."""
    dense, sparse = read_cases(SHIPPED)
    for case in (dense, sparse):
        for (_, pe), (tap, pixel, psum) in case.cells.items():
            if psum:
                row, output = divmod(int(psum[1:]) - 1, 6)
                assert output % 3 == pe
                assert int(tap[1:]) - 1 == int(pixel[1:]) - 1 - 8 * row - output
    assert sum(cell != ("", "", "") for cell in dense.cells.values()) == 36
    assert (len(dense.cells), len(sparse.cells)) == (48, 30)


def test_a_wrong_cell_breaks_the_table(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(SHIPPED.read_text().replace("dense,5,1,W1,X5,P5", "dense,5,1,W2,X5,P5"))
    suite = feie_suite(path)
    assert not suite.passes
    worst = next(tier for tier in suite.tiers if tier.name == "table").worst(5)
    assert [(row.group, row.case, row.simulated) for row in worst] == [("dense", "cycle 5", 2)]


def test_faults_of_a_table_are_told_all_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("case,cycle,pe,tap,pixel,psum,source\na,0,0,W1,X1,P1,me\na,1,x,W1,1,P1,me\n")
    with pytest.raises(ConfigError) as raised:
        feie_suite(path)
    said = str(raised.value).splitlines()
    assert [line.split(": ")[0].rpartition(":")[2] for line in said] == ["2", "3", "3"]
    assert "cycle (='0')" in said[0]
    path.write_text("cycle,pe\n1,2\n")
    with pytest.raises(
        ConfigError, match="need the columns case, cycle, pe, tap, pixel, psum, source; missing: case, tap"
    ):
        feie_suite(path)


def test_zasca_meets_what_is_known_of_it() -> None:
    suite = zasca_suite()
    assert suite.passes
    rows = {(tier.name, row.group, row.case): row for tier in suite.tiers for row in tier.rows}
    vgg = rows["VGG-16 latency", "vgg16 on zascad, batch 1", "conv* total"]
    assert abs(vgg.error) < 0.005
    gain = rows["zascas gain of skipping zeros", "vgg16 on zascas, batch 1", "conv* total"]
    assert 1.5 <= gain.simulated <= 2.5
    slower = next(tier for tier in suite.tiers if tier.name == "never slower")
    assert len(slower.rows) > 200
    assert all(row.simulated <= row.published for row in slower.rows)


def test_a_reference_of_the_users_replaces_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    lines = [line for line in ZASCA.read_text().splitlines() if line.startswith("chip,") or ",421.8," in line]
    path.write_text("\n".join(lines).replace("421.8", "500"))
    suite = run_suites(["zasca"], path)[0]
    assert not suite.passes
    assert suite.reference == str(path)


def test_the_table_of_the_page_on_zeros_is_that_of_the_example() -> None:
    page = (Path(__file__).parents[2] / "docs" / "zeros.md").read_text()
    told = {}
    for line in re.findall(r"^ {4} {3,4}(\d+ .*)$", page[page.index("    cycle   PE 0") :], re.MULTILINE):
        number, *cells = re.split(r" {2,}", line.strip())
        for pe, cell in enumerate(cells):
            found = re.fullmatch(r"(W\d+) x (X\d+) -> (P\d+)", cell)
            told[int(number), pe] = found.groups() if found else ("", "", "")
    sparse = next(case for case in read_cases(SHIPPED) if case.name == "sparse")
    assert told == dict(sparse.cells)

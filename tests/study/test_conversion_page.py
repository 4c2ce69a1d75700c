"""docs/conversion.md says what scripts/conversion_page.py and its own commands print, and names what the code names."""

import re
import shlex
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from archsim.catalog import load_arch
from archsim.cli import main
from archsim.conversion import convert
from archsim.convert.request import Request
from archsim.workload.converted_forms import (
    ClustersForm,
    FormatsForm,
    GoldenForm,
    IfmapForm,
    PoolArithmeticForm,
    ProductArithmeticForm,
)  # fmt: skip
from tests.script_module import load_script

pytest.importorskip("sklearn", reason="the page's images are scikit-learn's digits")

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "conversion.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
COMMANDS = re.findall(r"^    (archsim .*)$", PAGE, flags=re.MULTILINE)
FENCES = re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
NAMES = ("int8", "lns8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("conversion_page")


@pytest.fixture(scope="module")
def blocks(script: ModuleType) -> list[str]:
    return list(script.blocks())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """All that the page's commands print, in their order."""
    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as streams:
        patch.chdir(folder)
        out = (folder / "stdout").open("w+", encoding="utf-8")
        streams.setattr(sys, "stdout", out)
        for command in COMMANDS:
            patch.setattr(sys, "argv", shlex.split(command))
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code in (None, 0), command
        out.close()
    return (folder / "stdout").read_text(encoding="utf-8")


def test_every_block_is_what_the_script_prints(blocks: list[str]) -> None:
    assert [block for block in blocks if block not in PAGE] == []


def test_every_line_of_output_is_printed_by_a_command(printed: str, blocks: list[str]) -> None:
    shown = {_plain(line) for fence in FENCES for line in fence.splitlines() if line}
    known = {_plain(line) for text in (printed, *blocks) for line in text.splitlines()}
    assert shown <= known
    cycles, energy = re.findall(r": ([\d,]+) cycles, ([\d.]+) uJ", PAGE)[0]
    total = next(line.split() for line in printed.splitlines() if line.startswith("total "))
    assert (total[2], total[-1]) == (cycles, energy)


def test_every_number_of_the_text_is_printed(script: ModuleType, printed: str, blocks: list[str]) -> None:
    prose = re.sub(r"^```.*?^```$|`[^`]*`|^    .*$|int64|float\d\d", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    known = {number.rstrip(",") for text in (printed, script.facts(), *blocks) for number in NUMBER.findall(text)}
    assert {number.rstrip(",") for number in NUMBER.findall(prose)} <= known


@pytest.mark.parametrize("fmt", NAMES)
def test_the_value_worked_out_by_hand_is_the_engines(script: ModuleType, fmt: str) -> None:
    found = script.shipped(fmt)
    by_hand = {"int8": script.integer_value, "lns8": script.logarithmic_value}[fmt]
    _, code = by_hand(found)
    assert code == script.bit_true_code(found)


def test_both_formats_come_near_the_float(script: ModuleType) -> None:
    wanted = script.float_value(script.shipped("int8"))
    ends = [float(script.integer_value(script.shipped("int8"))[0][-1].split()[-1]),
            float(script.logarithmic_value(script.shipped("lns8"))[0][-1].split()[-1])]  # fmt: skip
    assert ends == [pytest.approx(wanted, abs=2**-6), pytest.approx(wanted, rel=2 ** (1 / 8) - 1)]


def test_the_files_hold_what_the_page_says_and_their_golden_codes(
    printed: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "net_lns8" in printed
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(folder)
    exec(snippet, {})
    arrays = zipfile.ZipFile(folder / "net_lns8.npz").namelist()
    kinds = {re.sub(r"^(?!golden)\w+\.(\w+)\.npy$", r"LAYER.\1", name).removesuffix(".npy") for name in arrays}
    assert {kind for kind in kinds if f"`{kind}`" not in PAGE} == set()


def test_the_keys_of_a_converted_workload_are_named() -> None:
    forms = (IfmapForm, FormatsForm, GoldenForm, ClustersForm, PoolArithmeticForm, ProductArithmeticForm)
    keys = {key for form in forms for key in form.model_fields} - {"images", "checksums"}
    assert {key for key in keys if not re.search(rf"\b{key}\b", PAGE)} == set()


def test_the_passes_and_what_they_keep_are_those_of_a_conversion() -> None:
    request = Request(
        model="digits_cnn", calibration="digits:100", prune="kernels:0.1", clusters="32", fine_tune_epochs=0.1
    )
    _, report = convert(request)
    assert len(report.passes) == 7
    rows = [f"| {each.name} | {each.invariant} |" for each in report.passes]
    assert [row for row in rows if row not in PAGE] == []


def test_the_keys_of_an_arch_are_keys() -> None:
    for name in ("packing_bits", "keeps_weights", "log_adder", "follow_workload"):
        assert re.search(rf"`(\w+\.)?{name}", PAGE)
    settings = (
        "formats.follow_workload=true",
        "levels.weight_memory.keeps_weights=false",
        "levels.dram.packing_bits=32",
    )
    assert load_arch("recogni_lns", settings).follows_workload


def test_the_picture_is_there() -> None:
    assert (TOP / ".readme" / "conversion.png").stat().st_size > 10_000


def _plain(line: str) -> str:
    return " ".join(line.split())

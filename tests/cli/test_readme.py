"""What README shows is what archsim gives."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim.arch.pe_array import PeArray
from archsim.arch.validation import ValidationState
from archsim.catalog import arch_names, load_arch, load_workload
from archsim.study.simulate import simulate

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize("name", ["conv1", "conv5", "pool5", "fc6", "fc7", "fc8", "total"])
def test_the_tours_table_is_what_the_run_gives(name: str) -> None:
    run = simulate(load_arch("tpu_like"), load_workload("alexnet"))
    row = re.search(rf"^ +{name} .*$", README, re.MULTILINE)
    assert row is not None
    numbers = [int(cell.replace(",", "")) for cell in re.findall(r" {2,}([\d,]+)(?= {2,})", row.group())]
    rows = run.layers if name == "total" else [layer for layer in run.layers if layer.layer == name]
    cycles = sum(layer.total_cycles for layer in rows)
    stalls = [sum(layer.onchip_stall_cycles for layer in rows), sum(layer.dram_stall_cycles for layer in rows)]
    macs = sum(layer.macs for layer in rows)
    assert numbers[: 4 if macs else 3] == [*([macs] if macs else []), cycles, *stalls]


@pytest.mark.parametrize(("block", "load"), [("archsim/arch/v1", load_arch), ("archsim/workload/v1", load_workload)])
def test_the_files_that_readme_shows_can_be_read(block: str, load, tmp_path: Path) -> None:
    text = next(found for found in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if block in found)
    path = tmp_path / "shown.yaml"
    path.write_text(text)
    assert load(path).name == yaml.safe_load(text)["name"]


def test_every_setting_of_the_array_is_in_the_table() -> None:
    table = README[README.index("| key | default |") : README.index("## Networks")]
    shown = set(re.findall(r"`(\w+)`", table))
    settings = set(PeArray.__dataclass_fields__) - {"rows", "columns", "dataflow"}
    assert settings <= shown


def test_the_chips_of_the_table_are_as_told() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+ \w+) \| ([\d x]+) \| ([\d.]+) MHz, ([\d.]+) nm \|", README, re.MULTILINE)
    assert len(rows) >= 11
    for name, dataflow, pes, clock_mhz, node_nm in rows:
        arch = load_arch(name)
        assert arch.pe_array.dataflow == dataflow.replace(" ", "_"), name
        assert pes == f"{arch.pe_array.rows} x {arch.pe_array.columns}", name
        assert (float(clock_mhz), float(node_nm)) == (round(arch.clock_mhz, 1), arch.technology_nm), name
    told = {name for name, *_ in rows}
    chips = {name for name in arch_names() if load_arch(name).validation.state is not ValidationState.EXAMPLE}
    assert chips - told == {name for name in chips if name.startswith(("hls_mnist", "recogni"))}


def test_every_file_that_readme_names_is_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"\((\.readme/[\w.]+)\)|`(tests/[\w/.]+|scripts/[\w.]+)`|`(\w+/\w+\.py)`", README)
    for picture, path, module in named:
        target = root / (picture or path or f"archsim/{module}")
        assert target.exists(), target


def test_every_run_on_digits_that_the_page_on_zeros_shows_works(archsim: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "zeros.md").read_text()
    shown = re.findall(r"archsim (run \w+ digits_\w+ --inputs digits:test:\d+)", page)
    assert len(shown) >= 1
    for command in shown:
        assert archsim(*command.split()).code == 0

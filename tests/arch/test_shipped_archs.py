"""The files in arch_configs/: every one can be read, and says what its name says."""

from pathlib import Path

import pytest

from archsim.arch.schema import read_arch_yaml
from archsim.arch.validation import ValidationState
from archsim.config_file import parse_value
from archsim.terms import HELD_OPERANDS, Dataflow, Operand

FOLDER = Path(__file__).parents[2] / "arch_configs"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_arch_is_read_and_named_like_its_file(path: Path) -> None:
    arch = read_arch_yaml(path)
    assert arch.name == path.stem
    assert arch.source != "not given"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_arch_that_no_one_built_says_so(path: Path) -> None:
    arch = read_arch_yaml(path)
    says_so = any(word in arch.source for word in ("not a chip that was built", "SCALE-Sim"))
    assert says_so or arch.validation.state is not ValidationState.EXAMPLE


def test_there_is_an_arch_for_every_dataflow() -> None:
    assert {read_arch_yaml(path).pe_array.dataflow for path in FILES} == set(Dataflow)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_operand_of_a_shipped_arch_has_a_level_unless_its_dataflow_streams_it(path: Path) -> None:
    arch = read_arch_yaml(path)
    missing = {operand for operand in HELD_OPERANDS if arch.sram_of(operand) is None}
    streamed = {Dataflow.PIXEL_BROADCAST: set(HELD_OPERANDS), Dataflow.PLANAR_TILES: {Operand.WEIGHT}}
    assert missing <= streamed.get(arch.pe_array.dataflow, set())


def test_the_tpu_like_dram_moves_34_gigabytes_a_second() -> None:
    arch = read_arch_yaml(FOLDER / "tpu_like.yaml")
    gigabytes_per_second = arch.dram.bandwidth_bytes_per_cycle * arch.clock_mhz / 1000
    assert gigabytes_per_second == pytest.approx(34, abs=0.05)  # 48.6 B x 0.7 GHz = 34.02


def test_the_input_stationary_example_differs_from_the_output_stationary_one_in_its_pe_array_only() -> None:
    os, is_ = (parse_value((FOLDER / f"{name}.yaml").read_text()) for name in ("os_16x16", "is_16x16"))
    assert {key for key in os if os[key] != is_[key]} == {"name", "source", "pe_array"}

"""Ports, banks and cells of an SRAM level, as an arch file writes them."""

from pathlib import Path

import pytest

from archsim.arch.level_keys import SramKeys
from archsim.arch.memory_level import PortKind, SramCell, SramPorts
from archsim.arch.schema import read_arch_yaml
from archsim.errors import ConfigError

README = (Path(__file__).parents[2] / "README.md").read_text()


def glb(write_arch, keys: str):
    return read_arch_yaml(write_arch(("4096", f"4096, {keys}"))).srams[0]


@pytest.mark.parametrize(
    ("written", "count", "kind", "rate"),
    [
        ("1", 1, PortKind.READ_OR_WRITE, 4),
        ("2", 2, PortKind.READ_OR_WRITE, 8),
        ("1rw", 1, PortKind.READ_OR_WRITE, 4),
        ("2rw", 2, PortKind.READ_OR_WRITE, 8),
        ("1r1w", 1, PortKind.READ_AND_WRITE, 8),  # 4 bytes each way
        ("3r3w", 3, PortKind.READ_AND_WRITE, 24),
    ],
)
def test_ports_are_a_number_or_a_name(write_arch, written, count, kind, rate) -> None:
    level = glb(write_arch, f"width_bytes: 4, ports: {written}")
    assert level.bank_ports == SramPorts(count=count, kind=kind)
    assert level.bytes_per_cycle == rate
    assert str(level.bank_ports) == (written if "w" in written else f"{written}rw")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2r1w", "'2r1w'"),
        ("0rw", "'0rw'"),
        ("rw", "'rw'"),
        ("1r", "'1r'"),
        ("0", "0"),
        ("70000", "70000"),
        ("true", "True"),
    ],
)
def test_other_ports_are_refused_with_what_may_stand_there(write_arch, written, found) -> None:
    with pytest.raises(ConfigError) as caught:
        glb(write_arch, f"width_bytes: 4, ports: {written}")
    assert str(caught.value).startswith("a.yaml:9: levels.0.ports: must be ")
    assert str(caught.value).endswith(f"(found {found})")


def test_ports_of_their_own_need_a_width_too(write_arch) -> None:
    with pytest.raises(ConfigError, match=r"levels.0.ports: needs width_bytes"):
        glb(write_arch, "ports: 1r1w")


def test_banks_interleave_by_access_words_unless_the_arch_says_otherwise(write_arch) -> None:
    assert glb(write_arch, "width_bytes: 4, banks: 2").interleave_bytes is None
    assert glb(write_arch, "width_bytes: 4, banks: 2, interleave_bytes: 16").interleave_bytes == 16


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("width_bytes: 4, banks: 2, interleave_bytes: 6", r"must be a multiple of width_bytes \(=4\)"),
        ("width_bytes: 4, interleave_bytes: 8", "needs width_bytes and more than one bank"),
        ("banks: 2, interleave_bytes: 8", "needs width_bytes and more than one bank"),
    ],
)
def test_interleaving_that_means_nothing_is_refused(write_arch, keys, message) -> None:
    with pytest.raises(ConfigError, match=f"levels.0.interleave_bytes: {message}"):
        glb(write_arch, keys)


def test_cells_are_low_standby_power_unless_the_arch_says_otherwise(write_arch) -> None:
    assert glb(write_arch, "banks: 2").cell is SramCell.LSTP
    assert glb(write_arch, "cell: hp").cell is SramCell.HP
    with pytest.raises(ConfigError, match=r"levels\.0\.cell"):
        glb(write_arch, "cell: fast")


@pytest.mark.parametrize("key", sorted(set(SramKeys.model_fields) - {"name", "kind"}))
def test_readme_tells_every_key_of_an_sram(key) -> None:
    assert f"`{key}`" in README

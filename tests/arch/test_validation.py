"""How far an arch was checked: read, told, and required of those that claim it."""

from pathlib import Path

import pytest

from archsim.arch.validation import Validation, ValidationState
from archsim.catalog import arch_names, find_arch, load_arch
from archsim.config_file import read_yaml
from archsim.errors import ConfigError


def test_an_arch_is_an_example_unless_it_says_more(tmp_path: Path) -> None:
    text = find_arch("os_16x16").read_text().replace("validation: {state: example}\n", "")
    (tmp_path / "a.yaml").write_text(text)
    assert load_arch(tmp_path / "a.yaml").validation == Validation(state=ValidationState.EXAMPLE, against="")


def test_what_it_was_checked_against_is_read() -> None:
    arch = load_arch("os_16x16", ["validation={state: validated, against: a chip of ours}"])
    assert arch.validation.text == "validated: a chip of ours"


def test_a_validated_arch_has_to_say_against_what() -> None:
    with pytest.raises(ConfigError, match=r"against: a validated arch says against what"):
        load_arch("os_16x16", ["validation.state=validated"])
    with pytest.raises(ConfigError, match=r"validation\.against: a validated arch says against what"):
        Validation(state=ValidationState.VALIDATED)


def test_an_unknown_state_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"validation\.state=measured.*'validated', 'estimated' or 'example'"):
        load_arch("os_16x16", ["validation.state=measured"])


@pytest.mark.parametrize("name", arch_names())
def test_every_shipped_arch_says_how_far_it_was_checked(name: str) -> None:
    assert "validation" in read_yaml(find_arch(name), ConfigError).data

"""Tests of numbers with units."""

import pytest

from archsim.report.quantity import BYTE_SCALES, ENERGY_SCALES, SECOND_SCALES, shortened, shown, three_digits


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567, "1,230,000"), (99.96, "100"), (12.345, "12.3"), (0.0012345, "0.00123"), (2.0, "2")],
)
def test_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert three_digits(value) == text


def test_the_prefix_follows_the_size() -> None:
    assert shown(1.5e6, BYTE_SCALES) == "1.5 MB"
    assert shown(3.2e9, ENERGY_SCALES) == "3.2 mJ"
    assert shown(2.5e-5, SECOND_SCALES) == "25 µs"
    assert shown(0, BYTE_SCALES) == "0 B"


def test_a_long_name_loses_its_middle() -> None:
    assert shortened("conv", 5) == "conv"
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert len(shortened("x" * 99, 28)) == 28

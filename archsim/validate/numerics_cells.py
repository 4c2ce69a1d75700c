"""The cells of the published accuracy tables: words, whole numbers, shares and formats, and what each means.

Called by `numerics_cases.py` and `numerics_tables.py`. What is wrong with a cell is said with its column.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

from archsim.numerics.fixed_point import integer_type
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.logarithmic import logarithmic_type
from archsim.numerics.number_format import NumberFormat
from archsim.terms import CalibrationMethod, WeightScales

Word = TypeVar("Word")

SCALES = {
    "per-tensor": WeightScales.TENSOR,
    "weights per-channel": WeightScales.CHANNEL,
    "per-channel": WeightScales.CHANNEL,
    "per-tensor po2 scale": WeightScales.TENSOR,
    "per-tensor bias": WeightScales.TENSOR,
    "no scale": WeightScales.TENSOR,
    "-": WeightScales.TENSOR,
}
"""Granularity -> what shares a scale of the weights."""
METHODS: dict[str, CalibrationMethod | None] = {
    "MSE po2": CalibrationMethod.MSE,
    "max po2": CalibrationMethod.MAX,
    "TWN": None,
    "XNOR": None,
    "-": None,
} | {method.value: method for method in CalibrationMethod}
"""Calibration -> method; None = the formats' own."""
_INTEGER = re.compile(r"([su])(\d{1,2}) shared-exp")
_LOGARITHM = re.compile(r"(unsigned )?LNS(\d{1,2}) f=(\d{1,2})")
_SIGNS = {"ternary": "ternary_exact", "binary": "binary_exact"}
"""Their scale is the mean magnitude that TWN and XNOR take, no power of two."""
FORMAT_WORDS = ("s8 shared-exp", "u8 shared-exp", "LNS8 f=3", "unsigned LNS8 f=3", "float8_e4m3fn", "ternary", "fp32")
"""Examples of what the tables write."""


def read_format(row: Mapping[str, str], column: str) -> NumberFormat:
    """Read a format in the words of the tables, or in archsim's own.

    Raises
    ------
    ValueError
        It is neither.
    """
    words = row[column]
    integer, logarithm = _INTEGER.fullmatch(words), _LOGARITHM.fullmatch(words)
    try:
        if integer:
            return integer_type(int(integer[2]), signed=integer[1] == "s")
        if logarithm:
            return logarithmic_type(int(logarithm[2]), int(logarithm[3]), signed=logarithm[1] is None)
        return parse_format(_SIGNS.get(words, words))
    except ValueError as problem:
        raise ValueError(
            f"{column} must be a format as {', '.join(FORMAT_WORDS)}, or in archsim's words: {first_line(problem)}"
        ) from problem


def known(row: Mapping[str, str], column: str, words: Mapping[str, Word]) -> Word:
    """Return what the word of a column means.

    Raises
    ------
    ValueError
        It is not among the words.
    """
    if row[column] not in words:
        raise ValueError(f"{column} must be one of {', '.join(words)} (found {row[column]!r})")
    return words[row[column]]


def whole(row: Mapping[str, str], column: str, least: int, most: int) -> int:
    """Return the whole number of a column.

    Raises
    ------
    ValueError
        It is none, or out of bounds.
    """
    text = row[column]
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16 and least <= int(text) <= most):
        raise ValueError(f"{column} must be a whole number from {least} to {most} (found {text!r})")
    return int(text)


def share(row: Mapping[str, str], column: str) -> float:
    """Return the share of a column.

    Raises
    ------
    ValueError
        It is no number from 0 to 1.
    """
    try:
        found = float(row[column])
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ValueError(f"{column} must be a share from 0 to 1 (found {row[column]!r})")
    return found


def first_line(problem: ValueError) -> str:
    """Return the sentence without the caret below it."""
    return str(problem).splitlines()[0]

"""Rows of RTL as measured: what ran is told in the two texts ``params`` and ``workload``; called by `rtl_rows.py`.

A text is parts between semicolons, each a number with its name (``R=4``, ``p=2 filters``, ``row hop 4 cycles``) or words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archsim.arch.pe_array import PeArray
from archsim.config_file import did_you_mean, shortened
from archsim.errors import ConfigError
from archsim.terms import Dataflow
from archsim.validate.rtl_cases import ArrayCase, LeftOut, Measured, PeCase
from archsim.validate.rtl_conv import DESIGN, ConvCase, read_conv
from archsim.validate.rtl_designs import ARRAYS, NOT_MODELLED, PASSED_OVER, PES, ArrayDesign

_GIVEN = re.compile(r"(?P<name>[A-Za-z_][\w ]*?)\s*=\s*(?P<number>\d{1,9})\b(?P<rest>.*)")
_TOLD = re.compile(r"(?P<name>[A-Za-z][A-Za-z ]*?)\s+(?P<number>\d{1,9})\b(?P<rest>.*)")
_WRONG_VALUES = "WRONG VALUES"
_PE_NUMBERS = {"p": "filters", "q": "channels", "S": "taps", "F": "outputs", "U": "stride", "n": "images"}
RtlRow = ArrayCase | PeCase | ConvCase | LeftOut
_PE_OTHERS = {"zero ifmap pixels": "zero_words", "MACs": "macs"}


@dataclass(frozen=True, slots=True)
class _Said:
    """Numbers by name, and words, of one text."""

    column: str
    numbers: dict[str, int]
    words: list[str]

    def need(self, *names: str) -> None:
        """Refuse a text without one of the numbers, or with a 0 for it."""
        missing = [name for name in names if self.numbers.get(name, 0) < 1]
        if missing:
            given = ", ".join(f"{name}={number}" for name, number in self.numbers.items()) or "no numbers"
            wanted = " and ".join(f"{name}=..." for name in missing)
            raise ConfigError(f"{self.column} must give {wanted}, at least 1 (found {given})")


def read_raw(row: Mapping[str, str], measured: Measured, line: int) -> RtlRow:
    """Tell what archsim runs for a row, or why nothing.

    Parameters
    ----------
    row
        Columns ``params``, ``workload``, ``values_checked``.
    measured
        Its cycles.
    line
        Of the file.

    Raises
    ------
    ConfigError
        What is wrong with the row.
    """
    reason = _not_run(measured.design, row.get("values_checked") or "")
    if reason:
        return LeftOut(design=measured.design, line=line, reason=reason)
    if measured.design == DESIGN:
        return read_conv(row, measured)
    chip, work = (_parse(column, row[column]) for column in ("params", "workload"))
    is_pe = measured.design in PES
    known = {*_PE_NUMBERS, *_PE_OTHERS} if is_pe else ARRAYS[measured.design].numbers
    strange = [
        f"{name} {number}" for said in (chip, work) for name, number in said.numbers.items() if name not in known
    ]
    if strange:
        reason = f"it says {', '.join(strange)}: archsim has no setting of this design for that"
        return LeftOut(design=measured.design, line=line, reason=reason)
    return _pe_case(measured, chip, work) if is_pe else _array_case(measured, ARRAYS[measured.design], chip, work)


def _not_run(design: str, values: str) -> str:
    """Return why a row is left out, whatever its numbers; empty = it is not."""
    for name, reason in NOT_MODELLED.items():
        if design.startswith(name):
            return reason
    known = [*ARRAYS, *PES, DESIGN]
    if design not in known:
        near = did_you_mean(design, known)
        return f"archsim has no settings for this design.{near} A table with a column `settings` can give them"
    return values if values.startswith(_WRONG_VALUES) else ""


def _parse(column: str, text: str) -> _Said:
    said = _Said(column, {}, [])
    for part in (piece.strip() for piece in text.split(";")):
        found = _GIVEN.fullmatch(part) or (_TOLD.fullmatch(part) if "=" not in part else None)
        if found is not None and found["name"] in said.numbers:
            raise ConfigError(f"{column} gives {found['name']} twice (found {shortened(repr(text))})")
        if found is not None:
            said.numbers[found["name"]] = int(found["number"])
        elif "=" in part:
            raise ConfigError(f"{column}: {shortened(repr(part))} gives no whole number of up to 9 digits")
        elif part:
            said.words.append(part)
    return said


def _array_case(measured: Measured, design: ArrayDesign, chip: _Said, work: _Said) -> ArrayCase:
    chip.need(design.rows, design.columns)
    work.need("M", "N", "K")
    all_numbers = {**work.numbers, **chip.numbers}
    settings: dict[str, Any] = {**design.settings, **design.reload(all_numbers)}
    for name, keys in design.says.items():
        settings |= dict.fromkeys(keys, all_numbers[name]) if name in all_numbers else {}
    strange = []
    for words in (*chip.words, *work.words):
        meant = next((texts for text, texts in design.texts.items() if words.startswith(text)), None)
        settings |= meant or {}
        strange += [words] if meant is None and not words.startswith(PASSED_OVER) else []
    rows, columns = chip.numbers[design.rows], chip.numbers[design.columns]
    _check_tile(design, work.numbers, rows, columns)
    return ArrayCase(
        measured=_with_note(measured, strange),
        array=PeArray(rows=rows, columns=columns, dataflow=design.dataflow, **settings),
        pixels=work.numbers["M"], window=work.numbers["K"], filters=work.numbers["N"] * work.numbers.get("tiles", 1),
        first_output=design.first_output,
    )  # fmt: skip


def _check_tile(design: ArrayDesign, product: Mapping[str, int], rows: int, columns: int) -> None:
    """Refuse a tile that is larger than the array: the row's tiles would not be archsim's folds."""
    down = "M" if design.dataflow is Dataflow.OUTPUT_STATIONARY else "K"
    for side, size in ((down, rows), ("N", columns)):
        if product[side] > size:
            raise ConfigError(
                f"workload: {side}={product[side]} is more than the {size} of the array; tiles=... repeats it"
            )


def _pe_case(measured: Measured, chip: _Said, work: _Said) -> PeCase:
    chip.need("p", "q")
    work.need("S", "F", "U", "n")
    numbers = {**chip.numbers, **work.numbers}
    sizes = {field: numbers[name] for name, field in _PE_NUMBERS.items()}
    others = {field: numbers[name] for name, field in _PE_OTHERS.items() if name in numbers}
    return PeCase(measured=_with_note(measured, [*chip.words, *work.words]), pe=PES[measured.design], **sizes, **others)


def _with_note(measured: Measured, strange: list[str]) -> Measured:
    return replace(measured, note=f"not understood and passed over: {'; '.join(strange)}") if strange else measured

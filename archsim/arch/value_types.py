"""The kinds of value an arch file may hold, with their bounds: used by `schema.py` and `level_keys.py`.

Numbers are strict (``true`` is no number, ``"8"`` is text) and bounded, so that a slip of the
keyboard is an error rather than an hour of simulation.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

MAX_SIDE = 65_536
MAX_CYCLES = 1_000_000
MAX_WORDS = 2**31
MAX_BYTES = 2**40
RESERVED_NAMES = {
    "spad": "the registers in the PEs",
    "noc": "the networks of the array",
    "clock": "the clock and control of the PEs",
    "mac": "the multipliers",
    "vector": "the vector unit",
    "wires": "the wires",
    "leakage": "leakage",
    "weight_lut": "the table of kernels",
}
"""Names that the tables of a run use for other things."""

_EXPONENT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")


def _exponent_as_float(value: Any) -> Any:
    """Read ``1e3``, which YAML 1.1 takes for text."""
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("must be one line of text, and not empty")
    return value


def _free_name(name: str) -> str:
    if name in RESERVED_NAMES:
        raise ValueError(f"is what the tables of a run call {RESERVED_NAMES[name]}; choose another name")
    return name


Count = Annotated[int, Field(strict=True, ge=1, le=MAX_SIDE)]
Cycles = Annotated[int, Field(strict=True, ge=0, le=MAX_CYCLES)]
PositiveCycles = Annotated[int, Field(strict=True, ge=1, le=MAX_CYCLES)]
Words = Annotated[int, Field(strict=True, ge=0, le=MAX_WORDS)]
Bytes = Annotated[int, Field(strict=True, ge=0, le=MAX_BYTES)]
PositiveBytes = Annotated[int, Field(strict=True, ge=1, le=MAX_BYTES)]
PackingBits = Annotated[int, Field(strict=True, ge=8, le=4096, multiple_of=8)]

_Finite = Annotated[float, BeforeValidator(_exponent_as_float), Field(strict=True, allow_inf_nan=False)]
Rate = Annotated[_Finite, Field(ge=1e-6, le=1e9)]
Share = Annotated[_Finite, Field(ge=0, le=1)]
Energy = Annotated[_Finite, Field(ge=0, le=1e12)]
Nanometres = Annotated[_Finite, Field(ge=1, le=1000)]

Line = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
LevelName = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
FreeName = Annotated[LevelName, AfterValidator(_free_name)]

"""What a number format is called and how many bits it takes.

`arch` reads format names from YAML; `cost` asks for the width and the kind. Values are not
converted here yet: only storage width and arithmetic kind matter to cycles, traffic and energy.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class NumberKind(StrEnum):
    """The arithmetic that a format needs."""

    INTEGER = "integer"
    FIXED_POINT = "fixed_point"
    FLOAT = "float"
    LOGARITHMIC = "logarithmic"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """How a value is written: its name, kind and width.

    Parameters
    ----------
    name
        As written in YAML, e.g. ``int8``, ``fx<16,8>``, ``fp8_e4m3``, ``lns8``.
    kind
        The arithmetic it needs.
    width_bits
        Bits of one stored value. [b]
    """

    name: str
    kind: NumberKind
    width_bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.width_bits <= 128:
            raise ValueError(f"a format takes 1 to 128 bits, {self.name!r} takes {self.width_bits}")

    def bytes_of(self, words: int) -> int:
        """Bytes of ``words`` packed values, rounded up to a whole byte. [B]"""
        return -(-int(words) * self.width_bits // 8)


_FLOAT_BITS = {
    "fp8_e4m3": 8, "fp8_e5m2": 8, "fp16": 16, "bf16": 16, "tf32": 19, "fp32": 32, "fp64": 64,
}  # fmt: skip
_PATTERNS = (
    (re.compile(r"u?int(\d+)"), NumberKind.INTEGER),
    (re.compile(r"fx<(\d+),(-?\d+)>"), NumberKind.FIXED_POINT),
    (re.compile(r"lns(\d+)"), NumberKind.LOGARITHMIC),
)


def parse_format(name: str) -> NumberFormat:
    """Read a format name.

    Parameters
    ----------
    name
        ``intN``, ``uintN``, ``fx<W,I>`` (W bits in all, I before the point), ``lnsN``, ``fp8_e4m3``,
        ``fp8_e5m2``, ``fp16``, ``bf16``, ``tf32``, ``fp32`` or ``fp64``.

    Raises
    ------
    ValueError
        The name is none of these, or the width is not 1 to 128 bits.
    """
    text = name.replace(" ", "").lower()
    if text in _FLOAT_BITS:
        return NumberFormat(name=text, kind=NumberKind.FLOAT, width_bits=_FLOAT_BITS[text])
    for pattern, kind in _PATTERNS:
        match = pattern.fullmatch(text)
        if match:
            return NumberFormat(name=text, kind=kind, width_bits=int(match.group(1)))
    known = "intN, uintN, fx<W,I>, lnsN, " + ", ".join(_FLOAT_BITS)
    raise ValueError(f"{name!r} is not a number format; known: {known}")

"""Keys of an arch file that speak of operands: what a level holds, and how the DRAM channel codes them.

Used by `level_keys.py`.
"""

from typing import Annotated, Any

from pydantic import PlainValidator

from archsim.config_file import did_you_mean
from archsim.numerics.link_code import CODED_BY_EYERISS
from archsim.terms import CODABLE_OPERANDS, HELD_OPERANDS, Compression, Operand


def _held(value: Any) -> Operand:
    if value not in HELD_OPERANDS:
        raise ValueError("input should be 'ifmap', 'weight', 'psum' or 'ofmap'")
    return Operand(value)


def _compression(value: Any) -> tuple[tuple[Operand, Compression], ...]:
    if isinstance(value, str):
        code = _code(value)
        return () if code is Compression.NONE else tuple((operand, code) for operand in CODED_BY_EYERISS)
    if not isinstance(value, dict):
        rule = f"must be {_names(Compression)}, or one of them per operand as in {{ifmap: rlc5}}"
        raise ValueError(rule)  # noqa: TRY004 - pydantic takes ValueError
    unknown = [key for key in value if key not in CODABLE_OPERANDS]
    if unknown:
        hint = did_you_mean(str(unknown[0]), map(str, CODABLE_OPERANDS))
        raise ValueError(f"codes ifmap, weight and ofmap, not {unknown[0]!r}.{hint}")
    codes = {operand: _code(value[operand]) for operand in CODABLE_OPERANDS if operand in value}
    return tuple((operand, code) for operand, code in codes.items() if code is not Compression.NONE)


def _code(value: Any) -> Compression:
    if value not in list(Compression):
        raise ValueError(
            f"{value!r} is no code: {_names(Compression)}.{did_you_mean(str(value), map(str, Compression))}"
        )
    return Compression(value)


def _names(words: type[Compression]) -> str:
    return ", ".join(words)


HeldOperand = Annotated[Operand, PlainValidator(_held)]
CompressionKey = Annotated[tuple[tuple[Operand, Compression], ...], PlainValidator(_compression)]
"""One name for what Eyeriss codes (ifmap and ofmap), or a name per operand."""

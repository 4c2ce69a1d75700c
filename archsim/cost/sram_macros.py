"""Which SRAM macros an on-chip level is built of; called by `energy_table.py`, `area.py` and `assumptions.py`.

A bank is one macro. A partitioned level is one group of banks per operand, and one for what no
operand reserves.
"""

from dataclasses import dataclass

from archsim.arch.memory_level import SramLevel
from archsim.terms import Operand

DEFAULT_ACCESS_BYTES = 8
"""Bytes of one access where the arch names no width. [B]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SramMacros:
    """Equal banks that hold the same operands.

    Parameters
    ----------
    banks
        Macros of this kind.
    bank_bytes
        Capacity of one. [B]
    access_bytes
        Moved by one access. [B]
    """

    banks: int
    bank_bytes: float
    access_bytes: int

    @property
    def access_bits(self) -> int:
        """Width of one access. [b]"""
        return self.access_bytes * 8


def macros_of(level: SramLevel) -> tuple[SramMacros, ...]:
    """All macros of a level; their capacities add up to the level's."""
    parts = [size for _, size in level.partition_bytes or ()]
    rest = level.capacity_bytes - sum(parts)
    return tuple(_banks(level, size) for size in (*parts, rest) if size > 0)


def macros_for(level: SramLevel, operand: Operand) -> SramMacros:
    """Return the macros that an operand's accesses go to.

    Psums and ofmap share a partition where only one of them has any; an operand without a partition
    is priced as if it used the whole level.
    """
    parts = {owner: size for owner, size in level.partition_bytes or () if size > 0}
    partner = {Operand.OFMAP: Operand.PSUM, Operand.PSUM: Operand.OFMAP}.get(operand, operand)
    return _banks(level, parts.get(operand, parts.get(partner, level.capacity_bytes)))


def _banks(level: SramLevel, size_bytes: int) -> SramMacros:
    return SramMacros(
        banks=level.banks,
        bank_bytes=size_bytes / level.banks,
        access_bytes=level.width_bytes or DEFAULT_ACCESS_BYTES,
    )

"""Energies and areas as another tool's table gives them, in archsim's units; `foreign_prices.py` finds the chip in it."""

import re
from dataclasses import dataclass
from math import prod

BITS, OPERAND = "bits_per_action", "operand"
"""Arguments that archsim writes and reads: what an action moves, and whose words they are. [b]"""

_RANGE = re.compile(r"\[(\d+)\.\.(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignAction:
    """One action of a component.

    Parameters
    ----------
    name
        ``read``, ``compute``...
    arguments
        (name, value) pairs that tell variants of an action apart.
    pj
        Of one action. [pJ]
    bits
        That one action moves; None = the table does not say. [b]
    """

    name: str
    arguments: tuple[tuple[str, str], ...]
    pj: float
    bits: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignComponent:
    """One component, or a range of equal ones.

    Parameters
    ----------
    path
        As the table names it, ``design.PE[0..167].mac``.
    actions
        Of one instance.
    area_mm2
        Of one instance; None = the table does not say. [mm2]
    leak_mw
        Of one instance, where the table gives power; None = it gives an action ``leak``, or nothing. [mW]
    """

    path: str
    actions: tuple[ForeignAction, ...]
    area_mm2: float | None = None
    leak_mw: float | None = None

    @property
    def name(self) -> str:
        """The last part of the path, without its range: ``mac``."""
        return _RANGE.sub("", self.path).rsplit(".", maxsplit=1)[-1]

    @property
    def instances(self) -> int:
        """How many the ranges of the path name, ``[0..167]`` being 168."""
        return prod(int(last) - int(first) + 1 for first, last in _RANGE.findall(self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTable:
    """A whole table.

    Parameters
    ----------
    path
        Of the file, for messages.
    kind
        ``Accelergy ERT`` or ``AccelForge architecture``.
    components
        In the order of the file.
    default_bits
        That an action moves where it does not say; None = the width of the memory, which the table has not. [b]
    """

    path: str
    kind: str
    components: tuple[ForeignComponent, ...]
    default_bits: float | None

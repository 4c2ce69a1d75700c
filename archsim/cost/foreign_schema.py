"""What archsim reads of an Accelergy ERT or ART and of an AccelForge architecture; other keys are let be.

pydantic at the border; called by `accelergy.py` and `accelforge.py`. Those tools let numbers be text
(``112e-6``), so numbers are read from text here too; an expression is refused.
"""

from math import isfinite, nan
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _number(value: Any) -> Any:
    try:
        number = nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("must be a number from 0 up; expressions are not evaluated") from None
    if not (isfinite(number) and number >= 0):
        raise ValueError("must be a number from 0 up")
    return number


def _positive(value: Any) -> Any:
    number = _number(value)
    if number == 0:
        raise ValueError("must be more than 0")
    return number


Amount = Annotated[float, BeforeValidator(_number)]
Bits = Annotated[float, BeforeValidator(_positive)]
ComponentName = Annotated[str, Field(min_length=1, max_length=400)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ErtArguments(BaseModel):
    """What tells variants of an action apart; any names, and archsim's own ``bits_per_action``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    bits_per_action: Bits | None = None


class ErtAction(_Lenient):
    """A row of an energy reference table. [pJ]"""

    name: str
    arguments: ErtArguments | None = None
    energy: Amount

    @property
    def bits(self) -> float | None:
        """That the action moves, where the table says so. [b]"""
        return self.arguments.bits_per_action if self.arguments else None


class ErtComponent(_Lenient):
    """A component of an energy reference table."""

    name: ComponentName
    actions: tuple[ErtAction, ...]


class ArtComponent(_Lenient):
    """A component of an area reference table. [um2]"""

    name: ComponentName
    area: Amount


class Ert(_Lenient):
    """``ERT``."""

    tables: tuple[ErtComponent, ...]


class Art(_Lenient):
    """``ART``."""

    tables: tuple[ArtComponent, ...]


class ErtFile(_Lenient):
    """A file with an ERT, perhaps with an ART."""

    ERT: Ert
    ART: Art | None = None


class ArtFile(_Lenient):
    """A file with an ART."""

    ART: Art


class NodeAction(_Lenient):
    """An action of an AccelForge node; without an energy AccelForge asks a model, which archsim does not. [J]"""

    name: str
    energy: Amount | None = None
    bits_per_action: Bits | None = None


class Node(_Lenient):
    """A node of an AccelForge architecture. [m2], [W]"""

    name: ComponentName
    actions: tuple[NodeAction, ...] | None = None
    area: Amount | None = None
    leak_power: Amount | None = None


class NodeList(_Lenient):
    """``arch`` of an AccelForge file; nodes may hold nodes."""

    nodes: tuple[Any, ...]


class AccelForgeFile(_Lenient):
    """A file with an AccelForge architecture."""

    arch: NodeList

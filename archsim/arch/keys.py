"""The base of every group of keys in an arch file: all faults of a group at once.

Pydantic skips checks between keys when one key is wrong. Here they run on what is left, so that a
person sees every fault of a file in one go. Used by `schema.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, to_jsonable_python

Checked = TypeVar("Checked")
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Keys that contradict each other.

    Parameters
    ----------
    at
        The key to blame, relative to the group.
    message
        What is wrong and what to do.
    found
        The value to show.
    concerns
        Keys that the check read; it stays silent where one of them is faulty by itself.
    """

    at: Place
    message: str
    found: Any
    concerns: frozenset[str] = frozenset()


class Keys(BaseModel):
    """A group of keys: unknown ones refused, values frozen, conflicts reported beside other faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    stand_ins: ClassVar[Mapping[str, Any]] = {}
    """Harmless values for required keys, so that the other checks run when those are faulty."""

    def conflicts(self) -> Iterable[Conflict]:
        """Return what is wrong between keys that are right one by one."""
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        value, faults = attempt(handler, data)
        faulty = {fault["loc"][0] for fault in faults if fault.get("loc")}
        mended = value
        if mended is None and isinstance(data, dict):
            sound = {key: item for key, item in data.items() if key in cls.model_fields and key not in faulty}
            mended, _ = attempt(handler, {**cls.stand_ins, **sound})
        conflicts = mended.conflicts() if mended is not None else ()
        return settle(value, faults, (each for each in conflicts if not each.concerns & faulty))


def attempt(handler: Callable[[Any], Checked], data: Any) -> tuple[Checked | None, list[InitErrorDetails]]:
    """Validate; return the value and no fault, or None and the faults."""
    try:
        return handler(data), []
    except ValidationError as problem:
        return None, [_readable(fault) for fault in problem.errors()]


def settle(value: Checked | None, faults: list[InitErrorDetails], conflicts: Iterable[Conflict]) -> Checked:
    """Return the value, or raise every fault and conflict as one pydantic error."""
    every = [
        *faults,
        *(
            _fault("conflict", each.message, each.at, to_jsonable_python(each.found, fallback=str))
            for each in conflicts
        ),
    ]
    if value is None or every:
        raise ValidationError.from_exception_data("arch", every)
    return value


def _readable(fault: ErrorDetails) -> InitErrorDetails:
    """Rewrite pydantic's words where they speak of pydantic rather than of the file."""
    if fault["type"] == "union_tag_not_found":
        return _fault("missing", "Field required", (*fault["loc"], "kind"), fault["input"])
    if fault["type"] == "union_tag_invalid":
        allowed = (fault.get("ctx") or {})["expected_tags"]
        return _fault("kind", f"must be one of {allowed}", (*fault["loc"], "kind"), fault["input"]["kind"])
    return _fault(fault["type"], fault["msg"], fault["loc"], fault["input"])


def _fault(kind: str, message: str, at: Place, found: Any) -> InitErrorDetails:
    custom = PydanticCustomError(kind, message)
    return InitErrorDetails(type=custom, loc=at, input=found)

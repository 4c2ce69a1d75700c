"""The keys of ``validation`` in an arch file: how far its numbers were checked. Part of `schema.py`."""

from collections.abc import Iterable

from archsim.arch.keys import Conflict, Keys
from archsim.arch.validation import Validation, ValidationState
from archsim.arch.value_types import Line


class ValidationKeys(Keys):
    """``validation``: the fields of `Validation`."""

    state: ValidationState = ValidationState.EXAMPLE
    against: Line | None = None

    def conflicts(self) -> Iterable[Conflict]:
        """Return what a validated arch leaves unsaid."""
        if self.state is ValidationState.VALIDATED and self.against is None:
            rule = "a validated arch says against what: whose numbers, and how they were met"
            yield Conflict(at=("against",), message=rule, found=None, concerns=frozenset({"state", "against"}))

    def build(self) -> Validation:
        """Return the statement."""
        return Validation(state=self.state, against=self.against or "")

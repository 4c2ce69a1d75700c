"""All that is wrong with a request, told at once. Used by `conversion.py` before any work is done."""

from collections.abc import Callable
from typing import TypeVar

from archsim.errors import ArchsimError, ConfigError, SimulationError

Made = TypeVar("Made")


class Faults:
    """Collects what each part of a request is refused for."""

    def __init__(self) -> None:
        self._found: list[ArchsimError] = []

    def of(self, make: Callable[[], Made]) -> Made | None:
        """Return what is made, or note why it cannot be."""
        try:
            return make()
        except SimulationError:
            raise
        except ArchsimError as problem:
            self._found.append(problem)
            return None

    def stop(self) -> None:
        """Raise what was noted: a single fault as it was, several as one message.

        Raises
        ------
        ArchsimError
            Something was noted.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise ConfigError("\n".join(dict.fromkeys(str(problem) for problem in self._found)))

"""How far the numbers of an arch were held against those of a real chip; told by `archsim list archs` and by every run."""

from dataclasses import dataclass
from enum import StrEnum

from archsim.errors import ConfigError


class ValidationState(StrEnum):
    """Whether a chip's published numbers come out of archsim."""

    VALIDATED = "validated"
    """A suite of `archsim validate` or a test holds archsim to published numbers of this chip."""
    ESTIMATED = "estimated"
    """It stands for a real chip, of which too little is published to hold archsim to it."""
    EXAMPLE = "example"
    """It stands for no chip that was built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What an arch was checked against.

    Parameters
    ----------
    state
        How far.
    against
        One line: whose numbers, and how they were met; or what is not known. Required for a validated arch.

    Raises
    ------
    ConfigError
        A validated arch does not say against what.
    """

    state: ValidationState = ValidationState.EXAMPLE
    against: str = ""

    def __post_init__(self) -> None:
        if self.state is ValidationState.VALIDATED and not self.against:
            raise ConfigError("validation.against: a validated arch says against what")

    @property
    def text(self) -> str:
        """The state, and what it was checked against."""
        return f"{self.state}: {self.against}" if self.against else self.state.value

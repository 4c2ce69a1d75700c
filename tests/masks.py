"""Masks in hand, for tests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class GivenMask:
    """A mask as it is; equal to itself alone."""

    values: NDArray[np.bool_]
    origin: str = "a test"

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> "GivenMask":
        return cls(values=values != 0)

    def nonzero(self) -> NDArray[np.bool_]:
        return self.values

"""What a converted network must give for a few inputs: made and checked by `engine/golden_run.py`, stored beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Golden:
    """Inputs and the checksums of what each layer makes of them.

    Parameters
    ----------
    ifmap
        Codes of the network's input, shape (N, *ifmap_shape).
    checksums
        Layer -> ``crc32:`` and 8 hexadecimal digits, in running order: see `engine.bit_true.checksum`.
    """

    ifmap: IntArray
    checksums: Mapping[str, str]

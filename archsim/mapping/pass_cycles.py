"""What one full pass of the array takes, alone and when the stream goes on."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from archsim.arch.pe_array import PeArray
from archsim.mapping.dataflow import DataflowPlan, PassShapes


@dataclass(frozen=True, slots=True, kw_only=True)
class PassCycles:
    """Times of a pass that uses the whole array. [cycles]

    Parameters
    ----------
    advance
        Until the next like pass may start.
    overhang
        From there until its last result.
    overhang_within
        The same at a step that the stream goes on behind.
    """

    advance: int
    overhang: int
    overhang_within: int


@lru_cache(maxsize=65536)
def pass_cycles(array: PeArray, dataflow: DataflowPlan, stream_words: int) -> PassCycles:
    """Time one step that is a pass of its own and one in the middle of a pass, both of ``stream_words``."""
    alone = np.array([True, True, False])
    shapes = PassShapes(
        rows=np.full(3, array.rows, dtype=np.int64),
        columns=np.full(3, array.columns, dtype=np.int64),
        stream=np.full(3, stream_words, dtype=np.int64),
        starts=alone,
        ends=np.array([True, False, True]),
        completes=np.array([True, False, True]),
    )
    timing = dataflow.time_passes(shapes, array)
    alone_cycles, within = int(timing.advance[0]), int(timing.advance[1])
    return PassCycles(advance=alone_cycles, overhang=int(timing.tail[0]) - alone_cycles,
                      overhang_within=int(timing.tail[1]) - within)  # fmt: skip

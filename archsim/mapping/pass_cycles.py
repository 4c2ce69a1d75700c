"""How long one full pass of the array takes when the next one follows at once."""

import numpy as np

from archsim.mapping.array_plan import ArrayWork
from archsim.mapping.dataflow import PassShapes


def cycles_per_pass(work: ArrayWork, stream_words: int) -> int:
    """Cycles between the starts of two like passes that use the whole array. [cycles]"""
    array = work.arch.pe_array
    both = np.ones(2, dtype=bool)
    shapes = PassShapes(
        rows=np.full(2, array.rows, dtype=np.int64),
        columns=np.full(2, array.columns, dtype=np.int64),
        stream=np.full(2, stream_words, dtype=np.int64),
        starts=both,
        ends=both,
        completes=both,
    )
    return int(work.dataflow.time_passes(shapes, array).advance[0])

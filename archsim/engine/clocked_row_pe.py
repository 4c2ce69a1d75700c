"""One row-stationary PE by itself, clocked: every register, every cycle, values included.

Called by `validate/rtl.py`, which holds it to RTL of a PE; `clocked_rows.py` clocks whole arrays of them.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from archsim.errors import SimulationError
from archsim.kernels import row_loop
from archsim.kernels.row_datapath import GATED_MACS, MACS
from archsim.kernels.row_stationary_pe import step_row_stationary_pe

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LonePe:
    """Settings of one PE and its spads.

    Parameters
    ----------
    accumulate_cycles, shift_cycles
        As those of `RowPe`. [cycles]
    pe_latency
        Cycles from operands to their sum. [cycles]
    start_cycles
        From the first word in both spads to the first MAC. [cycles]
    restart_cycles
        From the last psum of an image to the first MAC of the next, what spads are late apart. [cycles]
    psum_group
        Psums leave in groups of so many; the last group of an image is filled up, a cycle each. [words]
    fill_words
        Words that enter each spad per cycle; 0 = both are filled ahead.
    gates
        Whether a zero of the ifmap stops the multiplier.
    """

    accumulate_cycles: int = 0
    shift_cycles: int = 0
    pe_latency: int = 1
    start_cycles: int = 0
    restart_cycles: int = 0
    psum_group: int = 1
    fill_words: int = 0
    gates: bool = False

    def __post_init__(self) -> None:
        for each in fields(self):
            lowest = 1 if each.name in ("pe_latency", "psum_group") else 0
            if getattr(self, each.name) < lowest:
                raise SimulationError(
                    f"clocked PE: {each.name} (={getattr(self, each.name)!r}) must be at least {lowest}"
                )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LonePeRun:
    """What the PE did.

    Parameters
    ----------
    psums, output_cycles
        Shape (images, outputs, filters); the cycle after which each is out, counted from 1 = the edge at which the
        first word may enter a spad. [cycles]
    macs, gated_macs
        Done, gated ones included; gated ones among them.
    """

    psums: IntArray
    output_cycles: IntArray
    macs: int
    gated_macs: int


def run_clocked_row_pe(rows: IntArray, weights: IntArray, pe: LonePe, *, stride: int = 1) -> LonePeRun:
    """Slide filter rows along ifmap rows in one PE.

    Parameters
    ----------
    rows
        An ifmap row per image, shape (images, words, channels).
    weights
        Filter rows, shape (taps, channels, filters).
    pe
        Its settings.
    stride
        Words that the window moves on.

    Raises
    ------
    SimulationError
        The shapes do not fit each other.

    Notes
    -----
    Psums start from 0. Not modelled: a neighbour or a buffer that is not ready.
    """
    images, words, channels = rows.shape
    taps, weight_channels, filters = weights.shape
    if weight_channels != channels or words < taps or (words - taps) % stride:
        raise SimulationError(
            f"clocked PE: rows are {rows.shape} (images, words, channels), weights {weights.shape} (taps, channels, "
            f"filters): a window of {taps} words does not slide along {words} in steps of {stride}, or channels differ"
        )
    outputs = (words - taps) // stride + 1
    loop = _loop(pe, {"FILTERS": filters, "CHANNELS": channels, "TAPS": taps, "STRIDE": stride, "OUTPUTS": outputs,
                      "IMAGES": images})  # fmt: skip
    psums, cycles, counts = step_row_stationary_pe(
        np.ascontiguousarray(rows, dtype=np.int64).reshape(images, -1),
        np.ascontiguousarray(weights, dtype=np.int64).reshape(-1, filters),
        np.zeros((images, outputs, filters), dtype=np.int64),
        (loop, pe.fill_words),
    )
    return LonePeRun(psums=psums, output_cycles=cycles, macs=int(counts[MACS]), gated_macs=int(counts[GATED_MACS]))


def _loop(pe: LonePe, shape: dict[str, int]) -> IntArray:
    """Write down the loop as the kernel reads it: no dilation, one multiplier."""
    loop = np.zeros(row_loop.LOOP_WORDS, dtype=np.int64)
    loop[row_loop.DILATION] = loop[row_loop.MULTIPLIERS] = 1
    for name, size in shape.items():
        loop[getattr(row_loop, name)] = size
    loop[row_loop.ACCUMULATE_CYCLES] = pe.accumulate_cycles
    loop[row_loop.SHIFT_CYCLES] = pe.shift_cycles
    loop[row_loop.PE_LATENCY] = pe.pe_latency
    loop[row_loop.START_CYCLES] = pe.start_cycles
    loop[row_loop.RESTART_CYCLES] = pe.restart_cycles
    loop[row_loop.PSUM_GROUP] = pe.psum_group
    loop[row_loop.GATES] = pe.gates
    return loop

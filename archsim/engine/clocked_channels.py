"""One matrix product on the clocked channel-parallel array: every product register, every cycle, values included.

`exact_arrays.py` calls it for values, tests for all of it: it is the proof of the closed form in `mapping/channel_parallel.py`, which it does not know.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from archsim.arch.pe_array import PeArray
from archsim.engine.clocked_operands import check_sums, checked_integers
from archsim.errors import SimulationError
from archsim.kernels import channel_parallel as kernel
from archsim.terms import Dataflow

IntArray = NDArray[np.int64]
MODEL = "clocked channels"
"""What messages open with."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClockedChannels:
    """A matrix product, clocked.

    Parameters
    ----------
    ofmap
        The product, shape (pixels, filters).
    output_cycles
        Same shape: the cycle after which each value is final, counted from 1. [cycles]
    total_cycles
        Until the last slot is summed, those of padding included. [cycles]
    products, psums
        Multiplications issued, padding left out; sums that the accumulators took.
    """

    ofmap: IntArray
    output_cycles: IntArray
    total_cycles: int
    products: int
    psums: int


def run_clocked_channels(
    ifmap: NDArray[np.integer], weight: NDArray[np.integer], pe_array: PeArray, *, slots: Fraction, filters: int
) -> ClockedChannels:
    """Clock ``ifmap @ weight`` through a channel-parallel array.

    Parameters
    ----------
    ifmap, weight
        Integers, shapes (pixels, window) and (window, filters).
    pe_array
        Channel parallel.
    slots
        Multiplier cycles of one ofmap value, padding included; at least its window.
    filters
        Filters that the array takes, padding included.

    Raises
    ------
    SimulationError
        The operands are no matrices of integers, or their psums might not fit int64; the array is of another dataflow
        or computes in Winograd's domain, or what it takes is less than there is.
    """
    ifmap = checked_integers(ifmap, "ifmap", axes=2, model=MODEL)
    weight = checked_integers(weight, "weight", axes=2, model=MODEL)
    if pe_array.dataflow is not Dataflow.CHANNEL_PARALLEL or pe_array.require_atoms().winograd:
        raise SimulationError(f"{MODEL}: needs a channel_parallel array without winograd")
    if ifmap.shape[1] != len(weight) or slots < len(weight) or filters < weight.shape[1]:
        raise SimulationError(
            f"{MODEL}: ifmap {ifmap.shape} and weight {weight.shape} do not fit each other, {slots} slots and "
            f"{filters} filters"
        )
    check_sums(ifmap, weight, products=len(weight), model=MODEL)
    atoms = pe_array.require_atoms()
    settings = np.zeros(kernel.SETTINGS, dtype=np.int64)
    settings[kernel.ROWS] = pe_array.rows
    settings[kernel.COLUMNS] = pe_array.columns if atoms.pixels_across else min(pe_array.columns, filters)
    settings[kernel.CHANNEL_ATOM] = atoms.channel_atom
    settings[kernel.FILTERS] = filters
    settings[kernel.SLOTS], settings[kernel.SLOTS_OVER] = slots.numerator, slots.denominator
    settings[kernel.LATENCY] = 1 + pe_array.pipeline_cycles
    ofmap, output_cycles, counts = kernel.step_channel_parallel_array(ifmap, weight, settings)
    return ClockedChannels(ofmap=ofmap, output_cycles=output_cycles, total_cycles=int(counts[kernel.EDGES]),
                           products=int(counts[kernel.PRODUCTS]), psums=int(counts[kernel.PSUMS]))  # fmt: skip

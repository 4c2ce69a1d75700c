"""Where a layer's transfers lie in a banked DRAM where each operand is laid out in the order of its use.

For arrays without a layout of their own: every operand has a region, and every transfer of it begins where the one before
ended; what is fetched again lies there again, as a copy. Called by the dataflows that stream.
"""

from dataclasses import replace

import numpy as np

from archsim.arch.dram_device import DramDevice
from archsim.mapping.dram_layout import check_capacity, next_region
from archsim.mapping.dram_runs import DramRuns, runs_in_order
from archsim.mapping.fold_plan import OPERAND_CODES, Transfers
from archsim.mapping.level_use import LevelUse
from archsim.terms import Operand


def in_order_of_use(transfers: Transfers, use: LevelUse, device: DramDevice, layer: str) -> Transfers:
    """Return the transfers with their places.

    Raises
    ------
    MappingError
        The layer's tensors, copies included, do not fit the device.
    """
    psum_bytes, ofmap_bytes = use.write_back_bytes()
    moved = {**use.fetch_bytes(), Operand.OFMAP: ofmap_bytes}
    nothing, base, placed = np.zeros_like(psum_bytes), 0, []
    for operand in OPERAND_CODES:
        sizes = moved.get(operand, nothing)
        start = base + np.cumsum(sizes) - sizes
        placed.append(DramRuns(base_bytes=start, run_bytes=np.maximum(1, sizes), runs=nothing + 1, run_pitch_bytes=nothing,
                               planes=nothing + 1, plane_pitch_bytes=nothing,
                               joins=(start > base).astype(np.int64)))  # fmt: skip
        base = next_region(device, int((start + sizes).max(initial=base)))
    check_capacity(layer, device, base)
    return replace(transfers, runs=runs_in_order(placed, transfers.operand, transfers.step))

"""Vector layer x arch -> FoldPlan: the vector unit works through its words chunk by chunk.

The lanes start ``ops_per_cycle`` operations each per cycle, and write at most one value each; an
operator without arithmetic (concat, transpose) is bound by its values alone. Words stream through the
buffers of ifmap and ofmap, so any size fits.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture, VectorUnit
from archsim.mapping.dram_layout import place_streams
from archsim.mapping.dram_queue import Fetch, WriteBack, ideal_times, queue_transfers
from archsim.mapping.fold_plan import FoldPlan, Steps, TrafficCount, merge_traffic
from archsim.mapping.level_use import Movement, count_traffic, dram_rows, link_bytes
from archsim.mapping.link_traffic import LinkShare, link_shares
from archsim.mapping.port_use import movement_cycles
from archsim.terms import Direction, Operand
from archsim.workload.layer import VectorLayer
from archsim.workload.tensor_zeros import LayerZeros, zeros_by_itself

IntArray = NDArray[np.int64]
CHUNKS = 16
"""Steps of a vector layer: enough for its transfers to overlap its work."""


def plan_vector_layer(
    layer: VectorLayer,
    arch: Architecture,
    unit: VectorUnit,
    on_chip_words: int,
    stays: bool,
    *,
    zeros: LayerZeros | None = None,
    keeps_weights: bool = False,
) -> FoldPlan:
    """Plan an operator of the vector unit.

    Parameters
    ----------
    layer, arch, unit
        The operator, the chip, and its vector unit.
    on_chip_words
        Ifmap words that are on chip already. [words]
    stays
        Whether the ofmap stays on chip for a later layer.
    zeros
        Of its tensors, for an arch that codes them on the channel; None = not known.
    keeps_weights
        Whether its parameters are on chip from before the first layer.

    Notes
    -----
    Not modelled: the order in which an operator walks its tensor, second passes (softmax, layer norm).
    """
    busy = max(-(-layer.lane_ops // unit.ops_per_cycle), layer.ofmap_words)
    cycles = -(-busy // unit.lanes)
    chunks = max(1, min(CHUNKS, cycles))
    fetched = _spread(layer.ifmap_words - on_chip_words, chunks)
    written = _spread(0 if stays else layer.ofmap_words, chunks)
    weights = np.zeros(chunks, dtype=np.int64)
    weights[0] = 0 if keeps_weights else layer.weight_words
    counts = {Operand.IFMAP: fetched, Operand.WEIGHT: weights}
    link = link_shares(arch, zeros or zeros_by_itself(layer))
    release = np.arange(chunks, dtype=np.int64) - 2
    fetches = [
        Fetch(operand=operand, length_bytes=link_bytes(arch, link, operand, words), release=np.maximum(release, -1),
              lead_cycles=np.zeros(chunks, dtype=np.int64))
        for operand, words in counts.items()
    ]  # fmt: skip
    write_back = WriteBack(
        psum_bytes=np.zeros(chunks, dtype=np.int64), ofmap_bytes=link_bytes(arch, link, Operand.OFMAP, written)
    )
    advance = _spread(cycles, chunks)
    transfers, last_write = queue_transfers(fetches, write_back, ideal_times(advance, advance))
    if arch.dram.has_banks:
        transfers = place_streams(layer.name, transfers, arch.dram.require_device())
    steps = Steps(
        advance_cycles=advance,
        tail_cycles=advance,
        port_cycles=_port_cycles(layer, arch, counts, written),
        hold_transfer=np.concatenate([np.full(min(2, chunks), -1), last_write[:-2]]).astype(np.int64),
    )
    return FoldPlan(kind="vector", folds=0, mapping_efficiency=0.0, array_macs=0, compute_cycles=cycles,
                    steps=steps, transfers=transfers, traffic=_traffic(layer, arch, counts, written, link),
                    nest=None)  # fmt: skip


def _spread(total: int, chunks: int) -> IntArray:
    """Cut a total into whole parts as equal as can be."""
    edges = np.arange(chunks + 1, dtype=np.int64) * total // chunks
    return np.diff(edges)


def _port_cycles(
    layer: VectorLayer, arch: Architecture, fetched: dict[Operand, IntArray], written: IntArray
) -> IntArray:
    chunks = len(written)
    parameters = np.zeros(chunks, dtype=np.int64)
    parameters[0] = layer.weight_words
    moved = (
        (Operand.IFMAP, Direction.READ, _spread(layer.ifmap_words, chunks)),
        (Operand.IFMAP, Direction.WRITE, fetched[Operand.IFMAP]),
        (Operand.WEIGHT, Direction.WRITE, fetched[Operand.WEIGHT]),
        (Operand.WEIGHT, Direction.READ, parameters),
        (Operand.OFMAP, Direction.WRITE, _spread(layer.ofmap_words, chunks)),
        (Operand.OFMAP, Direction.READ, written),
    )
    moves = [
        Movement(level=level.name, operand=operand, direction=direction, words=words, partition=operand)
        for operand, direction, words in moved
        if (level := arch.sram_of(operand)) is not None
    ]
    return np.maximum(movement_cycles(arch, moves), np.zeros(chunks, dtype=np.int64))


def _traffic(
    layer: VectorLayer,
    arch: Architecture,
    fetched: dict[Operand, IntArray],
    written: IntArray,
    link: Mapping[Operand, LinkShare],
) -> tuple[TrafficCount, ...]:
    rows: list[TrafficCount] = []
    for operand, used in ((Operand.IFMAP, layer.ifmap_words), (Operand.WEIGHT, layer.weight_words)):
        from_dram = int(fetched[operand].sum())
        rows += dram_rows(arch, link, operand, Direction.READ, fetched[operand])
        level = arch.sram_of(operand)
        if level is not None:
            rows.append(count_traffic(arch, level.name, operand, Direction.WRITE, from_dram))
            rows.append(count_traffic(arch, level.name, operand, Direction.READ, used))
    to_dram = int(written.sum())
    level = arch.sram_of(Operand.OFMAP)
    if level is not None:
        rows.append(count_traffic(arch, level.name, Operand.OFMAP, Direction.WRITE, layer.ofmap_words))
        rows.append(count_traffic(arch, level.name, Operand.OFMAP, Direction.READ, to_dram))
    rows += dram_rows(arch, link, Operand.OFMAP, Direction.WRITE, written)
    return merge_traffic(rows)

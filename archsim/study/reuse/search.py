"""The mapping of least energy among all of a dataflow's; called by `study.py`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.errors import MappingError
from archsim.study.reuse.candidates import Candidates
from archsim.study.reuse.split import AccessCosts, Counts, InputReuse, PsumReuse, ReuseLevel
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage
from archsim.terms import Operand

SAME = 1e-12
"""Energies this near to each other, as a share, are one: then the mapping with most active PEs is taken."""

MEMORIES = (ReuseLevel.DRAM, ReuseLevel.GLB, ReuseLevel.ARRAY, ReuseLevel.SPAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerReuse:
    """A layer in the mapping that was found.

    Parameters
    ----------
    layer
        With its batch.
    sizes
        The mapping: tile sizes and PEs by axis, by the names of the dataflow's file.
    active_pes
        PEs that have work.
    glb_words
        Taken in the GLB. [words]
    accesses
        By operand and level. [words]
    """

    layer: SquareLayer
    sizes: dict[str, int]
    active_pes: int
    glb_words: int
    accesses: dict[tuple[Operand, ReuseLevel], float]

    @property
    def mapping_text(self) -> str:
        """The mapping in a line: ``n=2 m=96 e=5``."""
        return " ".join(f"{name}={size}" for name, size in self.sizes.items())

    def energy(self, level: ReuseLevel, costs: AccessCosts) -> float:
        """Return the energy of a level. [MACs]"""
        if level is ReuseLevel.ALU:
            return self.layer.macs * costs.alu
        return costs.of(level) * sum(words for (_, at), words in self.accesses.items() if at is level)


def least_energy(layer: SquareLayer, candidates: Candidates, storage: Storage, costs: AccessCosts) -> LayerReuse:
    """Return the legal mapping of least energy; among equals the one with most active PEs, then the first.

    Raises
    ------
    MappingError
        No mapping is legal: which room is missing, and how much.
    """
    energy = _searched_energy(candidates, costs)
    fits = np.broadcast_to(candidates.is_legal & (candidates.glb_words <= storage.glb_words), energy.shape)
    if not fits.any():
        raise MappingError(_why_none(layer, candidates, storage))
    energy = np.where(fits, energy, np.inf)
    equals = np.flatnonzero(energy <= energy.min() * (1 + SAME))
    active = np.broadcast_to(candidates.active_pes, energy.shape).ravel()[equals]
    return _chosen(layer, candidates, energy.shape, int(equals[active.argmax()]))


def _searched_energy(candidates: Candidates, costs: AccessCosts) -> Counts:
    total: Counts = np.zeros(1)
    for reuse in (candidates.weight, candidates.psum, candidates.ifmap):
        for level in MEMORIES:
            is_hop = level is ReuseLevel.ARRAY and isinstance(reuse, PsumReuse)
            times = costs.searched_psum_hop if is_hop else 1.0
            total = total + times * costs.of(level) * reuse.accesses(level)
    return total


def _why_none(layer: SquareLayer, candidates: Candidates, storage: Storage) -> str:
    legal = np.broadcast_arrays(candidates.glb_words, candidates.is_legal)
    rooms = legal[0][legal[1]]
    if not rooms.size:
        return (
            f"layer {layer.name!r}: no mapping with {storage.pes} PEs of {storage.spad_words} spad words; its kernel is "
            f"{layer.kernel} x {layer.kernel}"
        )
    least = int(rooms.min())
    return (
        f"layer {layer.name!r} at batch {layer.batch} takes at least {least} words of the GLB, which has "
        f"{storage.glb_words}: {least - storage.glb_words} too few"
    )


def _chosen(layer: SquareLayer, candidates: Candidates, shape: tuple[int, ...], index: int) -> LayerReuse:
    def at(values: NDArray[np.int64] | Counts) -> float:
        return float(np.broadcast_to(values, shape)[np.unravel_index(index, shape)])

    parts: dict[Operand, InputReuse | PsumReuse] = {
        Operand.IFMAP: candidates.ifmap,
        Operand.WEIGHT: candidates.weight,
        Operand.PSUM: candidates.psum,
    }
    return LayerReuse(
        layer=layer,
        sizes={name: int(at(values)) for name, values in candidates.sizes.items()},
        active_pes=int(at(candidates.active_pes)),
        glb_words=int(at(candidates.glb_words)),
        accesses={
            (operand, level): at(reuse.accesses(level)) for operand, reuse in parts.items() for level in MEMORIES
        },
    )

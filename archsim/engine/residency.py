"""Tensors that wait on chip for a later layer, where the arch sets room aside (``keep_bytes``).

What stays is decided before the run, tensors that are read soonest first. Whatever a smaller room
would have kept is considered too, so that more room never means more DRAM bytes.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.mapping.layer_arch import arch_for_layer
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload

MOST_TRIES = 64
"""Rooms of different size that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One layer's ofmap as something that may stay.

    Parameters
    ----------
    name
        Of the layer that makes it.
    made, last_read
        Index of that layer and of the last one that reads it.
    size_bytes
        Room that it takes from the one to the other. [B]
    reads
        Layers that read it.
    """

    name: str
    made: int
    last_read: int
    size_bytes: int
    reads: int

    @property
    def saved_bytes(self) -> int:
        """DRAM bytes that its staying saves: one write and every read. [B]"""
        return self.size_bytes * (1 + self.reads)


def sources_of(workload: Workload) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return (ifmap sources, weight source) of each layer, views replaced by what they rename."""
    behind: dict[str, tuple[str, ...]] = {}
    found = {}
    for layer in workload.layers:
        real = tuple(dict.fromkeys(name for source in layer.sources for name in behind.get(source, (source,))))
        if isinstance(layer, VectorLayer) and layer.is_view:
            behind[layer.name] = real
        weight = layer.weight_source if isinstance(layer, MatmulLayer) else ""
        renamed = behind.get(weight, (weight,))
        weight = renamed[0] if len(renamed) == 1 else ""
        found[layer.name] = (tuple(name for name in real if name != weight) or real, weight)
    return found


def tensors_kept(arch: Architecture, workload: Workload) -> frozenset[str]:
    """Return the layers whose ofmap stays on chip until its last reader has run.

    Parameters
    ----------
    arch
        Its level that holds both ifmap and ofmap has the room.
    workload
        Layers in running order.

    Notes
    -----
    Tensors that one array layer reads side by side stay together or not at all. A tensor that some
    product takes as its weights stays only where weights live in the same level, and what an operator
    that is not costed reads goes to DRAM, as does what nobody reads.
    """
    level = _keep_level(arch)
    if level is None or not level.keep_bytes:
        return frozenset()
    groups = sorted(_groups(arch, workload, level), key=lambda group: (_lifetime(group), group[0].made))
    best: tuple[int, frozenset[str]] = (0, frozenset())
    room = level.keep_bytes
    for _ in range(MOST_TRIES):
        kept, peak = _admit(groups, room, len(workload.layers))
        saved = sum(tensor.saved_bytes for tensor in kept)
        best = max(best, (saved, frozenset(tensor.name for tensor in kept)), key=lambda each: each[0])
        if not kept:
            break
        room = peak - 1
    return best[1]


def kept_words(workload: Workload, kept: frozenset[str]) -> dict[str, int]:
    """Return the ofmap words of each layer that stays. [words]"""
    return {layer.name: _ofmap_words(layer) for layer in workload.layers if layer.name in kept}


def operands_on_chip(layer: Layer, sources: tuple[tuple[str, ...], str], stays: Collection[str]) -> frozenset[Operand]:
    """Return which operands of a layer need no DRAM; an ifmap of several sources only when all are on chip.

    Parameters
    ----------
    layer, sources
        The layer, and its entry of `sources_of`.
    stays
        Layers whose ofmap stays, from `tensors_kept`.
    """
    ifmaps, weight = sources
    on_chip = {
        Operand.IFMAP: bool(ifmaps) and all(name in stays for name in ifmaps),
        Operand.WEIGHT: weight in stays,
        Operand.OFMAP: layer.name in stays,
    }
    return frozenset(operand for operand, is_kept in on_chip.items() if is_kept)


def _admit(groups: list[list[Tensor]], room: int, layers: int) -> tuple[list[Tensor], int]:
    """Take each group that fits beside those taken before; return them and the most room they ever fill."""
    filled: NDArray[np.int64] = np.zeros(layers, dtype=np.int64)
    kept: list[Tensor] = []
    for group in groups:
        wanted = filled.copy()
        for tensor in group:
            wanted[tensor.made : tensor.last_read + 1] += tensor.size_bytes
        if wanted.max() <= room:
            filled = wanted
            kept += group
    return kept, int(filled.max())


def _groups(arch: Architecture, workload: Workload, level: SramLevel) -> Iterable[list[Tensor]]:
    """Collect the tensors that may stay, those that have to stay together in one list."""
    sources = sources_of(workload)
    readers: dict[str, list[int]] = {}
    barred: set[str] = set()
    together: dict[str, set[str]] = {}
    for index, layer in enumerate(workload.layers):
        ifmaps, weight = sources[layer.name]
        if isinstance(layer, UncostedLayer):
            barred.update(ifmaps)  # whoever runs it reads DRAM
            continue
        if isinstance(layer, VectorLayer) and layer.is_view:
            continue
        for name in {*ifmaps, weight} - {""}:
            readers.setdefault(name, []).append(index)
        if weight and arch.sram_of(Operand.WEIGHT) is not level:
            barred.add(weight)
        if isinstance(layer, ConvLayer | MatmulLayer):
            _join(together, ifmaps)
    made = {layer.name: (index, layer) for index, layer in enumerate(workload.layers)}
    seen: set[str] = set()
    for name in readers:
        group = together.get(name, {name})
        if name in seen:
            continue
        seen |= group
        if not group & barred and all(_size_bytes(arch, made[each][1]) for each in group):
            yield [_tensor(arch, *made[each], readers[each]) for each in sorted(group, key=lambda each: made[each][0])]


def _tensor(arch: Architecture, index: int, layer: Layer, readers: list[int]) -> Tensor:
    return Tensor(
        name=layer.name, made=index, last_read=max(readers), size_bytes=_size_bytes(arch, layer), reads=len(readers)
    )


def _join(together: dict[str, set[str]], names: tuple[str, ...]) -> None:
    """Merge the groups of names that one layer reads side by side."""
    merged = set(names).union(*(together.get(name, set()) for name in names))
    for name in merged:
        together[name] = merged


def _lifetime(group: list[Tensor]) -> int:
    return max(tensor.last_read - tensor.made for tensor in group)


def _keep_level(arch: Architecture) -> SramLevel | None:
    ofmap_level = arch.sram_of(Operand.OFMAP)
    return ofmap_level if ofmap_level is arch.sram_of(Operand.IFMAP) else None


def _size_bytes(arch: Architecture, layer: Layer) -> int:
    """Room that a layer's ofmap takes; 0 = it has none of its own. [B]"""
    words, level = _ofmap_words(layer), _keep_level(arch)
    if not words or level is None:
        return 0
    return arch_for_layer(layer, arch).group(level.name, Operand.OFMAP).bytes_of(words)


def _ofmap_words(layer: Layer) -> int:
    if isinstance(layer, UncostedLayer) or (isinstance(layer, VectorLayer) and layer.is_view):
        return 0
    return layer.ofmap_words

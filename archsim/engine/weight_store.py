"""Weights of all layers on the chip before the first layer runs (``keeps_weights`` of a level).

What is stored is what DRAM holds: pointers and tables of clustered layers, the weights of all others, parameters
of vector operators. Where all of it fits and leaves room for the tiles of the operands that share the level, no
layer reads weights from DRAM; the load before is said, not part of any layer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.engine.residency import operands_on_chip, sources_of, tensors_kept
from archsim.mapping.kernel_table import kernel_table
from archsim.mapping.layer_arch import arch_for_layer
from archsim.mapping.planner import layer_fits
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, UncostedLayer
from archsim.workload.network import Workload

KEPT = (
    "weights of all layers are loaded into {level} before the first layer: {stored:,} B (weights_load_bytes) of "
    "{room:,} B, {cycles:,} cycles of the DRAM channel (weights_load_cycles) and an energy (weights_load_energy_pj) "
    "that are part of no layer and no total; no layer reads weights from DRAM"
)
TOO_LARGE = (
    "weights do not stay on the chip: those of all layers take {stored:,} B, {level} has {room:,} B for them; every "
    "layer reads its own from DRAM"
)
NO_ROOM = (
    "weights do not stay on the chip: beside the {stored:,} B of all layers, {level} has {left:,} B left, too few for "
    "the tiles of layer {crowded!r}; every layer reads its own from DRAM"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStore:
    """The level that is to keep all weights, and whether it can.

    Parameters
    ----------
    level
        Its name.
    room_bytes
        That it has for weights. [B]
    stored_bytes
        Of all layers: pointers, tables, weights stored one by one. [B]
    load_cycles
        Of the DRAM channel for them at its bandwidth, one latency included; 0 where it is ideal. [cycles]
    crowded
        First layer whose tiles find no room beside them; empty = none.
    """

    level: str
    room_bytes: int
    stored_bytes: int
    load_cycles: int
    crowded: str = ""

    @property
    def fits(self) -> bool:
        """Whether all weights stay."""
        return self.stored_bytes <= self.room_bytes and not self.crowded

    @property
    def sentence(self) -> str:
        """What a report must say."""
        text = NO_ROOM if self.crowded else KEPT if self.fits else TOO_LARGE
        return text.format(level=self.level, stored=self.stored_bytes, room=self.room_bytes, cycles=self.load_cycles,
                           left=self.room_bytes - self.stored_bytes, crowded=self.crowded)  # fmt: skip


def weight_store(arch: Architecture, workload: Workload) -> WeightStore | None:
    """Return what is to be kept where; None where the arch does not ask for it, or the network has no weights.

    Raises
    ------
    MappingError
        A layer's formats do not fit the chip's.

    Notes
    -----
    Not modelled: a device's rows and banks in the time of the load.
    """
    level = arch.sram_of(Operand.WEIGHT)
    if level is None or not level.keeps_weights:
        return None
    stored = sum(_stored_bytes(layer, arch, level) for layer in workload.layers) + sum(_table_bytes(arch, workload))
    if not stored:
        return None
    cycles = 0
    if not arch.dram.is_ideal:
        cycles = int(-(-stored // arch.dram.bandwidth_bytes_per_cycle)) + arch.dram.read_latency_cycles
    store = WeightStore(level=level.name, room_bytes=level.room_for(Operand.WEIGHT), stored_bytes=stored,
                        load_cycles=cycles)  # fmt: skip
    is_shared = level.partition_bytes is None and len(level.holds) > 1
    return replace(store, crowded=_crowded_layer(arch, workload, store)) if is_shared and store.fits else store


def arch_with_weights(arch: Architecture, store: WeightStore | None) -> Architecture:
    """Return the arch with less room for tiles in a level that keeps all weights beside other operands."""
    if store is None or not store.fits:
        return arch
    levels = tuple(
        replace(level, keep_bytes=level.keep_bytes + store.stored_bytes)
        if level.name == store.level and level.partition_bytes is None
        else level
        for level in arch.srams
    )
    return replace(arch, srams=levels)


def _crowded_layer(arch: Architecture, workload: Workload, store: WeightStore) -> str:
    """Return the first layer whose tiles do not fit beside the weights of all; empty where every layer's do."""
    stays, sources = tensors_kept(arch, workload), sources_of(workload)
    beside = arch_with_weights(arch, store)
    for layer in workload.layers:
        if not isinstance(layer, ConvLayer | MatmulLayer):
            continue  # the vector unit needs no tiles
        kept = operands_on_chip(layer, sources[layer.name], stays)
        kept |= frozenset() if sources[layer.name][1] else {Operand.WEIGHT}
        if not layer_fits(layer, arch_for_layer(layer, beside), kept):
            return layer.name
    return ""


def _stored_bytes(layer: Layer, arch: Architecture, level: SramLevel) -> int:
    """Return the stored weights of one layer; 0 where another layer makes them. [B]"""
    if isinstance(layer, UncostedLayer) or (isinstance(layer, MatmulLayer) and layer.weight_source):
        return 0
    return arch_for_layer(layer, arch).group(level.name, Operand.WEIGHT).bytes_of(layer.weight_words)


def _table_bytes(arch: Architecture, workload: Workload) -> Iterable[int]:
    """Yield the size of each codebook. [B]"""
    seen: set[str] = set()
    for layer in workload.layers:
        if not isinstance(layer, ConvLayer | MatmulLayer) or layer.clusters is None:
            continue
        table = kernel_table(layer, arch_for_layer(layer, arch), loads=False)
        if table is not None and layer.clusters.codebook not in seen:
            seen.add(layer.clusters.codebook)
            yield table.size_bytes

"""Tensors that wait on chip for a later layer, where the arch sets room aside (``keep_bytes``).

A layer's ofmap stays when the level that ofmap and ifmap share has room for it until its last reader
has run; first come, first kept. What does not fit goes to DRAM and is read back.
"""

from dataclasses import dataclass, field

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.terms import Operand
from archsim.workload.layer import Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload


def readers(workload: Workload) -> dict[str, int]:
    """Return the index of the last layer that reads each layer's ofmap."""
    last: dict[str, int] = {}
    for index, layer in enumerate(workload.layers):
        for source in layer.sources:
            last[source] = index
        if isinstance(layer, MatmulLayer) and layer.weight_source:
            last[layer.weight_source] = index
    return last


@dataclass(slots=True)
class KeepRoom:
    """The room set aside on one chip, and who is in it: changes from layer to layer.

    Parameters
    ----------
    arch
        The chip.
    last_reader
        From `readers`.
    """

    arch: Architecture
    last_reader: dict[str, int]
    held: dict[str, int] = field(default_factory=dict)
    """Bytes of each tensor that is on chip. [B]"""

    def holds(self, name: str) -> bool:
        """Whether a layer's ofmap is on chip."""
        return name in self.held

    def admit(self, index: int, layer: Layer) -> bool:
        """Decide whether a layer's ofmap stays; if so, take the room."""
        level = self._level()
        size = self.arch.formats.ofmap.bytes_of(_ofmap_words(layer))
        if level is None or size == 0 or layer.name not in self.last_reader:
            return False
        if sum(self.held.values()) + size > level.keep_bytes:
            return False
        self.held[layer.name] = size
        return True

    def release(self, index: int) -> None:
        """Give back the room of tensors whose last reader was layer ``index``."""
        self.held = {name: size for name, size in self.held.items() if self.last_reader[name] > index}

    def _level(self) -> SramLevel | None:
        ofmap_level = self.arch.sram_of(Operand.OFMAP)
        return ofmap_level if ofmap_level is self.arch.sram_of(Operand.IFMAP) else None


def _ofmap_words(layer: Layer) -> int:
    if isinstance(layer, UncostedLayer) or (isinstance(layer, VectorLayer) and layer.is_view):
        return 0
    return layer.ofmap_words

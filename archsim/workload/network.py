"""Layers in order, with where they came from."""

from dataclasses import dataclass, field

from archsim.errors import WorkloadError
from archsim.workload.layer import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A network as archsim runs it: layers in order, sources, and what was assumed.

    Parameters
    ----------
    name
        Short name, shown in every report.
    layers
        In running order; names are unique; a layer's ``sources`` name earlier layers.
    source
        Paper or file it came from.
    assumptions
        Sentences that a report must show (``ceiling output size, as SCALE-Sim``...).
    content_hash
        Hash of the file it was read from; empty when built in memory.
    """

    name: str
    layers: tuple[Layer, ...]
    source: str = ""
    assumptions: tuple[str, ...] = field(default=())
    content_hash: str = ""

    def __post_init__(self) -> None:
        if not self.layers:
            raise WorkloadError(f"workload {self.name!r} has no layers")
        seen: set[str] = set()
        for layer in self.layers:
            if layer.name in seen:
                raise WorkloadError(f"workload {self.name!r}: two layers are named {layer.name!r}")
            for source in layer.sources:
                if source not in seen:
                    raise WorkloadError(f"layer {layer.name!r}: source {source!r} is not an earlier layer")
            seen.add(layer.name)

    @property
    def macs(self) -> int:
        """MACs of all conv and matrix layers."""
        return sum(layer.macs for layer in self.layers)

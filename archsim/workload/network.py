"""Layers in order, with where they came from."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from hashlib import sha256

from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer
from archsim.workload.tensor_zeros import MeasuredZeros
from archsim.workload.zero_masks import NetworkMasks


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
    images
        Inputs that one run of the layers takes: the batch.
    content_hash
        Hash of the file it was read from; empty when built in memory.
    measured
        Zeros counted in real tensors, where the file brings some.
    cut_off
        Layers without sources whose ifmap is not the network's input all the same: what they read was left out.
    masks
        Where the zeros of its tensors stand; None = of none it is known. A saved run does without them.
    """

    name: str
    layers: tuple[Layer, ...]
    source: str = ""
    assumptions: tuple[str, ...] = field(default=())
    images: int = 1
    content_hash: str = ""
    measured: tuple[MeasuredZeros, ...] = ()
    cut_off: frozenset[str] = frozenset()
    masks: NetworkMasks | None = None

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

    def only(self, pattern: str) -> "Workload":
        """Return the layers whose names match a shell pattern; they read what is left out from DRAM.

        Raises
        ------
        WorkloadError
            No layer matches.
        """
        chosen = [layer for layer in self.layers if fnmatchcase(layer.name, pattern)]
        if not chosen:
            names = ", ".join(layer.name for layer in self.layers[:8])
            raise WorkloadError(f"--layers {pattern!r} matches no layer of {self.name!r}; its layers are {names}...")
        names_left = {layer.name for layer in chosen}
        cut = {layer.name for layer in chosen if layer.sources and not names_left.issuperset(layer.sources)}
        layers = tuple(_cut_off(layer, names_left) for layer in chosen)
        return replace(self, layers=layers, cut_off=self.cut_off | cut)

    def with_masks(self, masks: NetworkMasks) -> "Workload":
        """Return the network with masks, over those that it has; their counts are its layers' zeros from here on."""
        said = (masks.source,) if masks.source and masks.source not in self.assumptions else ()
        others = tuple(each for each in self.measured if (each.layer, each.operand) not in masks.counts)
        names = {layer.name for layer in self.layers}
        counted = tuple(
            MeasuredZeros(layer=name, operand=operand, counts=counts)
            for (name, operand), counts in masks.counts.items()
            if name in names
        )
        return replace(
            self, layers=tuple(_with_shares(layer, masks) for layer in self.layers), measured=(*others, *counted),
            masks=masks.over(self.masks) if self.masks else masks, assumptions=(*self.assumptions, *said),
            content_hash=_both_hashes(self.content_hash, masks.content_hash),
        )  # fmt: skip

    def reads_input(self, layer: Layer) -> bool:
        """Whether a layer's ifmap comes from outside the network."""
        return not layer.sources and layer.name not in self.cut_off


def images_of(layers: Iterable[Layer]) -> int:
    """Return the images that layers as written hold: the least batch of the convolutions, 1 where there is none.

    The rows of a matrix product may be images or places in one, so products say nothing.
    """
    return min((layer.batch for layer in layers if isinstance(layer, ConvLayer)), default=1)


def _both_hashes(own: str, beside: str) -> str:
    return sha256((own + beside).encode()).hexdigest() if beside else own


def _with_shares(layer: Layer, masks: NetworkMasks) -> Layer:
    """Return a layer whose zero fractions of ifmap and weights are those that were counted."""
    if not isinstance(layer, ConvLayer | MatmulLayer):
        return layer
    shares = layer.zero_fractions
    for operand in (Operand.IFMAP, Operand.WEIGHT):
        counted = masks.counts.get((layer.name, operand))
        if counted is not None:
            shares = replace(shares, **{operand.value: counted.zero_fraction})
    return replace(layer, zero_fractions=shares)


def _cut_off(layer: Layer, known: set[str]) -> Layer:
    """Drop a layer's sources, all or none: one that is left out makes the ifmap come from DRAM."""
    sources = layer.sources if known.issuperset(layer.sources) else ()
    if isinstance(layer, MatmulLayer) and layer.weight_source not in known:
        return replace(layer, sources=sources, weight_source="")
    return replace(layer, sources=sources)

"""What is known of the zeros in every tensor of a network: from real tensors, from shares, from neighbours.

One layer's ofmap is another one's ifmap, so what a reader says of its ifmap holds for what it reads. Where
nobody says anything, a tensor counts as free of zeros: a code on the DRAM channel then costs its overhead. What
a max pool reads has the zeros of what it writes, at the least: that least is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.engine.residency import sources_of
from archsim.numerics.link_code import ZeroCounts, expect_zeros
from archsim.terms import Operand
from archsim.workload.layer import ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.network import Workload
from archsim.workload.tensor_zeros import LayerZeros, MeasuredZeros, tensor_words
from archsim.workload.zero_masks import LayerMasks, NetworkMasks

Known = dict[Operand, ZeroCounts]
KEEPS_ZEROS = ("max_pool", "lrn")
"""Operators whose ifmap has at least the share of zeros of their ofmap, after a ReLU: a window of zeros makes one."""
CODED_EVENLY = (
    "{} on the DRAM channel: each tensor is coded as a whole and its tiles take equal shares of the code; where "
    "zeros are known by their share alone, they are taken to fall independently of each other"
)
UNKNOWN = "zeros of {} are not known in {} of {} costed layers: they are coded as if there were none, overhead included"


def masked_layers(workload: Workload, masks: NetworkMasks, seed: int) -> dict[str, LayerZeros]:
    """Return counts and masks of every layer that runs; a mask that is not given is drawn from the layer's share of zeros.

    Parameters
    ----------
    workload, masks
        What runs, and the masks that are known of it.
    seed
        Of what is drawn.
    """
    found = zeros_of_layers(workload)
    for layer in workload.layers:
        if isinstance(layer, ConvLayer | MatmulLayer):
            given = replace(found[layer.name], masks=masks.layer(layer.name))
            ifmap, weight = (given.mask(layer, operand, seed=seed) for operand in (Operand.IFMAP, Operand.WEIGHT))
            found[layer.name] = replace(given, masks=LayerMasks(ifmap=ifmap, weight=weight))
    return found


def zeros_of_layers(workload: Workload) -> dict[str, LayerZeros]:
    """Return the counts of every layer that runs, each over the layer's own words."""
    known = known_zeros(workload)
    found = {}
    for layer in workload.layers:
        if not isinstance(layer, UncostedLayer):
            words = tensor_words(layer)
            ifmap, weight, ofmap = (
                known[layer.name][operand].over(count) if operand in known[layer.name] else expect_zeros(count, 0.0)
                for operand, count in words.items()
            )
            found[layer.name] = LayerZeros(ifmap=ifmap, weight=weight, ofmap=ofmap)
    return found


def known_zeros(workload: Workload) -> dict[str, Known]:
    """Return what is known of each layer's tensors; real tensors before shares, own words before neighbours'."""
    known = {layer.name: _own(layer) for layer in workload.layers}
    for tensor in workload.measured:
        known.setdefault(tensor.layer, {})[tensor.operand] = tensor.counts
    said = {name for name, own in known.items() if Operand.OFMAP in own}
    sources = sources_of(workload)
    for layer in reversed(workload.layers):
        if isinstance(layer, VectorLayer) and layer.op in KEEPS_ZEROS and Operand.OFMAP in known[layer.name]:
            share = known[layer.name][Operand.OFMAP].zero_fraction
            known[layer.name].setdefault(Operand.IFMAP, expect_zeros(layer.ifmap_words, share))
        ifmaps, weight = sources[layer.name]
        read = [(name, Operand.IFMAP) for name in ifmaps] + [(name, Operand.WEIGHT) for name in (weight,) if name]
        _tell_makers(known, known[layer.name], read, said)
    layers = {layer.name: layer for layer in workload.layers}
    for layer in workload.layers:
        ifmaps, weight = sources[layer.name]
        for operand, makers in ((Operand.IFMAP, ifmaps), (Operand.WEIGHT, (weight,) if weight else ())):
            told = _join(makers, layers, known)
            if told is not None:
                known[layer.name].setdefault(operand, told)
    return known


def cut_out(workload: Workload, pattern: str) -> Workload:
    """Return the layers whose names match a shell pattern, with what the whole network tells of their zeros.

    Raises
    ------
    WorkloadError
        No layer matches.
    """
    part, known = workload.only(pattern), known_zeros(workload)
    told = tuple(
        MeasuredZeros(layer=layer.name, operand=operand, counts=counts)
        for layer in part.layers
        for operand, counts in known[layer.name].items()
        if operand not in _own(layer)
    )
    others = tuple(
        each for each in workload.measured if (each.layer, each.operand) not in {(t.layer, t.operand) for t in told}
    )
    return replace(part, measured=(*others, *told))


def link_assumptions(arch: Architecture, workload: Workload) -> tuple[str, ...]:
    """Return what a report must say of codes on the DRAM channel; nothing where there are none."""
    codes = arch.dram.compression
    if not codes:
        return ()
    known = known_zeros(workload)
    layers = [layer for layer in workload.layers if not isinstance(layer, UncostedLayer)]
    said = [CODED_EVENLY.format(", ".join(f"{operand} as {code}" for operand, code in codes))]
    for operand, _ in codes:
        with_words = [layer for layer in layers if tensor_words(layer)[operand]]
        unknown = sum(operand not in known[layer.name] for layer in with_words)
        if unknown:
            said.append(UNKNOWN.format(operand, unknown, len(with_words)))
    return tuple(said)


def _own(layer: Layer) -> Known:
    """Return what the layer's shares say."""
    if not isinstance(layer, ConvLayer | MatmulLayer):
        return {}
    given = layer.zero_fractions
    shares = {Operand.IFMAP: given.ifmap, Operand.WEIGHT: given.weight, Operand.OFMAP: given.ofmap}
    words = tensor_words(layer)
    return {operand: expect_zeros(words[operand], share) for operand, share in shares.items() if share is not None}


def _tell_makers(known: dict[str, Known], reader: Known, read: Iterable[tuple[str, Operand]], said: set[str]) -> None:
    """Give what a reader knows to the layers that make it and do not say themselves; the fewest zeros count."""
    for maker, operand in read:
        if operand in reader and maker not in said:
            told = known[maker].get(Operand.OFMAP, reader[operand])
            known[maker][Operand.OFMAP] = min(told, reader[operand], key=lambda counts: counts.zero_fraction)


def _join(makers: Iterable[str], layers: Mapping[str, Layer], known: Mapping[str, Known]) -> ZeroCounts | None:
    """Add up what is known of several ofmaps, the unknown ones free of zeros; None = nothing is known."""
    makers = tuple(makers)
    if not any(Operand.OFMAP in known[name] for name in makers):
        return None
    parts = []
    for name in makers:
        words = layers[name].ofmap_words
        counts = known[name].get(Operand.OFMAP)
        parts.append(counts.over(words) if counts else expect_zeros(words, 0.0))
    return ZeroCounts(
        words=sum(part.words for part in parts),
        nonzero_words=sum(part.nonzero_words for part in parts),
        run_pairs=sum(part.run_pairs for part in parts),
    )

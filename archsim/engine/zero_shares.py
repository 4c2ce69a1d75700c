"""`--zeros` laid over a network: a share of zeros where none is known, and how those that are drawn fall."""

from collections.abc import Iterable
from dataclasses import replace

from archsim.engine.link_zeros import Known, known_zeros
from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, Layer, MatmulLayer
from archsim.workload.network import Workload
from archsim.workload.zero_request import ZeroRequest


def with_zeros(workload: Workload, requests: Iterable[ZeroRequest]) -> Workload:
    """Return the network as the requests say; where masks are known, they stay.

    A share is not laid over the network's own input: images have hardly any zeros. A pattern holds as far as a layer's share
    of zeros lets it: hardly any zeros do not spread much over channels.

    Raises
    ------
    WorkloadError
        No layer has any zeros to draw.
    """
    for request in requests:
        workload = _with_request(workload, request)
    return workload


def _with_request(workload: Workload, request: ZeroRequest) -> Workload:
    known = known_zeros(workload)
    masked = workload.masks.of if workload.masks else {}
    layers: list[Layer] = []
    is_used = False
    for layer in workload.layers:
        share = _share_of(workload, layer, known[layer.name], request)
        if not isinstance(layer, ConvLayer | MatmulLayer) or share is None or (layer.name, request.operand) in masked:
            layers.append(layer)
            continue
        layers.append(_asked(layer, known[layer.name], request, share))
        is_used = True
    if not is_used:
        raise WorkloadError(
            f"--zeros: no layer of {workload.name!r} has zeros of its {request.operand} to draw: masks give them, or their "
            "share is not known. Give a share, e.g. --zeros 0.5,runs:8"
        )
    return replace(workload, layers=tuple(layers), assumptions=(*workload.assumptions, request.in_words))


def _share_of(workload: Workload, layer: Layer, known: Known, request: ZeroRequest) -> float | None:
    """Return a tensor's share of zeros, the request's where none is known; None = none."""
    if request.operand in known:
        return known[request.operand].zero_fraction
    is_image = request.operand is Operand.IFMAP and workload.reads_input(layer)
    return None if is_image else request.share


def _asked(layer: ArrayLayer, known: Known, request: ZeroRequest, share: float) -> ArrayLayer:
    operand = request.operand.value
    shares, patterns = layer.zero_fractions, layer.zero_patterns
    if request.operand not in known:
        shares = replace(shares, **{operand: share})
    if request.pattern is not None:
        own: float = getattr(shares, operand) or share  # as the file has it, not in whole words
        pattern = request.pattern.within(own) if 0.0 < own < 1.0 else request.pattern
        patterns = replace(patterns, **{operand: pattern})
    return replace(layer, zero_fractions=shares, zero_patterns=patterns)

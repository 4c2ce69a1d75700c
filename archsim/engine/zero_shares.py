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

    A share is not laid over the network's own input: images have hardly any zeros.

    Raises
    ------
    WorkloadError
        A layer's zeros cannot fall so: every such layer, a line each; or no layer has any zeros to draw.
    """
    for request in requests:
        workload = _with_request(workload, request)
    return workload


def _with_request(workload: Workload, request: ZeroRequest) -> Workload:
    known = known_zeros(workload)
    masked = workload.masks.of if workload.masks else {}
    layers: list[Layer] = []
    faults: list[str] = []
    is_used = False
    for layer in workload.layers:
        share = _share_of(workload, layer, known[layer.name], request)
        if not isinstance(layer, ConvLayer | MatmulLayer) or share is None or (layer.name, request.operand) in masked:
            layers.append(layer)
            continue
        fault = request.pattern.fault(share) if request.pattern is not None and 0.0 < share < 1.0 else ""
        if fault:
            faults.append(f"--zeros: layer {layer.name!r}, {request.operand}: {fault}")
        layers.append(_asked(layer, known[layer.name], request, share))
        is_used = True
    if faults:
        raise WorkloadError("\n".join(faults))
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
        patterns = replace(patterns, **{operand: request.pattern})
    return replace(layer, zero_fractions=shares, zero_patterns=patterns)

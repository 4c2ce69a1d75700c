"""The real tensors beside a workload: an .npz of arrays ``LAYER.ifmap``, ``LAYER.weight``, ``LAYER.ofmap``.

Values (integer codes or floats) are read one array at a time and reduced to counts of zeros; nothing keeps them. Where
zeros are skipped, the arrays of ifmaps and weights are read again as masks. Called by `store.py`.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from archsim.config_file import did_you_mean
from archsim.errors import WorkloadError
from archsim.numerics.link_code import count_zeros
from archsim.terms import CODABLE_OPERANDS, Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.npz_file import SUFFIX, WrongArrayError, hash_file, open_npz, read_header, read_values, show_shape
from archsim.workload.stored_mask import Fit, StoredMask, fit_shape
from archsim.workload.tensor_zeros import MeasuredZeros, tensor_words
from archsim.workload.zero_masks import NetworkMasks, ZeroMask
from archsim.workload.zero_pattern import ZeroFractions, ZeroPattern

ANY = -1
"""A size that may be anything: images."""
Shares = Mapping[tuple[str, Operand], float]
SHARE_TOLERANCE = 0.005
"""How far a share of zeros in the YAML, as rounded by hand, may lie from that of the tensor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFile:
    """What a workload takes from its tensors.

    Parameters
    ----------
    layers
        The workload's, with the shares of zeros that were counted.
    measured
        Counts of every tensor.
    masks
        The ifmaps and weights themselves, read again when their layer runs.
    content_hash
        SHA-256 of the file, hexadecimal.
    """

    layers: tuple[Layer, ...]
    measured: tuple[MeasuredZeros, ...]
    masks: NetworkMasks
    content_hash: str


def read_tensors(path: Path, layers: tuple[Layer, ...]) -> TensorFile:
    """Read an .npz and count the zeros of each tensor.

    Parameters
    ----------
    path
        Of the file.
    layers
        Of the workload that names it.

    Raises
    ------
    WorkloadError
        The file is missing or no .npz; a tensor is of no layer, of a wrong shape, not of real numbers, not
        finite; a share of zeros in the YAML lies elsewhere. All faults at once.

    Notes
    -----
    A tensor may hold more images than the layer: their mean share of zeros counts. Values are counted in C
    order: (images, channels, rows, columns) as archsim lays out an ifmap.
    """
    by_name = {layer.name: layer for layer in layers}
    measured: list[MeasuredZeros] = []
    masks: dict[tuple[str, Operand], ZeroMask] = {}
    faults: list[str] = []
    with open_npz(path) as archive:
        digest = hash_file(path)
        for member in sorted(archive.namelist()):
            try:
                counted, shape = _measure(archive, member, by_name)
                layer = by_name[counted.layer]
                fit = _fit(shape, layer, counted.operand)
                measured.append(counted)
                if fit is not None:
                    masks[counted.layer, counted.operand] = StoredMask(paths=(path,), shape=fit.shape, member=member)
            except WrongArrayError as problem:
                faults.append(f"{path}: {member.removesuffix(SUFFIX)}: {problem}")
    found = {(each.layer, each.operand): each.counts.zero_fraction for each in measured}
    faults += [f"{path}: {fault}" for layer in layers for fault in _contradictions(layer, found)]
    if faults:
        raise WorkloadError("\n".join(faults))
    told = tuple(_with_shares(layer, found) for layer in layers)
    return TensorFile(layers=told, measured=tuple(measured), masks=NetworkMasks(of=masks), content_hash=digest)


def _measure(archive: zipfile.ZipFile, member: str, layers: dict[str, Layer]) -> tuple[MeasuredZeros, tuple[int, ...]]:
    """Return the counts of an array, and its shape."""
    name, _, kind = member.removesuffix(SUFFIX).rpartition(".")
    if not member.endswith(SUFFIX) or kind not in CODABLE_OPERANDS:
        raise WrongArrayError("a tensor is named LAYER.ifmap, LAYER.weight or LAYER.ofmap")
    if name not in layers:
        raise WrongArrayError(f"the workload has no layer {name!r}.{did_you_mean(name, layers)}")
    operand = Operand(kind)
    shape, _ = read_header(archive, member)
    _check_shape(shape, layers[name], operand)
    return MeasuredZeros(layer=name, operand=operand, counts=count_zeros(read_values(archive, member))), shape


def _fit(shape: tuple[int, ...], layer: Layer, operand: Operand) -> Fit | None:
    """Return how an array whose shape was found good is a mask; None where the layer needs none."""
    if isinstance(layer, ConvLayer | MatmulLayer) and operand is not Operand.OFMAP:
        return fit_shape(shape, layer, operand)
    return None


def _check_shape(shape: tuple[int, ...], layer: Layer, operand: Operand) -> None:
    if isinstance(layer, UncostedLayer):
        raise WrongArrayError(f"layer {layer.name!r} is not costed, its tensors have no use")
    found = show_shape(shape)
    if isinstance(layer, VectorLayer):
        words = tensor_words(layer)[operand]
        if not prod(shape) or not words or prod(shape) % words:
            raise WrongArrayError(f"is {found}, must be {words} words (of one image, or of several)")
        return
    wanted = _array_shapes(layer, operand)
    if 0 in shape or not any(_fits(shape, each) for each in wanted):
        known = " or ".join(" x ".join("images" if size == ANY else str(size) for size in each) for each in wanted)
        raise WrongArrayError(f"is {found}, must be {known}")


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (ANY, size) for size, want in zip(shape, wanted, strict=True))


def _array_shapes(layer: ArrayLayer, operand: Operand) -> tuple[tuple[int, ...], ...]:
    """Return the shapes that a tensor may have."""
    if isinstance(layer, MatmulLayer):
        sides = {
            Operand.IFMAP: (layer.rows, layer.inner),
            Operand.WEIGHT: (layer.inner, layer.columns),
            Operand.OFMAP: (layer.rows, layer.columns),
        }
        side = sides[operand]
        if layer.batches > 1:
            return ((layer.batches, *side),)
        return (side,) if operand is Operand.WEIGHT else ((ANY, side[1]),)
    if operand is Operand.WEIGHT:
        return ((layer.out_channels, layer.in_channels // layer.groups, *layer.kernel),)
    one = (layer.in_channels, *layer.ifmap) if operand is Operand.IFMAP else (layer.out_channels, *layer.ofmap)
    return (one, (ANY, *one))


def _contradictions(layer: Layer, found: Shares) -> Iterator[str]:
    """Yield a sentence for each share of zeros in the YAML that the tensor does not have."""
    if isinstance(layer, ConvLayer | MatmulLayer):
        for operand, share in _given(layer).items():
            counted = found.get((layer.name, operand))
            if share is not None and counted is not None and abs(share - counted) > SHARE_TOLERANCE:
                yield (
                    f"{layer.name}.{operand}: {counted:.4f} of its values are zero, but the layer says "
                    f"zero_fractions.{operand} (={share!r}). Correct it or leave it out"
                )
            if counted is not None and getattr(layer.zero_patterns, operand) != ZeroPattern():
                yield f"{layer.name}.{operand}: says where zeros stand, zero_pattern.{operand} how to draw them. Leave one out"


def _with_shares(layer: Layer, found: Shares) -> Layer:
    if not isinstance(layer, ConvLayer | MatmulLayer):
        return layer
    shares = {operand: found.get((layer.name, operand), share) for operand, share in _given(layer).items()}
    return replace(layer, zero_fractions=ZeroFractions(ifmap=shares[Operand.IFMAP], weight=shares[Operand.WEIGHT]))


def _given(layer: ArrayLayer) -> dict[Operand, float | None]:
    return {Operand.IFMAP: layer.zero_fractions.ifmap, Operand.WEIGHT: layer.zero_fractions.weight}

"""Where zeros stand when a network is run on real images: as floats from its ONNX file, or bit for bit from its codes.

Called for `archsim run --inputs`. Of each tensor one bit per value is kept; the values go as soon as no layer reads them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.convert.float_network import FloatConv, FloatNetwork
from archsim.convert.float_run import run_node
from archsim.convert.float_shapes import ofmap_shapes
from archsim.convert.image_files import ImageSet, check_fits
from archsim.engine.bit_true import encode_images, run_layers
from archsim.errors import WorkloadError
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.link_code import ZeroCounts
from archsim.numerics.number_format import NumberFormat
from archsim.terms import Operand
from archsim.workload.coded_network import CodedNetwork
from archsim.workload.layer import ArrayLayer, ConvLayer, Layer, MatmulLayer, UncostedLayer, VectorLayer
from archsim.workload.mask_statistics import count_mask_zeros
from archsim.workload.network import Workload
from archsim.workload.packed_mask import join_masks, pack_images, pack_mask
from archsim.workload.zero_masks import NetworkMasks, ZeroMask, mask_shape

BoolArray = NDArray[np.bool_]
Values = NDArray[Any]
WORDS_AT_ONCE = 1 << 24
"""Values of the largest tensor that are held together; an image with more is run alone. [words]"""
IMAGES_AT_ONCE = 100


def masks_of_floats(network: FloatNetwork, workload: Workload, images: ImageSet) -> NetworkMasks:
    """Run a float network on images and keep where the zeros of every ifmap and weight tensor stand.

    Parameters
    ----------
    network, workload
        The same ONNX file, read for its weights and for the simulator: a node and its layer have one name.
    images
        In the order in which a batch takes them.

    Returns
    -------
    NetworkMasks
        Of every convolution and dense layer; and the counts of the ofmaps that were at hand.

    Raises
    ------
    WorkloadError
        The images do not fit the network; a layer makes NaN or infinity of one.
    """
    check_fits(images, network)
    tensors = _Tensors(images=len(images))
    shapes = ofmap_shapes(network)
    taps = {
        node.name: prod(node.weight.shape[1:]) * node.groups for node in network.nodes if isinstance(node, FloatConv)
    }
    largest = max(prod(shape[1:] if name in taps else shape) * taps.get(name, 1) for name, shape in shapes.items())
    for start, part in _parts(images, largest):
        for name, values in _run_floats(network, part):
            if not np.isfinite(values).all():
                bad = start + int(np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))[0])
                raise WorkloadError(
                    f"layer {name!r}: image {bad} of {images.name} makes NaN or infinity there, which is neither zero nor a "
                    "value. Check the model's weights and the scale of the images."
                )
            tensors.keep(name, values != 0)
    weights = {
        node.name: node.weight != 0 if isinstance(node, FloatConv) else np.ascontiguousarray((node.weight != 0).T)[None]
        for node in network.weighted
    }
    sources = {node.name: node.sources[0] for node in network.weighted}
    return tensors.masks(workload, sources, weights, _Said(images=images, how="as floats"))


def masks_of_codes(network: CodedNetwork, workload: Workload, images: ImageSet) -> NetworkMasks:
    """Run a converted network on images bit for bit, and keep where the zeros of every ifmap stand.

    Parameters, result and errors as in `masks_of_floats`; the weights' masks are the workload's own. A code that stands for
    zero is a zero, whatever its bits.
    """
    if images.images.shape[1:] != network.ifmap_shape:
        given, taken = ("x".join(map(str, shape)) for shape in (images.images.shape[1:], network.ifmap_shape))
        raise WorkloadError(
            f"images {images.name!r} are {given}, the network {network.name!r} takes {taken}. "
            "Give images of that shape, channels first."
        )
    tensors, outputs = _Tensors(images=len(images)), network.outputs
    largest = max(
        layer.ofmap_words + _windows(layer) for layer in workload.layers if not isinstance(layer, UncostedLayer)
    )
    for _, part in _parts(images, largest):
        codes = encode_images(network, part)
        tensors.keep("", _nonzero(codes, outputs[""].format))
        for layer, ofmap in run_layers(network, codes):
            tensors.keep(layer.name, _nonzero(ofmap, outputs[layer.name].format))
    sources = {product.name: product.sources[0] for product in network.products}
    return tensors.masks(workload, sources, {}, _Said(images=images, how="bit for bit"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a report is told of the images."""

    images: ImageSet
    how: str

    @property
    def source(self) -> str:
        return (
            f"zeros are those of {len(self.images):,} images of {self.images.name}, run through the network {self.how}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensors:
    """The bits of every tensor of so many images: that of each layer's ofmap, and of the input as ``""``."""

    images: int
    parts: dict[str, list[bytes]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def keep(self, name: str, nonzero: BoolArray) -> None:
        self.parts.setdefault(name, []).append(pack_images(nonzero))
        self.shapes[name] = (self.images, *nonzero.shape[1:])

    def masks(
        self, workload: Workload, sources: Mapping[str, str], weights: Mapping[str, BoolArray], said: _Said
    ) -> NetworkMasks:
        """Return the masks of the workload's layers by what each reads, and counts of its ofmaps."""
        layers = {layer.name: layer for layer in workload.layers}
        origin = f"{said.images.name}, {said.how}"
        of: dict[tuple[str, Operand], ZeroMask] = {}
        counts: dict[tuple[str, Operand], ZeroCounts] = {}
        for name, source in sources.items():
            place = (name, Operand.IFMAP)
            of[place] = join_masks(self.parts[source], _ifmap_shape(layers[name], self.shapes[source]), origin)
            counts[place] = count_mask_zeros(of[place].nonzero())
        for name, nonzero in weights.items():
            of[name, Operand.WEIGHT] = pack_mask(nonzero, origin)
            counts[name, Operand.WEIGHT] = count_mask_zeros(nonzero)
        for name in _with_own_ofmap(workload, self.parts):
            ofmap = join_masks(self.parts[name], self.shapes[name], origin)
            counts[name, Operand.OFMAP] = count_mask_zeros(ofmap.nonzero())
        digest = hashlib.sha256(b"".join(bits for parts in self.parts.values() for bits in parts)).hexdigest()
        missing = [each.name for each in workload.layers if isinstance(each, ArrayLayer) and each.name not in sources]
        rest = f"; drawn in {', '.join(missing)}, which its result does not need" if missing else ""
        return NetworkMasks(of=of, counts=counts, source=said.source + rest, content_hash=digest)


def _ifmap_shape(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the mask's shape of a tensor (images, ...) that a layer reads; a matrix's images are rows."""
    assert isinstance(layer, ConvLayer | MatmulLayer), "a product by its name"
    found, own = (shape, 1) if isinstance(layer, ConvLayer) else ((1, *shape), 2)
    if found[own:] != mask_shape(layer, Operand.IFMAP)[own:]:
        raise WorkloadError(
            f"layer {layer.name!r}: what it reads is {shape[1:]} per image, the workload has "
            f"{mask_shape(layer, Operand.IFMAP)[own:]}. Run it with the file it was made from."
        )
    return found


def _with_own_ofmap(workload: Workload, known: Iterable[str]) -> Iterator[str]:
    """Yield the layers whose ofmap is the tensor of their name.

    Not those in front of an operator that the inference has taken into them (a stored sum or factor): the simulator
    has a layer for it, and the tensor is that one's.
    """
    names = set(known)
    merged = {
        source
        for layer in workload.layers
        if isinstance(layer, VectorLayer) and not layer.is_view and layer.name not in names
        for source in layer.sources
    }
    for layer in workload.layers:
        is_costed = not isinstance(layer, UncostedLayer) and layer.ofmap_words > 0
        if layer.name in names and layer.name not in merged and is_costed:
            yield layer.name


def _run_floats(network: FloatNetwork, values: Values) -> Iterator[tuple[str, Values]]:
    """Yield the name and ofmap of each node, the images first; an ofmap goes behind its last reader."""
    last_readers = {source: node.name for node in network.nodes for source in node.sources}
    alive: dict[str, Values] = {"": values}
    yield "", values
    for node in network.nodes:
        with np.errstate(all="ignore"):  # the caller looks at every value
            alive[node.name] = run_node(node, [alive[source] for source in node.sources])
        yield node.name, alive[node.name]
        for source in set(node.sources):
            if last_readers[source] == node.name:
                del alive[source]


def _parts(images: ImageSet, largest_words: int) -> Iterator[tuple[int, Values]]:
    """Yield the images some at a time, with the number of the first, so that the largest tensor fits."""
    at_once = min(IMAGES_AT_ONCE, max(1, WORDS_AT_ONCE // largest_words))
    for start in range(0, len(images), at_once):
        yield start, np.asarray(images.images[start : start + at_once], dtype=np.float64) / images.scale


def _windows(layer: Layer) -> int:
    """Words of a convolution's ifmap once every window has its own copy; 0 for others. [words]"""
    return layer.gemm.pixels * layer.gemm.window * layer.gemm.groups if isinstance(layer, ConvLayer) else 0


def _nonzero(codes: Values, fmt: NumberFormat | None) -> BoolArray:
    """Return which codes do not stand for zero."""
    if fmt is None or isinstance(fmt, FixedPoint):
        return np.asarray(codes != 0)
    return np.asarray(fmt.decode(codes) != 0)

"""A converted network on real inputs, bit for bit: codes in, the codes of every layer out.

Called by `convert/` (accuracy), by `golden_run.py` and by whoever wants to know what the chip would compute.
Products are run by `bit_true_products.py`, all other layers by `bit_true_vector.py`.
"""

import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from archsim.engine.bit_true_products import run_product
from archsim.engine.bit_true_vector import run_add, run_pool, run_relu
from archsim.engine.written import CodeArray, Written
from archsim.errors import WorkloadError
from archsim.numerics.fixed_point import FixedPoint
from archsim.numerics.patches import Substitute
from archsim.workload.coded_network import (
    CodedAdd,
    CodedFlatten,
    CodedLayer,
    CodedNetwork,
    CodedOutput,
    CodedPool,
    CodedProduct,
)  # fmt: skip

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
IMAGES_AT_ONCE = 100
"""Of `classify`: enough to fill the kernels, few enough that memory stays flat. [images]"""


def run_bit_true(
    network: CodedNetwork, ifmap_codes: IntArray, *, keep_all: bool = True, substitute: Substitute | None = None
) -> dict[str, CodeArray]:
    """Run a converted network.

    Parameters
    ----------
    network
        As `convert/quantise.py` or `workload/coded_store.py` makes it.
    ifmap_codes
        Codes of the network's input, shape (N, *ifmap_shape): see `encode_images`.
    keep_all
        False = only the last layer's codes are returned, and no other is held longer than a layer needs it.
    substitute
        Adds products up as some hardware does: see `array_values.py`.

    Returns
    -------
    dict
        Layer -> codes of its ofmap, int64, shape (N, K, P, Q) or (N, K). Where a layer leaves its sums as they are
        (logits): int64 sums of exponent ``output.exponent``, those of all channels aligned to it; of float and
        log-domain sums their values, float64.

    Raises
    ------
    WorkloadError
        The input has another shape; formats and accumulator do not go together; a sum takes more than 64 bits.

    Notes
    -----
    Terms are added in the canonical order (channel, row, column), whatever the dataflow of a chip: it matters to
    cast, saturating and float sums. An average multiplies an integer sum by a reciprocal of 17 bits. Sums of decoded
    logarithms (`ExactSum`) and of averages and additions of floats are float64.
    """
    if ifmap_codes.shape[1:] != network.ifmap_shape:
        raise WorkloadError(f"{network.name}: inputs are {ifmap_codes.shape[1:]}, must be {network.ifmap_shape}")
    kept: dict[str, CodeArray] = {}
    for layer, codes in run_layers(network, ifmap_codes, substitute):
        if not keep_all:
            kept.clear()
        kept[layer.name] = codes
    return kept


def run_layers(
    network: CodedNetwork, ifmap_codes: IntArray, substitute: Substitute | None = None
) -> Iterator[tuple[CodedLayer, CodeArray]]:
    """Yield each layer with its codes, as `run_bit_true` gives them; what no later layer reads is let go."""
    outputs = network.outputs
    last_readers = {source: layer.name for layer in network.layers for source in layer.sources}
    alive: dict[str, CodeArray] = {"": ifmap_codes}
    for layer in network.layers:
        try:
            alive[layer.name] = _run_layer(layer, alive, outputs, substitute)
        except ValueError as problem:
            raise WorkloadError(f"layer {layer.name!r}: {problem}") from problem
        yield layer, alive[layer.name]
        for source in set(layer.sources):
            if last_readers[source] == layer.name:
                del alive[source]


def encode_images(network: CodedNetwork, images: FloatArray) -> IntArray:
    """Return the codes of inputs, shape (N, *ifmap_shape), as the network reads them."""
    fmt = network.ifmap.format
    if fmt is None:
        raise WorkloadError(f"{network.name}: its input has no format")
    return fmt.encode(np.asarray(images, dtype=np.float64), network.ifmap.exponent)


def classify(network: CodedNetwork, images: FloatArray, *, batch: int = IMAGES_AT_ONCE) -> IntArray:
    """Return the class of each input: the index of its greatest logit, a tie to the lowest.

    Parameters
    ----------
    network
        Its last layer makes one logit per class.
    images
        Values, shape (N, *ifmap_shape).
    batch
        Images at once; memory grows with it, not with N.

    Returns
    -------
    int64 array, shape (N,)
    """
    found = np.zeros(len(images), dtype=np.int64)
    name = network.layers[-1].name
    fmt = network.outputs[name].format
    for start in range(0, len(images), batch):
        codes = encode_images(network, images[start : start + batch])
        logits = run_bit_true(network, codes, keep_all=False)[name]
        ordered = logits if fmt is None or isinstance(fmt, FixedPoint) else fmt.decode(logits)
        found[start : start + batch] = ordered.reshape(len(codes), -1).argmax(axis=1)
    return found


def checksum(codes: CodeArray) -> str:
    """Return ``crc32:`` and 8 hexadecimal digits of an array in C order.

    Integers count as little-endian int64, floats as little-endian float32: the last bits of a float64 may depend on
    the machine's mathematical library.
    """
    fixed = np.ascontiguousarray(codes, dtype="<f4" if codes.dtype.kind == "f" else "<i8")
    return f"crc32:{zlib.crc32(fixed.tobytes()):08x}"


def _run_layer(
    layer: CodedLayer,
    alive: Mapping[str, CodeArray],
    outputs: Mapping[str, CodedOutput],
    substitute: Substitute | None,
) -> CodeArray:
    read = [Written.of(alive[source], outputs[source], layer.name) for source in layer.sources]
    if isinstance(layer, CodedProduct):
        return run_product(layer, read[0], substitute)
    if isinstance(layer, CodedPool):
        return run_pool(layer, read[0])
    if isinstance(layer, CodedAdd):
        return run_add(layer, read)
    if isinstance(layer, CodedFlatten):
        return read[0].codes.reshape(len(read[0].codes), -1)
    return run_relu(read[0])

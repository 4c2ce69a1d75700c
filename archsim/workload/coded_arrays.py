"""The arrays of a converted workload: their names, their types in the .npz, and how they are read.

    LAYER.weight            codes, (K, C/groups, R, S) or (K, C); of clustered layers LAYER.pointers, (K, C/groups)
    LAYER.weight_exponents  one, or one per output channel; LAYER.weight_scales where a format needs factors too
    LAYER.bias              integers, (K,), with LAYER.bias_exponents; LAYER.bias_values, floats
    LAYER.mask              weights that are kept, where some were pruned
    codebook.NAME           codes, (entries, R, S) or (entries,)
    golden.ifmap            codes of the golden inputs, (N, ...)

Called by `coded_store.py` to write and by `coded_read.py` to read.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.errors import WorkloadError
from archsim.numerics.coded_tensor import CodedTensor
from archsim.numerics.number_format import NumberFormat
from archsim.workload.coded_network import CodedNetwork, CodedProduct, IntArray
from archsim.workload.golden import Golden
from archsim.workload.npz_file import SUFFIX, WrongArrayError, read_header, read_values, show_shape

ANY = -1
"""A size that may be anything: images."""
Shape = tuple[int, ...]
Array = NDArray[Any]
Masks = Mapping[str, NDArray[np.bool_]]
GOLDEN_IFMAP = "golden.ifmap"


def codebook_array(name: str) -> str:
    """Return the name of a codebook's array."""
    return f"codebook.{name}"


def arrays_of(network: CodedNetwork, golden: Golden | None, masks: Masks) -> dict[str, Array]:
    """Return every array to be stored, by name, integers in the narrowest type that holds them.

    Raises
    ------
    WorkloadError
        Kernels are not those that their pointers point at, or a mask is of no layer or another shape.
    """
    found: dict[str, Array] = {}
    for layer in network.products:
        found |= {f"{layer.name}.{kind}": values for kind, values in _layer_arrays(layer) if values is not None}
    found |= {codebook_array(name): table for name, table in codebooks_of(network).items()}
    weights = {layer.name: layer.weight for layer in network.products}
    for name, mask in masks.items():
        if name not in weights or weights[name].codes.shape != mask.shape:
            wanted = weights[name].codes.shape if name in weights else "of a layer with weights"
            raise WorkloadError(f"mask of {name!r} is {mask.shape}, must be {wanted}")
        if prunes_others(mask, weights[name]):
            raise WorkloadError(f"mask of {name!r} {PRUNES_OTHERS}")
        found[f"{name}.mask"] = mask.astype(np.bool_)
    if golden is not None:
        found[GOLDEN_IFMAP] = golden.ifmap
    return {name: narrow(values) for name, values in found.items()}


def codebooks_of(network: CodedNetwork) -> dict[str, IntArray]:
    """Return the codes of every codebook, gathered from the kernels that point into it; entries unused are zero.

    Raises
    ------
    WorkloadError
        Two kernels of one pointer differ, a pointer lies beyond the table, or layers of one codebook differ.
    """
    tables: dict[str, IntArray] = {}
    for layer in network.products:
        if layer.clusters is not None:
            codes, clusters = layer.weight.codes, layer.clusters
            shape = (clusters.entries, *codes.shape[2:])
            table = tables.setdefault(clusters.codebook, np.full(shape, layer.weight.format.zero_code, dtype=np.int64))
            if table.shape != shape or clusters.pointers.shape != codes.shape[:2]:
                raise WorkloadError(f"layer {layer.name!r}: its kernels do not fit codebook {clusters.codebook!r}")
            if not _lies_within(clusters.pointers, len(table)):
                raise WorkloadError(
                    f"layer {layer.name!r}: a pointer lies beyond the {len(table)} entries of its codebook"
                )
            table[clusters.pointers] = codes
    for layer in network.products:
        found = layer.clusters
        if found is not None and (tables[found.codebook][found.pointers] != layer.weight.codes).any():
            raise WorkloadError(f"layer {layer.name!r}: two kernels of one pointer differ")
    return tables


def narrow(values: Array) -> Array:
    """Return integers in the narrowest type that holds them, unsigned where none is negative; others as they are."""
    if values.dtype.kind not in "iu":
        return values
    lowest, highest = int(values.min(initial=0)), int(values.max(initial=0))
    kinds = (np.uint8, np.uint16, np.uint32) if lowest >= 0 else (np.int8, np.int16, np.int32)
    for kind in kinds:
        if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.int64)


@dataclass(slots=True, kw_only=True)
class ArrayFile:
    """An open .npz whose arrays are taken one by one.

    Parameters
    ----------
    archive
        From `npz_file.open_npz`.
    taken
        Names asked for so far, there or not.
    """

    archive: zipfile.ZipFile
    taken: set[str] = field(default_factory=set)

    @property
    def names(self) -> set[str]:
        """Of all arrays."""
        return {member.removesuffix(SUFFIX) for member in self.archive.namelist()}

    def take(self, name: str, *shapes: Shape, kinds: str = "iu") -> Array:
        """Return an array of one of the shapes and numpy kinds; integers as int64.

        Raises
        ------
        WrongArrayError
            It is missing, or of another shape or type.
        """
        self.taken.add(name)
        if name not in self.names:
            raise WrongArrayError("this array is missing")
        shape, dtype = read_header(self.archive, name + SUFFIX)
        if not any(
            len(shape) == len(each) and all(w in (ANY, s) for s, w in zip(shape, each, strict=True)) for each in shapes
        ):
            wanted = " or ".join(_show(each) for each in shapes)
            raise WrongArrayError(f"is {show_shape(shape)}, must be {wanted}")
        if dtype.kind not in kinds or (dtype.kind == "u" and dtype.itemsize == 8):
            raise WrongArrayError(f"holds {dtype}, must be {_KINDS[kinds]}")
        values = read_values(self.archive, name + SUFFIX)
        return values.astype(np.int64) if kinds == "iu" else values

    def take_if_there(self, name: str, *shapes: Shape, kinds: str = "iu") -> Array | None:
        """Return as `take`, or None where the file has no such array."""
        self.taken.add(name)
        return self.take(name, *shapes, kinds=kinds) if name in self.names else None


PRUNES_OTHERS = "prunes weights that are not zero"


def prunes_others(mask: Array, weight: CodedTensor) -> bool:
    """Whether a mask leaves out weights whose code is not that of zero."""
    return bool((weight.codes[~mask] != weight.format.zero_code).any())


def check_codes(codes: IntArray, fmt: NumberFormat) -> None:
    """Raise WrongArrayError for a code that the format does not have: it decodes to what is written otherwise."""
    try:
        is_wrong = fmt.encode(fmt.decode(codes)) != codes
    except ValueError as problem:
        raise WrongArrayError(f"has a code that {fmt.name} does not have: {problem}") from problem
    if is_wrong.any():
        raise WrongArrayError(f"has code {codes[is_wrong].flat[0]}, which {fmt.name} does not have")


def check_pointers(pointers: IntArray, entries: int) -> None:
    """Raise WrongArrayError for a pointer beyond the table."""
    if not _lies_within(pointers, entries):
        beyond = pointers[(pointers < 0) | (pointers >= entries)].flat[0]
        raise WrongArrayError(f"points at entry {beyond}, the codebook has entries 0 to {entries - 1}")


def _layer_arrays(layer: CodedProduct) -> Iterator[tuple[str, Array | None]]:
    if layer.clusters is None:
        yield "weight", layer.weight.codes
    else:
        yield "pointers", layer.clusters.pointers
    yield "weight_exponents", layer.weight.exponents
    yield "weight_scales", layer.weight.scales
    yield "bias", layer.bias
    yield "bias_exponents", layer.bias_exponents
    yield "bias_values", layer.bias_values


def _lies_within(pointers: IntArray, entries: int) -> bool:
    return bool(((pointers >= 0) & (pointers < entries)).all())


def _show(shape: Shape) -> str:
    return " x ".join("images" if size == ANY else str(size) for size in shape) or "a scalar"


_KINDS = {"iu": "integers", "f": "real numbers", "b": "true or false"}

"""A folder of pairs of masks as a network of its own: a layer for each ifmap and its weights.

For tensors that come without a network, as a peer simulator writes them: `archsim validate scnn --masks DIR`. The shapes
are those of the arrays; stride, padding and groups stand in ``layers.csv`` beside them, or are 1, half the kernel, and as
many as the channels ask for.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from numpy.lib import format as npy

from archsim.config_file import read_text
from archsim.errors import WorkloadError
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer
from archsim.workload.mask_files import DNNSIM_NAMES, OWN_NAME
from archsim.workload.network import Workload

GEOMETRY_FILE = "layers.csv"
GEOMETRY_COLUMNS = ("layer", "stride", "padding")
ASSUMED = f"layers of masks: stride 1 and padding of half the kernel, but where {GEOMETRY_FILE} says otherwise"
Shapes = dict[str, dict[Operand, tuple[int, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Geometry:
    """What a mask does not tell of its layer; None = as assumed."""

    stride: int = 1
    padding: int | None = None


def network_of_masks(folder: Path) -> Workload:
    """Return the network that the pairs of a folder describe, in the order of their names.

    Parameters
    ----------
    folder
        Of files as `load_masks` takes them: an ifmap of (images,) channels, rows, columns with weights of filters, channels,
        rows, columns is a convolution; an ifmap of images, values with weights of filters, values a matrix product.

    Raises
    ------
    WorkloadError
        The folder cannot be read, holds no pair, or a pair makes no layer; all faults at once.
    """
    shapes, geometry, faults = _shapes_in(folder), _geometry_in(folder), list[str]()
    layers: list[ArrayLayer] = []
    for name in sorted(shapes):
        sides = shapes[name]
        missing = [operand.value for operand in (Operand.IFMAP, Operand.WEIGHT) if operand not in sides]
        if missing:
            faults.append(f"{folder}: layer {name!r} has no mask of its {' and '.join(missing)}: a layer needs both")
            continue
        try:
            layers.append(_layer(name, sides, geometry.get(name, _Geometry())))
        except WorkloadError as problem:
            faults.append(f"{folder}: {problem}")
    faults += [f"{folder / GEOMETRY_FILE}: layer {name!r} has no masks" for name in geometry if name not in shapes]
    if faults or not layers:
        raise WorkloadError(
            "\n".join(faults) or f"{folder}: holds no masks; they are named act-LAYER-0.npy and wgt-LAYER.npy"
        )
    return Workload(name=folder.name or "masks", layers=tuple(layers), source=f"masks in {folder}", assumptions=(ASSUMED,),
                    cut_off=frozenset(layer.name for layer in layers))  # fmt: skip


def _shapes_in(folder: Path) -> Shapes:
    try:
        files = sorted(folder.glob("*.npy"))
    except OSError as problem:
        raise WorkloadError(f"{folder}: cannot be read as a folder of masks: {problem.strerror}") from problem
    found: Shapes = {}
    for path in files:
        own = OWN_NAME.fullmatch(path.name)
        if own is not None:
            found.setdefault(own["layer"], {})[Operand(own["operand"])] = _shape(path)
        for operand, pattern in DNNSIM_NAMES.items():
            named = pattern.fullmatch(path.name)
            if named is not None:
                found.setdefault(named["layer"], {}).setdefault(operand, _shape(path))
    return found


def _shape(path: Path) -> tuple[int, ...]:
    """Return the shape of an array, its values left on the disk."""
    try:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape: tuple[int, ...] = read(file)[0]
            return shape
    except (OSError, ValueError) as problem:
        raise WorkloadError(f"{path}: is no .npy file: {problem}") from problem


def _geometry_in(folder: Path) -> Mapping[str, _Geometry]:
    path = folder / GEOMETRY_FILE
    if not path.is_file():
        return {}
    rows = list(csv.DictReader(read_text(path, WorkloadError).splitlines()))
    if not rows or not set(GEOMETRY_COLUMNS) <= rows[0].keys():
        raise WorkloadError(f"{path}: needs rows under the columns {', '.join(GEOMETRY_COLUMNS)}")
    faults = [
        f"{path}:{line}: {column} (={row[column]!r}) must be a whole number"
        for line, row in enumerate(rows, start=2)
        for column in GEOMETRY_COLUMNS[1:]
        if not (row[column] or "").isdecimal()
    ]
    if faults:
        raise WorkloadError("\n".join(faults))
    return {row["layer"]: _Geometry(stride=int(row["stride"]), padding=int(row["padding"])) for row in rows}


def _layer(name: str, sides: dict[Operand, tuple[int, ...]], geometry: _Geometry) -> ArrayLayer:
    ifmap, weight = sides[Operand.IFMAP], sides[Operand.WEIGHT]
    if len(weight) == 2 and len(ifmap) == 2:
        if ifmap[1] not in weight:
            raise WorkloadError(f"layer {name!r}: ifmap {ifmap} and weight {weight} share no inner dimension")
        columns = weight[0] if weight[1] == ifmap[1] else weight[1]
        return MatmulLayer(name=name, rows=ifmap[0], inner=ifmap[1], columns=columns, op="fc")
    axes = len(weight) - 2
    if axes < 1 or len(ifmap) not in (axes + 1, axes + 2):
        raise WorkloadError(
            f"layer {name!r}: ifmap {ifmap} and weight {weight} make neither a convolution nor a matrix product"
        )
    batch, channels = (ifmap[0] if len(ifmap) == axes + 2 else 1), ifmap[-axes - 1]
    if not weight[1] or channels % weight[1]:
        raise WorkloadError(
            f"layer {name!r}: {channels} channels of the ifmap are no multiple of the {weight[1]} of a filter"
        )
    padding = tuple((size // 2,) * 2 if geometry.padding is None else (geometry.padding,) * 2 for size in weight[2:])
    return ConvLayer(
        name=name, in_channels=channels, out_channels=weight[0], ifmap=ifmap[-axes:], kernel=weight[2:],
        stride=(geometry.stride,) * axes, padding=padding, dilation=(1,) * axes, batch=batch, groups=channels // weight[1],
    )  # fmt: skip

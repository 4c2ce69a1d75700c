"""A folder of .npy files, one per tensor, as a network's masks: `archsim run --masks DIR`.

    LAYER.ifmap.npy, LAYER.weight.npy      archsim's own names
    act-LAYER-N.npy, wgt-LAYER.npy         those of DNNsim; ifmaps of N = 0, 1, 2... follow each other

Every file is looked at before anything runs, and read again, as bits, when its layer does.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from archsim.config_file import did_you_mean
from archsim.errors import WorkloadError
from archsim.numerics.link_code import ZeroCounts
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer, ConvLayer, MatmulLayer
from archsim.workload.mask_statistics import count_mask_zeros
from archsim.workload.network import Workload
from archsim.workload.npz_file import WrongArrayError, hash_file, show_shape
from archsim.workload.stored_mask import Fit, StoredMask, first_not_finite, fit_shape, wanted_shapes
from archsim.workload.zero_masks import NetworkMasks, ZeroMask

OWN_NAME = re.compile(r"(?P<layer>.+)\.(?P<operand>ifmap|weight)\.npy", re.DOTALL)
DNNSIM_NAMES = {
    Operand.IFMAP: re.compile(r"act-(?P<layer>.+)-(?P<part>\d+)\.npy", re.DOTALL),
    Operand.WEIGHT: re.compile(r"wgt-(?P<layer>.+)\.npy", re.DOTALL),
}
UNREAD = ("bias-", "out-")
"""How names of what DNNsim writes besides begin: biases and ofmaps are no masks."""
NAMES = "LAYER.ifmap.npy, LAYER.weight.npy, act-LAYER-0.npy and wgt-LAYER.npy"
Place = tuple[str, Operand]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A file, and the tensor that its name means."""

    path: Path
    layer: str
    operand: Operand
    part: int = 0
    is_dnnsim: bool = False


def load_masks(folder: str | Path, workload: Workload) -> NetworkMasks:
    """Read the masks of a network's tensors from a folder.

    Parameters
    ----------
    folder
        Of .npy files, named as above; a layer's name may be written in another case, and with other marks where it has
        some (``/`` most of all). Values of any real type: those that are not zero are kept. Other files are let be, and
        DNNsim's biases and ofmaps (``bias-``, ``out-``).
    workload
        Whose layers they are; the whole network, as files of layers that it has not are refused.

    Returns
    -------
    NetworkMasks
        Read when their layer runs. Tensors without a file are named in ``source``: they are drawn.

    Raises
    ------
    WorkloadError
        The folder cannot be read or holds no mask; a file is of no layer, of two, or the second of its tensor; it is no
        array of real numbers, of a wrong shape, or holds NaN or infinity. All faults at once, a line each.
    """
    folder = Path(folder)
    reading = _Reading(
        layers={each.name: each for each in workload.layers if isinstance(each, ConvLayer | MatmulLayer)}
    )
    tensors = reading.sort(_listed(folder))
    of: dict[Place, ZeroMask] = {}
    counts: dict[Place, ZeroCounts] = {}
    for place, files in tensors.items():
        found = reading.take(place, files)
        if found is not None:
            of[place], counts[place] = found
    if reading.faults:
        raise WorkloadError("\n".join(reading.faults))
    digest = hashlib.sha256("".join(hash_file(file.path) for files in tensors.values() for file in files).encode())
    return NetworkMasks(
        of=of, counts=counts, source=_source(folder, of, reading.layers), content_hash=digest.hexdigest()
    )


def _listed(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".npy" and not path.name.startswith(UNREAD))
    except OSError as problem:
        raise WorkloadError(f"{folder}: cannot be read as a folder of masks: {problem.strerror}") from problem
    if not files:
        raise WorkloadError(f"{folder}: holds no mask. Masks are named {NAMES}")
    return files


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over a folder: the layers that have masks, and what is wrong with the files."""

    layers: dict[str, ArrayLayer]
    faults: list[str] = field(default_factory=list)

    def sort(self, files: Iterable[Path]) -> dict[Place, list[_Named]]:
        """Return the files of each tensor, parts in order."""
        tensors: dict[Place, list[_Named]] = {}
        for path in files:
            named = self._named(path)
            if named is not None:
                tensors.setdefault((named.layer, named.operand), []).append(named)
        for of_one in tensors.values():
            of_one.sort(key=lambda file: file.part)
            self._check_parts(of_one)
        return tensors

    def take(self, place: Place, files: Sequence[_Named]) -> tuple[StoredMask, ZeroCounts] | None:
        """Look at the files of one tensor; None where something is wrong with them."""
        layer, operand = self.layers[place[0]], place[1]
        fits = [fit for file in files if (fit := self._fit(file, layer, operand)) is not None]
        if len(fits) < len(files):
            return None
        shape = (sum(fit.shape[0] for fit in fits), *fits[0].shape[1:])
        if isinstance(layer, MatmulLayer) and operand is Operand.IFMAP and layer.batches == 1:
            shape = (1, sum(fit.shape[1] for fit in fits), layer.inner)
        mask = StoredMask(paths=tuple(file.path for file in files), shape=shape, swaps_axes=fits[0].swaps_axes)
        return mask, count_mask_zeros(mask.nonzero())

    def _named(self, path: Path) -> _Named | None:
        own = OWN_NAME.fullmatch(path.name)
        if own is not None:
            return self._of_layer(path, own["layer"], Operand(own["operand"]))
        for operand, pattern in DNNSIM_NAMES.items():
            found = pattern.fullmatch(path.name)
            if found is not None:
                part = int(found.groupdict().get("part") or 0)
                return self._of_layer(path, found["layer"], operand, part=part, is_dnnsim=True)
        self.faults.append(f"{path}: is no mask's name. Masks are named {NAMES}")
        return None

    def _of_layer(
        self, path: Path, text: str, operand: Operand, *, part: int = 0, is_dnnsim: bool = False
    ) -> _Named | None:
        """Find the layer that a file's name means: as written, or else the only one alike in letters and digits."""
        alike = [text] if text in self.layers else [name for name in self.layers if _plain(name) == _plain(text)]
        if len(alike) == 1:
            return _Named(path=path, layer=alike[0], operand=operand, part=part, is_dnnsim=is_dnnsim)
        hint = f"both {alike[0]!r} and {alike[1]!r} may be meant" if alike else "the array runs no layer of this name"
        self.faults.append(f"{path}: layer {text!r}: {hint}.{'' if alike else did_you_mean(text, self.layers)}")
        return None

    def _check_parts(self, files: Sequence[_Named]) -> None:
        """Find a second file of a tensor, and parts that are missing or of different conventions."""
        first = files[0]
        is_one_name = all(file.is_dnnsim == first.is_dnnsim for file in files) and first.operand is Operand.IFMAP
        for place, file in enumerate(files):
            if place and (not is_one_name or file.part == files[place - 1].part):
                self.faults.append(
                    f"{file.path}: layer {file.layer!r} has its {file.operand} from {first.path.name} already"
                )
            elif file.part != place:
                self.faults.append(
                    f"{file.path}: part {place} of layer {file.layer!r}'s ifmap is missing: parts count from 0"
                )

    def _fit(self, file: _Named, layer: ArrayLayer, operand: Operand) -> Fit | None:
        try:
            values = _open(file.path)
        except WrongArrayError as problem:
            self.faults.append(f"{file.path}: {problem}")
            return None
        fit = fit_shape(values.shape, layer, operand, columns_first=file.is_dnnsim)
        bad = None if fit is None else first_not_finite(values)
        if fit is not None and bad is None:
            return fit
        whose = f"the {operand} of layer {layer.name!r}"
        fault = (
            f"is {show_shape(values.shape)}, {whose} is {wanted_shapes(layer, operand)}"
            if bad is None
            else f"holds NaN or infinity, first at value {bad:,}: {whose} must be finite"
        )
        self.faults.append(f"{file.path}: {fault}")
        return None


def _open(path: Path) -> NDArray[Any]:
    """Map a file into memory."""
    try:
        values: NDArray[Any] = npy.open_memmap(path, mode="r")
    except OSError as problem:
        raise WrongArrayError(f"cannot be read: {problem.strerror or problem}") from problem
    except (ValueError, EOFError) as problem:
        raise WrongArrayError(f"not an array of numbers: {problem}. Save it with numpy.save") from problem
    if values.dtype.kind not in "biuf":
        raise WrongArrayError(f"holds {values.dtype}, no integers, real numbers or booleans")
    return values


def _plain(name: str) -> str:
    """Return a name as file systems and exporters leave it: letters and digits, other marks one underscore."""
    return re.sub(r"[\W_]+", "_", name).strip("_").casefold()


def _source(folder: Path, of: Mapping[Place, ZeroMask], layers: Iterable[str]) -> str:
    """Say which tensors have masks, and which have none."""
    missing = [
        f"{name}.{operand}"
        for name in layers
        for operand in (Operand.IFMAP, Operand.WEIGHT)
        if (name, operand) not in of
    ]
    rest = f"; drawn as their shares of zeros say: {shown_list(missing)}" if missing else ""
    return f"zeros of {len(of)} tensors stand where the files of {folder} have them{rest}"


def shown_list(names: Sequence[str], at_most: int = 8) -> str:
    """Return the first names of many."""
    more = f" and {len(names) - at_most} more" if len(names) > at_most else ""
    return ", ".join(names[:at_most]) + more

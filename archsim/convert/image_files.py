"""Images and labels that a network is calibrated and measured on, read from what the user points at.

Called by the conversion and by `evaluate.py`. ``mnist:test:2000`` is the first 2000 test images of MNIST; a folder of
IDX files, scikit-learn's digits, an .npz or an .npy will do as well.
"""

import os
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.convert.float_network import FloatArray, FloatNetwork
from archsim.convert.float_shapes import ofmap_shapes
from archsim.convert.idx_files import read_idx_folder
from archsim.errors import ConfigError, WorkloadError

GRAMMAR = "mnist, digits, a folder of IDX files, an .npz or an .npy; behind it :train or :test, and :N for the first N"
"""What `read_images` reads."""

MNIST_VARIABLE = "ARCHSIM_MNIST"
"""Environment variable that names the folder of MNIST's files."""

MNIST_PLACES = ("mnist", "../shared/data/mnist")
"""Where they are looked for otherwise, seen from the working directory."""

DIGITS_TEST_IMAGES = 500
"""Of scikit-learn's 1797 digits, in a permutation with the seed 0, the last are the test images."""

_PARTS = ("train", "test")
_CANNOT_READ = (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageSet:
    """Images in file order.

    Parameters
    ----------
    images
        As stored: uint8 or float array, shape (N, C, H, W) or (N, C).
    labels
        int64 array, shape (N,); None where there are none.
    name
        For reports, e.g. ``mnist:test``.
    scale
        Pixel value that stands for 1.0.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None
    name: str
    scale: float = 1.0

    def __len__(self) -> int:
        """How many."""
        return len(self.images)

    @property
    def values(self) -> FloatArray:
        """What the network is given: pixels divided by the scale, float64 array of the images' shape."""
        return np.asarray(self.images, dtype=np.float64) / self.scale

    def first(self, count: int) -> "ImageSet":
        """Return the first ``count`` images, or all where there are fewer."""
        labels = None if self.labels is None else self.labels[:count]
        return replace(self, images=self.images[:count], labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a text asks for; an empty part is one that it does not name."""

    text: str
    place: str
    part: str
    first: int | None


def read_images(text: str, *, default_part: str = "test", at_most: int | None = None) -> ImageSet:
    """Read images.

    Parameters
    ----------
    text
        See `GRAMMAR`, e.g. ``mnist``, ``mnist:train:1000``, ``digits``, ``my/images.npz:500``.
    default_part
        ``train`` or ``test``, where the text names neither and the images come in both.
    at_most
        Only so many are read where the text gives no number; None = all. [images]

    Returns
    -------
    ImageSet
        In file order.

    Raises
    ------
    ConfigError
        The text means nothing; files are missing, cut short or of the wrong form; images hold NaN or infinity.
    """
    wanted = _parse(text)
    limit = at_most if wanted.first is None else wanted.first
    if wanted.place == "digits":
        found = _read_digits(wanted.part or default_part)
    elif wanted.place == "mnist" or Path(wanted.place).is_dir():
        folder = _mnist_folder() if wanted.place == "mnist" else Path(wanted.place)
        found = _read_folder(folder, wanted, wanted.part or default_part, limit)
    else:
        found = _read_array_file(wanted)
    return _checked(found, wanted).first(len(found) if limit is None else limit)


def training_part(text: str) -> str:
    """Return the text of the training images that belong to the images of a text: ``mnist:test:2000`` -> ``mnist:train``.

    An .npz or .npy has one part only, which it stays.
    """
    wanted = _parse(text)
    return wanted.place if Path(wanted.place).suffix in (".npz", ".npy") else f"{wanted.place}:train"


def place_of(text: str) -> str:
    """Return the name, folder or file of a text, without part and number."""
    return _parse(text).place


def check_fits(images: ImageSet, network: FloatNetwork, *, needs_labels: bool = False) -> None:
    """Hold images to a network.

    Raises
    ------
    WorkloadError
        They are of another shape; labels are wanted and missing, or lie outside of the network's classes.
    """
    given, taken = ("x".join(map(str, shape)) for shape in (images.images.shape[1:], network.ifmap_shape))
    if given != taken:
        raise WorkloadError(
            f"images {images.name!r} are {given}, the network {network.name!r} takes {taken}. "
            "Give images of that shape, channels first."
        )
    if not needs_labels:
        return
    if images.labels is None:
        raise WorkloadError(
            f"images {images.name!r} have no labels, which accuracy, fine-tuning and the search for bits need. "
            "Add an array 'labels' to the .npz."
        )
    shape = ofmap_shapes(network)[network.nodes[-1].name]
    if len(shape) != 1:
        raise WorkloadError(
            f"network {network.name!r} gives {'x'.join(map(str, shape))} values, not one per class, so no accuracy can be "
            "measured. End it in a Flatten, or convert it without labelled images."
        )
    outside = np.flatnonzero((images.labels < 0) | (images.labels >= shape[0]))
    if outside.size:
        raise WorkloadError(
            f"images {images.name!r}: the label of image {outside[0]} is {images.labels[outside[0]]}, "
            f"the network {network.name!r} has the classes 0 to {shape[0] - 1}. Give the labels of this network."
        )


def _parse(text: str) -> _Wanted:
    place, part, first = text, "", None
    head, _, tail = place.rpartition(":")
    if head and tail.isascii() and tail.isdigit():
        place, first = head, int(tail)
        head, _, tail = place.rpartition(":")
    if head and tail in _PARTS:
        place, part = head, tail
    if first == 0:
        raise ConfigError(f"images {text!r}: 0 images are none. Ask for 1 or more.")
    return _Wanted(text=text, place=place, part=part, first=first)


def _mnist_folder() -> Path:
    named = os.environ.get(MNIST_VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise ConfigError(f"images 'mnist': {MNIST_VARIABLE} is {named!r}, which is no folder. Set it to MNIST's.")
        return Path(named)
    found = next((Path(place) for place in MNIST_PLACES if Path(place).is_dir()), None)
    if found is None:
        raise ConfigError(
            f"images 'mnist': no folder {' or '.join(MNIST_PLACES)} here. Set {MNIST_VARIABLE} to the folder that holds "
            "t10k-images-idx3-ubyte.gz and its fellows, or give the folder in place of 'mnist'."
        )
    return found


def _read_folder(folder: Path, wanted: _Wanted, part: str, limit: int | None) -> ImageSet:
    images, labels = read_idx_folder(folder, part, limit)
    return ImageSet(
        images=images[:, None], labels=labels.astype(np.int64), name=f"{wanted.place}:{part}", scale=255.0
    )  # fmt: skip


def _read_digits(part: str) -> ImageSet:
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415  # an extra: most users do without it
    except ImportError as problem:
        raise ConfigError(
            "images 'digits': scikit-learn is not installed. Install it with: pip install 'archsim[compress]'"
        ) from problem
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.images))
    chosen = order[-DIGITS_TEST_IMAGES:] if part == "test" else order[:-DIGITS_TEST_IMAGES]
    images = digits.images[chosen, None].astype(np.uint8)
    return ImageSet(images=images, labels=digits.target[chosen].astype(np.int64), name=f"digits:{part}", scale=16.0)


def _read_array_file(wanted: _Wanted) -> ImageSet:
    path = Path(wanted.place)
    if path.suffix not in (".npz", ".npy"):
        raise ConfigError(f"images {wanted.text!r}: no such folder, and no .npz or .npy. Give {GRAMMAR}.")
    if wanted.part:
        raise ConfigError(f"images {wanted.text!r}: a {path.suffix} has no parts. Leave out ':{wanted.part}'.")
    if not path.is_file():
        raise ConfigError(f"{path}: no such file. Give {GRAMMAR}.")
    arrays = _load(path)
    if "images" not in arrays:
        raise ConfigError(f"{path}: holds the arrays {sorted(arrays)}, but none 'images'. Save it with images=...")
    images = arrays["images"]
    return ImageSet(
        images=images[:, None] if images.ndim == 3 else images,
        labels=_checked_labels(path, arrays.get("labels"), len(images)) if images.ndim else None,
        name=wanted.place,
        scale=255.0 if images.dtype == np.uint8 else 1.0,
    )


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:  # numpy leaves open what it opens and cannot read
            loaded = np.load(file, allow_pickle=False)
            return {"images": loaded} if path.suffix == ".npy" else {name: loaded[name] for name in loaded.files}
    except _CANNOT_READ as problem:
        raise ConfigError(f"{path}: cannot be read: {problem}. Save it with numpy.savez or numpy.save.") from problem


def _checked_labels(path: Path, labels: NDArray[Any] | None, count: int) -> NDArray[np.int64] | None:
    if labels is None:
        return None
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ConfigError(
            f"{path}: labels are {labels.dtype} of shape {labels.shape}. Save one whole number per image."
        )
    if len(labels) != count:
        raise ConfigError(f"{path}: {len(labels)} labels for {count} images. Save one label per image.")
    return labels.astype(np.int64)


def _checked(found: ImageSet, wanted: _Wanted) -> ImageSet:
    images = found.images
    if images.ndim not in (2, 4) or not images.size:
        raise ConfigError(
            f"images {wanted.text!r} have the shape {images.shape}. Give (N, C, H, W), (N, H, W) or (N, C), N at least 1."
        )
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ConfigError(
            f"images {wanted.text!r} are {images.dtype}. Give uint8 (0..255 stands for 0..1) or floats as the network takes."
        )
    bad = np.flatnonzero(~np.isfinite(images).all(axis=tuple(range(1, images.ndim))))
    if bad.size:
        raise ConfigError(
            f"images {wanted.text!r}: image {bad[0]} holds NaN or infinity, {bad.size} of {len(images)} images do. "
            "Leave them out."
        )
    if wanted.first is not None and wanted.first > len(images):
        raise ConfigError(f"images {wanted.text!r}: there are only {len(images)}. Ask for no more.")
    return found

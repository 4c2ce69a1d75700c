"""Images and labels in the IDX files of MNIST, plain or gzipped.

Called by `image_files.py`. An IDX file is four bytes (0, 0, type, number of axes), the axes' sizes as big-endian
32-bit numbers, then the values [1]_.

References
----------
.. [1] Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits, "File formats".
"""

import gzip
import struct
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from archsim.errors import ConfigError

UBYTE = 0x08
"""The only type of value that is read: unsigned bytes."""

PREFIXES = {"train": "train", "test": "t10k"}
"""Part of the data -> how its files' names begin."""

MOST_EXPANSION = 1032
"""Bytes that deflate makes of one, at the most: a file of less cannot hold what a broken header says."""

Bytes = NDArray[np.uint8]


def read_idx_folder(folder: Path, part: str, first: int | None) -> tuple[Bytes, Bytes]:
    """Read images (N, rows, columns) and labels (N,) of one part, the first ones only where a number is given.

    Raises
    ------
    ConfigError
        A file is missing, cut short, or not what its name says; or the counts differ.
    """
    images_file = _find(folder, PREFIXES[part], "images", "idx3")
    labels_file = _find(folder, PREFIXES[part], "labels", "idx1")
    images, found_images = _read(images_file, 3, first)
    labels, found_labels = _read(labels_file, 1, first)
    if found_images != found_labels:
        raise ConfigError(
            f"{labels_file}: {found_labels} labels for the {found_images} images of {images_file.name}. "
            "Fetch both files of one data set."
        )
    return images, labels


def _find(folder: Path, prefix: str, what: str, axes: str) -> Path:
    names = [f"{prefix}-{what}{mark}{axes}-ubyte{end}" for mark in "-." for end in (".gz", "")]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise ConfigError(f"{folder}: no file {names[0]} or {names[1]}. Name a folder that holds MNIST's files.")
    return found


def _read(path: Path, axes: int, first: int | None) -> tuple[Bytes, int]:
    """Values of the first images, and how many the file states that it holds."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            sizes = _sizes(path, file, axes)  # type: ignore[arg-type]  # GzipFile reads as any binary file does
            count = sizes[0] if first is None else min(first, sizes[0])
            wanted = prod((count, *sizes[1:]))
            content = file.read(min(wanted, MOST_EXPANSION * path.stat().st_size))
    except (OSError, EOFError, zlib.error) as problem:
        raise ConfigError(f"{path}: cannot be read: {problem}. Fetch the file again.") from problem
    if len(content) < wanted:
        raise ConfigError(f"{path}: cut short: {len(content)} of {wanted} bytes. Fetch the file again.")
    return np.frombuffer(content, dtype=np.uint8).reshape(count, *sizes[1:]), sizes[0]


def _sizes(path: Path, file: BinaryIO, axes: int) -> tuple[int, ...]:
    header = file.read(4 + 4 * axes)
    if header[:4] != bytes((0, 0, UBYTE, axes)) or len(header) < 4 + 4 * axes:
        raise ConfigError(
            f"{path}: not an IDX file of unsigned bytes with {axes} {'axes' if axes > 1 else 'axis'}: it begins with "
            f"{header[:4].hex(' ') or 'nothing'}. Fetch the file again."
        )
    return struct.unpack(f">{axes}I", header[4:])

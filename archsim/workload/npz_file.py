"""An .npz as archsim opens it: each array's header is looked at before anything is unpacked.

Called by `tensors.py` (values that are only counted) and `coded_arrays.py` (codes that are kept).
"""

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from archsim.errors import WorkloadError

SUFFIX = ".npy"


class WrongArrayError(Exception):
    """One array cannot be used; the text says why."""


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def open_npz(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an .npz; what goes wrong with the file as a whole, until it is closed, is a WorkloadError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except OSError as problem:
        raise WorkloadError(f"{path}: cannot be read: {problem.strerror}") from problem
    except (zipfile.BadZipFile, zlib.error) as problem:
        raise WorkloadError(f"{path}: not an .npz file: {problem}") from problem


def read_header(archive: zipfile.ZipFile, member: str) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Return shape and type of an array as its header gives them.

    Raises
    ------
    WrongArrayError
        Not an array, or not of real numbers.
    """
    try:
        with archive.open(member) as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
    except ValueError as problem:
        raise WrongArrayError(f"not an array: {problem}") from problem
    if dtype.kind not in "biuf":
        raise WrongArrayError(f"holds {dtype}, no integers or real numbers")
    return tuple(shape), dtype


def read_values(archive: zipfile.ZipFile, member: str) -> NDArray[np.generic]:
    """Return an array whose header was found good.

    Raises
    ------
    WrongArrayError
        It holds NaN or infinite values, or fewer bytes than its header says.
    """
    try:
        with archive.open(member) as file:
            values: NDArray[np.generic] = npy.read_array(file, allow_pickle=False)
    except ValueError as problem:
        raise WrongArrayError(f"not an array: {problem}") from problem
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise WrongArrayError("holds NaN or infinite values")
    return values


def show_shape(shape: tuple[int, ...]) -> str:
    """Return ``2 x 3`` for (2, 3)."""
    return " x ".join(map(str, shape)) or "a scalar"

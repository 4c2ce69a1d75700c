"""Files put into a directory all together or not at all.

`study/result.py` saves runs with it, `report/pictures.py` the pictures beside them.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from archsim.errors import ConfigError


def check_directory(out: Path, option: str = "--out") -> None:
    """Refuse a place that cannot become a directory, before hours of work go into what it should hold.

    Parameters
    ----------
    out
        The place.
    option
        Of the command line that named it.

    Raises
    ------
    ConfigError
        ``out``, or what it would stand in, is a file, or may not be written to.
    """
    nearest = next((place for place in (out, *out.absolute().parents) if place.exists()), out)
    if not nearest.is_dir():
        raise ConfigError(f"{nearest}: is a file; {option} (={str(out)!r}) must be a directory")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"{nearest}: may not be written to; {option} (={str(out)!r}) must be a place that may")


def write_directory(out: Path, files: Mapping[str, bytes], *, stale: Iterable[str] = ()) -> None:
    """Write files into ``out``; nothing there changes until every one of them is on the disk.

    Parameters
    ----------
    out
        Made if need be, parents too. Files that are not named here are left alone.
    files
        Content of each, by name.
    stale
        Names to remove from ``out`` where ``files`` does not replace them.

    Raises
    ------
    ConfigError
        ``out`` is a file, one of the names is a directory in it, or the disk refuses.
    """
    check_directory(out)
    for name in files:
        if (out / name).is_dir():
            raise ConfigError(f"{out / name}: is a directory; a file of this name has to be written")
    try:
        _write(out.resolve(), files, stale)
    except OSError as problem:
        raise ConfigError(f"{out}: cannot be written: {problem.strerror or problem}") from problem


def _write(out: Path, files: Mapping[str, bytes], stale: Iterable[str]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".archsim-", dir=_scratch_parent(out), ignore_cleanup_errors=True) as made:
        scratch = Path(made)
        for name, content in files.items():
            (scratch / name).write_bytes(content)
        out.mkdir(exist_ok=True)
        for name in files:
            (scratch / name).replace(out / name)
    for name in set(stale) - files.keys():
        (out / name).unlink(missing_ok=True)


def _scratch_parent(out: Path) -> Path:
    """Return a directory on the same file system as ``out``, beside it unless it stands alone there."""
    is_alone = out.exists() and (os.path.ismount(out) or not os.access(out.parent, os.W_OK))
    return out if is_alone else out.parent

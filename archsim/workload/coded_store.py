"""A converted workload on disk: a readable YAML and an .npz of its codes beside it. Written here, read through `store.py`.

Called by `convert/` and by whoever runs a converted network bit for bit; `archsim.load_workload` reads the same files
for the simulator.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.errors import WorkloadError
from archsim.workload.coded_arrays import arrays_of
from archsim.workload.coded_network import CodedNetwork
from archsim.workload.coded_yaml import Origin, converted_yaml
from archsim.workload.golden import Golden
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_file

BoolArray = NDArray[np.bool_]
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConvertedWorkload:
    """All that the two files say.

    Parameters
    ----------
    workload
        As the simulator runs it: shapes, formats, clusters, counted zeros.
    network
        As it is computed, bit for bit.
    golden
        What it must give; None where the file says nothing. `engine.golden_run.check_golden` compares.
    masks
        Product layer -> weights that were kept, where some were pruned.
    """

    workload: Workload
    network: CodedNetwork
    golden: Golden | None
    masks: Mapping[str, BoolArray]


def write_converted(
    network: CodedNetwork,
    path: Path,
    *,
    golden: Golden | None = None,
    masks: Mapping[str, BoolArray] | None = None,
    origin: Origin | None = None,
) -> Path:
    """Write a converted network as ``path`` and the .npz of the same name beside it.

    Parameters
    ----------
    network
        Its layers' formats are written by name.
    path
        Of the YAML.
    golden
        From `engine.golden_run.make_golden`.
    masks
        Product layer -> bool array of the weights' shape, True = kept.
    origin
        Source, notes, calibration, zeros of ifmaps; None = nothing to say.

    Returns
    -------
    Path
        Of the .npz.

    Raises
    ------
    WorkloadError
        The network contradicts itself, or the files cannot be written.

    Notes
    -----
    Both files are written under other names and renamed when they are complete, the arrays first. The same network
    gives the same bytes.
    """
    _check_name(path)
    beside = path.with_suffix(".npz")
    text = converted_yaml(network, beside.name, golden, origin or Origin())
    arrays = arrays_of(network, golden, masks or {})
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".archsim-") as folder:
            halfway = Path(folder)
            np.savez_compressed(halfway / "arrays.npz", **arrays)  # type: ignore[arg-type]
            (halfway / "text.yaml").write_text(text, encoding="utf-8", newline="\n")
            (halfway / "arrays.npz").replace(beside)
            (halfway / "text.yaml").replace(path)
    except OSError as problem:
        raise WorkloadError(f"{path}: cannot be written: {problem.strerror}") from problem
    return beside


def check_place(path: Path, read: Iterable[Path] = ()) -> None:
    """Refuse a place that cannot hold a workload, before hours of work go into it; nothing is left there.

    Parameters
    ----------
    path
        Of the YAML that is to be written.
    read
        Files that are needed and must not be written over.

    Raises
    ------
    WorkloadError
        The name has another suffix, the folder is missing or may not be written to, or a file of either name is a
        directory or is read itself.
    """
    _check_name(path)
    beside = path.with_suffix(".npz")
    for each in (path, beside):
        if each.is_dir():
            raise WorkloadError(f"{each}: is a directory; a file of this name has to be written")
    if any(each.exists() and beside.exists() and each.samefile(beside) for each in read):
        raise WorkloadError(f"{path}: its arrays would be written over {beside}, which is read. Name it otherwise")
    try:
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".archsim-").cleanup()
    except OSError as problem:
        raise WorkloadError(f"{path}: cannot be written: {problem.strerror}") from problem


def read_converted(path: Path) -> ConvertedWorkload:
    """Read a converted workload.

    Raises
    ------
    WorkloadError
        Either file is wrong: one line per fault, ``file:line: what is wrong``; or the workload is a plain one.
    """
    found = read_workload_file(path)
    if found.coded is None:
        raise WorkloadError(
            f"{path}: a plain workload, without codes: it has no key 'ifmap'. Make one by archsim convert"
        )
    coded = found.coded
    return ConvertedWorkload(workload=found.workload, network=coded.network, golden=coded.golden, masks=coded.masks)


def _check_name(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise WorkloadError(
            f"{path}: a workload is named *{' or *'.join(SUFFIXES)}; its arrays lie in the .npz beside it"
        )

"""Shipped archs and workloads by name, and one loader for whatever the user points at.

Called by `cli.py` and by the package's public face. In a wheel the shipped files are package data
(``archsim/_data``); in a source checkout they lie beside the package.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.arch.architecture import Architecture
from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import device_names, load_device
from archsim.arch.pe_array_keys import SHORT_DATAFLOWS
from archsim.arch.scalesim_cfg import read_scalesim_cfg
from archsim.arch.schema import read_arch_yaml
from archsim.config_file import did_you_mean, shortened
from archsim.errors import ArchsimError, ConfigError, WorkloadError
from archsim.format_shelf import format_rows
from archsim.workload.batch import with_batch
from archsim.workload.network import Workload
from archsim.workload.store import read_workload_yaml
from archsim.workload.topology_csv import read_topology_csv

ARCH_READERS: dict[str, Callable[[Path, Sequence[str]], Architecture]] = {
    ".yaml": read_arch_yaml,
    ".yml": read_arch_yaml,
    ".cfg": read_scalesim_cfg,
}
"""Suffix of an arch file -> what reads it."""

SHIPPED_SUFFIXES = (".yaml", ".onnx")
"""Of shipped archs and workloads: described networks, and float ones with their weights."""

MAX_BATCH = 1_000_000
"""Images at a time that are more than any memory holds: beyond it lies a slip of the keyboard."""

WORKLOAD_READERS: dict[str, Callable[[Path], Workload]] = {
    ".yaml": read_workload_yaml,
    ".yml": read_workload_yaml,
    ".csv": read_topology_csv,
}
"""Suffix of a workload file -> what reads it; ``.onnx`` is apart, it takes its own batch."""


def arch_names() -> list[str]:
    """Return the names of the shipped archs, sorted."""
    return _names("arch_configs")


def workload_names() -> list[str]:
    """Return the names of the shipped workloads, sorted."""
    return _names("workloads")


def find_arch(name: str) -> Path:
    """Return the file of a shipped arch.

    Raises
    ------
    ConfigError
        No arch has this name; the nearest one and how to name a file are told.
    """
    return _find(name, "arch_configs", ConfigError)


def find_workload(name: str) -> Path:
    """Return the file of a shipped workload.

    Raises
    ------
    WorkloadError
        No workload has this name; the nearest one and how to name a file are told.
    """
    return _find(name, "workloads", WorkloadError)


def find_model(model: str | Path) -> Path:
    """Return the ONNX file that a name or a path stands for: a float network that `archsim convert` takes.

    Raises
    ------
    WorkloadError
        No shipped network has this name, or the file is no ``.onnx``; the nearest name is told.
    """
    known = sorted(path.stem for path in _folder("workloads").glob("*.onnx"))
    if not _is_path(model, known):
        if model not in known:
            raise WorkloadError(
                f"no float network is named {str(model)!r}.{did_you_mean(str(model), known)} Known: {', '.join(known)}. "
                "A file is named by its path, e.g. ./net.onnx"
            )
        return _folder("workloads") / f"{model}.onnx"
    path = Path(model)
    if path.suffix.lower() != ".onnx":
        raise WorkloadError(f"{path}: only .onnx models can be converted")
    return path


def load_arch(arch: str | Path, settings: Sequence[str] = ()) -> Architecture:
    """Read an arch by its name or path.

    Parameters
    ----------
    arch
        A name from `arch_names`, or a ``.yaml``, ``.yml`` or SCALE-Sim ``.cfg`` file.
    settings
        ``KEY=VALUE`` each, written over the file: see `apply_settings`.

    Raises
    ------
    ConfigError
        No such arch, a suffix that is not read, or faults in the file or the settings.
    """
    path = Path(arch) if _is_path(arch, arch_names()) else find_arch(str(arch))
    reader = ARCH_READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: an arch file ends in {', '.join(ARCH_READERS)}")
    return reader(path, settings)


def load_workload(workload: str | Path, batch: int | None = None) -> Workload:
    """Read a workload by its name or path.

    Parameters
    ----------
    workload
        A name from `workload_names`, or a ``.yaml``, ``.yml``, ``.onnx`` or SCALE-Sim topology ``.csv`` file.
    batch
        Images; None = what the file says.

    Raises
    ------
    WorkloadError
        No such workload, a suffix that is not read, a batch below 1, or faults in the file.
    """
    if batch is not None and not 1 <= batch <= MAX_BATCH:
        raise WorkloadError(f"batch (={batch!r}) must be at least 1 and at most {MAX_BATCH}")
    path = workload_path(workload)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return _read_onnx(path, batch)
    if suffix not in WORKLOAD_READERS:
        raise WorkloadError(f"{path}: a workload file ends in {', '.join((*WORKLOAD_READERS, '.onnx'))}")
    read = WORKLOAD_READERS[suffix](path)
    return read if batch is None else with_batch(read, batch)


def workload_path(workload: str | Path) -> Path:
    """Return the file that a name or a path stands for.

    Raises
    ------
    WorkloadError
        No workload has this name.
    """
    return Path(workload) if _is_path(workload, workload_names()) else find_workload(str(workload))


def shelf_lines(shelf: str) -> list[str]:
    """Return what archsim knows by name, one line each, the name first.

    Parameters
    ----------
    shelf
        ``archs``, ``workloads``, ``formats``, ``dataflows`` or ``devices``.
    """
    rows = SHELVES[shelf]()
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {meaning}" for name, meaning in rows]


def _arch_rows() -> list[tuple[str, str]]:
    """Return dataflow, PEs, clock, node, validation state and source of each arch, one below the other."""
    archs = [(name, load_arch(name)) for name in arch_names()]
    facts = [_arch_facts(arch) for _, arch in archs]
    widths = [max(map(len, column)) for column in zip(*facts, strict=True)]
    return [
        (name, "  ".join((*map(str.ljust, cells, widths), shortened(arch.source))))
        for (name, arch), cells in zip(archs, facts, strict=True)
    ]


def _arch_facts(arch: Architecture) -> tuple[str, ...]:
    array = arch.pe_array
    clock, node = f"{arch.clock_mhz:.4g} MHz", f"{arch.technology_nm:g} nm"
    return array.dataflow, f"{array.rows} x {array.columns}", clock, node, arch.validation.state


def _workload_rows() -> list[tuple[str, str]]:
    read = [load_workload(name) for name in workload_names()]
    return [(each.name, f"{len(each.layers)} layers, {each.macs:,} MACs; {each.source}") for each in read]


def _dataflow_rows() -> list[tuple[str, str]]:
    return [(dataflow.value, f"short: {short}") for short, dataflow in SHORT_DATAFLOWS.items()]


def _device_rows() -> list[tuple[str, str]]:
    return [(name, _device_in_brief(load_device(name))) for name in device_names()]


def _device_in_brief(device: DramDevice) -> str:
    channels = f"{device.channels} x {device.bus_width_bits} bits, {device.peak_bytes_per_second / 1e9:.1f} GB/s"
    size = f"{device.capacity_bytes / 2**30:g} GiB"
    recalled = " (partly recalled)" if device.from_memory else ""
    return f"{device.protocol}, {channels}, {size}; {device.source}{recalled}"


SHELVES: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "archs": _arch_rows,
    "workloads": _workload_rows,
    "formats": format_rows,
    "dataflows": _dataflow_rows,
    "devices": _device_rows,
}
"""What `archsim list` can show -> its rows of name and meaning."""


def _read_onnx(path: Path, batch: int | None) -> Workload:
    from archsim.convert.onnx_reader import read_onnx  # noqa: PLC0415 - onnx takes 0.3 s to import

    return read_onnx(path, batch=batch)


def _is_path(text: str | Path, shipped: Sequence[str]) -> bool:
    """Whether it names a file rather than a shipped arch or workload: it has a suffix or a folder."""
    if isinstance(text, Path):
        return True
    return text not in shipped and (Path(text).suffix != "" or Path(text).name != text)


def _find(name: str, folder: str, error: type[ArchsimError]) -> Path:
    known = _names(folder)
    if name in known:
        return next(path for suffix in SHIPPED_SUFFIXES if (path := _folder(folder) / f"{name}{suffix}").exists())
    noun = "arch" if error is ConfigError else "workload"
    raise error(
        f"no {noun} is named {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}. "
        f"A file is named by its path, e.g. ./{name or noun}.yaml"
    )


def _names(folder: str) -> list[str]:
    return sorted({path.stem for suffix in SHIPPED_SUFFIXES for path in _folder(folder).glob(f"*{suffix}")})


def _folder(name: str) -> Path:
    package = Path(__file__).parent
    installed = package / "_data" / name
    return installed if installed.is_dir() else package.parent / name

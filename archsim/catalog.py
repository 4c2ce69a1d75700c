"""Shipped archs and workloads by name, and one loader for whatever the user points at.

Called by `cli.py` and by the package's public face. In a wheel the shipped files are package data
(``archsim/_data``); in a source checkout they lie beside the package.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.arch.architecture import Architecture
from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import device_names, load_device
from archsim.arch.scalesim_cfg import read_scalesim_cfg
from archsim.arch.schema import SHORT_DATAFLOWS, read_arch_yaml
from archsim.config_file import did_you_mean
from archsim.errors import ArchsimError, ConfigError, WorkloadError
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat
from archsim.numerics.rounding import OverflowMode, RoundingMode
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

FORMAT_NAMES = {
    "intN": ("int8", "integer times a power of two, per tensor or channel; also sxN, sx<N>, sx<N,1>"),
    "uintN": ("uint8", "the same from 0 up; also sx<N,0>"),
    "fx<W,I>": ("fx<16,8>", "fixed point, I bits before the point with the sign; RND, SAT; also fx<W,I,0>, unsigned"),
    "fx<W,I,S,Q,O>": ("fx<10,5,1,TRN,WRAP>", "the same, S = 1 signed or 0, Q and O as below; also fx<W,I,Q,O>"),
    "ac_fixed<W,I,S,Q,O>": (
        "ac_fixed<10,5,true,AC_RND,AC_SAT>",
        "the same in the words of ac_fixed: without Q and O TRN, WRAP",
    ),
    "quantized_bits(b,i)": ("quantized_bits(4,1)", "QKeras: fx<b,i+1,1,RND_CONV,SAT>; also with alpha=1"),
    "lnsW": ("lns8", "sign and base-2 logarithm, max(0, W-5) bits of it a fraction, times a power of two"),
    "lns<W,f>": ("lns<8,4>", "the same, f bits a fraction; 2 to 16 bits, a wider lnsW is stored only"),
    "ulns<W,f>": ("ulns<8,3>", "the same without a sign: negative values become 0; also ulnsW, lns<W,f,0>"),
    "fp4_e2m1": ("fp4_e2m1", "float, saturating as all here, times a power of two; also float4_e2m1fn"),
    "fp8_e4m3": ("fp8_e4m3", "float without infinities; also float8_e4m3fn"),
    "fp8_e5m2": ("fp8_e5m2", "float; also float8_e5m2"),
    "fp8_e3m4": ("fp8_e3m4", "float; also float8_e3m4"),
    "float8_e4m3": ("float8_e4m3", "float as in IEEE 754"),
    "bf16": ("bf16", "float"),
    "fp16": ("fp16", "float"),
    "tf32": ("tf32", "float, stored only: values are not converted to it"),
    "fp32": ("fp32", "float"),
    "fp64": ("fp64", "float"),
    "binary": ("binary", "weights -1 and 1 times a power of two per channel; binary_exact: times their mean magnitude"),
    "ternary": ("ternary", "weights -1, 0 and 1, 0 up to 0.7 of the mean magnitude; ternary_exact likewise"),
}
"""Family of names that `parse_format` reads -> one of it, and what it is."""

MODE_WORDS = {
    "Q": ("rounding", RoundingMode),
    "O": ("overflow", OverflowMode),
}
"""Letter in a fixed-point name -> what it chooses, and its words."""


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
    path = Path(workload) if _is_path(workload, workload_names()) else find_workload(str(workload))
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return _read_onnx(path, batch)
    if suffix not in WORKLOAD_READERS:
        raise WorkloadError(f"{path}: a workload file ends in {', '.join((*WORKLOAD_READERS, '.onnx'))}")
    read = WORKLOAD_READERS[suffix](path)
    return read if batch is None else with_batch(read, batch)


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
    return [(name, _arch_in_brief(load_arch(name))) for name in arch_names()]


def _arch_in_brief(arch: Architecture) -> str:
    array = arch.pe_array
    return f"{array.rows} x {array.columns} {array.dataflow}, {arch.clock_mhz:g} MHz; {arch.source}"


def _workload_rows() -> list[tuple[str, str]]:
    read = [load_workload(name) for name in workload_names()]
    return [(each.name, f"{len(each.layers)} layers, {each.macs:,} MACs; {each.source}") for each in read]


def _format_rows() -> list[tuple[str, str]]:
    families = [(name, f"{_format_in_brief(one)}; {meaning}") for name, (one, meaning) in FORMAT_NAMES.items()]
    modes = [(letter, f"{choice}: {', '.join(words)}") for letter, (choice, words) in MODE_WORDS.items()]
    return families + modes


def _format_in_brief(name: str) -> str:
    fmt = parse_format(name)
    bits = f"{fmt.width_bits} bit{'s' if fmt.width_bits > 1 else ''}"
    if type(fmt) is NumberFormat:
        return f"{name}: {bits}"
    steps = "" if fmt.largest == fmt.smallest else f"{fmt.smallest:.3g} to "
    sign = "+-" if fmt.is_signed else ""
    return f"{name}: {bits}, {sign}{steps}{fmt.largest:.6g}"


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
    "formats": _format_rows,
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

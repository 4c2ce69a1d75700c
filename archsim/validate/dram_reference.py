"""Rows of runs of other DRAM simulators: the shipped `golden/dram_reference.csv`, or a user's with its columns.

Called by `validate/dram.py`.
"""

import csv
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import device_names, load_device
from archsim.config_file import did_you_mean, read_text, shortened
from archsim.engine.dram_run import DramTrace
from archsim.errors import ConfigError
from archsim.study.dram_trace import read_dram_trace
from archsim.validate.dram_traces import TRACES

SHIPPED = Path(__file__).parent / "golden" / "dram_reference.csv"
DRAMSIM3 = "dramsim3"
RAMULATOR = "ramulator2.1-FRFCFSRowHit"
RAMULATOR_FRFCFS = "ramulator2.1-FRFCFS"
SIMULATORS = (DRAMSIM3, RAMULATOR, RAMULATOR_FRFCFS)
WORDS = ("simulator", "device", "pattern")
WHOLE = ("n_req", "outstanding", "cycles", "col_rd", "col_wr", "acts")
REALS = ("avg_read_lat_cyc", "e_act_nj", "e_rd_nj", "e_wr_nj", "e_ref_nj", "e_bg_nj")
ENERGIES = REALS[1:]
COLUMNS = (*WORDS, *WHOLE, *REALS)
"""What a reference must have; further columns are passed over."""
MOST_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One published run.

    Parameters
    ----------
    simulator, pattern
        Who ran what.
    device
        On what.
    trace_file
        Where the trace is read; None = it is one of `TRACES`.
    requests, outstanding
        Requests of the trace that ran; reads in flight at most, over all channels.
    cycles, reads, writes, activates
        What came out. [tCK]
    read_latency_cycles
        Mean, from acceptance to data. [tCK]
    energies_nj
        activate, read, write, refresh and background, over all channels. [nJ]
    """

    simulator: str
    device: DramDevice
    pattern: str
    trace_file: Path | None
    requests: int
    outstanding: int
    cycles: int
    reads: int
    writes: int
    activates: int
    read_latency_cycles: float
    energies_nj: tuple[float, ...]

    @property
    def case(self) -> str:
        """What ran, within the device."""
        return f"{self.pattern} {self.outstanding}"

    def trace(self) -> DramTrace:
        """Return the requests."""
        whole = _generated(self.pattern) if self.trace_file is None else _from_file(self.trace_file, self.device)
        return DramTrace(
            address=whole.address[: self.requests],
            is_write=whole.is_write[: self.requests],
            arrival=whole.arrival[: self.requests],
        )


def read_reference(path: Path) -> list[Reference]:
    """Read published runs.

    Parameters
    ----------
    path
        A .csv with at least the columns `COLUMNS`; lines that open with ``#`` are passed over. A pattern
        that is none of archsim's own is a trace ``PATTERN.csv`` beside the file.

    Raises
    ------
    ConfigError
        The file cannot be read, lacks a column or has no rows; or what is wrong with its rows, up to 20
        faults, each with its line.
    """
    lines = [(number, line) for number, line in enumerate(read_text(path, ConfigError).splitlines(), start=1)
             if line.strip() and not line.startswith("#")]  # fmt: skip
    if len(lines) < 2:
        raise ConfigError(f"{path}: holds no rows; its columns are {', '.join(COLUMNS)}")
    header = next(csv.reader([lines[0][1]]))
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise ConfigError(
            f"{path}:{lines[0][0]}: DRAM runs need the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}"
        )
    found: list[Reference] = []
    faults: list[str] = []
    for number, line in lines[1:]:
        row = dict(zip(header, next(csv.reader([line])), strict=False))
        wrong = _faults(row, path)
        faults += [f"{path}:{number}: {fault}" for fault in wrong]
        if not wrong:
            found.append(_build(row, path))
    if faults:
        more = [f"{path}: ... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise ConfigError("\n".join(faults[:MOST_FAULTS] + more))
    return found


def _faults(row: dict[str, str], path: Path) -> list[str]:
    absent = [name for name in COLUMNS if name not in row]
    if absent:
        return [f"{absent[0]} and what follows it are missing"]
    found = [
        f"{name} must be {noun} (found {shortened(repr(row[name]))})"
        for names, noun, is_legal in ((WHOLE, "a whole number", _is_whole), (REALS, "a number of at least 0", _is_real))
        for name in names
        if not is_legal(row[name])
    ]
    if row["simulator"] not in SIMULATORS:
        found.append(
            f"no simulator is named {row['simulator']!r}.{did_you_mean(row['simulator'], SIMULATORS)} Known: {', '.join(SIMULATORS)}"
        )
    if row["device"] not in device_names():
        found.append(f"no DRAM device is named {row['device']!r}.{did_you_mean(row['device'], device_names())}")
    if row["pattern"] not in TRACES and not _trace_file(row, path).is_file():
        found.append(
            f"no trace is named {row['pattern']!r}.{did_you_mean(row['pattern'], TRACES)} One of your own is read from {_trace_file(row, path)}"
        )
    return found


def _build(row: dict[str, str], path: Path) -> Reference:
    return Reference(
        simulator=row["simulator"], device=load_device(row["device"]), pattern=row["pattern"],
        trace_file=None if row["pattern"] in TRACES else _trace_file(row, path),
        requests=int(row["n_req"]), outstanding=int(row["outstanding"]), cycles=int(row["cycles"]),
        reads=int(row["col_rd"]), writes=int(row["col_wr"]), activates=int(row["acts"]),
        read_latency_cycles=float(row["avg_read_lat_cyc"]),
        energies_nj=tuple(float(row[name] or "nan") for name in ENERGIES),
    )  # fmt: skip


def _trace_file(row: dict[str, str], path: Path) -> Path:
    return path.parent / f"{row['pattern']}.csv"


def _is_whole(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and 1 <= len(cell) <= 15


def _is_real(cell: str) -> bool:
    try:
        return not cell or 0 <= float(cell) < np.inf
    except ValueError:
        return False


@lru_cache(maxsize=2)
def _from_file(path: Path, device: DramDevice) -> DramTrace:
    """Read a trace once for neighbouring rows."""
    return read_dram_trace(path, device)


@cache
def _generated(pattern: str) -> DramTrace:
    return TRACES[pattern]()

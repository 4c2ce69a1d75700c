"""Tables of RTL cycles, in any of three forms; called by `rtl.py`.

As measured (``params``, ``workload``: `rtl_raw_rows.py`); arrays with the settings that describe them (``settings``); or
row-stationary PEs (``taps``), whose settings are those of their design.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, PeArray, StartEvent
from archsim.config_file import did_you_mean, read_text, shortened
from archsim.errors import ConfigError
from archsim.terms import Dataflow
from archsim.validate.rtl_cases import ArrayCase, LeftOut, Measured, PeCase
from archsim.validate.rtl_designs import PES
from archsim.validate.rtl_raw_rows import RtlRow, read_raw

MOST_FAULTS = 20
_RAW = ("design", "params", "workload", "last_output_cycle")
_ARRAYS = ("design", "rows", "columns", "dataflow", "pixels", "window", "filters", "settings", "last_output_cycle")
_PES = (
    "design", "filters", "channels", "taps", "outputs", "stride", "images", "first_output_cycle", "last_output_cycle",
)  # fmt: skip
_TRUTHS = {"true": True, "false": False}


def read_rtl_rows(path: Path) -> list[RtlRow]:
    """Read a table.

    Parameters
    ----------
    path
        A .csv; lines that open with ``#`` are passed over.

    Raises
    ------
    ConfigError
        The file cannot be read, is none of the three tables or has no rows; or what is wrong with its rows, up to 20
        faults, each with its line.
    """
    lines = [(number, line) for number, line in enumerate(read_text(path, ConfigError).splitlines(), start=1)
             if line.strip() and not line.startswith("#")]  # fmt: skip
    if not lines:
        raise ConfigError(f"{path}: holds no rows; its columns are {', '.join(_RAW)}")
    header = _cells(lines[0][1])
    read = _form(header, f"{path}:{lines[0][0]}")
    found: list[RtlRow] = []
    faults: list[str] = []
    for number, line in lines[1:]:
        cells = _cells(line)
        try:
            row = _row(header, cells)
            found.append(read(row, _measured(row), number))
        except ConfigError as problem:
            faults += [f"{path}:{number}: {fault}" for fault in str(problem).splitlines()]
    if faults:
        more = [f"{path}: ... and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise ConfigError("\n".join(faults[:MOST_FAULTS] + more))
    if not found:
        raise ConfigError(f"{path}: holds no rows")
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]))]


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise ConfigError(f"{len(cells)} cells under {len(header)} columns; a cell with a comma in it needs quotes")
    return dict(zip(header, cells, strict=True))


def _form(header: list[str], where: str) -> Callable[[Mapping[str, str], Measured, int], RtlRow]:
    forms = ((_RAW, read_raw), (_ARRAYS, _array_case), (_PES, _pe_case))
    missing = []
    for columns, read in forms:
        lacking = [name for name in columns if name not in header]
        if not lacking:
            return read
        missing.append(f"{', '.join(columns)} (missing: {', '.join(lacking)})")
    raise ConfigError(f"{where}: RTL cycles need the columns {'; or '.join(missing)}")


def _measured(row: Mapping[str, str]) -> Measured:
    given = [name for name in ("first_output_cycle", "last_output_cycle") if name in _RAW or row.get(name)]
    cycles = _wholes(row, given, 0)
    return Measured(
        design=row["design"], last_output=cycles["last_output_cycle"], first_output=cycles.get("first_output_cycle"),
        source=row.get("source") or "@".join(filter(None, (row.get("repo"), row.get("commit")))),
    )  # fmt: skip


def _wholes(row: Mapping[str, str], names: Iterable[str], lowest: int = 1) -> dict[str, int]:
    """Read whole numbers; refuse all that are none at once."""
    found, faults = {}, []
    for name in names:
        try:
            found[name] = _whole(name, row[name], lowest)
        except ConfigError as problem:
            faults.append(str(problem))
    if faults:
        raise ConfigError("\n".join(faults))
    return found


def _whole(name: str, cell: str, lowest: int = 1) -> int:
    if cell.isascii() and cell.isdigit() and len(cell) <= 12 and int(cell) >= lowest:
        return int(cell)
    raise ConfigError(f"{name} must be a whole number of at least {lowest} (found {shortened(repr(cell))})")


def _array_case(row: Mapping[str, str], measured: Measured, line: int) -> RtlRow:
    sizes = _wholes(row, ("rows", "columns", "pixels", "window", "filters"))
    try:
        dataflow = Dataflow(row["dataflow"])
    except ValueError as problem:
        known = (Dataflow.WEIGHT_STATIONARY, Dataflow.OUTPUT_STATIONARY, Dataflow.INPUT_STATIONARY)
        raise ConfigError(
            f"dataflow must be {', '.join(known)} (found {shortened(repr(row['dataflow']))})"
        ) from problem
    if dataflow not in (Dataflow.WEIGHT_STATIONARY, Dataflow.OUTPUT_STATIONARY, Dataflow.INPUT_STATIONARY):
        return LeftOut(
            design=measured.design, line=line, reason=f"a {dataflow} array takes more settings than a cell holds"
        )
    array = PeArray(rows=sizes["rows"], columns=sizes["columns"], dataflow=dataflow, **_settings(row["settings"]))
    is_final = dataflow is Dataflow.OUTPUT_STATIONARY or sizes["window"] <= sizes["rows"]
    return ArrayCase(
        measured=measured, array=array, pixels=sizes["pixels"], window=sizes["window"], filters=sizes["filters"],
        first_output="" if is_final else "the first output is a psum that later row folds add to",
    )  # fmt: skip


_SETTINGS: dict[str, type | dict[str, bool] | int] = {
    "os_drain": OsDrain, "load_granularity": LoadGranularity, "start_event": StartEvent, "edge_folds": EdgeFolds,
    "drain_overlap": _TRUTHS, "k_tile_keeps_psum": _TRUTHS, "psum_hop": 1, "act_hop": 0, "pe_latency": 1, "input_regs": 0,
    "output_regs": 0, "weight_regs": 1, "weight_load_cycles": 1, "weight_switch_gap": 0, "k_tile": 0,
}  # fmt: skip
"""Setting of an array -> its words, or the least of its whole numbers."""


def _settings(cell: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in filter(None, cell.split(";")):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key not in _SETTINGS:
            raise ConfigError(f"settings: no setting is named {key!r}.{did_you_mean(key, _SETTINGS)}")
        words = _SETTINGS[key]
        if isinstance(words, int):
            found[key] = _whole(f"settings: {key}", value, words)
            continue
        try:
            found[key] = words[value] if isinstance(words, dict) else words(value)
        except (KeyError, ValueError) as problem:
            known = ", ".join(words if isinstance(words, dict) else [each.value for each in words])  # type: ignore[attr-defined]
            raise ConfigError(f"settings: {key} must be {known} (found {shortened(repr(value))})") from problem
    return found


def _pe_case(row: Mapping[str, str], measured: Measured, line: int) -> RtlRow:
    sizes = _wholes(row, ("filters", "channels", "taps", "outputs", "stride", "images"))
    if measured.design not in PES:
        return LeftOut(design=measured.design, line=line, reason=f"no PE by itself; those known: {', '.join(PES)}")
    zeros = _whole("zero_ifmap_words", row.get("zero_ifmap_words") or "0", 0)
    macs = _whole("macs", row["macs"]) if row.get("macs") else None
    return PeCase(measured=measured, pe=PES[measured.design], **sizes, zero_words=zeros, macs=macs)

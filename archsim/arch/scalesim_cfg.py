"""SCALE-Sim's ``.cfg`` -> `Architecture`, by way of archsim's own keys.

Called by `catalog.py`. Versions 2 and 3 of the format; what they leave open (clock, technology,
latency) is filled in and said in the arch's assumptions.
"""

import configparser
import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.arch.architecture import Architecture
from archsim.arch.overrides import apply_settings
from archsim.arch.schema import build_arch
from archsim.config_file import ConfigText, KeyPath, legible, read_text
from archsim.errors import ConfigError

ASSUMED_CLOCK_MHZ = 1000
ASSUMED_TECHNOLOGY_NM = 45
ASSUMED_LATENCY_CYCLES = 1

_ARRAY = "architecture_presets"
_SIZES = {"ifmap": "IfmapSramSzkB", "weight": "FilterSramSzkB", "psum": "OfmapSramSzkB"}
_SWITCHED_OFF = {
    ("layout", "IfmapCustomLayout"): "SRAM bank layouts are not modelled",
    ("layout", "FilterCustomLayout"): "SRAM bank layouts are not modelled",
    ("run_presets", "UseRamulatorTrace"): "Ramulator traces are not modelled",
}
"""Switches that must be off, and why."""
_KEY_OF: dict[KeyPath, str] = {
    ("name",): "run_name",
    ("pe_array",): "ArrayHeight",
    ("pe_array", "rows"): "ArrayHeight",
    ("pe_array", "columns"): "ArrayWidth",
    ("pe_array", "dataflow"): "Dataflow",
    ("pe_array", "structured_sparsity"): "SparsitySupport",
    ("levels",): "IfmapSramSzkB",
    ("levels", 0): "IfmapSramSzkB",
    ("levels", 0, "partition_bytes"): "IfmapSramSzkB",
    **{("levels", 0, "partition_bytes", operand): key for operand, key in _SIZES.items()},
    ("levels", 1): "Bandwidth",
    ("levels", 1, "bandwidth_bytes_per_cycle"): "Bandwidth",
}
"""Which SCALE-Sim key each of our keys comes from."""
DATAFLOWS = ("ws", "os", "is")
"""That SCALE-Sim has."""
_DRAM: KeyPath = ("levels", 1)
_READ_KEYS = {key.lower() for key in (*_KEY_OF.values(), *(key for _, key in _SWITCHED_OFF), "InterfaceBandwidth")}


def read_scalesim_cfg(path: Path, settings: Sequence[str] = ()) -> Architecture:
    """Read a SCALE-Sim configuration.

    Parameters
    ----------
    path
        An INI file with ``[architecture_presets]``; keys in any case.
    settings
        ``KEY=VALUE`` each, in archsim's keys (``pe_array.weight_regs=2``): see `apply_settings`.

    Returns
    -------
    Architecture
        One SRAM level ``glb`` with a partition per operand, one DRAM channel; 1-byte words throughout.
        With ``InterfaceBandwidth: CALC`` the DRAM is ideal, unless a setting describes it.

    Raises
    ------
    ConfigError
        ``file:line: key: what is wrong``, all at once.

    Notes
    -----
    Not modelled: address offsets, memory banks, request queues, bank layouts, Ramulator traces,
    row-wise sparsity. The three operands share one DRAM channel; in SCALE-Sim each has its own.
    """
    cfg = _read_cfg(path)
    data = _translate(cfg)
    cfg.raise_faults()
    text = ConfigText(path=cfg.path, data=data, lines=cfg.lines_of_our_keys(), content_hash=cfg.content_hash)
    settings_on_dram = [at for at in apply_settings(text, settings).origins if at[:2] in (("levels",), _DRAM)]
    is_ideal = cfg.is_calc and not settings_on_dram
    arch = build_arch(text, settings, tuple(_assumptions(is_ideal=is_ideal)))
    return arch.with_ideal_dram() if is_ideal else arch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cfg:
    """Values and lines by (section, key) and key, both in lower case; faults found so far."""

    path: str
    values: Mapping[tuple[str, str], str]
    lines: Mapping[str, int]
    content_hash: str
    faults: list[str]

    @property
    def is_calc(self) -> bool:
        """Whether SCALE-Sim would estimate the bandwidth instead of being limited by it."""
        return self.values.get(("run_presets", "interfacebandwidth"), "CALC").strip().upper() != "USER"

    def text(self, section: str, key: str, default: str | None = None) -> str:
        """Return a value; without a default a missing key is a fault."""
        value = self.values.get((section.lower(), key.lower()), default)
        if value is None or not value.strip():
            slips = difflib.get_close_matches(key.lower(), sorted(set(self.lines) - _READ_KEYS), n=1, cutoff=0.8)
            hint = f"; is {slips[0]!r} in line {self.lines[slips[0]]} meant?" if slips else ""
            self.faults.append(f"{self.path}: [{section}] {key}: this key is required{hint}")
            return ""
        return value.strip()

    def number(self, section: str, key: str, default: str | None = None) -> int:
        """Return a whole number of at least 1; anything else is a fault."""
        text = self.text(section, key, default)
        if text and not (re.fullmatch(r"\d{1,12}", text) and int(text) >= 1):
            self.blame(key, f"must be a whole number of at least 1 (found {text!r})")
            return 1
        return int(text or 1)

    def flag(self, section: str, key: str) -> bool:
        """Return a switch, off where the file has none; a word that is neither is a fault."""
        text = self.text(section, key, "false").lower()
        if text not in configparser.ConfigParser.BOOLEAN_STATES:
            self.blame(key, f"must be True or False (found {text!r})")
        return configparser.ConfigParser.BOOLEAN_STATES.get(text, False)

    def choice(self, section: str, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """Return one of the allowed words in lower case; anything else is a fault."""
        text = self.text(section, key, default).lower()
        if text and text not in allowed:
            self.blame(key, f"must be one of {', '.join(allowed)} (found {text!r})")
        return text

    def blame(self, key: str, message: str) -> None:
        """Note a fault at the line of a key."""
        self.faults.append(f"{self.path}:{self.lines.get(key.lower(), 1)}: {key}: {message}")

    def raise_faults(self) -> None:
        """Raise ConfigError with everything noted so far."""
        if self.faults:
            raise ConfigError("\n".join(self.faults))

    def lines_of_our_keys(self) -> dict[KeyPath, int]:
        """Line of each of archsim's keys: that of the SCALE-Sim key it comes from."""
        return {ours: self.lines[theirs.lower()] for ours, theirs in _KEY_OF.items() if theirs.lower() in self.lines}


def _read_cfg(path: Path) -> _Cfg:
    text = read_text(path, ConfigError)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text, source=str(path))
    except configparser.MissingSectionHeaderError as problem:
        raise ConfigError(f"{path}:{problem.lineno}: a [section] must come before the first key") from problem
    except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as problem:
        what = getattr(problem, "option", None) or f"[{problem.section}]"
        raise ConfigError(f"{path}:{problem.lineno}: {what}: appears twice") from problem
    except configparser.ParsingError as problem:
        written = text.splitlines()
        faults = [f"{path}:{line}: not 'key: value' (found {written[line - 1]!r})" for line, _ in problem.errors]
        raise ConfigError("\n".join(faults)) from problem
    return _Cfg(
        path=str(path),
        values={(section.lower(), key): value for section in parser.sections() for key, value in parser.items(section)},
        lines=_lines_of(text),
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        faults=[],
    )


def _lines_of(text: str) -> dict[str, int]:
    """Line of every key, as configparser does not keep it."""
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.match(r"([^\s#;\[:=][^:=]*?)\s*[:=]", line)
        if match:
            found[match.group(1).lower()] = number
    return found


def _translate(cfg: _Cfg) -> dict[str, Any]:
    """Return the arch in archsim's keys; what is wrong is noted in ``cfg.faults``."""
    for (section, key), reason in _SWITCHED_OFF.items():
        if cfg.flag(section, key):
            cfg.blame(key, f"must be False: {reason}")
    is_sparse = cfg.flag("sparsity", "SparsitySupport")
    if is_sparse and cfg.flag("sparsity", "OptimizedMapping"):
        cfg.blame(
            "OptimizedMapping", "must be False: row-wise sparsity (a random N of every M per filter) is not modelled"
        )
    cfg.choice("run_presets", "InterfaceBandwidth", ("calc", "user"), "calc")
    return {
        "schema": "archsim/arch/v1",
        "name": cfg.text("general", "run_name", legible(Path(cfg.path)).stem),
        "source": f"SCALE-Sim configuration {legible(Path(cfg.path)).name}",
        "clock_mhz": ASSUMED_CLOCK_MHZ,
        "technology_nm": ASSUMED_TECHNOLOGY_NM,
        "pe_array": {
            "rows": cfg.number(_ARRAY, "ArrayHeight"),
            "columns": cfg.number(_ARRAY, "ArrayWidth"),
            "dataflow": cfg.choice(_ARRAY, "Dataflow", DATAFLOWS),
            "structured_sparsity": is_sparse,
        },
        "formats": {"ifmap": "int8", "weight": "int8", "psum": "int8"},
        "levels": [_glb(cfg), _dram(cfg)],
    }


def _glb(cfg: _Cfg) -> dict[str, Any]:
    sizes = {operand: 1024 * cfg.number(_ARRAY, key) for operand, key in _SIZES.items()}
    return {"name": "glb", "kind": "sram", "holds": list(_SIZES), "partition_bytes": sizes, "double_buffered": True}


def _dram(cfg: _Cfg) -> dict[str, Any]:
    first, *_ = cfg.text(_ARRAY, "Bandwidth", "10" if cfg.is_calc else None).split(",")
    if first and not (re.fullmatch(r"\d{1,9}", first.strip()) and int(first) >= 1):
        cfg.blame("Bandwidth", f"must be a whole number of at least 1 [words/cycle] (found {first.strip()!r})")
    return {
        "name": "dram",
        "kind": "dram",
        "bandwidth_bytes_per_cycle": int(first) if first.strip().isdecimal() else 1,
        "latency_cycles": ASSUMED_LATENCY_CYCLES,
    }


def _assumptions(*, is_ideal: bool) -> list[str]:
    said = [
        f"clock of {ASSUMED_CLOCK_MHZ} MHz and technology of {ASSUMED_TECHNOLOGY_NM} nm assumed where not set: SCALE-Sim has neither",
        "every word is 1 byte, psums included, as in SCALE-Sim",
        "SRAM ports never limit, as in SCALE-Sim",
    ]
    if is_ideal:
        return [
            *said,
            "ideal DRAM: InterfaceBandwidth is CALC, SCALE-Sim then estimates the bandwidth and never stalls",
        ]
    return [
        *said,
        "one DRAM channel of Bandwidth words per cycle for all operands: SCALE-Sim gives each operand its own",
        f"DRAM latency of {ASSUMED_LATENCY_CYCLES} cycle where not set, as in SCALE-Sim",
    ]

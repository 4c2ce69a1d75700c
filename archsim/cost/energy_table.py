"""archsim's own table: what logic, registers, wires and links cost at the arch's technology node.

`load_energy_table` reads the shipped table (`tables/default.yaml`) or a user's, scales it to
``energy.node_nm`` and puts the overrides in; `chip_prices.py` makes a chip's price list of it, with SRAM
from `sram_model.py` and DRAM from `dram_energy.py`. Whence each number comes stands beside it in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

from archsim.arch.architecture import EnergyChoice
from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_devices import load_device
from archsim.arch.log_adder import LogAdder
from archsim.arch.memory_level import DramLevel, SramCell
from archsim.config_file import did_you_mean, read_yaml, validate
from archsim.cost.arithmetic import Arithmetic, adder, mac_operators
from archsim.cost.mac_cost import MODEL_NODE_NM, is_modelled, mac_cost
from archsim.cost.sram_model import OwnGrid, SramModel, load_sram_model
from archsim.cost.table_scaling import ScaledTable
from archsim.cost.table_schema import TableFile
from archsim.cost.table_statements import Statement, sources_of, statements_of
from archsim.errors import ConfigError
from archsim.numerics.operand_formats import OperandFormats

OVERRIDE_KEYS = (
    "mac_pj", "spad_pj_per_bit", "sram_read_pj_per_byte", "sram_write_pj_per_byte", "dram_pj_per_bit",
    "lane_op_pj", "leakage_mw", "clock_pj_per_pe_cycle",
)  # fmt: skip
"""What ``energy.overrides`` of an arch file may replace; each stands for the final, scaled number."""

PJ_PER_FJ = 1e-3

_TABLES = Path(__file__).parent / "tables"
SHIPPED_TABLES = {"default": _TABLES / "default.yaml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyTable:
    """What an operation, a bit in a register, on a wire or over a link, and a second cost on one chip.

    Parameters
    ----------
    name
        Of the table.
    node_nm
        The node that energies and areas are scaled to. [nm]
    energies
        Of arithmetic, at the node. [pJ]
    areas
        Of arithmetic, at the node. [um2]
    model_energy_factor, model_area_factor
        From the node of `mac_cost.py` to this one.
    register_pj_per_bit, register_um2_per_bit
        Of a flip-flop read or written, at the node. [pJ/b], [um2/b]
    mux_pj_per_bit_entry
        Of a flip-flop file's read multiplexer, per bit read and entry of the file, at the node. [pJ/b]
    most_register_entries
        A file of more entries is an SRAM macro.
    sram_models
        SRAM at the node, by cell type.
    wire_pj_per_bit_mm
        Of a bit sent over a millimetre, by cell type, swings per bit included. [pJ/b/mm]
    dram_stand_in
        Device whose commands are estimated where the arch names none.
    dram_io_pj_per_bit
        Of the DRAM interface, by protocol. [pJ/b]
    logic_leakage_mw_per_mm2
        Of logic, at the density's own node; 1 mW/mm2 is 1 nW/um2. [mW/mm2]
    leakage_area_factor
        Turns an area at ``node_nm`` into that at the density's node: leakage is not scaled.
    logic_clock_pj
        Of clock tree, pipeline registers and control per PE and cycle, at the node; 0 = not modelled. [pJ]
    overrides
        Numbers that replace the table's, keyed by `OVERRIDE_KEYS`.
    statements
        What a report must say of the table.
    sources
        Whence its numbers are, by the keys of prices and areas.

    Notes
    -----
    Not modelled: data-dependent switching; clock tree and control where ``logic_clock_pj`` is 0.
    """

    name: str
    node_nm: float
    energies: Arithmetic
    areas: Arithmetic
    model_energy_factor: float
    model_area_factor: float
    register_pj_per_bit: float
    register_um2_per_bit: float
    mux_pj_per_bit_entry: float
    most_register_entries: int
    sram_models: Mapping[SramCell, SramModel]
    wire_pj_per_bit_mm: Mapping[SramCell, float]
    dram_stand_in: DramDevice
    dram_io_pj_per_bit: Mapping[str, float]
    logic_leakage_mw_per_mm2: float
    leakage_area_factor: float
    logic_clock_pj: float
    overrides: Mapping[str, float]
    statements: tuple[Statement, ...]
    sources: Mapping[str, str]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Sentences for the report: sources, what is estimated or from memory, what was replaced.

        Of the whole table; `assumptions.pricing_assumptions` says what one chip uses of it.
        """
        return tuple(statement.text for statement in self.statements)

    def mac_pj(self, formats: OperandFormats, log_adder: LogAdder | None = None) -> float:
        """One multiplication and the addition to its psum; by `mac_cost.py` where no numbers are published. [pJ]"""
        if "mac_pj" in self.overrides:
            return self.overrides["mac_pj"]
        if is_modelled(formats, log_adder):
            return mac_cost(formats.ifmap, formats.weight, formats.psum, log_adder).pj * self.model_energy_factor
        return self.energies.cost(*mac_operators(formats))

    def mac_um2(self, formats: OperandFormats, log_adder: LogAdder | None = None) -> float:
        """Area of what `mac_pj` prices; no override replaces it. [um2]"""
        if is_modelled(formats, log_adder):
            return mac_cost(formats.ifmap, formats.weight, formats.psum, log_adder).um2 * self.model_area_factor
        return self.areas.cost(*mac_operators(formats))

    def lane_op_pj(self, formats: OperandFormats) -> float:
        """One operation of a vector lane: an addition in the psum format. [pJ]"""
        return self.overrides.get("lane_op_pj", self.energies.cost(adder(formats.psum)))

    def dram_device(self, dram: DramLevel) -> DramDevice:
        """Return whose commands a DRAM's energy is counted in: its own device, the one it names, or the stand-in."""
        return dram.device or dram.energy_device or self.dram_stand_in

    @property
    def spad_pj_per_bit(self) -> float:
        """One bit read or written in a PE. [pJ/b]"""
        return self.overrides.get("spad_pj_per_bit", self.register_pj_per_bit)

    @property
    def clock_pj_per_pe_cycle(self) -> float:
        """Clock tree, pipeline registers and control of one PE in one cycle, whatever it does; 0 = not modelled. [pJ]"""
        return self.overrides.get("clock_pj_per_pe_cycle", self.logic_clock_pj)


def load_energy_table(choice: EnergyChoice) -> EnergyTable:
    """Read the chosen table, scale it to the chosen node, put the overrides in.

    Parameters
    ----------
    choice
        ``table`` is ``default`` or the path of a table file, as seen from the working directory.

    Returns
    -------
    EnergyTable
        At the node, overrides put in.

    Raises
    ------
    ConfigError
        No such table, a fault in it (file, line and key named), a node beyond its scaling factors, or
        an override that is unknown or no number from 0 up.
    """
    _check_overrides(choice)
    path = table_path(choice.table)
    stat = path.stat()
    return _scaled(_read_table(path, (stat.st_mtime_ns, stat.st_size)), choice, path.parent)


def _check_overrides(choice: EnergyChoice) -> None:
    for key, value in choice.overrides:
        if key not in OVERRIDE_KEYS:
            hint = did_you_mean(key, OVERRIDE_KEYS) or f" Known: {', '.join(OVERRIDE_KEYS)}"
            raise ConfigError(f"energy.overrides.{key}: no such key (found {value!r}).{hint}")
        if not (isfinite(value) and value >= 0):
            raise ConfigError(f"energy.overrides.{key} (={value!r}) must be a number from 0 up")


def table_path(table: str) -> Path:
    """Return where a table lies. Raises ConfigError where there is none."""
    path = SHIPPED_TABLES.get(table, Path(table))
    if not path.is_file():
        hint = did_you_mean(path.name, SHIPPED_TABLES) or " Use 'default' or the path of a table file"
        raise ConfigError(f"energy.table (={table!r}): no such table.{hint}")
    return path


@lru_cache(maxsize=8)
def _read_table(path: Path, _stamp: tuple[int, int]) -> TableFile:
    """Read each file once per change, as a sweep asks for it at every design point."""
    return validate(read_yaml(path, ConfigError), TableFile, ConfigError)


def _scaled(file: TableFile, choice: EnergyChoice, folder: Path) -> EnergyTable:
    scaled = ScaledTable(file=file, node_nm=choice.node_nm)
    register, io = file.register_, file.dram_io
    per_mm = {SramCell.HP: scaled.wire_pj_per_mm(file.wires.hp), SramCell.LSTP: scaled.wire_pj_per_mm(file.wires.lstp)}
    return EnergyTable(
        name=file.name,
        node_nm=choice.node_nm,
        energies=scaled.energies(),
        areas=scaled.areas(),
        model_energy_factor=scaled.energy_factor(MODEL_NODE_NM),
        model_area_factor=scaled.area_factor(MODEL_NODE_NM),
        register_pj_per_bit=register.energy.value * PJ_PER_FJ * scaled.energy_factor(register.energy.node_nm),
        register_um2_per_bit=register.area.value * scaled.area_factor(register.area.node_nm),
        mux_pj_per_bit_entry=register.mux.value * PJ_PER_FJ * scaled.energy_factor(register.mux.node_nm),
        most_register_entries=int(register.most_entries.value),
        sram_models=_sram_models(scaled, folder),
        wire_pj_per_bit_mm={cell: pj * file.wires.swings.value for cell, pj in per_mm.items()},
        dram_stand_in=load_device(file.dram_stand_in),
        dram_io_pj_per_bit={protocol: io.of(protocol).value for protocol in type(io).model_fields},
        logic_leakage_mw_per_mm2=file.logic_leakage.value,
        leakage_area_factor=1 / scaled.area_factor(file.logic_leakage.node_nm),
        logic_clock_pj=_clock_pj(scaled),
        overrides=dict(choice.overrides),
        statements=statements_of(scaled, choice.overrides),
        sources=sources_of(file),
    )


def _clock_pj(scaled: ScaledTable) -> float:
    entry = scaled.file.clock
    return entry.value * scaled.energy_factor(entry.node_nm) if entry else 0.0


def _sram_models(scaled: ScaledTable, folder: Path) -> dict[SramCell, SramModel]:
    own = scaled.file.sram_grid
    grid = None
    if own is not None:
        recalled = ", from memory, to be verified" if own.from_memory else ""
        grid = OwnGrid(path=folder / own.file, node_nm=own.node_nm, source=own.source + recalled)
    return {
        cell: load_sram_model(
            node_nm=scaled.node_nm, cell=cell, energy_factor=scaled.energy_between, area_factor=scaled.area_between,
            grid=grid,
        )
        for cell in SramCell
    }  # fmt: skip

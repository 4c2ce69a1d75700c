"""The prices: one number per kind of access, at the arch's technology node; called by `energy.py` and `study/`.

`load_energy_table` reads the shipped table (`tables/default.yaml`) or a user's, scales it to
``energy.node_nm`` and puts the overrides in. Whence each number comes stands beside it in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

from archsim.arch.architecture import EnergyChoice, Formats
from archsim.arch.memory_level import SramLevel
from archsim.config_file import did_you_mean, read_yaml, validate
from archsim.cost.arithmetic import Arithmetic, adder, mac_operators
from archsim.cost.sram_grid import SramGrid, SramPoint, read_sram_grid
from archsim.cost.sram_macros import SramMacros, macros_for
from archsim.cost.table_scaling import ScaledTable
from archsim.cost.table_schema import TableFile
from archsim.cost.table_statements import Statement, statements_of
from archsim.errors import ConfigError
from archsim.terms import Direction, Operand

OVERRIDE_KEYS = (
    "mac_pj", "spad_pj_per_bit", "sram_read_pj_per_byte", "sram_write_pj_per_byte", "dram_pj_per_bit",
    "lane_op_pj", "leakage_mw",
)  # fmt: skip
"""What ``energy.overrides`` of an arch file may replace; each stands for the final, scaled number."""

PJ_PER_FJ = 1e-3

_TABLES = Path(__file__).parent / "tables"
_SHIPPED_TABLES = {"default": _TABLES / "default.yaml"}
_SHIPPED_GRIDS = {"cacti_45nm_lstp": _TABLES / "sram_cacti_45nm_lstp.csv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyTable:
    """What an operation, an access and a second cost on one chip.

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
    register_pj_per_bit, register_um2_per_bit
        Of a flip-flop read or written, at the node. [pJ/b], [um2/b]
    sram
        The grid at its own node.
    sram_energy_factor, sram_area_factor
        From the grid's node to the table's.
    dram_access_pj_per_bit
        Not scaled: a DRAM device has a node of its own. [pJ/b]
    logic_leakage_mw_per_mm2
        Of logic, at the density's own node; 1 mW/mm2 is 1 nW/um2. [mW/mm2]
    leakage_area_factor
        Turns an area at ``node_nm`` into that at the density's node: leakage is not scaled.
    overrides
        Numbers that replace the table's, keyed by `OVERRIDE_KEYS`.
    statements
        What a report must say of the table.

    Notes
    -----
    Not modelled: DRAM commands (one constant per bit, whatever the locality), data-dependent
    switching, wires and networks, clock tree, control. SRAM leakage is CACTI's for 45 nm at every node.
    """

    name: str
    node_nm: float
    energies: Arithmetic
    areas: Arithmetic
    register_pj_per_bit: float
    register_um2_per_bit: float
    sram: SramGrid
    sram_energy_factor: float
    sram_area_factor: float
    dram_access_pj_per_bit: float
    logic_leakage_mw_per_mm2: float
    leakage_area_factor: float
    overrides: Mapping[str, float]
    statements: tuple[Statement, ...]

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Sentences for the report: sources, what is estimated or from memory, what was replaced.

        Of the whole table; `assumptions.pricing_assumptions` says what one chip uses of it.
        """
        return tuple(statement.text for statement in self.statements)

    def mac_pj(self, formats: Formats) -> float:
        """One multiplication and the addition to its psum. [pJ]"""
        if "mac_pj" in self.overrides:
            return self.overrides["mac_pj"]
        return self.energies.cost(*mac_operators(formats))

    def lane_op_pj(self, formats: Formats) -> float:
        """One operation of a vector lane: an addition in the psum format. [pJ]"""
        return self.overrides.get("lane_op_pj", self.energies.cost(adder(formats.psum)))

    @property
    def spad_pj_per_bit(self) -> float:
        """One bit read or written in a PE. [pJ/b]"""
        return self.overrides.get("spad_pj_per_bit", self.register_pj_per_bit)

    @property
    def dram_pj_per_bit(self) -> float:
        """One bit over the DRAM channel, either way. [pJ/b]"""
        return self.overrides.get("dram_pj_per_bit", self.dram_access_pj_per_bit)

    def sram_pj_per_byte(self, level: SramLevel, operand: Operand, direction: Direction) -> float:
        """One byte of an operand at an on-chip level, by accesses of the full width. [pJ/B]"""
        key = f"sram_{direction.value}_pj_per_byte"
        if key in self.overrides:
            return self.overrides[key]
        macros = macros_for(level, operand)
        point = self.sram_point(macros)
        access_pj = point.read_pj if direction is Direction.READ else point.write_pj
        return access_pj * self.sram_energy_factor / macros.access_bytes

    def sram_point(self, macros: SramMacros) -> SramPoint:
        """One bank in the grid, at the grid's node."""
        return self.sram.point(macros.bank_bytes, macros.access_bits)


def load_energy_table(choice: EnergyChoice) -> EnergyTable:
    """Read the chosen table, scale it to the chosen node, put the overrides in.

    Parameters
    ----------
    choice
        ``table`` is ``default`` or the path of a table file, as seen from the working directory.

    Returns
    -------
    EnergyTable
        DRAM costs 20 pJ/bit in the default table (Horowitz's 640 pJ per 32 bit, as the flat-bandwidth
        channel names no device); override ``dram_pj_per_bit`` for another, e.g. 8 for LPDDR4.

    Raises
    ------
    ConfigError
        No such table, a fault in it (file, line and key named), a node beyond its scaling factors, or
        an override that is unknown or no number from 0 up.
    """
    _check_overrides(choice)
    path = _table_path(choice.table)
    stat = path.stat()
    file, grid = _read_table(path, (stat.st_mtime_ns, stat.st_size))
    return _scaled(file, grid, choice)


def _check_overrides(choice: EnergyChoice) -> None:
    for key, value in choice.overrides:
        if key not in OVERRIDE_KEYS:
            hint = did_you_mean(key, OVERRIDE_KEYS) or f" Known: {', '.join(OVERRIDE_KEYS)}"
            raise ConfigError(f"energy.overrides.{key}: no such key (found {value!r}).{hint}")
        if not (isfinite(value) and value >= 0):
            raise ConfigError(f"energy.overrides.{key} (={value!r}) must be a number from 0 up")


def _table_path(table: str) -> Path:
    path = _SHIPPED_TABLES.get(table, Path(table))
    if not path.is_file():
        hint = did_you_mean(path.name, _SHIPPED_TABLES) or " Use 'default' or the path of a table file"
        raise ConfigError(f"energy.table (={table!r}): no such table.{hint}")
    return path


@lru_cache(maxsize=8)
def _read_table(path: Path, _stamp: tuple[int, int]) -> tuple[TableFile, SramGrid]:
    """Read each file once per change, as a sweep asks for it at every design point."""
    file = validate(read_yaml(path, ConfigError), TableFile, ConfigError)
    return file, read_sram_grid(_SHIPPED_GRIDS.get(file.sram_grid.file, path.parent / file.sram_grid.file))


def _scaled(file: TableFile, grid: SramGrid, choice: EnergyChoice) -> EnergyTable:
    scaled = ScaledTable(file=file, node_nm=choice.node_nm)
    energy, area = file.register_.energy, file.register_.area
    return EnergyTable(
        name=file.name,
        node_nm=choice.node_nm,
        energies=scaled.energies(),
        areas=scaled.areas(),
        register_pj_per_bit=energy.value * PJ_PER_FJ * scaled.energy_factor(energy.node_nm),
        register_um2_per_bit=area.value * scaled.area_factor(area.node_nm),
        sram=grid,
        sram_energy_factor=scaled.energy_factor(file.sram_grid.node_nm),
        sram_area_factor=scaled.area_factor(file.sram_grid.node_nm),
        dram_access_pj_per_bit=file.dram_access.value,
        logic_leakage_mw_per_mm2=file.logic_leakage.value,
        leakage_area_factor=1 / scaled.area_factor(file.logic_leakage.node_nm),
        overrides=dict(choice.overrides),
        statements=statements_of(scaled, choice.overrides),
    )

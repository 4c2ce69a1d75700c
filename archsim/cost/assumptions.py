"""What one chip's prices assume; called by `study/` for the report."""

from collections.abc import Collection
from dataclasses import dataclass

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramLevel
from archsim.cost.arithmetic import Arithmetic, Operator, OperatorKind, adder, mac_operators
from archsim.cost.energy_table import EnergyTable
from archsim.cost.sram_macros import DEFAULT_ACCESS_BYTES, macros_of
from archsim.cost.table_statements import Statement
from archsim.numerics.number_format import NumberKind

_IEEE_FLOATS = {"fp16", "fp32", "fp64"}
_REPLACED_BY = {
    "register.energy": "spad_pj_per_bit",
    "dram_access": "dram_pj_per_bit",
    "logic_leakage": "leakage_mw",
}
"""Entry of a table file -> the override that makes it idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quantity:
    prices: Arithmetic
    unit: str
    operators: tuple[Operator, ...]


def pricing_assumptions(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    """Return the sentences of the table that concern this chip, and what the chip asks beyond it.

    Entries of operators that the chip has not are left out; SRAMs beyond the grid, widths that were
    not given and word widths between the listed ones are named.
    """
    kept = tuple(statement.text for statement in table.statements if _concerns(statement, arch, table))
    levels = tuple(sentence for level in arch.srams for sentence in _about_level(level, table))
    return (*kept, *_about_widths(arch, table), *_about_formats(arch), *levels)


def _operators_in_use(arch: Architecture, overrides: Collection[str]) -> tuple[Operator, ...]:
    """Return the operators whose price no override replaces."""
    mac = () if "mac_pj" in overrides else mac_operators(arch.formats)
    has_lane = arch.vector_unit is not None and "lane_op_pj" not in overrides
    return tuple(dict.fromkeys((*mac, *((adder(arch.formats.psum),) if has_lane else ()))))


def _quantities(arch: Architecture, table: EnergyTable) -> dict[str, _Quantity]:
    """By section of a table file; overrides replace energies, never areas."""
    return {
        "energy": _Quantity(prices=table.energies, unit="pJ", operators=_operators_in_use(arch, table.overrides)),
        "area": _Quantity(prices=table.areas, unit="um2", operators=_operators_in_use(arch, ())),
    }


def _concerns(statement: Statement, arch: Architecture, table: EnergyTable) -> bool:
    if _REPLACED_BY.get(statement.entry) in table.overrides:
        return False
    quantities = _quantities(arch, table)
    if statement.entry == "logarithmic_add":
        return any(operator.kind is OperatorKind.LOGARITHMIC_ADD for operator in quantities["area"].operators)
    section, _, entry = statement.entry.partition(".")
    if section not in quantities:
        return True
    quantity = quantities[section]
    kind, _, width = entry.removesuffix(" bit").partition(" ")
    return any(
        _curve_kind(operator) == kind and (operator.width_bits == int(width) or not quantity.prices.lists(operator))
        for operator in quantity.operators
    )


def _curve_kind(operator: Operator) -> str:
    is_log_add = operator.kind is OperatorKind.LOGARITHMIC_ADD
    return (OperatorKind.INTEGER_ADD if is_log_add else operator.kind).value


def _about_widths(arch: Architecture, table: EnergyTable) -> tuple[str, ...]:
    return tuple(
        f"{section} of {operator.kind.value} at {operator.width_bits:.4g} bit = {quantity.prices.cost(operator):.4g} "
        f"{quantity.unit} is an estimate: drawn over width through the listed ones"
        for section, quantity in _quantities(arch, table).items()
        for operator in quantity.operators
        if not quantity.prices.lists(operator)
    )


def _about_formats(arch: Architecture) -> tuple[str, ...]:
    formats = (arch.formats.ifmap, arch.formats.weight, arch.formats.psum)
    own_split = {fmt.name for fmt in formats if fmt.kind is NumberKind.FLOAT} - _IEEE_FLOATS
    floats = tuple(
        f"{name} is priced as an IEEE float of its width: its own split of bits is not modelled" for name in own_split
    )
    has_lns = any(fmt.kind is NumberKind.LOGARITHMIC for fmt in formats)
    return (*sorted(floats), *(("an LNS multiplication is priced as an integer add",) if has_lns else ()))


def _about_level(level: SramLevel, table: EnergyTable) -> tuple[str, ...]:
    head = f"level {level.name!r}:"
    width = f"{head} no width_bytes given; energy assumes accesses of {DEFAULT_ACCESS_BYTES} bytes"
    ports = f"{head} {level.ports} ports are priced as one; CACTI: a second port costs 1.5 x the energy, 2 x the area"
    beyond = (
        f"{head} a bank of {macros.bank_bytes:.10g} bytes by {macros.access_bits} bit lies outside the SRAM grid "
        f"({table.sram.extent()}): energy of the nearest point, area and leakage in proportion"
        for macros in macros_of(level)
        if not table.sram_point(macros).is_in_grid
    )
    return (
        *((width,) if level.width_bytes is None else ()),
        *dict.fromkeys(beyond),
        *((ports,) if level.ports > 1 else ()),
    )

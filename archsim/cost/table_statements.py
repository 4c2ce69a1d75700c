"""What a report must say about an energy table; called by `energy_table.py`."""

from dataclasses import dataclass

from archsim.cost.node_scaling import SOURCE
from archsim.cost.table_scaling import ScaledTable
from archsim.cost.table_schema import Number, TableFile

Overrides = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence, and the entry it is about.

    Parameters
    ----------
    text
        The sentence.
    entry
        Key of the entry, its width behind it, e.g. ``energy.integer_multiply 16 bit``; empty = the whole table.
    """

    text: str
    entry: str = ""


def statements_of(table: ScaledTable, overrides: Overrides) -> tuple[Statement, ...]:
    """Return the scaling, the sources, then what is estimated, from memory or replaced."""
    return (
        *_scaling(table),
        *_sources(table.file),
        *_doubts(table.file),
        *(
            Statement(text=f"energy.overrides.{key} = {value:g} replaces the number of the energy table")
            for key, value in overrides
        ),
    )


def _scaling(table: ScaledTable) -> tuple[Statement, ...]:
    file = table.file
    volts = file.scaling.table_supply.value, file.scaling.chip_supply.value
    factors = f"{table.energy_factor(None):.4g} (energy, {volts[0]:g} V to {volts[1]:g} V) and {table.area_factor(None):.4g} (area)"
    return (
        Statement(
            text=f"energy table {file.name!r} at {table.node_nm:g} nm: arithmetic and registers scaled from "
            f"{file.node_nm:g} nm by {factors}; {SOURCE}, low-power fits at 45 and 32 nm, linear in the node between "
            "the published ones; logic leakage, wires, SRAM and DRAM are not scaled by it"
        ),
    )


def _sources(file: TableFile) -> tuple[Statement, ...]:
    register = file.register_.energy
    return (
        Statement(text=f"energy of arithmetic: {file.energy.integer_multiply[0].source}"),
        Statement(text=f"energy of PE registers: {_value(register)} ({register.source})", entry="register.energy"),
    )


def sources_of(file: TableFile) -> dict[str, str]:
    """Return whence the table's numbers are, by the keys that prices and areas point to."""
    wires, swings = file.wires, file.wires.swings
    io = {f"dram_io.{protocol}": getattr(file.dram_io, protocol) for protocol in type(file.dram_io).model_fields}
    return {
        "arithmetic": file.energy.integer_multiply[0].source,
        "register": file.register_.energy.source,
        "area.arithmetic": file.area.integer_multiply[0].source + _doubt(file.area.integer_multiply[0]),
        "area.register": file.register_.area.source,
        **{
            f"wire.{cell}": f"{entries[0].source}; {swings.value:g} swings per bit; length from area"
            for cell, entries in (("lstp", wires.lstp), ("hp", wires.hp))
        },
        **{key: number.source + _doubt(number) for key, number in io.items()},
        **({"clock": file.clock.source + _doubt(file.clock)} if file.clock else {}),
        "leakage.logic": file.logic_leakage.source + _doubt(file.logic_leakage),
    }


def _doubt(number: Number) -> str:
    kinds = ("an estimate" if number.estimated else "", "from memory, to be verified" if number.from_memory else "")
    return "".join(f", {kind}" for kind in kinds if kind)


def _doubts(file: TableFile) -> tuple[Statement, ...]:
    doubts = []
    for name, number in file.numbers():
        doubt = _doubt(number).removeprefix(", ")
        if doubt:
            doubts.append(Statement(text=f"{name} = {_value(number)} is {doubt}: {number.source}", entry=name))
    return tuple(doubts)


def _value(number: Number) -> str:
    unit = number.unit if number.unit != "x" else ""
    node = f" at {number.node_nm:g} nm" if number.node_nm else ""
    return f"{number.value:g} {unit}".strip() + node

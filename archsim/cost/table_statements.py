"""What a report must say about an energy table; called by `energy_table.py`."""

from dataclasses import dataclass

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
    head = f"energy table {file.name!r} at {table.node_nm:g} nm"
    if table.node_nm == file.node_nm:
        return (Statement(text=f"{head}: numbers of other nodes are scaled to it ({file.scaling.energy[0].source})"),)
    scaled = Statement(
        text=f"{head}: arithmetic, registers and SRAM scaled from {file.node_nm:g} nm by "
        f"{table.energy_factor(None):.4g} (energy) and {table.area_factor(None):.4g} (area), linear in the node "
        f"between those of {file.scaling.energy[0].source}; DRAM and leakage are not scaled"
    )
    note = file.sram_grid.scaling_note
    return (scaled, Statement(text=note)) if note else (scaled,)


def _sources(file: TableFile) -> tuple[Statement, ...]:
    grid, dram, register = file.sram_grid, file.dram_access, file.register_.energy
    recalled = ", from memory, to be verified" if grid.from_memory else ""
    return (
        Statement(text=f"energy of arithmetic: {file.energy.integer_multiply[0].source}"),
        Statement(text=f"energy of PE registers: {_value(register)} ({register.source})", entry="register.energy"),
        Statement(text=f"SRAM at {grid.node_nm:g} nm: {grid.source}{recalled}; every access moves the full width"),
        Statement(text=f"DRAM energy: {_value(dram)} whatever the locality ({dram.source})", entry="dram_access"),
    )


def _doubts(file: TableFile) -> tuple[Statement, ...]:
    doubts = []
    for name, number in file.numbers():
        kinds = ("an estimate" if number.estimated else "", "from memory, to be verified" if number.from_memory else "")
        doubt = ", ".join(kind for kind in kinds if kind)
        if doubt:
            doubts.append(Statement(text=f"{name} = {_value(number)} is {doubt}: {number.source}", entry=name))
    return tuple(doubts)


def _value(number: Number) -> str:
    unit = number.unit if number.unit != "x" else ""
    node = f" at {number.node_nm:g} nm" if number.node_nm else ""
    return f"{number.value:g} {unit}".strip() + node

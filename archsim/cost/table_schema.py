"""The keys of an energy table file, `tables/default.yaml` or a user's own; called by `energy_table.py`.

pydantic at the border: what leaves here is checked, and `numbers` walks every value with its source.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from archsim.arch.value_types import Count, Energy, Nanometres, Rate
from archsim.cost.node_scaling import Points


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(_Strict):
    """A value with its unit, whence it comes and how sure it is.

    Parameters
    ----------
    value
        In the unit.
    unit
        As each subclass demands.
    source
        Publication or derivation.
    from_memory
        Recalled, not re-read at the source.
    estimated
        Worked out for this table, not published.
    node_nm
        Technology node; None = the table's. [nm]
    """

    value: Energy
    unit: str
    source: str = Field(min_length=1)
    from_memory: bool = Field(strict=True)
    estimated: bool = Field(default=False, strict=True)
    node_nm: Nanometres | None = None


class EnergyAtWidth(Number):
    """Energy of an operation on words of one width."""

    unit: Literal["pJ"]
    width_bits: Count


class AreaAtWidth(Number):
    """Area of an operator for words of one width."""

    unit: Literal["um2"]
    width_bits: Count


class _Operators(_Strict):
    @field_validator("*")
    @classmethod
    def _check_widths(cls, entries: tuple[EnergyAtWidth | AreaAtWidth, ...]) -> tuple[EnergyAtWidth | AreaAtWidth, ...]:
        widths = [entry.width_bits for entry in entries]
        if not widths or widths != sorted(set(widths)):
            raise ValueError(f"needs at least one entry, widths rising and different; they are {widths}")
        return entries


class OperatorEnergies(_Operators):
    """Energy of each operator by width."""

    integer_multiply: tuple[EnergyAtWidth, ...]
    integer_add: tuple[EnergyAtWidth, ...]
    float_multiply: tuple[EnergyAtWidth, ...]
    float_add: tuple[EnergyAtWidth, ...]
    logarithmic_convert: tuple[EnergyAtWidth, ...]


class OperatorAreas(_Operators):
    """Area of each operator by width."""

    integer_multiply: tuple[AreaAtWidth, ...]
    integer_add: tuple[AreaAtWidth, ...]
    float_multiply: tuple[AreaAtWidth, ...]
    float_add: tuple[AreaAtWidth, ...]
    logarithmic_convert: tuple[AreaAtWidth, ...]


class AddCount(Number):
    """How many integer adds an operation is worth."""

    unit: Literal["integer adds"]


class BitEnergy(Number):
    """Energy of one bit read or written in a register."""

    unit: Literal["fJ/bit"]


class BitArea(Number):
    """Area of one bit of register."""

    unit: Literal["um2/bit"]


class Register(_Strict):
    """The flip-flops that PEs keep their words in."""

    energy: BitEnergy
    area: BitArea


class SramGridFile(_Strict):
    """Where the SRAM grid lies: a grid shipped with archsim, or a .csv beside the table.

    Parameters
    ----------
    file
        Name of the shipped grid, or a path from the table file's folder.
    scaling_note
        What a report must say where the grid is scaled to another node.
    """

    file: str
    node_nm: Nanometres
    source: str = Field(min_length=1)
    from_memory: bool = Field(strict=True)
    scaling_note: str = ""


class DramBitEnergy(Number):
    """Energy of one bit over the DRAM channel, device and interface."""

    unit: Literal["pJ/bit"]


class LeakageDensity(Number):
    """Leakage of logic per area."""

    unit: Literal["nW/um2"]


class ScalingFactor(Number):
    """Energy or area of a node relative to the others'."""

    value: Rate
    unit: Literal["x"]
    node_nm: Nanometres


class ScalingFactors(_Strict):
    """Factors by node."""

    energy: tuple[ScalingFactor, ...]
    area: tuple[ScalingFactor, ...]

    @field_validator("*")
    @classmethod
    def _check_nodes(cls, entries: tuple[ScalingFactor, ...]) -> tuple[ScalingFactor, ...]:
        nodes = [entry.node_nm for entry in entries]
        if not nodes or len(nodes) != len(set(nodes)):
            raise ValueError(f"needs at least one entry, each node once; they are {nodes}")
        return entries

    @staticmethod
    def points(entries: tuple[ScalingFactor, ...]) -> Points:
        """(node, factor) pairs in rising order of node."""
        return tuple(sorted((entry.node_nm, entry.value) for entry in entries))


class TableFile(_Strict):
    """A whole energy table file."""

    schema_: Literal["archsim/energy-table/v1"] = Field(alias="schema")
    name: str = Field(min_length=1)
    node_nm: Nanometres
    energy: OperatorEnergies
    area: OperatorAreas
    logarithmic_add: AddCount
    register_: Register = Field(alias="register")
    sram_grid: SramGridFile
    dram_access: DramBitEnergy
    logic_leakage: LeakageDensity
    scaling: ScalingFactors

    def numbers(self) -> Iterator[tuple[str, Number]]:
        """Every number with the name of its key, in the order of the file."""
        yield from _walk("", self)


def _walk(name: str, value: object) -> Iterator[tuple[str, Number]]:
    if isinstance(value, Number):
        width = getattr(value, "width_bits", None)
        yield (f"{name} {width} bit" if width else name, value)
    elif isinstance(value, BaseModel):
        for key, field in type(value).model_fields.items():
            label = field.alias or key
            yield from _walk(f"{name}.{label}" if name else label, getattr(value, key))
    elif isinstance(value, tuple):
        for entry in value:
            yield from _walk(name, entry)

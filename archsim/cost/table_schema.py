"""The keys of an energy table file, `tables/default.yaml` or a user's own; called by `energy_table.py`.

pydantic at the border: what leaves here is checked, and `numbers` walks every value with its source.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from archsim.arch.value_types import Count, Energy, Nanometres, Rate


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


class EntryBitEnergy(Number):
    """Energy of one bit per entry of a register file: its share of the read multiplexer."""

    unit: Literal["fJ/bit/entry"]


class EntryCount(Number):
    """A number of entries."""

    unit: Literal["entries"]


class Register(_Strict):
    """Flip-flops: what PEs keep their words in, one by one or in small files."""

    energy: BitEnergy
    area: BitArea
    mux: EntryBitEnergy
    most_entries: EntryCount


class SramGridFile(_Strict):
    """A user's own SRAM points, in place of the shipped ones for every cell type.

    Parameters
    ----------
    file
        Path of a .csv from the table file's folder; `sram_surface.read_sram_surface` names its columns.
    node_nm
        Node of its points, where it has no column of nodes. [nm]
    """

    file: str = Field(min_length=1)
    node_nm: Nanometres
    source: str = Field(min_length=1)
    from_memory: bool = Field(strict=True)


class WireEnergy(Number):
    """Energy of one full swing over a millimetre of repeated wire, at one node."""

    unit: Literal["pJ/mm"]
    node_nm: Nanometres


class Swings(Number):
    """Full swings per bit sent."""

    unit: Literal["swings/bit"]


class Wires(_Strict):
    """Wires between PEs and from the buffers to the array, by the cells of the repeaters."""

    swings: Swings
    lstp: tuple[WireEnergy, ...]
    hp: tuple[WireEnergy, ...]

    @field_validator("lstp", "hp")
    @classmethod
    def _check_nodes(cls, entries: tuple[WireEnergy, ...]) -> tuple[WireEnergy, ...]:
        nodes = [entry.node_nm for entry in entries]
        if not nodes or nodes != sorted(set(nodes)):
            raise ValueError(f"needs at least one entry, nodes rising and different; they are {nodes}")
        return entries


class LinkEnergy(Number):
    """Energy of one bit over the pins and the board, beyond what the DRAM chips themselves draw."""

    unit: Literal["pJ/bit"]


class DramLink(_Strict):
    """Interface energy by protocol."""

    DDR3: LinkEnergy
    DDR4: LinkEnergy
    LPDDR3: LinkEnergy
    LPDDR4: LinkEnergy
    HBM: LinkEnergy

    def of(self, protocol: str) -> LinkEnergy:
        """Return the entry of a device's protocol."""
        entry: LinkEnergy = getattr(self, protocol)
        return entry


class PeCycleEnergy(Number):
    """Energy of clock tree, pipeline registers and control, per PE and cycle."""

    unit: Literal["pJ/PE/cycle"]


class LeakageDensity(Number):
    """Leakage of logic per area."""

    unit: Literal["nW/um2"]


class Supply(Number):
    """A supply voltage."""

    value: Rate
    unit: Literal["V"]


class Scaling(_Strict):
    """The voltages at which energy is scaled between nodes.

    Parameters
    ----------
    table_supply, chip_supply
        Of the numbers in the table, and of the chip.
    """

    table_supply: Supply
    chip_supply: Supply


class TableFile(_Strict):
    """A whole energy table file."""

    schema_: Literal["archsim/energy-table/v1"] = Field(alias="schema")
    name: str = Field(min_length=1)
    node_nm: Nanometres
    energy: OperatorEnergies
    area: OperatorAreas
    logarithmic_add: AddCount
    register_: Register = Field(alias="register")
    sram_grid: SramGridFile | None = None
    wires: Wires
    dram_stand_in: str = Field(min_length=1)
    dram_io: DramLink
    clock: PeCycleEnergy | None = None
    logic_leakage: LeakageDensity
    scaling: Scaling

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

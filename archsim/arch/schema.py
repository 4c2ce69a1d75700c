"""The keys of an arch file, and the `Architecture` they describe.

Called by `catalog.py` for `arch_configs/*.yaml`, and by `scalesim_cfg.py`, which hands in a SCALE-Sim
file translated to these keys.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from archsim.arch.architecture import Architecture, EnergyChoice, VectorUnit
from archsim.arch.dataflow_settings import in_words
from archsim.arch.dram_keys import DramKeys
from archsim.arch.keys import Conflict, Keys
from archsim.arch.level_keys import LevelList, SramKeys
from archsim.arch.mapping_keys import MappingKeys
from archsim.arch.overrides import apply_settings, origin
from archsim.arch.pe_array_keys import PeArrayKeys
from archsim.arch.validation_keys import ValidationKeys
from archsim.arch.value_types import Count, Energy, Line, Nanometres, Rate, Share
from archsim.config_file import ConfigText, read_yaml, validate
from archsim.errors import ConfigError
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.link_code import WIDEST_LEVEL_BITS
from archsim.numerics.number_format import NumberKind
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import Compression, Dataflow, ZeroSkip

STORES_PADDING = frozenset({Dataflow.ROW_STATIONARY, Dataflow.PIXEL_BROADCAST})
"""Dataflows that know ifmaps with their padding in DRAM."""


def _known_format(name: str) -> str:
    try:
        return parse_format(name).name
    except ValueError as problem:
        first, *_, last = str(problem).splitlines()
        raise ValueError(f"{first} {last.lstrip(' ^')}" if last != first else first) from None


FormatName = Annotated[str, AfterValidator(_known_format)]


class VectorUnitKeys(Keys):
    """``vector_unit``: the fields of `VectorUnit`."""

    lanes: Count
    ops_per_cycle: Count = 1

    def build(self) -> VectorUnit:
        """Return the vector unit."""
        return VectorUnit(lanes=self.lanes, ops_per_cycle=self.ops_per_cycle)


class FormatsKeys(Keys):
    """``formats``: a format name per operand; ``ofmap`` is the ifmap's where it is not given.

    They are the widths of the chip's registers and the arithmetic of its multipliers. A layer of a converted
    workload has formats of its own. ``follow_workload: false``: a layer whose arithmetic is of another kind, whose
    values are wider or whose sums need more bits than the psum is refused; narrower codes take the arch's width,
    except in levels with ``packing_bits``. ``follow_workload: true``: the chip is made for the workload, the layer's
    formats replace the arch's in widths and in the price of a MAC; area, leakage and wires stay the arch's. Layers
    without formats of their own run with the arch's either way.
    """

    ifmap: FormatName
    weight: FormatName
    psum: FormatName
    ofmap: FormatName | None = None
    follow_workload: StrictBool = False

    def build(self) -> OperandFormats:
        """Return the formats."""
        return OperandFormats(
            ifmap=parse_format(self.ifmap),
            weight=parse_format(self.weight),
            psum=parse_format(self.psum),
            ofmap=parse_format(self.ofmap or self.ifmap),
        )


class EnergyKeys(Keys):
    """``energy``: which table; ``node_nm`` is the arch's technology where it is not given."""

    table: Line = "default"
    node_nm: Nanometres | None = None
    overrides: dict[str, Energy] = Field(default_factory=dict)
    gated_share: Share | None = None

    def conflicts(self) -> Iterable[Conflict]:
        """Return a share of a clock that has no energy."""
        if self.gated_share is not None and not self.overrides.get("clock_pj_per_pe_cycle"):
            rule = "is taken from the clock of the PEs: needs overrides.clock_pj_per_pe_cycle"
            yield Conflict(at=("gated_share",), message=rule, found=self.gated_share,
                           concerns=frozenset({"gated_share", "overrides"}))  # fmt: skip

    def build(self, technology_nm: float, folder: Path) -> EnergyChoice:
        """Return the choice; the path of a table is relative to the arch file's folder."""
        return EnergyChoice(
            table=self.table if self.table == "default" else str(folder / self.table),
            node_nm=technology_nm if self.node_nm is None else self.node_nm,
            overrides=tuple(self.overrides.items()),
            gated_share=self.gated_share,
        )


class ArchKeys(Keys):
    """All keys of an arch file."""

    schema_: Literal["archsim/arch/v1"] = Field(alias="schema")
    name: Line
    source: Line = "not given"
    validation: ValidationKeys = ValidationKeys()
    clock_mhz: Rate
    technology_nm: Nanometres
    pe_array: PeArrayKeys
    vector_unit: VectorUnitKeys | None = None
    formats: FormatsKeys
    levels: LevelList
    mapping: MappingKeys = MappingKeys()
    energy: EnergyKeys = EnergyKeys()

    def conflicts(self) -> Iterable[Conflict]:
        """Return what concerns several groups: codes too narrow for their words, an idle adder, idle mappings."""
        if self.energy.gated_share is not None and self.pe_array.zero_skip is not ZeroSkip.GATE:
            rule = "is what a gated MAC saves: needs pe_array.zero_skip gate"
            yield Conflict(at=("energy", "gated_share"), message=rule, found=self.energy.gated_share,
                           concerns=frozenset({"pe_array", "energy"}))  # fmt: skip
        if self.mapping != MappingKeys() and self.pe_array.dataflow is not Dataflow.ROW_STATIONARY:
            rule = f"is for row_stationary arrays; this one is {self.pe_array.dataflow}: leave it out"
            yield Conflict(at=("mapping",), message=rule, found=self.mapping.objective.value,
                           concerns=frozenset({"pe_array", "mapping"}))  # fmt: skip
        if self.pe_array.dataflow is Dataflow.PIXEL_BROADCAST and len(self.levels) > 1:
            rule = "leave this level out: a pixel_broadcast array keeps psums in its PEs and takes all else straight from DRAM"
            yield Conflict(at=("levels", 0), message=rule, found=self.levels[0].name,
                           concerns=frozenset({"pe_array", "levels"}))  # fmt: skip
        if self.pe_array.log_adder and not self.formats.follow_workload:
            psum = parse_format(self.formats.psum)
            if psum.kind is not NumberKind.LOGARITHMIC:
                rule = (
                    f"adds logarithms, the psums are {psum.name}: needs formats.psum lnsN, or formats.follow_workload"
                )
                yield Conflict(at=("pe_array", "log_adder"), message=rule, found=self.pe_array.log_adder.kind.value,
                               concerns=frozenset({"pe_array", "formats"}))  # fmt: skip
        place, formats = len(self.levels) - 1, self.formats.build()
        dram = self.levels[place]
        if isinstance(dram, DramKeys) and dram.stores_padding and self.pe_array.dataflow not in STORES_PADDING:
            rule = f"is for {in_words(STORES_PADDING)} arrays; this one is {self.pe_array.dataflow}: leave it out"
            yield Conflict(at=("levels", place, "stores_padding"), message=rule, found=True,
                           concerns=frozenset({"levels", "pe_array"}))  # fmt: skip
        for operand, code in dram.compression if isinstance(dram, DramKeys) else ():
            width = formats.of(operand).width_bits
            if code is Compression.RLC5 and width > WIDEST_LEVEL_BITS:
                rule = f"rlc5 holds words of {WIDEST_LEVEL_BITS} bits or fewer, {operand} has {width}; choose bitmask"
                yield Conflict(at=("levels", place, "compression"), message=rule, found=code.value,
                               concerns=frozenset({"levels", "formats"}))  # fmt: skip

    def build(self, folder: Path) -> Architecture:
        """Return the chip; ``folder`` is where the file lies."""
        *srams, dram = self.levels
        assert isinstance(dram, DramKeys), "the schema puts DRAM last"
        return Architecture(
            name=self.name,
            source=self.source,
            validation=self.validation.build(),
            clock_mhz=self.clock_mhz,
            technology_nm=self.technology_nm,
            pe_array=self.pe_array.build(),
            vector_unit=self.vector_unit.build() if self.vector_unit is not None else None,
            formats=self.formats.build(),
            follows_workload=self.formats.follow_workload,
            srams=tuple(level.build() for level in srams if isinstance(level, SramKeys)),
            dram=dram.build(folder, self.clock_mhz),
            energy=self.energy.build(self.technology_nm, folder),
            mapping=self.mapping.build(),
            assumptions=dram.unused,
        )


def read_arch_yaml(path: Path, settings: Sequence[str] = ()) -> Architecture:
    """Read an arch file.

    Parameters
    ----------
    path
        A YAML file with ``schema: archsim/arch/v1``.
    settings
        ``KEY=VALUE`` each, written over the file before it is checked: see `apply_settings`.

    Raises
    ------
    ConfigError
        Every fault of the file and the settings, one line each: ``file:line: key: what is wrong``.
    """
    return build_arch(read_yaml(path, ConfigError), settings)


def build_arch(text: ConfigText, settings: Sequence[str] = (), assumptions: tuple[str, ...] = ()) -> Architecture:
    """Apply settings, check against the schema and build: `read_arch_yaml` for data in hand.

    ``assumptions`` is what a report must show of how the data came about; the settings that no later one
    overrode are added to it.
    """
    applied = apply_settings(text, settings)
    arch = validate(applied, ArchKeys, ConfigError).build(Path(text.path).parent)
    in_force = [setting for setting in dict.fromkeys(settings) if origin(setting) in applied.origins.values()]
    said = (
        *assumptions,
        *arch.assumptions,
        *(f"set by the user over {Path(text.path).name}: {setting}" for setting in in_force),
    )
    return replace(arch, assumptions=said, content_hash=applied.content_hash)

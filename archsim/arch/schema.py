"""The keys of an arch file, and the `Architecture` they describe.

Called by `catalog.py` for `arch_configs/*.yaml`, and by `scalesim_cfg.py`, which hands in a SCALE-Sim
file translated to these keys.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool

from archsim.arch.architecture import Architecture, EnergyChoice, VectorUnit
from archsim.arch.dram_keys import DramKeys
from archsim.arch.keys import Conflict, Keys
from archsim.arch.level_keys import LevelList, SramKeys
from archsim.arch.overrides import apply_settings, origin
from archsim.arch.pe_array import EdgeFolds, LoadGranularity, LogAdder, OsDrain, PeArray, StartEvent
from archsim.arch.value_types import Count, Cycles, Energy, Line, Nanometres, PositiveCycles, Rate, Words
from archsim.config_file import ConfigText, read_yaml, validate
from archsim.errors import ConfigError
from archsim.numerics.accumulator import LogAdderKind
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.link_code import WIDEST_LEVEL_BITS
from archsim.numerics.number_format import NumberKind
from archsim.numerics.operand_formats import OperandFormats
from archsim.terms import Compression, Dataflow

SHORT_DATAFLOWS = {
    "ws": Dataflow.WEIGHT_STATIONARY,
    "os": Dataflow.OUTPUT_STATIONARY,
    "is": Dataflow.INPUT_STATIONARY,
}
"""SCALE-Sim's words for the dataflows, accepted beside ours."""


def _long_dataflow(value: Any) -> Any:
    return SHORT_DATAFLOWS.get(value.lower(), value) if isinstance(value, str) else value


def _known_format(name: str) -> str:
    try:
        return parse_format(name).name
    except ValueError as problem:
        first, *_, last = str(problem).splitlines()
        raise ValueError(f"{first} {last.lstrip(' ^')}" if last != first else first) from None


AnyDataflow = Annotated[Dataflow, BeforeValidator(_long_dataflow)]
FormatName = Annotated[str, AfterValidator(_known_format)]


class LogAdderKeys(Keys):
    """``pe_array.log_adder``: the fields of `LogAdder`, under the same names."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"fraction_bits": 1}

    kind: LogAdderKind = LogAdderKind.TABLE
    fraction_bits: Annotated[int, Field(strict=True, ge=1, le=12)]
    entries: Count | None = None
    reach_octaves: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None
    latency_cycles: PositiveCycles = 1

    def conflicts(self) -> Iterable[Conflict]:
        """Return what the adder itself refuses: a table's settings without a table, entries that do not divide its reach."""
        try:
            _ = self.build().log_sum
        except ValueError as problem:
            keys = frozenset({"kind", "fraction_bits", "entries", "reach_octaves"})
            yield Conflict(at=("entries",), message=str(problem), found=self.entries, concerns=keys)

    def build(self) -> LogAdder:
        """Return the adder."""
        return LogAdder(**dict(self))


class PeArrayKeys(Keys):
    """``pe_array``: the fields of `PeArray`, under the same names and with the same defaults."""

    stand_ins: ClassVar[Mapping[str, Any]] = {"rows": 1, "columns": 1}

    rows: Count
    columns: Count
    dataflow: AnyDataflow
    weight_regs: Annotated[int, Field(strict=True, ge=1, le=2)] = 1
    psum_hop: PositiveCycles = 1
    act_hop: Cycles = 1
    pe_latency: PositiveCycles = 1
    input_regs: Cycles = 0
    output_regs: Cycles = 0
    weight_load_cycles: PositiveCycles | None = None
    weight_switch_gap: Cycles = 0
    load_granularity: LoadGranularity = LoadGranularity.ARRAY
    os_drain: OsDrain = OsDrain.NONE
    drain_overlap: StrictBool = False
    k_tile: Words = 0
    k_tile_keeps_psum: StrictBool = True
    edge_folds: EdgeFolds = EdgeFolds.FULL
    start_event: StartEvent = StartEvent.FIRST_OPERAND
    structured_sparsity: StrictBool = False
    log_adder: LogAdderKeys | None = None

    def conflicts(self) -> Iterable[Conflict]:
        """Return the settings that this dataflow does not have, as `PeArray` tells them."""
        try:
            self.build()
        except ConfigError as problem:
            for key, rule in re.findall(r"^pe_array\.(\w+) \(=.*?\) (.*)$", str(problem), re.MULTILINE):
                yield Conflict(at=(key,), message=rule, found=getattr(self, key), concerns=frozenset({key, "dataflow"}))

    def build(self) -> PeArray:
        """Return the array. Raises ConfigError where its settings contradict each other."""
        return PeArray(**{**dict(self), "log_adder": self.log_adder.build() if self.log_adder else None})


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

    def build(self, technology_nm: float, folder: Path) -> EnergyChoice:
        """Return the choice; the path of a table is relative to the arch file's folder."""
        return EnergyChoice(
            table=self.table if self.table == "default" else str(folder / self.table),
            node_nm=technology_nm if self.node_nm is None else self.node_nm,
            overrides=tuple(self.overrides.items()),
        )


class ArchKeys(Keys):
    """All keys of an arch file."""

    schema_: Literal["archsim/arch/v1"] = Field(alias="schema")
    name: Line
    source: Line = "not given"
    clock_mhz: Rate
    technology_nm: Nanometres
    pe_array: PeArrayKeys
    vector_unit: VectorUnitKeys | None = None
    formats: FormatsKeys
    levels: LevelList
    energy: EnergyKeys = EnergyKeys()

    def conflicts(self) -> Iterable[Conflict]:
        """Return the operands whose words are too wide for their code on the DRAM channel, and an idle adder."""
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
            clock_mhz=self.clock_mhz,
            technology_nm=self.technology_nm,
            pe_array=self.pe_array.build(),
            vector_unit=self.vector_unit.build() if self.vector_unit is not None else None,
            formats=self.formats.build(),
            follows_workload=self.formats.follow_workload,
            srams=tuple(level.build() for level in srams if isinstance(level, SramKeys)),
            dram=dram.build(folder, self.clock_mhz),
            energy=self.energy.build(self.technology_nm, folder),
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

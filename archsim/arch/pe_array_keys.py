"""The keys of ``pe_array`` in an arch file; part of `schema.py`."""

import re
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, StrictBool

from archsim.arch.brick_keys import BricksKeys
from archsim.arch.broadcast_keys import TilesKeys
from archsim.arch.channel_atoms import ChannelAtoms
from archsim.arch.keys import Conflict, Keys
from archsim.arch.log_adder import LogAdder
from archsim.arch.pe_array import EdgeFolds, LoadGranularity, OsDrain, OsFold, PeArray, StartEvent
from archsim.arch.planar_keys import PlanarKeys
from archsim.arch.row_pe import ArrayNetworks, RowPe, Spads
from archsim.arch.value_types import Count, Cycles, PositiveCycles, Share, Words
from archsim.errors import ConfigError
from archsim.numerics.accumulator import LogAdderKind
from archsim.terms import Dataflow, ZeroSkip

SHORT_DATAFLOWS = {
    "ws": Dataflow.WEIGHT_STATIONARY,
    "os": Dataflow.OUTPUT_STATIONARY,
    "is": Dataflow.INPUT_STATIONARY,
    "rs": Dataflow.ROW_STATIONARY,
    "cp": Dataflow.CHANNEL_PARALLEL,
    "fid": Dataflow.PIXEL_BROADCAST,
    "bl": Dataflow.BRICK_LANES,
    "pt": Dataflow.PLANAR_TILES,
}
"""Short words for the dataflows, SCALE-Sim's and others, accepted beside ours."""


def _long_dataflow(value: Any) -> Any:
    return SHORT_DATAFLOWS.get(value.lower(), value) if isinstance(value, str) else value


AnyDataflow = Annotated[Dataflow, BeforeValidator(_long_dataflow)]


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


class SpadsKeys(Keys):
    """``pe_array.spads``: the fields of `Spads`. [words]"""

    stand_ins: ClassVar[Mapping[str, Any]] = {"ifmap_words": 1, "weight_words": 1, "psum_words": 1}

    ifmap_words: Count
    weight_words: Count
    psum_words: Count

    def build(self) -> Spads:
        """Return the spads."""
        return Spads(**dict(self))


class NetworksKeys(Keys):
    """``pe_array.networks``: the fields of `ArrayNetworks`. [b/cycle]"""

    stand_ins: ClassVar[Mapping[str, Any]] = {"ifmap_bits": 1, "weight_bits": 1, "psum_bits": 1}

    ifmap_bits: Count
    weight_bits: Count
    psum_bits: Count

    def build(self) -> ArrayNetworks:
        """Return the networks."""
        return ArrayNetworks(**dict(self))


class RowPeKeys(Keys):
    """``pe_array.row_pe``: the fields of `RowPe`, with the same defaults."""

    accumulate_cycles: Cycles = 0
    shift_cycles: Cycles = 0
    line_fill: StrictBool = False
    restart_cycles: Cycles = 0
    weights_ahead: StrictBool = False
    pass_overhead: Share = 0.0

    def build(self) -> RowPe:
        """Return the PE's loop."""
        return RowPe(**dict(self))


class AtomsKeys(Keys):
    """``pe_array.atoms``: the fields of `ChannelAtoms`, with the same defaults."""

    channel_atom: Count = 16
    filter_atom: Count = 16
    stored_channels: Count = 1
    stripe_pixels: Count = 16
    pixels_across: StrictBool = True
    winograd: StrictBool = False

    def build(self) -> ChannelAtoms:
        """Return the atoms."""
        return ChannelAtoms(**dict(self))


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
    os_fold: OsFold = OsFold.PIXELS
    os_drain: OsDrain = OsDrain.NONE
    drain_overlap: StrictBool = False
    k_tile: Words = 0
    k_tile_keeps_psum: StrictBool = True
    edge_folds: EdgeFolds = EdgeFolds.FULL
    start_event: StartEvent = StartEvent.FIRST_OPERAND
    structured_sparsity: StrictBool = False
    log_adder: LogAdderKeys | None = None
    zero_skip: ZeroSkip = ZeroSkip.NONE
    multipliers_per_pe: Count = 1
    spads: SpadsKeys | None = None
    networks: NetworksKeys | None = None
    row_pe: RowPeKeys | None = None
    atoms: AtomsKeys | None = None
    tiles: TilesKeys | None = None
    bricks: BricksKeys | None = None
    planar: PlanarKeys | None = None

    def conflicts(self) -> Iterable[Conflict]:
        """Return the settings that this dataflow does not have, as `PeArray` tells them."""
        try:
            self.build()
        except ConfigError as problem:
            for place, rule in re.findall(r"^pe_array\.([\w.]+) \(=.*?\) (.*)$", str(problem), re.MULTILINE):
                keys = tuple(place.split("."))
                yield Conflict(
                    at=keys, message=rule, found=attrgetter(place)(self), concerns=frozenset({keys[0], "dataflow"})
                )

    def build(self) -> PeArray:
        """Return the array. Raises ConfigError where its settings contradict each other."""
        parts = {"log_adder": self.log_adder, "spads": self.spads, "networks": self.networks, "row_pe": self.row_pe,
                 "atoms": self.atoms, "tiles": self.tiles, "bricks": self.bricks, "planar": self.planar}  # fmt: skip
        return PeArray(**{**dict(self), **{name: part.build() if part else None for name, part in parts.items()}})

"""The PE array: its size, its dataflow, and the settings that move its cycles.

The settings are the ones that RTL of third parties shows to matter (weight registers, hops,
latencies, reloads, drains); the defaults give SCALE-Sim's cycles. `mapping/` turns them into time.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum

from archsim.arch.brick_lanes import BrickLanes
from archsim.arch.broadcast_tiles import BroadcastTiles
from archsim.arch.channel_atoms import ChannelAtoms
from archsim.arch.dataflow_settings import NEEDED_BY, SETTINGS_OF, in_words
from archsim.arch.log_adder import LogAdder
from archsim.arch.planar_pe import PlanarPe
from archsim.arch.row_pe import ArrayNetworks, RowPe, Spads
from archsim.errors import ConfigError
from archsim.terms import Dataflow, ZeroSkip


class LoadGranularity(StrEnum):
    """What must have drained before the next stationary tile may load."""

    ARRAY = "array"
    COLUMN = "column"


class OsDrain(StrEnum):
    """How finished ofmap values leave an output-stationary array."""

    NONE = "none"
    SHIFT_ROWS = "shift_rows"
    SHIFT_COLUMNS = "shift_columns"


class OsFold(StrEnum):
    """Which psums an output-stationary array holds at a time."""

    PIXELS = "pixels"
    """Rows take pixels in their order, across lines and images; columns take filters."""
    LINE = "line"
    """Rows take pixels of one ofmap line; columns take filters."""
    PATCH = "patch"
    """All PEs take a patch of rows x columns pixels of one ofmap plane; filters take turns."""


class EdgeFolds(StrEnum):
    """Whether a partly used fold costs the full array or only its used rows and columns."""

    FULL = "full"
    TRIMMED = "trimmed"


class StartEvent(StrEnum):
    """The edge that counts as cycle 1."""

    FIRST_OPERAND = "first_operand"
    FIRST_ACTIVATION = "first_activation"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeArray:
    """Rows x columns of PEs.

    Parameters
    ----------
    rows, columns
        PEs down and across.
    dataflow
        Which operand stays in the PEs.
    weight_regs
        Registers for the stationary operand per PE: 1 = load, then compute; 2 = the next tile loads
        behind the present one. Weight and input stationary only.
    psum_hop
        Cycles a psum takes from one row to the next; weight and input stationary only. [cycles]
    act_hop
        Cycles the row-wise operand takes from one column to the next; 0 = broadcast. [cycles]
    pe_latency
        Cycles from operands at a PE to its sum. [cycles]
    input_regs, output_regs
        Registers before the array's edge and behind it. [cycles]
    weight_load_cycles
        Cycles to load one stationary tile; None = one per row. [cycles]
    weight_switch_gap
        Cycles after a switch of weight registers before the next tile may load; needs
        ``weight_regs = 2``. [cycles]
    load_granularity
        Reload when the whole array has drained, or column by column; needs ``weight_regs = 1``.
    os_fold
        Which psums the array holds at a time; output stationary only. A patch has its operands at all PEs at once (no
        hops), and passes ifmap values from PE to PE: each is read once per patch and channel, as in folds of a line.
    os_drain
        Whether ofmap values are shifted out down the rows or along the columns; output stationary only.
    drain_overlap
        The next fold streams in right behind the last one, its drain hidden; output stationary only.
    k_tile
        Longest stream per pass of an output-stationary array; 0 = no limit. [words]
    k_tile_keeps_psum
        Psums stay in the PEs between such passes; False = they leave and are read back.
    edge_folds
        Cost of partly used folds.
    start_event
        What counts as cycle 1: the first operand (of the stationary tile, where there is one), or
        the first streamed one, the first tile being resident.
    structured_sparsity
        Skip the weights that the workload's N:M sparsity drops (SCALE-Sim's layer-wise form).
    log_adder
        Adds psums that are logarithms; None = psums are linear, or their adder takes no time of its own.
        Its latency lengthens the hop of a psum from row to row (weight and input stationary); an
        output-stationary PE takes its next pair only when the sum before is done: nothing is interleaved.
    zero_skip
        What the array does with a MAC whose ifmap value is zero; planar tiles step over zero weights too, input-stationary
        arrays over those alone.
    multipliers_per_pe
        Taps of a filter row that a PE multiplies in a cycle (row stationary), products of its vectors (planar tiles).
    spads, networks, row_pe
        Of a row-stationary array, which has to have them; None for all others.
    atoms, tiles, bricks, planar
        Of an array that is channel parallel, a pixel broadcast, of brick lanes, of planar tiles: each has to have its
        own; None for all others.
    """

    rows: int
    columns: int
    dataflow: Dataflow
    weight_regs: int = 1
    psum_hop: int = 1
    act_hop: int = 1
    pe_latency: int = 1
    input_regs: int = 0
    output_regs: int = 0
    weight_load_cycles: int | None = None
    weight_switch_gap: int = 0
    load_granularity: LoadGranularity = LoadGranularity.ARRAY
    os_fold: OsFold = OsFold.PIXELS
    os_drain: OsDrain = OsDrain.NONE
    drain_overlap: bool = False
    k_tile: int = 0
    k_tile_keeps_psum: bool = True
    edge_folds: EdgeFolds = EdgeFolds.FULL
    start_event: StartEvent = StartEvent.FIRST_OPERAND
    structured_sparsity: bool = False
    log_adder: LogAdder | None = None
    zero_skip: ZeroSkip = ZeroSkip.NONE
    multipliers_per_pe: int = 1
    spads: Spads | None = None
    networks: ArrayNetworks | None = None
    row_pe: RowPe | None = None
    atoms: ChannelAtoms | None = None
    tiles: BroadcastTiles | None = None
    bricks: BrickLanes | None = None
    planar: PlanarPe | None = None

    def __post_init__(self) -> None:
        problems = [*self._foreign_settings(), *self._idle_settings(), *self._missing_settings()]
        if problems:
            raise ConfigError("\n".join(f"pe_array.{problem}" for problem in problems))

    @property
    def multipliers(self) -> int:
        """MACs that the array can start in one cycle."""
        return self.rows * self.columns * self.multipliers_per_pe

    @property
    def pes(self) -> int:
        """PEs of the array."""
        return self.rows * self.columns

    @property
    def gates(self) -> bool:
        """Whether a multiplier stands still for a zero of the ifmap."""
        return self.zero_skip is ZeroSkip.GATE

    @property
    def skips(self) -> bool:
        """Whether the array steps over zeros."""
        return self.zero_skip is ZeroSkip.SKIP

    @property
    def dense(self) -> "PeArray":
        """The same array taking every value, zeros and all."""
        tiles = None if self.tiles is None else self.tiles.dense
        planar = None if self.planar is None else self.planar.dense
        return replace(self, zero_skip=ZeroSkip.NONE, tiles=tiles, bricks=self.bricks and BrickLanes(), planar=planar)

    @property
    def add_cycles(self) -> int:
        """Cycles of one accumulation: 1, or the latency of an adder of logarithms. [cycles]"""
        return self.log_adder.latency_cycles if self.log_adder else 1

    @property
    def hop_cycles(self) -> int:
        """Cycles a psum takes from one row to the next, what its adder takes beyond one included. [cycles]"""
        return self.psum_hop + self.add_cycles - 1

    @property
    def pipeline_cycles(self) -> int:
        """Cycles beyond the wavefront: registers at both edges and a PE deeper than one stage."""
        return self.pe_latency - 1 + self.input_regs + self.output_regs

    @property
    def row_loop(self) -> RowPe:
        """The loop of a row-stationary PE, its defaults where none was given."""
        return self.row_pe or RowPe()

    @property
    def for_network_input(self) -> "PeArray":
        """The array as it takes the network's own input: dense where it skips only what it has encoded itself."""
        return self.dense if self.bricks is not None and self.bricks.first_layer_dense else self

    @property
    def stores(self) -> Spads | None:
        """What a PE keeps its words in where that is more than a register for each operand."""
        if self.tiles is not None:
            return Spads(ifmap_words=1, weight_words=1, psum_words=self.tiles.psum_registers)
        if self.planar is not None:
            return self.planar.stores
        return self.spads

    def require_spads(self) -> Spads:
        """Return the spads; call it only for a row-stationary array."""
        assert self.spads is not None, f"a {self.dataflow} array has no spads"
        return self.spads

    def require_networks(self) -> ArrayNetworks:
        """Return the networks; call it only for a row-stationary array."""
        assert self.networks is not None, f"a {self.dataflow} array has no networks"
        return self.networks

    def require_atoms(self) -> ChannelAtoms:
        """Return the atoms; call it only for a channel-parallel array."""
        assert self.atoms is not None, f"a {self.dataflow} array has no atoms"
        return self.atoms

    def require_tiles(self) -> BroadcastTiles:
        """Return the tiles; call it only for a pixel broadcast."""
        assert self.tiles is not None, f"a {self.dataflow} array has no tiles"
        return self.tiles

    def require_bricks(self) -> BrickLanes:
        """Return the lanes; call it only for an array of brick lanes."""
        assert self.bricks is not None, f"a {self.dataflow} array has no bricks"
        return self.bricks

    def require_planar(self) -> PlanarPe:
        """Return what each PE has; call it only for an array of planar tiles."""
        assert self.planar is not None, f"a {self.dataflow} array has no planar PEs"
        return self.planar

    def _foreign_settings(self) -> list[str]:
        return [
            f"{key} (={getattr(self, key)!s}) is a setting of {in_words(owners)} arrays; this one is "
            f"{self.dataflow}: leave it out, or --set pe_array.{key}=null"
            for key, owners in SETTINGS_OF.items()
            if self.dataflow not in owners and getattr(self, key) != _DEFAULTS[key]
        ]

    def _missing_settings(self) -> list[str]:
        return [
            f"{key} (=None) is missing: a {self.dataflow} array has to have it"
            for key in NEEDED_BY.get(self.dataflow, ())
            if getattr(self, key) is None
        ]

    def _idle_settings(self) -> list[str]:
        idle = []
        if self.weight_switch_gap and self.weight_regs == 1:
            idle.append(
                f"weight_switch_gap (={self.weight_switch_gap}) needs weight_regs = 2: one register never switches"
            )
        if self.load_granularity is LoadGranularity.COLUMN and self.weight_regs == 2:
            idle.append("load_granularity (=column) needs weight_regs = 1: a second register already hides the reload")
        if not self.k_tile_keeps_psum and self.k_tile == 0:
            idle.append(
                "k_tile_keeps_psum (=False) needs k_tile > 0: without a limit the whole window streams in one pass"
            )
        if self.structured_sparsity and self.skips:
            idle.append("structured_sparsity (=True) needs zero_skip = none or gate: which weights stay is not known")
        idle += self._idle_in_a_patch()
        if self.atoms is not None:
            idle += self.atoms.misfits(self.rows, self.columns)
        if self.tiles is not None:
            idle += self.tiles.misfits(skips=self.skips)
        if self.bricks is not None:
            idle += self.bricks.misfits(skips=self.skips)
        if self.planar is not None:
            idle += self.planar.misfits(self.multipliers_per_pe, skips=self.skips)
        return idle

    def _idle_in_a_patch(self) -> list[str]:
        if self.os_fold is not OsFold.PATCH:
            return []
        return [
            f"{key} (={getattr(self, key)!s}) needs os_fold = pixels or line: the operands of a patch reach all PEs at once"
            for key in ("act_hop", "edge_folds")
            if getattr(self, key) != _DEFAULTS[key]
        ]


_DEFAULTS = {field.name: field.default for field in fields(PeArray)}

"""One layer's counters with its energy, under the names of the columns of layers.csv.

Made by `study/simulate.py` and `study/saved_run.py`; a row of every table and a bar of every picture
comes from here.
"""

from dataclasses import dataclass

from archsim.cost.energy import LayerEnergy
from archsim.engine.layer_run import LayerRun
from archsim.errors import SimulationError
from archsim.study.zero_saving import DenseLayer
from archsim.terms import Bottleneck, Direction, Operand

ACCESSES_PER_MAC = 4
"""Words that a MAC without any reuse takes from DRAM (ifmap, weight, psum) and gives back (psum)."""
WAIT_CAUSES = ("ifmap", "weight", "psum", "write_back", "last_drain")
"""What the array can wait for on the DRAM channel, in the order of the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerResult:
    """What one layer did and what it cost.

    Parameters
    ----------
    run
        The counters.
    energy
        Their price.
    dram_level
        Name of the DRAM level in ``run.traffic``.
    dense
        The layer on the same array taking every value; None where zeros are not looked at.

    Raises
    ------
    SimulationError
        The traffic and its energy differ in length, or a wait has a cause that no column shows.
    """

    run: LayerRun
    energy: LayerEnergy
    dram_level: str
    dense: DenseLayer | None = None

    def __post_init__(self) -> None:
        if len(self.run.traffic) != len(self.energy.traffic_pj):
            raise SimulationError(
                f"layer {self.layer!r}: {len(self.run.traffic)} traffic rows, {len(self.energy.traffic_pj)} priced"
            )
        for cause, _ in self.run.waits:
            if cause not in WAIT_CAUSES:
                raise SimulationError(f"layer {self.layer!r}: wait {cause!r} is none of {', '.join(WAIT_CAUSES)}")

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.run.layer

    @property
    def op(self) -> str:
        """Operator, as the workload names it."""
        return self.run.op

    @property
    def dataflow(self) -> str:
        """Dataflow, ``vector`` or ``none``."""
        return self.run.dataflow

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the layer asks for."""
        return self.run.macs

    @property
    def effectual_macs(self) -> int:
        """MACs with no zero operand; = macs where zeros are not known."""
        return self.run.effectual_macs

    @property
    def occupied_macs(self) -> int:
        """MACs that took a multiplier for a cycle."""
        return self.run.occupied_macs

    @property
    def multipliers(self) -> int:
        """Multipliers of the array."""
        return self.run.multipliers

    @property
    def active_pes(self) -> int:
        """PEs that the largest fold uses; 0 on the vector unit."""
        return self.run.active_pes

    @property
    def gated_macs(self) -> int:
        """Occupied MACs whose multiplier stood still for a zero."""
        return self.run.gated_macs

    @property
    def lane_ops(self) -> int:
        """Operations on the vector unit."""
        return self.run.lane_ops

    @property
    def folds(self) -> int:
        """Array folds, all groups."""
        return self.run.folds

    @property
    def mapping_loss_cycles(self) -> int:
        """As in `LayerRun`. [cycles]"""
        return self.run.mapping_loss_cycles

    @property
    def compute_cycles(self) -> int:
        """The array alone, every memory ideal. [cycles]"""
        return self.run.compute_cycles

    @property
    def onchip_stall_cycles(self) -> int:
        """Added by on-chip buffers, ports and networks. [cycles]"""
        return self.run.onchip_stall_cycles

    @property
    def dram_stall_cycles(self) -> int:
        """Added by DRAM, first fill and last drain included. [cycles]"""
        return self.run.dram_stall_cycles

    @property
    def dram_latency_stall_cycles(self) -> int:
        """Part of the DRAM stall that a latency of 0 would remove. [cycles]"""
        return self.run.dram_latency_stall_cycles

    @property
    def dram_bandwidth_stall_cycles(self) -> int:
        """The rest of the DRAM stall. [cycles]"""
        return self.run.dram_stall_cycles - self.run.dram_latency_stall_cycles

    @property
    def total_cycles(self) -> int:
        """Compute and both stalls. [cycles]"""
        return self.run.total_cycles

    @property
    def utilization(self) -> float:
        """Occupied MACs / (multipliers x total cycles), 0..1."""
        return self.run.utilization

    @property
    def mapping_efficiency(self) -> float:
        """Mean share of PEs that a fold uses, 0..1."""
        return self.run.mapping_efficiency

    @property
    def dram_read_bytes(self) -> int:
        """Bytes from DRAM. [B]"""
        return self._dram_bytes(Direction.READ)

    @property
    def dram_write_bytes(self) -> int:
        """Bytes to DRAM. [B]"""
        return self._dram_bytes(Direction.WRITE)

    @property
    def dram_bytes(self) -> int:
        """Bytes over the DRAM channel. [B]"""
        return self.dram_read_bytes + self.dram_write_bytes

    @property
    def dram_words(self) -> int:
        """Values over the DRAM channel, both directions; of a coded operand the nonzero ones. [words]"""
        rows = self.run.traffic
        return sum(row.words for row in rows if row.level == self.dram_level and row.operand is not Operand.METADATA)

    @property
    def words_without_reuse(self) -> int:
        """Values over the DRAM channel if every MAC fetched its three and wrote one back. [words]"""
        return ACCESSES_PER_MAC * self.macs

    @property
    def energy_pj(self) -> float:
        """Sum of the energy components. [pJ]"""
        return self.energy.total_pj

    @property
    def cycles_saved(self) -> int:
        """Cycles that skipping zeros saves, stalls included; 0 where none are skipped. [cycles]"""
        return self.dense.total_cycles - self.total_cycles if self.dense else 0

    @property
    def energy_saved_pj(self) -> float | None:
        """Energy that skipping or gating zeros saves; None where it is not known. [pJ]"""
        if self.dense is None or self.dense.energy_pj is None:
            return None
        return self.dense.energy_pj - self.energy_pj

    @property
    def bottleneck(self) -> Bottleneck:
        """What took most of the cycles."""
        return self.run.bottleneck

    @property
    def is_costed(self) -> bool:
        """Whether the operator was simulated; if not, every count is 0."""
        return self.run.is_costed

    @property
    def note(self) -> str:
        """A sentence for the reader, e.g. why the operator was not costed."""
        return self.run.note

    def wait_cycles(self, cause: str) -> int:
        """Part of the DRAM stall that the array spent waiting for ``cause``, one of `WAIT_CAUSES`. [cycles]"""
        return sum(cycles for name, cycles in self.run.waits if name == cause)

    def _dram_bytes(self, direction: Direction) -> int:
        return sum(row.bytes for row in self.run.traffic if row.level == self.dram_level and row.direction is direction)

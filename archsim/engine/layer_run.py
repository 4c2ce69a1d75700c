"""What one layer did on the chip: counters only, no energy yet."""

from dataclasses import dataclass

from archsim.engine.dram_run import DramActivity
from archsim.engine.zeros_used import ZerosUsed
from archsim.errors import SimulationError
from archsim.mapping.fold_plan import TrafficCount
from archsim.mapping.skip_cycles import SkipCycles
from archsim.terms import Bottleneck, Direction, Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRun:
    """Counters of one layer; the rows of layers.csv are made from it.

    Parameters
    ----------
    layer, op
        Name and operator.
    dataflow
        The dataflow's name, ``vector`` or ``none``.
    macs, effectual_macs
        Asked for; those with no zero operand (= macs where zeros are not known).
    occupied_macs
        MACs that took a multiplier for a cycle.
    multipliers
        Of the array.
    active_pes
        PEs that the largest fold uses; 0 for vector operators.
    gated_macs
        MACs that took a multiplier's cycle, the multiplier standing still: zero ifmap values on a chip that gates.
    lane_ops
        Operations on the vector unit.
    folds
        Array folds.
    compute_cycles, onchip_stall_cycles, dram_stall_cycles
        The three cycle columns; their sum is the layer's time. [cycles]
    dram_latency_stall_cycles
        Part of the DRAM stall that would vanish with a latency of 0; with a device, if its data came at once at
        the rate that it gave while it had work. [cycles]
    waits
        (cause, cycles): the DRAM stall by what the array waited for: ``ifmap``, ``weight``, ``psum``
        (fetches), ``write_back`` (output buffer full), ``last_drain``. Sums to dram_stall_cycles. [cycles]
    mapping_efficiency
        Mean share of PEs that a fold uses, 0..1.
    traffic
        Words and bytes per level, operand and direction.
    bottleneck
        What took most of the cycles.
    is_costed
        False = the operator was not simulated; every count is 0.
    note
        For the reader, e.g. why it is not costed.
    loop_nest
        The mapping as lines of text; empty for vector operators.
    gated_accesses
        Spad accesses that each gated MAC left out, a word each.
    zeros
        What the zeros were like that the array looked at; None where it looked at none.
    skip
        What the compute cycles are made of, on an array that skips zeros; None on all others.
    dram
        What the DRAM device did; None where the arch has none.
    """

    layer: str
    op: str
    dataflow: str
    macs: int
    effectual_macs: int
    occupied_macs: int
    multipliers: int
    lane_ops: int
    folds: int
    compute_cycles: int
    onchip_stall_cycles: int
    dram_stall_cycles: int
    dram_latency_stall_cycles: int
    waits: tuple[tuple[str, int], ...]
    mapping_efficiency: float
    traffic: tuple[TrafficCount, ...]
    bottleneck: Bottleneck
    is_costed: bool = True
    note: str = ""
    loop_nest: tuple[str, ...] = ()
    active_pes: int = 0
    gated_macs: int = 0
    gated_accesses: tuple[tuple[Operand, Direction], ...] = ()
    zeros: ZerosUsed | None = None
    skip: SkipCycles | None = None
    dram: DramActivity | None = None

    def __post_init__(self) -> None:
        for label in (
            "macs",
            "compute_cycles",
            "onchip_stall_cycles",
            "dram_stall_cycles",
            "dram_latency_stall_cycles",
        ):
            if getattr(self, label) < 0:
                raise SimulationError(f"layer {self.layer!r}: {label} (={getattr(self, label)}) is negative")
        if self.skip is not None and self.skip.compute_cycles != self.compute_cycles:
            raise SimulationError(
                f"layer {self.layer!r}: {self.compute_cycles} compute cycles, but {self.skip.compute_cycles} are accounted for"
            )
        if self.occupied_macs > self.multipliers * self.total_cycles:
            raise SimulationError(f"layer {self.layer!r}: more MACs than multipliers x cycles")

    @property
    def total_cycles(self) -> int:
        """Compute and both stalls. [cycles]"""
        return self.compute_cycles + self.onchip_stall_cycles + self.dram_stall_cycles

    @property
    def mapping_loss_cycles(self) -> int:
        """Compute cycles beyond those in which every PE would be busy: fill, drain, reload, idle PEs. [cycles]"""
        return mapping_loss_cycles(self.compute_cycles, self.occupied_macs, self.multipliers)

    @property
    def utilization(self) -> float:
        """MACs that occupied a multiplier / (multipliers x total cycles), 0..1."""
        slots = self.multipliers * self.total_cycles
        return self.occupied_macs / slots if slots else 0.0


def mapping_loss_cycles(compute_cycles: int, macs: int, multipliers: int) -> int:
    """Return the cycles of the array beyond ``macs`` spread over all multipliers; 0 without MACs. [cycles]"""
    return max(0, compute_cycles - -(-macs // multipliers)) if macs else 0

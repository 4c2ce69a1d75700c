"""Where the cycles of a layer go on an array that skips zeros: from the dense array to what it takes, loss by loss.

Every dataflow that skips makes one of these beside its plan; `study/` turns it into the waterfall of a report.
"""

from dataclasses import dataclass

from archsim.errors import SimulationError


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipCycles:
    """The compute cycles of a layer with zeros skipped, and what they are made of. [cycles]

    Parameters
    ----------
    dense_cycles
        Of the same array taking every value.
    ideal_cycles
        Those times the share of what the scheme has to take (pixels, MACs): its gain if nothing were lost.
    fragmentation_cycles
        Lost as what is left no longer fills the array's vectors, bricks or windows. Negative where skipping escapes a
        loss that the dense array has.
    imbalance_cycles
        Lost as lanes or PEs that share a piece of work have different amounts of it.
    sync_cycles
        Lost as pieces of work wait for each other at barriers.
    conflict_cycles
        Lost on banks that two results want at the same time.

    Raises
    ------
    SimulationError
        A loss is negative that cannot be.
    """

    dense_cycles: int
    ideal_cycles: int
    fragmentation_cycles: int = 0
    imbalance_cycles: int = 0
    sync_cycles: int = 0
    conflict_cycles: int = 0

    def __post_init__(self) -> None:
        for name in ("dense_cycles", "ideal_cycles", "imbalance_cycles", "sync_cycles", "conflict_cycles"):
            if getattr(self, name) < 0:
                raise SimulationError(f"{name} (={getattr(self, name)}) is negative")

    @property
    def compute_cycles(self) -> int:
        """What the array takes: the ideal and all losses. [cycles]"""
        return (
            self.ideal_cycles
            + self.fragmentation_cycles
            + self.imbalance_cycles
            + self.sync_cycles
            + self.conflict_cycles
        )


def ideal_cycles(dense_cycles: int, issued_macs: int, macs: int) -> int:
    """Return the dense cycles times the share of MACs that a scheme issues, rounded up. [cycles]"""
    return -(-dense_cycles * issued_macs // macs) if macs else dense_cycles

"""Dataflows x PE counts x batches on one network: energy by level, DRAM accesses, energy-delay product.

Called by `validate/isca16.py`, `report/dataflow_study_plot.py` and `scripts/dataflow_study.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from archsim.errors import MappingError, WorkloadError
from archsim.study.reuse.candidates import Candidates
from archsim.study.reuse.no_local_reuse import no_local_reuse
from archsim.study.reuse.output_stationary import output_stationary_a, output_stationary_b, output_stationary_c
from archsim.study.reuse.row_stationary import row_stationary
from archsim.study.reuse.search import LayerReuse, least_energy
from archsim.study.reuse.split import AccessCosts, ReuseLevel
from archsim.study.reuse.square_layer import SquareLayer, with_images
from archsim.study.reuse.storage import SPAD_BUDGET_BYTES, WORD_BYTES, Storage, equal_area
from archsim.study.reuse.weight_stationary import weight_stationary
from archsim.terms import Operand


class ReuseDataflow(StrEnum):
    """The dataflows of the study, by the paper's names."""

    RS = "RS"
    WS = "WS"
    OS_A = "OS_A"
    OS_B = "OS_B"
    OS_C = "OS_C"
    NLR = "NLR"


PointKey = tuple[ReuseDataflow, int, int]
"""Dataflow, PEs, batch: what tells points of a study apart."""

MAPPINGS: dict[ReuseDataflow, Callable[[SquareLayer, Storage], Candidates]] = {
    ReuseDataflow.RS: row_stationary,
    ReuseDataflow.WS: weight_stationary,
    ReuseDataflow.OS_A: output_stationary_a,
    ReuseDataflow.OS_B: output_stationary_b,
    ReuseDataflow.OS_C: output_stationary_c,
    ReuseDataflow.NLR: no_local_reuse,
}
"""Dataflow -> what gives all its mappings of a layer."""

PUBLISHED_COSTS = AccessCosts()
"""Of the ISCA 2016 study."""

PE_COUNTS = (256, 512)
BATCHES = (1, 16, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReusePoint:
    """One bar of the study: a dataflow on so many PEs, running a network on so many images at once.

    Parameters
    ----------
    dataflow, storage, batch
        What was studied.
    layers
        Each in the mapping that was found; none where a layer has no mapping.
    costs
        Price of an access.
    why_none
        Why a layer has no mapping; empty = all have one.
    """

    dataflow: ReuseDataflow
    storage: Storage
    batch: int
    layers: tuple[LayerReuse, ...]
    costs: AccessCosts
    why_none: str = ""

    @property
    def key(self) -> PointKey:
        """Dataflow, PEs, batch."""
        return self.dataflow, self.storage.pes, self.batch

    @property
    def is_feasible(self) -> bool:
        """Whether every layer has a mapping."""
        return not self.why_none

    @property
    def macs(self) -> int:
        """Of all layers and images."""
        return sum(layer.layer.macs for layer in self.layers)

    def energy_per_mac(self, level: ReuseLevel) -> float:
        """Return the energy of a level, over all layers. [MACs per MAC]"""
        return sum(layer.energy(level, self.costs) for layer in self.layers) / self.macs

    def operand_energy_per_mac(self, operand: Operand) -> float:
        """Return the energy of an operand at all levels, the ALU apart. [MACs per MAC]"""
        energy = sum(
            words * self.costs.of(level)
            for layer in self.layers
            for (of, level), words in layer.accesses.items()
            if of is operand
        )
        return energy / self.macs

    @property
    def total_energy_per_mac(self) -> float:
        """Of all levels. [MACs per MAC]"""
        return sum(self.energy_per_mac(level) for level in ReuseLevel)

    @property
    def dram_reads_per_mac(self) -> float:
        """Of ifmap and weight words. [words per MAC]"""
        return self._dram_words(Operand.IFMAP, Operand.WEIGHT) / self.macs

    @property
    def dram_writes_per_mac(self) -> float:
        """Of ofmap words, once each. [words per MAC]"""
        return self._dram_words(Operand.PSUM) / self.macs

    @property
    def delay_per_mac(self) -> float:
        """PEs there are over PEs that have work, weighted by MACs: 1 = all busy."""
        return sum(layer.layer.macs * self.storage.pes / layer.active_pes for layer in self.layers) / self.macs

    @property
    def energy_delay_product(self) -> float:
        """Total energy x delay, both per MAC."""
        return self.total_energy_per_mac * self.delay_per_mac

    def _dram_words(self, *operands: Operand) -> float:
        return sum(layer.accesses[operand, ReuseLevel.DRAM] for layer in self.layers for operand in operands)


def dataflow_study(
    layers: Sequence[SquareLayer],
    *,
    pe_counts: Sequence[int] = PE_COUNTS,
    batches: Sequence[int] = BATCHES,
    dataflows: Sequence[ReuseDataflow] = tuple(ReuseDataflow),
    costs: AccessCosts = PUBLISHED_COSTS,
) -> tuple[ReusePoint, ...]:
    """Find each dataflow's mapping of least energy for every layer, PE count and batch.

    Parameters
    ----------
    layers
        Of one image each.
    pe_counts, batches, dataflows
        What is crossed; all dataflows of a PE count have the same area for storage.
    costs
        Price of an access, by level.

    Returns
    -------
    tuple of ReusePoint
        By PE count, then dataflow, then batch.

    Raises
    ------
    WorkloadError
        No layer, or a batch below 1.
    MappingError
        A PE count below 1.

    Notes
    -----
    Not modelled: latency, bandwidth, zeros, the energy of control, and that a larger GLB costs more per access.

    References
    ----------
    .. [1] Y.-H. Chen, J. Emer, V. Sze, Eyeriss: a spatial architecture for energy-efficient dataflow for convolutional
       neural networks, ISCA 2016, sections VI and VII.
    """
    return tuple(
        run_point(layers, dataflow=dataflow, pes=pes, batch=batch, costs=costs)
        for pes in pe_counts
        for dataflow in dataflows
        for batch in batches
    )


def run_point(
    layers: Sequence[SquareLayer],
    *,
    dataflow: ReuseDataflow,
    pes: int,
    batch: int,
    costs: AccessCosts = PUBLISHED_COSTS,
) -> ReusePoint:
    """Find the mappings of one point of the study; parameters and errors as in `dataflow_study`."""
    if not layers:
        raise WorkloadError("the dataflow study needs at least one layer with weights")
    storage = equal_area(pes, spad_words(dataflow, layers))
    point = ReusePoint(dataflow=dataflow, storage=storage, batch=batch, layers=(), costs=costs)
    try:
        found = tuple(
            least_energy(layer, MAPPINGS[dataflow](layer, storage), storage, costs)
            for layer in (with_images(one, one.batch * batch) for one in layers)
        )
    except MappingError as problem:
        return replace(point, why_none=str(problem))
    return replace(point, layers=found)


def spad_words(dataflow: ReuseDataflow, layers: Sequence[SquareLayer]) -> int:
    """Return what a PE of the dataflow keeps, so that it can run all the layers. [words]

    RS takes the whole budget. A PE of the others keeps a weight or a psum; ifmap words that PEs hand on along a
    row of pixels wait in a FIFO of a stride (OS_A, OS_B), along a column in one of a stride x kernel (OS_A), as
    in ShiDianNao.
    """
    along_row = max(layer.stride for layer in layers)
    along_column = max(layer.stride * layer.kernel for layer in layers)
    return {
        ReuseDataflow.RS: SPAD_BUDGET_BYTES // WORD_BYTES,
        ReuseDataflow.WS: 1,
        ReuseDataflow.OS_A: 1 + along_row + along_column,
        ReuseDataflow.OS_B: 1 + along_row,
        ReuseDataflow.OS_C: 1,
        ReuseDataflow.NLR: 0,
    }[dataflow]

"""The one load of all weights before the first layer, where a level keeps them: bytes, time and energy.

Made by `study/simulate.py` from the engine's weight store, priced again by `study/recost.py`; part of no total of a
run, as it is done once and not once per run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archsim.arch.architecture import Architecture
from archsim.cost.energy import price_layer
from archsim.cost.price_list import PriceList
from archsim.engine.layer_run import LayerRun
from archsim.engine.weight_store import WeightStore
from archsim.mapping.fold_plan import TrafficCount
from archsim.terms import Bottleneck, Direction, Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsLoad:
    """What the load takes.

    Parameters
    ----------
    size_bytes
        That cross the DRAM channel. [B]
    cycles
        Of the channel. [cycles]
    energy_pj
        Of DRAM, wires, the level's writes and the chip's leakage in that time. [pJ]
    """

    size_bytes: int = 0
    cycles: int = 0
    energy_pj: float = 0.0

    def totals(self) -> dict[str, int | float]:
        """Return the entries of summary.json's totals."""
        return {"weights_load_bytes": self.size_bytes, "weights_load_cycles": self.cycles,
                "weights_load_energy_pj": self.energy_pj}  # fmt: skip

    @classmethod
    def of_totals(cls, totals: Mapping[str, Any]) -> "WeightsLoad | None":
        """Return what `totals` wrote; None where nothing was loaded, or an older archsim wrote the summary."""
        size = int(totals.get("weights_load_bytes", 0))
        if not size:
            return None
        return cls(size_bytes=size, cycles=int(totals["weights_load_cycles"]),
                   energy_pj=float(totals["weights_load_energy_pj"]))  # fmt: skip


def weights_load(arch: Architecture, store: WeightStore | None, prices: PriceList) -> WeightsLoad | None:
    """Return the load of what a weight store keeps; None where it keeps nothing."""
    if store is None or not store.fits:
        return None
    return priced_load(WeightsLoad(size_bytes=store.stored_bytes, cycles=store.load_cycles), arch, prices)


def priced_load(load: WeightsLoad | None, arch: Architecture, prices: PriceList) -> WeightsLoad | None:
    """Return the load with the energy that the prices give it.

    Notes
    -----
    Priced like a layer that reads every byte from DRAM once and writes it into the level once. Not modelled: tables
    of kernels go to a table of their own; their bytes are priced like the others.
    """
    level = arch.sram_of(Operand.WEIGHT)
    if load is None or level is None:
        return load
    moves = ((arch.dram.name, Direction.READ), (level.name, Direction.WRITE))
    traffic = tuple(
        TrafficCount(level=name, operand=Operand.WEIGHT, direction=direction, words=0, bytes=load.size_bytes)
        for name, direction in moves
    )
    return replace(load, energy_pj=price_layer(_as_layer(load, traffic), arch, prices).total_pj)


def _as_layer(load: WeightsLoad, traffic: tuple[TrafficCount, ...]) -> LayerRun:
    """Return the load as a layer that computes nothing and takes its cycles for DRAM."""
    return LayerRun(
        layer="weights_load", op="weights_load", dataflow="none", macs=0, effectual_macs=0, occupied_macs=0,
        multipliers=0, lane_ops=0, folds=0, compute_cycles=0, onchip_stall_cycles=0, dram_stall_cycles=load.cycles,
        dram_latency_stall_cycles=0, waits=(), mapping_efficiency=0.0, traffic=traffic,
        bottleneck=Bottleneck.DRAM_BANDWIDTH,
    )  # fmt: skip

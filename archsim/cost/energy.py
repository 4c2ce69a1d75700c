"""Counters x table -> pJ, layer by layer; called by `study/`."""

from dataclasses import dataclass
from math import fsum

from archsim.arch.architecture import Architecture
from archsim.cost.energy_table import EnergyTable
from archsim.cost.leakage import chip_leakage_mw
from archsim.engine.layer_run import LayerRun
from archsim.errors import SimulationError
from archsim.mapping.fold_plan import TrafficCount

SPAD = "spad"
"""Level of the PE registers in `TrafficCount`, and their component."""
PJ_PER_MW_US = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEnergy:
    """Energy of one layer, split two ways.

    Parameters
    ----------
    components
        (component, energy): ``mac``, ``spad``, each on-chip level and the DRAM by name, ``vector``,
        ``leakage``; none for a layer that was not costed. [pJ]
    traffic_pj
        Parallel to the layer's traffic rows; a level's rows add up to its component. [pJ]
    """

    components: tuple[tuple[str, float], ...]
    traffic_pj: tuple[float, ...]

    @property
    def total_pj(self) -> float:
        """Sum of the components. [pJ]"""
        return fsum(energy for _, energy in self.components)


def price_layer(run: LayerRun, arch: Architecture, table: EnergyTable) -> LayerEnergy:
    """Price one layer's counters.

    Parameters
    ----------
    run
        What the layer did.
    arch
        The chip it ran on: formats, levels, clock.
    table
        Its prices.

    Raises
    ------
    SimulationError
        Traffic at a level that the chip does not have.

    Notes
    -----
    Dynamic energy per access, plus leakage over the layer's time. A MAC that occupied a multiplier costs
    full energy, whatever its values. Not modelled: zeros that switch less, networks between levels,
    control, clock.
    """
    traffic_pj = tuple(_traffic_pj(run.layer, row, arch, table) for row in run.traffic)
    if not run.is_costed:
        return LayerEnergy(components=(), traffic_pj=traffic_pj)
    levels = (SPAD, *(level.name for level in arch.srams), arch.dram.name)
    spent = {
        name: [pj for row, pj in zip(run.traffic, traffic_pj, strict=True) if row.level == name] for name in levels
    }
    components = (
        ("mac", run.occupied_macs * table.mac_pj(arch.formats)),
        *((name, fsum(parts)) for name, parts in spent.items()),
        ("vector", run.lane_ops * table.lane_op_pj(arch.formats)),
        ("leakage", chip_leakage_mw(arch, table) * run.total_cycles / arch.clock_mhz * PJ_PER_MW_US),
    )
    return LayerEnergy(components=components, traffic_pj=traffic_pj)


def _traffic_pj(layer: str, row: TrafficCount, arch: Architecture, table: EnergyTable) -> float:
    if row.level == SPAD:
        return row.words * arch.formats.of(row.operand).width_bits * table.spad_pj_per_bit
    if row.level == arch.dram.name:
        return row.bytes * 8 * table.dram_pj_per_bit
    for level in arch.srams:
        if level.name == row.level:
            return row.bytes * table.sram_pj_per_byte(level, row.operand, row.direction)
    raise SimulationError(f"layer {layer!r}: traffic at level {row.level!r}, which arch {arch.name!r} does not have")

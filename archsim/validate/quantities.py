"""What a published number of a chip can be, and how ours is taken from a run; called by `published.py`.

A quantity's name ends in its unit, as in the column ``quantity`` of a table of published rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import fsum

from archsim.arch.architecture import Architecture
from archsim.mapping.fold_plan import TrafficCount
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.terms import OPS_PER_MAC, Direction, Operand
from archsim.validate.array_activity import active_cycles, shift_cycles, useful_cycles, weight_wait_cycles


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLayers:
    """The layers of a run that a published number speaks of.

    Parameters
    ----------
    run
        The whole network on the chip.
    layers
        Those of its layers.
    """

    run: RunResult
    layers: tuple[LayerResult, ...]

    @classmethod
    def of(cls, run: RunResult, pattern: str) -> "MeasuredLayers":
        """Choose the layers whose names match a shell pattern; all where it is empty."""
        chosen = (each for each in run.layers if fnmatchcase(each.layer, pattern or "*"))
        return cls(run=run, layers=tuple(chosen))

    def milliseconds(self, cycles: int) -> float:
        """Return what cycles take at the chip's clock. [ms]"""
        return cycles / (self.run.arch.clock_mhz * 1e3)

    @property
    def array_cycles(self) -> int:
        """Without waits for DRAM. [cycles]"""
        return sum(layer.compute_cycles + layer.onchip_stall_cycles for layer in self.layers)

    @property
    def total_cycles(self) -> int:
        """With all stalls. [cycles]"""
        return sum(layer.total_cycles for layer in self.layers)

    @property
    def seconds(self) -> float:
        """With all stalls. [s]"""
        return self.milliseconds(self.total_cycles) / 1e3

    @property
    def macs(self) -> int:
        """MACs asked for."""
        return sum(layer.macs for layer in self.layers)


Measure = Callable[[MeasuredLayers], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number that publications give of a chip.

    Parameters
    ----------
    label
        For titles.
    unit
        Of the number, as a table of published rows must have it.
    meaning
        What ours is, in a sentence.
    of_layers
        Takes it from layers of a run; None = it is one of the chip alone.
    of_arch
        Takes it from the chip.
    """

    label: str
    unit: str
    meaning: str
    of_layers: Measure | None = None
    of_arch: Callable[[Architecture], float] | None = None


def _glb_megabytes(part: MeasuredLayers) -> float:
    arch = part.run.arch
    glbs = {level.name for operand in (Operand.IFMAP, Operand.PSUM) if (level := arch.sram_of(operand)) is not None}
    rows = (row for layer in part.layers for row in layer.run.traffic if row.level in glbs)
    return sum(row.bytes for row in rows if not _comes_from_dram(row)) / 1e6


def _comes_from_dram(row: TrafficCount) -> bool:
    return row.operand is Operand.IFMAP and row.direction is Direction.WRITE


def _active_pes(part: MeasuredLayers) -> float:
    """Weigh the layers by their time; that of a single layer stays an integer."""
    layers = [layer for layer in part.layers if layer.macs]
    if len({layer.run.active_pes for layer in layers}) == 1:
        return float(layers[0].run.active_pes)
    cycles = sum(layer.compute_cycles for layer in layers)
    return sum(layer.run.active_pes * layer.compute_cycles for layer in layers) / cycles if cycles else 0.0


def _chip_milliwatts(part: MeasuredLayers) -> float:
    dram = part.run.arch.dram.name
    spent = fsum(
        energy_pj
        for layer in part.layers
        for component, energy_pj in layer.energy.components
        if component != dram and not component.startswith(f"{dram}_")
    )
    return spent * 1e-12 / part.seconds * 1e3 if part.seconds else 0.0


def _frames_per_second(part: MeasuredLayers) -> float:
    return part.run.batch / part.seconds if part.seconds else 0.0


def _tera_ops(part: MeasuredLayers) -> float:
    return OPS_PER_MAC * part.macs / part.seconds / 1e12 if part.seconds else 0.0


def _utilization_percent(part: MeasuredLayers) -> float:
    slots = part.run.arch.pe_array.multipliers * part.total_cycles
    return 100 * sum(layer.occupied_macs for layer in part.layers) / slots if slots else 0.0


def _efficiency_percent(part: MeasuredLayers) -> float:
    cycles = sum(layer.compute_cycles + layer.onchip_stall_cycles for layer in part.layers)
    return 100 * part.macs / (part.run.arch.pe_array.multipliers * cycles) if cycles else 0.0


def dense_cycles(part: MeasuredLayers) -> int:
    """Return the cycles of layers on the same chip taking every value. [cycles]"""
    return sum(layer.total_cycles + layer.cycles_saved for layer in part.layers)


def dense_array_cycles(part: MeasuredLayers) -> int:
    """Return the compute cycles of layers on the same array taking every value. [cycles]"""
    return sum(layer.run.skip.dense_cycles if layer.run.skip else layer.compute_cycles for layer in part.layers)


def _percent(cycles: float, part: MeasuredLayers) -> float:
    return 100 * cycles / part.total_cycles if part.total_cycles else 0.0


def _peak_gops(arch: Architecture) -> float:
    return OPS_PER_MAC * arch.pe_array.multipliers * arch.clock_mhz / 1e3


QUANTITIES: dict[str, Quantity] = {
    "processing_latency_ms": Quantity(
        label="processing latency", unit="ms",
        meaning="compute and on-chip stall cycles at the chip's clock, for the whole batch; no wait for DRAM",
        of_layers=lambda part: part.milliseconds(part.array_cycles),
    ),
    "total_latency_ms": Quantity(
        label="total latency", unit="ms",
        meaning="all cycles at the chip's clock, for the whole batch",
        of_layers=lambda part: part.milliseconds(part.total_cycles),
    ),
    "total_cycles": Quantity(
        label="total cycles", unit="cycles",
        meaning="compute, on-chip stalls and DRAM stalls",
        of_layers=lambda part: part.total_cycles,
    ),
    "compute_cycles": Quantity(
        label="compute cycles", unit="cycles",
        meaning="the array alone, every memory ideal",
        of_layers=lambda part: sum(layer.compute_cycles for layer in part.layers),
    ),
    "glb_MB": Quantity(
        label="GLB accesses", unit="MB",
        meaning="bytes (1e6) read and written at the buffers of ifmap and psum, less the ifmap that DRAM writes into them",
        of_layers=_glb_megabytes,
    ),
    "dram_MB": Quantity(
        label="DRAM accesses", unit="MB",
        meaning="bytes (1e6) over the DRAM channel, as coded there",
        of_layers=lambda part: sum(layer.dram_bytes for layer in part.layers) / 1e6,
    ),
    "dram_words_M": Quantity(
        label="DRAM words", unit="M",
        meaning="values (1e6) that cross the DRAM channel; of a coded operand those that are not zero",
        of_layers=lambda part: sum(layer.dram_words for layer in part.layers) / 1e6,
    ),
    "words_without_reuse_M": Quantity(
        label="words without reuse", unit="M",
        meaning="3 reads and 1 write of DRAM for every MAC (1e6), no value being used twice",
        of_layers=lambda part: sum(layer.words_without_reuse for layer in part.layers) / 1e6,
    ),
    "active_pes": Quantity(
        label="active PEs", unit="PEs",
        meaning="PEs that the largest fold uses; of several layers the mean, weighed by compute cycles",
        of_layers=_active_pes,
    ),
    "macs_M": Quantity(
        label="MACs", unit="M",
        meaning="multiply-accumulates (1e6) of the batch, those with a zero included",
        of_layers=lambda part: part.macs / 1e6,
    ),
    "chip_power_mW": Quantity(
        label="chip power", unit="mW",
        meaning="energy of all components but DRAM's / all cycles",
        of_layers=_chip_milliwatts,
    ),
    "frames_per_second": Quantity(
        label="frame rate", unit="fps",
        meaning="images of the batch / all cycles of these layers",
        of_layers=_frames_per_second,
    ),
    "tops": Quantity(
        label="performance", unit="TOPS",
        meaning="operations asked for (2 per MAC) / all cycles",
        of_layers=_tera_ops,
    ),
    "utilization_percent": Quantity(
        label="utilization", unit="%",
        meaning="MACs that took a multiplier / (multipliers x all cycles)",
        of_layers=_utilization_percent,
    ),
    "array_active_percent": Quantity(
        label="array active", unit="%",
        meaning="cycles in which a fold streams (MACs / (multipliers x mapping efficiency)) / all cycles",
        of_layers=lambda part: _percent(active_cycles(part.layers), part),
    ),
    "unused_macs_percent": Quantity(
        label="unused MACs", unit="%",
        meaning="array active less utilization: PEs that a fold leaves idle",
        of_layers=lambda part: _percent(active_cycles(part.layers) - useful_cycles(part.layers), part),
    ),
    "weight_stall_percent": Quantity(
        label="weight stall", unit="%",
        meaning="DRAM stalls that wait for weights / all cycles",
        of_layers=lambda part: _percent(weight_wait_cycles(part.layers), part),
    ),
    "weight_shift_percent": Quantity(
        label="weight shift", unit="%",
        meaning="compute and on-chip stall cycles in which no fold streams: loads, fill and drain / all cycles",
        of_layers=lambda part: _percent(shift_cycles(part.layers), part),
    ),
    "chip_tops_per_watt": Quantity(
        label="energy efficiency", unit="TOPS/W",
        meaning="operations asked for (2 per MAC) / energy of all components but DRAM's",
        of_layers=lambda part: 1e3 * _tera_ops(part) / _chip_milliwatts(part) if part.macs else 0.0,
    ),
    "performance_efficiency_percent": Quantity(
        label="performance efficiency", unit="%",
        meaning="MACs asked for / (multipliers x compute and on-chip stall cycles): no wait for DRAM",
        of_layers=_efficiency_percent,
    ),
    "skip_gain_x": Quantity(
        label="gain of skipping zeros", unit="x",
        meaning="all cycles of the same chip taking every value / all cycles",
        of_layers=lambda part: dense_cycles(part) / part.total_cycles if part.total_cycles else 0.0,
    ),
    "skip_array_gain_x": Quantity(
        label="gain of skipping zeros, array alone", unit="x",
        meaning="compute cycles of the same array taking every value / compute cycles",
        of_layers=lambda part: dense_array_cycles(part) / sum(layer.compute_cycles for layer in part.layers),
    ),
    "peak_gops": Quantity(
        label="peak rate", unit="GOPS",
        meaning="2 x multipliers x clock; of the chip alone: workload, layer and batch stay empty",
        of_arch=_peak_gops,
    ),
}  # fmt: skip
"""Name in the column ``quantity`` -> what it is and how it is taken."""

"""Where each layer stands under the two roofs of the chip: compute and DRAM bandwidth.

`report/roofline_plot.py` draws the points; roofline.csv holds them. After Williams, Waterman and
Patterson's roofline, with DRAM bytes as the traffic.
"""

from dataclasses import dataclass
from math import inf

from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.study.run_tables import Cell
from archsim.terms import OPS_PER_MAC, Bottleneck

ROOFLINE_COLUMNS = ("layer", "macs", "dram_bytes", "ops_per_byte", "achieved_gops", "roof_gops", "bottleneck")


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflinePoint:
    """One layer on the roofline.

    Parameters
    ----------
    layer
        Its name.
    macs, dram_bytes, total_cycles
        Its work, its traffic, its time. [MACs, B, cycles]
    ops_per_byte
        2 x MACs / DRAM bytes; infinite where nothing crosses the channel.
    achieved_gops
        2 x MACs / time: operations asked for, skipped zeros included. [1e9 ops/s]
    roof_gops
        The lower roof at its ``ops_per_byte``. [1e9 ops/s]
    bottleneck
        What took most of its cycles.
    """

    layer: str
    macs: int
    dram_bytes: int
    total_cycles: int
    ops_per_byte: float
    achieved_gops: float
    roof_gops: float
    bottleneck: Bottleneck

    @property
    def on_chip(self) -> bool:
        """Whether no byte crosses the DRAM channel."""
        return self.dram_bytes == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflinePoints:
    """The roofs of a chip and the layers under them.

    Parameters
    ----------
    name
        ``workload on arch``.
    compute_gops
        2 x multipliers x clock: no zero skipped. [1e9 ops/s]
    dram_gb_per_second
        Peak bandwidth of the channel; None = ideal DRAM, no bandwidth roof. [1e9 B/s]
    points
        Layers with MACs, in running order.
    """

    name: str
    compute_gops: float
    dram_gb_per_second: float | None
    points: tuple[RooflinePoint, ...]

    @property
    def ridge_ops_per_byte(self) -> float | None:
        """Where the roofs meet; None with ideal DRAM. [ops/B]"""
        return self.compute_gops / self.dram_gb_per_second if self.dram_gb_per_second else None


def roofline_points(run: RunResult) -> RooflinePoints:
    """Place every layer that has MACs under the roofs of its chip.

    Notes
    -----
    A chip that skips zeros can stand above the compute roof: the roof counts multipliers, the layer
    counts the operations it was asked for. Vector operators have no place here.
    """
    gops_per_mac_cycle = OPS_PER_MAC * run.arch.clock_mhz / 1e3
    compute_gops = run.arch.pe_array.multipliers * gops_per_mac_cycle
    dram = run.arch.dram
    gb_per_second = None if dram.is_ideal else dram.bandwidth_bytes_per_cycle * run.arch.clock_mhz / 1e3
    points = (
        _point(layer, layer.macs / layer.total_cycles * gops_per_mac_cycle, compute_gops, gb_per_second)
        for layer in run.layers
        if layer.macs and layer.total_cycles
    )
    return RooflinePoints(
        name=run.name, compute_gops=compute_gops, dram_gb_per_second=gb_per_second, points=tuple(points)
    )


def _point(layer: LayerResult, gops: float, compute_gops: float, gb_per_second: float | None) -> RooflinePoint:
    intensity = OPS_PER_MAC * layer.macs / layer.dram_bytes if layer.dram_bytes else inf
    return RooflinePoint(
        layer=layer.layer,
        macs=layer.macs,
        dram_bytes=layer.dram_bytes,
        total_cycles=layer.total_cycles,
        ops_per_byte=intensity,
        achieved_gops=gops,
        roof_gops=compute_gops if gb_per_second is None else min(compute_gops, gb_per_second * intensity),
        bottleneck=layer.bottleneck,
    )


def roofline_rows(roofline: RooflinePoints) -> list[tuple[Cell, ...]]:
    """Return the rows of roofline.csv in the order of `ROOFLINE_COLUMNS`."""
    return [tuple(getattr(point, column) for column in ROOFLINE_COLUMNS) for point in roofline.points]

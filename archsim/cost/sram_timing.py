"""Whether the SRAMs keep up with the clock; called for the report by `assumptions.py`."""

from collections.abc import Callable

from archsim.arch.architecture import Architecture
from archsim.arch.memory_level import SramCell, SramLevel
from archsim.cost.sram_macros import macros_of
from archsim.cost.sram_model import SramModel

FASTER = {
    SramCell.LSTP: "cells of lop or hp (more leakage), ",
    SramCell.LOP: "cells of hp (more leakage), ",
    SramCell.HP: "",
}
"""Cells to choose instead."""


def slow_srams(arch: Architecture, model_of: Callable[[SramCell], SramModel]) -> tuple[str, ...]:
    """Return a sentence per level whose banks take longer to read than a clock cycle.

    Parameters
    ----------
    arch
        Levels and clock.
    model_of
        The model of a cell type at the chip's node.

    Notes
    -----
    Simulated all the same with an access per port and cycle, as a pipelined SRAM gives: latency is not
    charged. Wires between the banks and the array are not counted.
    """
    clock_ns = 1e3 / arch.clock_mhz
    return tuple(
        _sentence(level, access_ns, clock_ns)
        for level in arch.srams
        if (access_ns := level_access_ns(level, model_of(level.cell))) is not None and access_ns > clock_ns
    )


def level_access_ns(level: SramLevel, model: SramModel) -> float | None:
    """Access time of the level's slowest bank; None where the grid has no times. [ns]"""
    points = [
        model.point(bank_bytes=macros.bank_bytes, access_bits=macros.access_bits, ports=level.bank_ports)
        for macros in macros_of(level)
    ]
    times = [point.access_ns for point in points if point.access_ns is not None]
    return max(times) if times else None


def _sentence(level: SramLevel, access_ns: float, clock_ns: float) -> str:
    return (
        f"level {level.name!r}: a bank takes {access_ns:.3g} ns to read, a clock cycle is {clock_ns:.3g} ns: it needs "
        f"{-(-access_ns // clock_ns):.0f} pipeline stages, which are not charged; or smaller banks (more of them), "
        f"{FASTER[level.cell]}or a slower clock"
    )

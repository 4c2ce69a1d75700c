"""What a layer would have done on the same array without zero gating; called by `study/` to say what gating saves."""

from collections.abc import Iterator
from dataclasses import replace

from archsim.arch.architecture import Architecture
from archsim.cost.price_list import SPAD
from archsim.engine.layer_run import LayerRun
from archsim.mapping.fold_plan import TrafficCount, merge_traffic


def ungated(run: LayerRun, arch: Architecture) -> LayerRun:
    """Return the run with all its MACs at work: gating moves no cycle and no word beyond the spads."""
    traffic = merge_traffic([*run.traffic, *_left_out(run, arch)])
    return replace(run, gated_macs=0, gated_accesses=(), traffic=traffic)


def _left_out(run: LayerRun, arch: Architecture) -> Iterator[TrafficCount]:
    """Yield the spad accesses that gated MACs left out, a word each."""
    for operand, direction in run.gated_accesses:
        size = arch.group(SPAD, operand).bytes_of(run.gated_macs)
        yield TrafficCount(level=SPAD, operand=operand, direction=direction, words=run.gated_macs, bytes=size)

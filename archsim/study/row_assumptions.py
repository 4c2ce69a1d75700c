"""What a report must say of a row-stationary chip: whence its mappings come, and what its passes leave out.

Called by `simulate.py`.
"""

from collections.abc import Iterator

from archsim.arch.architecture import Architecture
from archsim.terms import Dataflow, MapObjective
from archsim.workload.layer import ArrayLayer
from archsim.workload.network import Workload

OVERHEAD = (
    "row stationary: every pass takes {share:.3g} % longer than its words and MACs: start, hand-over and drain as one "
    "empirical share (pe_array.row_pe.pass_overhead), not a model of them"
)
NO_OVERHEAD = (
    "row stationary: passes follow each other without start, hand-over or drain (pe_array.row_pe.pass_overhead is 0)"
)
RESTART = (
    "row stationary: {cycles:,} cycles between passes (pe_array.row_pe.restart_cycles), without any other start, hand-over "
    "or drain (pass_overhead is 0)"
)
NETWORKS = "row stationary: the ifmap and psum networks limit a layer as a whole, not pass by pass: words wait before and behind the PEs"
GATED = (
    "zero gating: in every layer the share of MACs that stand still is the share of zeros of its ifmap; where that is "
    "not known, none"
)
PADDING = "ifmaps lie in DRAM with their padding; a known share of zeros holds for the padded ifmap"
FIXED = "mapping of {layers} fixed: {source}"
SEARCHED = "mapping of {count} layers searched: least {objective} of all that fit, by closed forms{run}"


def row_assumptions(arch: Architecture, workload: Workload) -> Iterator[str]:
    """Yield the sentences; none for a chip without gating or row-stationary array."""
    if arch.pe_array.gates:
        yield GATED
    if arch.pe_array.dataflow is not Dataflow.ROW_STATIONARY:
        return
    pe = arch.pe_array.row_loop
    bare = RESTART.format(cycles=pe.restart_cycles) if pe.restart_cycles else NO_OVERHEAD
    yield OVERHEAD.format(share=100 * pe.pass_overhead) if pe.pass_overhead else bare
    yield NETWORKS
    if arch.dram.stores_padding:
        yield PADDING
    yield from _mappings(arch, workload)


def _mappings(arch: Architecture, workload: Workload) -> Iterator[str]:
    by_source: dict[str, list[str]] = {}
    searched = 0
    for layer in workload.layers:
        if isinstance(layer, ArrayLayer):
            fixed = arch.mapping.for_layer(workload.name, layer.name).fixed
            if fixed:
                by_source.setdefault(fixed[0].source, []).append(layer.name)
            else:
                searched += 1
    for source, layers in by_source.items():
        yield FIXED.format(layers=", ".join(layers), source=source)
    if searched:
        is_time = arch.mapping.objective is MapObjective.TIME
        run = (
            "; the best few run, the fastest kept"
            if is_time
            else " and the chip's own prices, clock and background included"
        )
        yield SEARCHED.format(count=searched, objective=arch.mapping.objective, run=run)

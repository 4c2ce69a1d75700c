"""Print the numbers of docs/eyeriss.md: AlexNet's convolutions on Eyeriss, pass by pass; a test holds the page to it.

python scripts/eyeriss_page.py
"""

from dataclasses import dataclass, replace

import numpy as np

from archsim.arch.row_mapping import MappingChoice
from archsim.catalog import load_arch, load_workload
from archsim.engine.layer_run import LayerRun
from archsim.engine.link_zeros import cut_out
from archsim.engine.simulate import run_network
from archsim.mapping.row_passes import list_passes, mac_cycles, with_overhead
from archsim.mapping.row_stationary import row_work
from archsim.study.simulate import simulate
from archsim.terms import MapObjective, Operand
from archsim.workload.layer import ConvLayer

CHIP = load_arch("eyeriss_v1")
NETWORK = cut_out(load_workload("alexnet", batch=4), "conv*")
CYCLES_PER_MS = CHIP.clock_mhz * 1e3
SHOWN = "conv5"
"""The layer whose pass is taken apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTimes:
    """One whole pass of a layer: what each part of the chip needs for it. [cycles]"""

    passes: int
    pes: int
    macs: int
    ifmap: int
    psum: int
    weight: int


def main() -> None:
    """Print what the page says."""
    print(facts())
    for table in (pass_table(), dram_table(), search_table()):
        print(f"\n{table}")


def pass_times(name: str) -> PassTimes:
    """Take the first pass of a layer, which is a whole one."""
    layer = next(each for each in NETWORK.layers if isinstance(each, ConvLayer) and each.name == name)
    work = row_work(layer, CHIP)
    mapping = CHIP.mapping.for_layer("alexnet", name).fixed[0].mapping
    made = list_passes(work.shape, mapping)
    words = {Operand.IFMAP: made.ifmap_words, Operand.PSUM: made.psums, Operand.WEIGHT: made.weights}
    cycles = {each: int(work.network_cycles(each, count)[0]) for each, count in words.items()}
    return PassTimes(passes=len(made), pes=int(made.active_pes[0]), macs=int(mac_cycles(made, CHIP.pe_array)[0]),
                     ifmap=cycles[Operand.IFMAP], psum=cycles[Operand.PSUM], weight=cycles[Operand.WEIGHT])  # fmt: skip


def facts() -> str:
    """Return one pass in words of numbers."""
    times = pass_times(SHOWN)
    run = next(each for each in runs() if each.layer == SHOWN)
    lengthened = int(with_overhead(np.array([times.macs]), CHIP.pe_array)[0])
    return (
        f"{SHOWN}: {times.pes} PEs, {times.macs:,} MAC cycles, {times.ifmap:,} of the ifmap network, {times.psum:,} of the psum "
        f"network, {times.weight:,} to load weights; a pass {lengthened:,} + {times.weight:,} = {lengthened + times.weight:,} cycles, "
        f"{times.passes} passes, {run.compute_cycles + run.onchip_stall_cycles:,} cycles"
    )


def runs() -> tuple[LayerRun, ...]:
    """Run the layers with the published mapping."""
    return run_network(CHIP, NETWORK)


def pass_table() -> str:
    """Return what limits each layer."""
    lines = [
        "| layer | mapping | PEs | passes | MACs | ifmap | psum | weights | ms | with DRAM |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for run in runs():
        times = pass_times(run.layer)
        busy = (run.compute_cycles + run.onchip_stall_cycles) / CYCLES_PER_MS
        cells = (run.layer, f"`{run.loop_nest[0]}`", times.pes, f"{times.passes:,}", f"{times.macs:,}", f"{times.ifmap:,}", f"{times.psum:,}",
                 f"{times.weight:,}", f"{busy:.2f}", f"{run.total_cycles / CYCLES_PER_MS:.2f}")  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def dram_table() -> str:
    """Return the megabytes over the link by operand, as coded, metadata with what it belongs to."""
    plain = replace(CHIP, dram=replace(CHIP.dram, compression=(), codes_network_input=True))
    lines = ["| layer | ifmap | weight | ofmap | MB | uncoded MB |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for run, raw in zip(runs(), run_network(plain, NETWORK), strict=True):
        parts = {operand: _megabytes(raw, operand) for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.OFMAP)}
        cells = (
            run.layer,
            *(f"{part:.2f}" for part in parts.values()),
            f"{_megabytes(run):.2f}",
            f"{sum(parts.values()):.2f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def search_table() -> str:
    """Return what the search finds for each objective."""
    lines = [
        "| layer | least | mapping | ms | with DRAM | MB | mJ |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    free = {each: replace(CHIP, mapping=MappingChoice(objective=each)) for each in MapObjective}
    found = {each: simulate(chip, NETWORK).layers for each, chip in free.items()}
    for index, layer in enumerate(NETWORK.layers):
        for objective, every in found.items():
            result = every[index]
            run = result.run
            busy = (run.compute_cycles + run.onchip_stall_cycles) / CYCLES_PER_MS
            cells = (layer.name, objective.value, f"`{run.loop_nest[0]}`", f"{busy:.2f}", f"{run.total_cycles / CYCLES_PER_MS:.2f}",
                     f"{_megabytes(run):.2f}", f"{result.energy_pj / 1e9:.2f}")  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _megabytes(run: LayerRun, operand: Operand | None = None) -> float:
    level = CHIP.dram.name
    return sum(row.bytes for row in run.traffic if row.level == level and operand in (None, row.operand)) / 1e6


if __name__ == "__main__":
    main()

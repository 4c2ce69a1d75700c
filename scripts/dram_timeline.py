"""Why a layer's DRAM bandwidth is what it is: the numbers and the picture of docs/dram.md.

    .venv/bin/python scripts/dram_timeline.py            # prints the page's numbers
    .venv/bin/python scripts/dram_timeline.py --plot     # draws .readme/dram_timeline.png too

The layer is pw2 of MobileNet v1 on the chip tpu_like with one DDR4-2400 channel, planned and run as `archsim run`
does it; every variant sets more keys of the arch, and the mapper chooses its tiles anew.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archsim.catalog import load_arch, load_workload
from archsim.cost.energy import price_layer
from archsim.cost.price_source import load_prices
from archsim.engine.bank_timeline import run_on_banks
from archsim.engine.dram_run import BusUse, DramRun
from archsim.engine.layer_run import LayerRun
from archsim.engine.measure import fastest_plan
from archsim.engine.simulate import run_layer
from archsim.engine.timeline import with_ports
from archsim.mapping.dram_runs import DramRuns
from archsim.mapping.planner import plan_array_layer
from archsim.report.dram_timeline_plot import timeline_figure
from archsim.report.pictures import png_bytes
from archsim.study.dram_timeline import BankPlace, DramTimeline, dram_timeline
from archsim.terms import Operand
from archsim.workload.layer import ArrayLayer

PICTURE = Path(__file__).parents[1] / ".readme" / "dram_timeline.png"
ARCH, WORKLOAD, DRAM_LEVEL = "tpu_like", "mobilenet_v1", "dram"
SHIPPED = ("levels.dram.device=DDR4_2400",)
MOST_COMMANDS = 100_000
"""Room for the log of a whole layer."""

DRAWN_CLOCKS = (55_700, 56_320)
"""The stretch of the picture: from reads to writes and back, bank conflicts, a refresh. [tCK]"""

CONTESTED = BankPlace(rank=0, bankgroup=2, bank=0)
"""Where one row has to make way for another in the picture."""

SHARES = (BusUse.ROW, BusUse.TURNAROUND, BusUse.BANK_GROUP, BusUse.REFRESH, BusUse.IDLE)


CHIPS = ("dram", "dram_activate", "dram_refresh", "dram_background")
"""Rows of energy.csv; ``dram_io``, the interface, is apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One line of the table: what is set beside `SHIPPED`."""

    what: str
    settings: tuple[str, ...] = ()
    layer: str = "pw2"


VARIANTS = (
    Variant(what="nchw"),
    Variant(what="nhwc", settings=("levels.dram.layout=nhwc",)),
    Variant(what="tiled", settings=("levels.dram.layout=tiled",)),
    Variant(what="nchw, bank group lowest", settings=("levels.dram.mapping=rochrabacobg",)),
    Variant(what="nhwc, bank group lowest", settings=("levels.dram.layout=nhwc", "levels.dram.mapping=rochrabacobg")),
    Variant(what="nchw, closed page", settings=("levels.dram.page_policy=closed",)),
    Variant(what="nchw, 1 read outstanding", settings=("levels.dram.outstanding_reads=1",)),
    Variant(what="nchw, 2 channels", settings=("levels.dram.channels=2", "levels.dram.mapping=rorababgcoch")),
    Variant(what="nchw, no refresh", settings=("levels.dram.device=DDR4_2400_noref",)),
    Variant(what="nchw, layer pw4", layer="pw4"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A layer that ran.

    Parameters
    ----------
    variant
        What was set.
    layer
        Its cycles, traffic and mapping.
    places
        Where its transfers lie in DRAM.
    dram
        What the device did, all its commands logged.
    chips_uj
        Energy of the device's chips over the layer, without the interface. [uJ]
    """

    variant: Variant
    layer: LayerRun
    places: DramRuns
    dram: DramRun
    chips_uj: float

    def asked_bytes(self, operand: Operand) -> int:
        """Bytes of an operand that the layer wants moved. [B]"""
        return sum(row.bytes for row in self.layer.traffic if row.level == DRAM_LEVEL and row.operand is operand)

    @property
    def used_share(self) -> float:
        """Bytes asked for / bytes of all bursts, 0..1."""
        return sum(map(self.asked_bytes, Operand)) / self.dram.moved_bytes

    def share(self, use: BusUse) -> float:
        """Of the clocks of the data buses, 0..1."""
        return dict(self.dram.bus_use).get(use, 0) / (self.dram.cycles * self.dram.device.channels)


def run_variant(variant: Variant) -> Outcome:
    """Plan a layer and run it on the DRAM banks, as `archsim run` does, and keep the device's commands."""
    arch = load_arch(ARCH, (*SHIPPED, *variant.settings))
    layer = load_workload(WORKLOAD).only(variant.layer).layers[0]
    assert isinstance(layer, ArrayLayer)
    run = run_layer(layer, arch)
    energies = dict(price_layer(run, arch, load_prices(arch)).components)
    plan = fastest_plan(plan_array_layer(layer, arch), arch.dram)
    bank_run = run_on_banks(with_ports(plan.steps), plan.transfers, arch.dram, log_lines=MOST_COMMANDS)
    assert plan.transfers.runs is not None
    return Outcome(variant=variant, layer=run, places=plan.transfers.runs, dram=bank_run.dram,
                   chips_uj=sum(energies[part] for part in CHIPS) / 1e6)  # fmt: skip


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the page's table in Markdown: what the layer takes, and the shares of the data bus's clocks."""
    head = ("layout, mapping, page, queue", "layer cycles", "bursts", "used %", "GB/s", "row hits %", "chips uJ", "data",
            *(use.value.replace("_", " ") for use in SHARES))  # fmt: skip
    lines = [_line(head), _line(["---"] + ["---:"] * (len(head) - 1))]
    for each in outcomes:
        run = each.dram
        cells = (each.variant.what, f"{each.layer.total_cycles:,}", f"{run.counts.columns:,}", f"{100 * each.used_share:.1f}",
                 f"{run.bytes_per_second / 1e9:.1f}", f"{100 * run.counts.row_hit_rate:.1f}", f"{each.chips_uj:.1f}",
                 *(f"{100 * each.share(use):.1f}" for use in (BusUse.DATA, *SHARES)))  # fmt: skip
        lines.append(_line(cells))
    return "\n".join(lines)


def facts(outcome: Outcome) -> str:
    """Return the numbers of the page's text, of the first line of the table."""
    run, layer = outcome.dram, outcome.layer
    counts, device, timing = run.counts, run.device, run.device.timing
    clocks = {use.value: cycles for use, cycles in run.bus_use}
    written, burst = outcome.asked_bytes(Operand.OFMAP), device.request_bytes
    drawn = drawn_stretch(run)
    rows = [f"row {each.row}" for each in drawn.open_rows if each.bank == CONTESTED]
    return "\n".join(
        (
            f"layer: {outcome.variant.layer} of {WORKLOAD} on {ARCH}; {'; '.join(line.strip() for line in layer.loop_nest)}",
            f"cycles of the array: {layer.total_cycles:,}, of them computing {layer.compute_cycles:,}, waiting for "
            f"on-chip ports {layer.onchip_stall_cycles:,}, for DRAM {layer.dram_stall_cycles:,}",
            f"asked for: ifmap {outcome.asked_bytes(Operand.IFMAP):,} B, weights {outcome.asked_bytes(Operand.WEIGHT):,} B, "
            f"ofmap {written:,} B = {written // burst:,} bursts",
            f"moved: {counts.columns:,} bursts of {burst} B, {counts.reads:,} reads and {counts.writes:,} writes; "
            f"{counts.writes - written // burst:,} writes or {(counts.writes * burst - written) / 1e3:.1f} kB too many; "
            f"{100 * outcome.used_share:.1f} % used",
            f"an ifmap transfer: {_runs(outcome)}",
            f"run: {run.cycles:,} clocks of {device.tck_ns} ns, " + ", ".join(f"{use} {n:,}" for use, n in clocks.items()),
            f"device: peak {device.peak_bytes_per_second / 1e9:.1f} GB/s, burst {device.burst_cycles} clocks, "
            f"tCCD_S {timing.tccd_s}, tCCD_L {timing.tccd_l}, tRP {timing.trp}, tRCD {timing.trcd_rd}, tRFC {timing.trfc}, "
            f"tREFI {timing.trefi:,}, {device.banks_per_rank} banks in {device.bankgroups} groups, "
            f"{device.row_bytes:,} B a row",
            f"commands: {counts.activates:,} activates, {counts.refreshes} refreshes",
            f"in the picture: the bus turns in {', '.join(str(end - start) for start, end in drawn.turnarounds)} clocks; "
            f"group {CONTESTED.bankgroup} bank {CONTESTED.bank} opens {', '.join(rows)}",
        )
    )  # fmt: skip


def drawn_stretch(run: DramRun) -> DramTimeline:
    """Return the stretch of the picture."""
    return dram_timeline(run, start=DRAWN_CLOCKS[0], end=DRAWN_CLOCKS[1])


def picture(outcome: Outcome) -> bytes:
    """Return the page's picture."""
    run = outcome.dram
    title = f"{outcome.variant.layer} of {WORKLOAD} on {ARCH}, {run.device.name}, nchw, {run.device.mapping.text}"
    return png_bytes(timeline_figure(drawn_stretch(run), title))


def main() -> None:
    """Print the numbers; draw the picture where asked."""
    outcomes = [run_variant(variant) for variant in VARIANTS]
    print(facts(outcomes[0]))
    print(table(outcomes))
    if "--plot" in sys.argv[1:]:
        PICTURE.write_bytes(picture(outcomes[0]))
        print(PICTURE)


def _runs(outcome: Outcome) -> str:
    """Say of what runs the first transfer consists: it fetches ifmap."""
    runs = outcome.places
    run, pitch = int(runs.run_bytes[0]), int(runs.run_pitch_bytes[0])
    burst = outcome.dram.device.request_bytes
    return f"{int(runs.runs[0])} runs of {run} B = {run / burst:.2f} bursts, {pitch:,} B from one to the next"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

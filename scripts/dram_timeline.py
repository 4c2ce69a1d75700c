"""Why a layer's DRAM bandwidth is what it is: the numbers and the picture of docs/dram.md.

    .venv/bin/python scripts/dram_timeline.py            # prints the page's numbers
    .venv/bin/python scripts/dram_timeline.py --plot     # draws .readme/dram_timeline.png too

The requests are those of one convolution: conv3_1 of VGG-16 (128 x 56 x 56 ifmap, 256 filters of 3 x 3, int8,
tensors in NCHW order) on a chip that holds a tile of 16 ifmap rows: for each of the four tiles, the ifmap rows
and all weights come in and the ofmap rows go out, side by side.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_devices import load_device
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import DramRun, DramTrace
from archsim.report.dram_timeline_plot import timeline_figure
from archsim.report.pictures import png_bytes
from archsim.study.dram_report import DramReport, report_dram_run
from archsim.study.dram_timeline import BankPlace, dram_timeline
from archsim.terms import PagePolicy

PICTURE = Path(__file__).parents[1] / ".readme" / "dram_timeline.png"
DEVICE = "DDR4_2400"
BURST_BYTES = 64
CHANNELS, FILTERS, SIDE = 128, 256, 56
KERNEL, TILE_ROWS, HALO_ROWS = 3, 14, 1
IFMAP_BASE, WEIGHT_BASE, OFMAP_BASE = 0, 1 << 20, 2 << 20
ROUND = 16
"""Bursts of a round: the ifmap, weight and ofmap streams take turns, in proportion to what they have to move."""
DRAWN_CLOCKS = (8900, 9560)
"""The stretch of the picture: from reads to writes and back, a bank conflict, a refresh. [tCK]"""

CONTESTED = BankPlace(rank=0, bankgroup=2, bank=0)
"""Where two streams meet in the picture."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One line of the table."""

    what: str
    mapping: str = "rochrababgco"
    page: PagePolicy = PagePolicy.OPEN
    outstanding: int = 32


VARIANTS = (
    Variant(what="as shipped: column lowest"),
    Variant(what="bank group lowest", mapping="rochrabacobg"),
    Variant(what="bank and group lowest", mapping="rochracobabg"),
    Variant(what="row lowest", mapping="chrababgcoro"),
    Variant(what="bank group lowest, closed page", mapping="rochrabacobg", page=PagePolicy.CLOSED),
    Variant(what="bank group lowest, 1 read outstanding", mapping="rochrabacobg", outstanding=1),
)


def layer_trace() -> DramTrace:
    """Return the requests of the whole layer, tile of rows by tile of rows."""
    parts = [_tile(row) for row in range(0, SIDE, TILE_ROWS)]
    address = np.concatenate([address for address, _ in parts])
    is_write = np.concatenate([is_write for _, is_write in parts])
    return DramTrace(address=address, is_write=is_write, arrival=np.zeros(len(address), dtype=np.int64))


def run_variant(variant: Variant, *, log: bool = False) -> DramReport:
    """Run the layer's requests on a device with another mapping, page policy or queue."""
    device = load_device(DEVICE, mapping=variant.mapping, page_policy=variant.page)
    run = run_dram_trace(device, layer_trace(), outstanding=variant.outstanding, log=log)
    return report_dram_run(run, variant.what)


def table(reports: Iterable[DramReport]) -> str:
    """Return the page's table in Markdown: bandwidth, and the shares of the data bus's clocks."""
    uses = ("row", "turnaround", "bank_group", "refresh", "idle")
    head = ("mapping, page, queue", "GB/s", "% of peak", "row hits %", "activates", "pJ/bit",
            *(use.replace("_", " ") for use in uses))  # fmt: skip
    lines = [_line(head), _line(["---"] + ["---:"] * (len(head) - 1))]
    for report in reports:
        run, shares = report.run, dict(report.bus_shares)
        cells = (report.trace, f"{run.bytes_per_second / 1e9:.1f}", f"{100 * run.bandwidth_utilization:.1f}",
                 f"{100 * run.counts.row_hit_rate:.1f}", f"{run.counts.activates:,}", f"{report.energy.pj_per_bit:.1f}",
                 *(f"{100 * shares.get(use, 0.0):.1f}" for use in uses))  # fmt: skip
        lines.append(_line(cells))
    return "\n".join(lines)


def facts(report: DramReport) -> str:
    """Return the numbers of the page's text, of the first line of the table."""
    run, timing = report.run, report.run.device.timing
    clocks = {use.value: cycles for use, cycles in run.bus_use}
    drawn = dram_timeline(run, start=DRAWN_CLOCKS[0], end=DRAWN_CLOCKS[1])
    rows = [f"row {each.row}" for each in drawn.open_rows if each.bank == CONTESTED]
    return "\n".join(
        (
            f"layer: VGG-16 conv3_1, {CHANNELS} x {SIDE} x {SIDE} ifmap, {FILTERS} filters of {KERNEL} x {KERNEL}, int8; "
            f"tiles of {TILE_ROWS + 2 * HALO_ROWS} ifmap rows, {SIDE // TILE_ROWS} of them",
            f"requests: {run.counts.columns:,} bursts of {run.device.request_bytes} B, {run.counts.reads:,} reads and "
            f"{run.counts.writes:,} writes",
            f"run: {run.cycles:,} clocks of {run.device.tck_ns} ns; data {clocks['data']:,} clocks, "
            f"bank group {clocks['bank_group']:,}, turnaround {clocks['turnaround']:,}, refresh {clocks['refresh']:,}, "
            f"row {clocks['row']:,}",
            f"device: peak {run.device.peak_bytes_per_second / 1e9:.1f} GB/s, burst {run.device.burst_cycles} clocks, "
            f"tCCD_L {timing.tccd_l}, tRP {timing.trp}, tRCD {timing.trcd_rd}, tRFC {timing.trfc}, tREFI {timing.trefi:,}, "
            f"{run.device.banks_per_rank} banks in {run.device.bankgroups} groups",
            f"commands: {run.counts.activates:,} activates, {run.counts.refreshes} refreshes",
            f"in the picture: the bus turns in {', '.join(str(end - start) for start, end in drawn.turnarounds)} clocks; "
            f"group {CONTESTED.bankgroup} bank {CONTESTED.bank} opens {', '.join(rows)}",
        )
    )


def picture(run: DramRun) -> bytes:
    """Return the page's picture."""
    start, end = DRAWN_CLOCKS
    title = f"VGG-16 conv3_1 on {DEVICE}, {run.device.mapping.text}"
    return png_bytes(timeline_figure(dram_timeline(run, start=start, end=end), title))


def main() -> None:
    """Print the numbers; draw the picture where asked."""
    shipped = run_variant(VARIANTS[0], log=True)
    print(facts(shipped))
    print(table(run_variant(variant) for variant in VARIANTS))
    if "--plot" in sys.argv[1:]:
        PICTURE.write_bytes(picture(shipped.run))
        print(PICTURE)


def _tile(row: int) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return addresses and directions of one tile: ifmap rows and weights in, ofmap rows out, in turns."""
    first, end = max(0, row - HALO_ROWS), min(SIDE, row + TILE_ROWS + HALO_ROWS)
    ifmap = _bursts(IFMAP_BASE + (np.arange(CHANNELS) * SIDE + first) * SIDE, (end - first) * SIDE)
    weight = _bursts(np.array([WEIGHT_BASE]), FILTERS * CHANNELS * KERNEL * KERNEL)
    ofmap = _bursts(OFMAP_BASE + (np.arange(FILTERS) * SIDE + row) * SIDE, TILE_ROWS * SIDE)
    return _in_turns((ifmap, weight, ofmap), is_write=(False, False, True))


def _bursts(starts: IntArray, length_bytes: int) -> IntArray:
    """Return the bursts that cover runs of bytes, run after run."""
    runs = [np.arange(start // BURST_BYTES, -(-(start + length_bytes) // BURST_BYTES)) for start in starts.tolist()]
    return np.concatenate(runs) * BURST_BYTES


def _in_turns(streams: tuple[IntArray, ...], is_write: tuple[bool, ...]) -> tuple[IntArray, NDArray[np.bool_]]:
    """Interleave streams of different lengths evenly, round by round."""
    rounds = max(map(len, streams)) // ROUND
    pieces = [np.array_split(stream, rounds) for stream in streams]
    order = [
        (piece, writes) for turn in zip(*pieces, strict=True) for piece, writes in zip(turn, is_write, strict=True)
    ]
    address = np.concatenate([piece for piece, _ in order])
    return address, np.concatenate([np.full(len(piece), writes) for piece, writes in order])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

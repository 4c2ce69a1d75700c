"""A DramReport for the terminal: what came out, and what the data bus's time went to.

Called by `report/terminal.py`; nothing here writes anything.
"""

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from archsim.report.quantity import BYTE_SCALES, ENERGY_SCALES, SECOND_SCALES, shown, three_digits
from archsim.study.dram_report import DramReport

BAR_CHARACTERS = 30
USE_MEANINGS = {
    "data": "bursts on the data bus",
    "row": "next burst waits for an activate or precharge",
    "turnaround": "between reads and writes, or ranks",
    "bank_group": "same bank group again: tCCD_L beyond the burst",
    "refresh": "a refresh holds the rank",
    "idle": "no request waits: too few outstanding, or none offered",
    "other": "command bus taken; data still on its way",
}
"""Value of a BusUse -> what to read it as."""


def dram_panel(report: DramReport, *, is_narrow: bool = False) -> Panel:
    """Return everything about a run of a DRAM trace in one panel; ``is_narrow`` leaves out what the uses mean."""
    grid = Table.grid(padding=(0, 2))
    for name, value in (*_device_rows(report), *_run_rows(report)):
        grid.add_row(Text(name), Text(value))
    title = Text(f"{report.trace} on {report.run.device.name}")
    parts = (grid, Text(), use_table(report, is_narrow=is_narrow), Text(), energy_table(report))
    return Panel(Group(*parts), title=title, title_align="left", expand=False, box=box.ROUNDED)


def use_table(report: DramReport, *, is_narrow: bool = False) -> Table:
    """Return where the data buses' clocks went, as shares with bars."""
    table = _table("data bus", "share")
    for use, share in report.bus_shares:
        bar = "█" * round(share * BAR_CHARACTERS) or "▏"
        meaning = "" if is_narrow else USE_MEANINGS[use]
        table.add_row(Text(use.replace("_", " ")), Text(f"{100 * share:.1f} %"), Text(bar), Text(meaning, style="dim"))
    return table


def energy_table(report: DramReport) -> Table:
    """Return the energy by what it went to, as shares with bars."""
    table = _table("energy", "")
    total_pj = report.energy.total_pj or 1.0
    for name, energy_pj in report.energy.components:
        if energy_pj:
            bar = "█" * round(energy_pj / total_pj * BAR_CHARACTERS) or "▏"
            share = f"{100 * energy_pj / total_pj:.1f} %"
            table.add_row(Text(name.replace("_", " ")), Text(share), Text(bar), Text(shown(energy_pj, ENERGY_SCALES)))
    return table


def _table(name: str, quantity: str) -> Table:
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(name, min_width=len("background closed"))
    table.add_column(quantity, justify="right", no_wrap=True)
    table.add_column("", min_width=BAR_CHARACTERS, no_wrap=True)
    table.add_column("")
    return table


def _device_rows(report: DramReport) -> list[tuple[str, str]]:
    device = report.run.device
    source = device.source + (" (partly recalled, not read at its source)" if device.from_memory else "")
    parts = ((device.channels, "channel"), (device.ranks, "rank"), (device.bankgroups, "bank group"),
             (device.banks_per_group, "bank"))  # fmt: skip
    shape = " x ".join(f"{count} {noun}{'s' * (count > 1)}" for count, noun in parts)
    peak = three_digits(device.peak_bytes_per_second / 1e9)
    return [
        ("device", f"{shape}; tCK {three_digits(device.tck_ns)} ns, peak {peak} GB/s"),
        ("", source),
        ("mapping", f"{device.mapping.text}, {device.page_policy.value} page"),
        ("controller", f"{report.run.policy.value}, {report.run.outstanding} reads outstanding"),
    ]


def _remarks(report: DramReport) -> list[str]:
    """Say what of the trace did not become a command of its own, or moved more than it asked for."""
    run, remarks = report.run, []
    if run.unserved:
        remarks.append(f"{run.unserved:,} requests had none: merged, forwarded, or still waiting at the end")
    if report.inside_bursts:
        burst = run.device.request_bytes
        remarks.append(f"{report.inside_bursts:,} addresses lay inside a burst: its whole {burst} B were moved")
    return remarks


def _run_rows(report: DramReport) -> list[tuple[str, str]]:
    run, counts = report.run, report.run.counts
    missed = f" ({counts.missed_refreshes} late)" if counts.missed_refreshes else ""
    commands = (f"{counts.reads:,} reads, {counts.writes:,} writes, {counts.activates:,} activates, "
                f"{counts.precharges:,} precharges, {counts.refreshes:,} refreshes{missed}")  # fmt: skip
    latency = (
        f"{three_digits(report.mean_read_latency_ns)} ns = {three_digits(run.mean_read_latency_cycles)} cycles mean, "
        f"{run.read_latency_max:,} cycles at most"
        if run.requests[0]
        else "no reads"
    )
    bandwidth = three_digits(run.bytes_per_second / 1e9)
    energy = report.energy
    return [
        ("cycles", f"{run.cycles:,} = {shown(run.seconds, SECOND_SCALES)}"),
        ("commands", commands),
        *[("", remark) for remark in _remarks(report)],
        ("row hits", f"{100 * counts.row_hit_rate:.1f} %"),
        ("bandwidth", f"{bandwidth} GB/s, {100 * run.bandwidth_utilization:.1f} % of peak ({shown(run.moved_bytes, BYTE_SCALES)})"),
        ("read latency", latency),
        ("energy", f"{shown(energy.total_pj, ENERGY_SCALES)}, {three_digits(energy.pj_per_bit)} pJ/bit (chips; without interface)"),
    ]  # fmt: skip

"""DramTimeline -> Figure: a lane per bank and one for the data bus, and where the bus's time went.

Called by `report/pictures.py` and `scripts/dram_timeline.py`; `draw_lanes` and `draw_bus_use` also serve a
user's own axes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from archsim.engine.dram_run import DramRun
from archsim.report import style
from archsim.report.quantity import shortened, three_digits
from archsim.report.style import Fill
from archsim.study.dram_timeline import ACTIVATE, READS, WRITES, BankPlace, DramTimeline, OpenRow

MOST_BANKS = 32
FEWEST_LANES = 5
"""A picture of few lanes is as high as one of these."""
LANE_HEIGHT = 0.78
COLUMN_CLOCKS = 0.55
"""Width of a read or write command, as a share of its burst."""
POINTS_PER_CHARACTER = 4.3
BUS_LANE = 0
POINTS_PER_INCH = 72
LEGEND_INCHES = 0.5
"""From the lanes down to the legend."""


def timeline_figure(timeline: DramTimeline, title: str) -> Figure:
    """Return the lanes of a stretch with the bus use of the whole run beside them.

    Parameters
    ----------
    timeline
        Any stretch; one without commands gives empty lanes.
    title
        What ran on what.
    """
    lanes = max(FEWEST_LANES, len(shown_banks(timeline)) + 2)
    height = style.TIMELINE_MARGIN_INCHES + lanes * style.LANE_INCHES
    figure = Figure(figsize=(style.TIMELINE_WIDTH_INCHES, height), dpi=style.DPI, facecolor=style.PAPER)
    FigureCanvasAgg(figure)
    bottom, top = 1.0 / height, 1 - 0.75 / height
    left, right = style.TIMELINE_LEFT, style.TIMELINE_RIGHT
    axes = figure.add_axes((left, bottom, right - left, top - bottom))
    draw_lanes(axes, timeline)
    draw_bus_use(figure.add_axes((right + 0.025, bottom, 0.03, top - bottom)), timeline.run)
    figure.text(
        left, 1 - 0.22 / height, shortened(title, 110), fontsize=style.TITLE_POINTS, color=style.INK, va="center"
    )
    return figure


def shown_banks(timeline: DramTimeline) -> tuple[BankPlace, ...]:
    """Return the banks that get a lane: all, or with too many of them those with most commands."""
    if len(timeline.banks) <= MOST_BANKS:
        return timeline.banks
    counts = dict.fromkeys(timeline.banks, 0)
    for mark in timeline.marks:
        counts[mark.bank] += 1
    return tuple(sorted(sorted(timeline.banks, key=lambda bank: -counts[bank])[:MOST_BANKS]))


def draw_lanes(axes: Axes, timeline: DramTimeline) -> None:
    """Draw the data bus, then a lane per bank: open rows in tints, commands on them, refreshes over them.

    Parameters
    ----------
    axes
        At their final place: whether a row's name fits its rectangle is decided here.
    timeline
        The stretch.
    """
    lane_of = {bank: index + 1 for index, bank in enumerate(shown_banks(timeline))}
    axes.set_xlim(timeline.start, timeline.end)
    axes.set_ylim(max(len(lane_of), 1) + 0.6, BUS_LANE - 0.65)
    _draw_bus(axes, timeline)
    _draw_rows(axes, timeline, lane_of)
    _draw_commands(axes, timeline, lane_of)
    _draw_refreshes(axes, timeline, lane_of)
    _dress(axes, timeline, lane_of)
    _draw_legend(axes, timeline)


def draw_bus_use(axes: Axes, run: DramRun) -> None:
    """Draw where the clocks of the data buses went over the whole run, as one stacked bar with its shares."""
    clocks = sum(cycles for _, cycles in run.bus_use)
    base = 0.0
    handles: list[Artist] = []
    for use, cycles in run.bus_use:
        if cycles:
            fill, share = style.BUS_USE_FILLS[use.value], 100 * cycles / clocks
            axes.bar(0, share, bottom=base, width=1.0, **_look(fill))
            label = f"{use.value.replace('_', ' ')} {share:.1f} %"
            handles.append(Patch(label=label, **_look(fill)))
            base += share
    axes.set_xlim(-0.5, 0.5)
    axes.set_ylim(0, 100)
    axes.set_axis_off()
    if handles:
        axes.legend(handles=handles[::-1], title="data bus, whole run", loc="upper left", bbox_to_anchor=(1.15, 1.02),
                    frameon=False, fontsize=style.SMALL_POINTS, title_fontsize=style.SMALL_POINTS,
                    alignment="left", labelspacing=0.8)  # fmt: skip


def _look(fill: Fill) -> dict[str, Any]:
    return {"facecolor": fill.colour, "hatch": fill.hatch, "edgecolor": style.INK, "linewidth": 0.35}


def _draw_bus(axes: Axes, timeline: DramTimeline) -> None:
    for burst in timeline.bursts:
        fill = style.WRITE_FILL if burst.is_write else style.READ_FILL
        _add_block(axes, (burst.start, burst.end), BUS_LANE, fill)
    for start, end in timeline.turnarounds:
        _add_block(axes, (start, end), BUS_LANE, style.TURNAROUND_FILL)


def _add_block(axes: Axes, clocks: tuple[int, int], lane: float, fill: Fill) -> None:
    corner = (clocks[0], lane - LANE_HEIGHT / 2)
    axes.add_patch(Rectangle(corner, clocks[1] - clocks[0], LANE_HEIGHT, zorder=3, **_look(fill)))


def _draw_rows(axes: Axes, timeline: DramTimeline, lane_of: dict[BankPlace, int]) -> None:
    """Tint what each bank holds open, and name the row where there is room."""
    tints: dict[BankPlace, int] = {}
    for row in timeline.open_rows:
        if row.bank in lane_of:
            tint = tints[row.bank] = tints.get(row.bank, row.bank.bank) + 1
            colour = style.ROW_TINTS[tint % len(style.ROW_TINTS)]
            corner = (row.start, lane_of[row.bank] - LANE_HEIGHT / 2)
            axes.add_patch(
                Rectangle(corner, row.end - row.start, LANE_HEIGHT, facecolor=colour, edgecolor=style.FAINT,
                          linewidth=0.5, zorder=2)
            )  # fmt: skip
            _name_row(axes, timeline, row, lane_of[row.bank])


def _name_row(axes: Axes, timeline: DramTimeline, row: OpenRow, lane: int) -> None:
    start, end = max(row.start, timeline.start), min(row.end, timeline.end)
    label = f"row {row.row}"
    if (end - start) / _clocks_per_point(axes) > POINTS_PER_CHARACTER * (len(label) + 3):
        axes.text(
            (start + end) / 2, lane - LANE_HEIGHT / 4, label, fontsize=style.SMALL_POINTS - 1.5, color=style.INK,
            ha="center", va="center", zorder=5,
        )  # fmt: skip


def _clocks_per_point(axes: Axes) -> float:
    left, right = axes.get_xlim()
    return (right - left) / (axes.get_window_extent().width * POINTS_PER_INCH / style.DPI)


def _draw_commands(axes: Axes, timeline: DramTimeline, lane_of: dict[BankPlace, int]) -> None:
    """Draw column commands in the lower half of a lane, activates and precharges at the row's ends."""
    width = timeline.run.device.burst_cycles * COLUMN_CLOCKS
    for mark in timeline.marks:
        lane = lane_of.get(mark.bank)
        if lane is None:
            continue
        if mark.kind in (*READS, *WRITES):
            fill = style.WRITE_FILL if mark.kind in WRITES else style.READ_FILL
            axes.add_patch(Rectangle((mark.cycle, lane), width, LANE_HEIGHT / 2, zorder=4, **_look(fill)))
        else:
            axes.add_line(_command_marker(mark.kind, mark.cycle, lane))


def _command_marker(kind: int, cycle: float, lane: float) -> Line2D:
    is_activate = kind == ACTIVATE
    return Line2D(
        [cycle], [lane - LANE_HEIGHT / 4], linestyle="none", marker=">" if is_activate else "x", zorder=6,
        markersize=4.0, color=style.INK, markeredgewidth=0.9,
    )  # fmt: skip


def _draw_refreshes(axes: Axes, timeline: DramTimeline, lane_of: dict[BankPlace, int]) -> None:
    for refresh in timeline.refreshes:
        lanes = [lane for bank, lane in lane_of.items() if bank.rank == refresh.rank] or [1]
        corner = (refresh.start, min(lanes) - 0.5)
        height = max(lanes) - min(lanes) + 1
        axes.add_patch(
            Rectangle(corner, refresh.end - refresh.start, height, zorder=1, alpha=0.8, **_look(style.REFRESH_FILL))
        )
        start, end = max(refresh.start, timeline.start), min(refresh.end, timeline.end)
        if (end - start) / _clocks_per_point(axes) > POINTS_PER_CHARACTER * 12:
            text = axes.text((start + end) / 2, (min(lanes) + max(lanes)) / 2, "refresh", ha="center", va="center",
                             fontsize=style.TEXT_POINTS, color=style.INK, zorder=7)  # fmt: skip
            text.set_path_effects(style.halo())


def _dress(axes: Axes, timeline: DramTimeline, lane_of: dict[BankPlace, int]) -> None:
    device = timeline.run.device
    name = _bank_namer(timeline)
    axes.set_yticks([BUS_LANE, *lane_of.values()], ["data bus", *(name(bank) for bank in lane_of)])
    axes.set_xlabel(f"clocks of the device [tCK = {three_digits(device.tck_ns)} ns]", fontsize=style.TEXT_POINTS,
                    color=style.INK)  # fmt: skip
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.tick_params(axis="y", length=0)
    above = axes.secondary_xaxis("top", functions=_nanoseconds(device.tck_ns))
    above.set_xlabel("ns", fontsize=style.SMALL_POINTS, color=style.INK, labelpad=5)
    for axis in (axes, above):
        axis.ticklabel_format(axis="x", useOffset=False, style="plain")
    above.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.axhline(BUS_LANE + 0.5, color=style.INK, linewidth=0.8, zorder=0)
    for one, other in zip(lane_of, list(lane_of)[1:], strict=False):
        is_edge = one[:2] != other[:2]
        axes.axhline(lane_of[one] + 0.5, color=style.FAINT if is_edge else style.GRID, linewidth=0.6, zorder=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(side == "top")
    if not timeline.marks and not timeline.bursts:
        axes.text(0.5, 0.25, "no command in these clocks", transform=axes.transAxes, ha="center", va="center",
                  fontsize=style.TEXT_POINTS, color=style.FAINT)  # fmt: skip


def _nanoseconds(tck_ns: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return clocks -> ns and back."""
    return (lambda clocks: clocks * tck_ns), (lambda nanoseconds: nanoseconds / tck_ns)


def _bank_namer(timeline: DramTimeline) -> Callable[[BankPlace], str]:
    device = timeline.run.device

    def name(bank: BankPlace) -> str:
        rank = f"rank {bank.rank} " if device.ranks > 1 else ""
        group = f"group {bank.bankgroup} " if device.bankgroups > 1 else ""
        return f"{rank}{group}bank {bank.bank}"

    return name


def _draw_legend(axes: Axes, timeline: DramTimeline) -> None:
    """Name what occurs, under the axes."""
    kinds = {mark.kind for mark in timeline.marks}
    entries: Sequence[tuple[bool, Artist]] = (
        (ACTIVATE in kinds, Line2D([], [], **_legend_mark(">"), label="activate")),
        (bool(kinds - {ACTIVATE, *READS, *WRITES}), Line2D([], [], **_legend_mark("x"), label="precharge")),
        (any(not burst.is_write for burst in timeline.bursts), Patch(label="read", **_look(style.READ_FILL))),
        (any(burst.is_write for burst in timeline.bursts), Patch(label="write", **_look(style.WRITE_FILL))),
        (bool(timeline.turnarounds), Patch(label="bus turns round", **_look(style.TURNAROUND_FILL))),
        (bool(timeline.refreshes), Patch(label="refresh", **_look(style.REFRESH_FILL))),
        (bool(timeline.open_rows), Patch(label="row open", facecolor=style.ROW_TINTS[0], edgecolor=style.FAINT)),
    )
    handles = [artist for occurs, artist in entries if occurs]
    if handles:
        below = LEGEND_INCHES * style.DPI / axes.get_window_extent().height
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -below), ncols=len(handles),
                    frameon=False, fontsize=style.SMALL_POINTS, handletextpad=0.5, columnspacing=1.6)  # fmt: skip


def _legend_mark(marker: str) -> dict[str, Any]:
    return {"linestyle": "none", "marker": marker, "color": style.INK, "markersize": 5.0}

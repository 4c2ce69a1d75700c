"""RooflinePoints -> Figure: both roofs, every layer, what holds it back.

Called by `report/pictures.py`; `draw_roofline` also serves a user's own axes.
"""

from collections.abc import Sequence
from math import floor, log10

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from archsim.report import style
from archsim.report.quantity import OPS_SCALES, shortened, shown, three_digits
from archsim.report.roofline_labels import Mark, draw_labels
from archsim.report.roofline_roofs import draw_on_chip_edge, draw_roofs, write_roofs
from archsim.study.roofline import RooflinePoint, RooflinePoints

RIGHT_EDGE = 1.35
"""Layers without DRAM traffic stand at the right limit of the axis divided by this."""


def roofline_figure(rooflines: Sequence[RooflinePoints]) -> Figure:
    """Return one picture of one run, or of several above the same axes."""
    figure = Figure(figsize=style.ROOFLINE_INCHES, dpi=style.DPI, facecolor=style.PAPER)
    FigureCanvasAgg(figure)
    draw_roofline(figure.add_axes(style.ROOFLINE_AXES), rooflines)
    return figure


def draw_roofline(axes: Axes, rooflines: Sequence[RooflinePoints]) -> None:
    """Draw the roofs and the layers; the ten places with most cycles are named.

    Parameters
    ----------
    axes
        Of a figure with an Agg canvas, at its final place: labels are laid out for it.
    rooflines
        At least one. Layers without DRAM traffic stand at the right edge; colour and filling tell runs
        apart, the marker's shape what a layer spends its cycles on.
    """
    _set_limits(axes, rooflines)
    edge = axes.get_xlim()[1] / RIGHT_EDGE
    marks = [mark for index, each in enumerate(rooflines) for mark in _marks(each, index, edge)]
    lines = [box for index, each in enumerate(rooflines) for box in draw_roofs(axes, each, index)]
    texts = write_roofs(axes, rooflines[0]) if len(rooflines) == 1 else []
    if any(mark.points[0].on_chip for mark in marks):
        texts.append(draw_on_chip_edge(axes))
    for mark in marks:
        axes.add_line(_marker(mark))
    _dress(axes, rooflines)
    _draw_legend(axes, rooflines, marks)
    draw_labels(axes, marks, texts, lines)


def _marker(mark: Mark) -> Line2D:
    return Line2D(
        [mark.x], [mark.y], linestyle="none", zorder=7, color=style.run_colour(mark.run_index),
        marker=style.BOTTLENECK_MARKERS[mark.points[0].bottleneck], markersize=style.MARKER_POINTS,
        markeredgewidth=0.8, fillstyle=style.RUN_MARKER_FILLS[mark.run_index % len(style.RUN_MARKER_FILLS)],
        markerfacecoloralt=style.PAPER,
    )  # fmt: skip


def _set_limits(axes: Axes, rooflines: Sequence[RooflinePoints]) -> None:
    """Set log axes that hold every point and every ridge, with room for labels."""
    points = [point for each in rooflines for point in each.points]
    ridges = [each.ridge_ops_per_byte for each in rooflines if each.ridge_ops_per_byte]
    xs = [*(point.ops_per_byte for point in points if not point.on_chip), *ridges] or [1.0]
    ys = [*(point.achieved_gops for point in points), *(each.compute_gops for each in rooflines)]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(min(xs) / 4, max(xs) * 6)
    axes.set_ylim(min(min(ys) / 3, max(ys) / 30), max(ys) * 4)


def _marks(roofline: RooflinePoints, run_index: int, edge: float) -> list[Mark]:
    """Group the layers that stand at one place, to two digits."""
    groups: dict[tuple[object, ...], list[RooflinePoint]] = {}
    for point in roofline.points:
        place = (f"{point.ops_per_byte:.2g}", f"{point.achieved_gops:.2g}", point.bottleneck)
        groups.setdefault(place, []).append(point)
    return [
        Mark(points=tuple(group), run_index=run_index, x=edge if group[0].on_chip else group[0].ops_per_byte)
        for group in groups.values()
    ]


def _dress(axes: Axes, rooflines: Sequence[RooflinePoints]) -> None:
    axes.set_xlabel("operational intensity [ops / DRAM byte]", fontsize=style.TEXT_POINTS, color=style.INK)
    axes.set_ylabel("performance [GOPS = 1e9 ops/s]", fontsize=style.TEXT_POINTS, color=style.INK)
    title = rooflines[0].name if len(rooflines) == 1 else f"{len(rooflines)} runs"
    axes.set_title(f"Roofline: {shortened(title, 70)}", fontsize=style.TITLE_POINTS, color=style.INK, loc="left")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(base=10, numticks=12))
        axis.set_major_formatter(FuncFormatter(_tick))
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.grid(visible=True, which="major", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _tick(value: float, _position: int | None = None) -> str:
    power = floor(log10(value) + 0.5)
    return f"{value:,.{max(0, -power)}f}" if -3 <= power <= 4 else f"$10^{{{power}}}$"


def _draw_legend(axes: Axes, rooflines: Sequence[RooflinePoints], marks: Sequence[Mark]) -> None:
    present = {mark.points[0].bottleneck for mark in marks}
    entries = [
        Line2D(
            [], [], marker=marker, linestyle="none", color=style.INK, markersize=style.MARKER_POINTS, label=kind.value
        )
        for kind, marker in style.BOTTLENECK_MARKERS.items()
        if kind in present
    ]
    if len(rooflines) > 1:
        entries += [_run_entry(each, index) for index, each in enumerate(rooflines)]
    if entries:
        axes.legend(handles=entries, title="most cycles go to", loc="upper left", bbox_to_anchor=(1.01, 1.0),
                    frameon=False, fontsize=style.SMALL_POINTS, title_fontsize=style.SMALL_POINTS,
                    alignment="left", labelspacing=0.7)  # fmt: skip
    if any(point.achieved_gops > each.compute_gops for each in rooflines for point in each.points):
        axes.text(1.02, 0.02, "above the roof:\nzeros skipped", transform=axes.transAxes, color=style.INK,
                  fontsize=style.SMALL_POINTS)  # fmt: skip


def _run_entry(roofline: RooflinePoints, run_index: int) -> Line2D:
    """Return a legend entry with the run's name and its roofs."""
    ridge, slope = roofline.ridge_ops_per_byte, roofline.dram_gb_per_second
    dram = f"{three_digits(slope)} GB/s\nridge {three_digits(ridge)} ops/B" if ridge and slope else "ideal DRAM"
    label = f"{shortened(roofline.name, 24)}\n{shown(roofline.compute_gops, OPS_SCALES)}, {dram}"
    colour, line = style.run_colour(run_index), style.RUN_LINES[run_index % len(style.RUN_LINES)]
    fill = style.RUN_MARKER_FILLS[run_index % len(style.RUN_MARKER_FILLS)]
    return Line2D([], [], color=colour, linestyle=line, marker="o", fillstyle=fill, markersize=style.MARKER_POINTS,
                  markerfacecoloralt=style.PAPER, label=label)  # fmt: skip

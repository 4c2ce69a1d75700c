"""ReusePoints -> Figure: a panel per PE count, a bar per dataflow and batch, stacked by level.

Called by `scripts/dataflow_study.py`; `draw_points` also serves a user's own axes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from archsim.report import style
from archsim.study.reuse.split import ReuseLevel
from archsim.study.reuse.study import PointKey, ReusePoint

STACK = (
    (ReuseLevel.ALU, "ALU", style.COMPONENT_FILLS[5]),
    (ReuseLevel.DRAM, "DRAM", style.COMPONENT_FILLS[3]),
    (ReuseLevel.GLB, "GLB", style.COMPONENT_FILLS[2]),
    (ReuseLevel.ARRAY, "array", style.COMPONENT_FILLS[1]),
    (ReuseLevel.SPAD, "spad", style.COMPONENT_FILLS[0]),
)
"""Level, its name in the legend and its look; from the bottom, as in the paper."""

BAR_WIDTH = 0.74
GROUP_GAP = 0.8
"""Between dataflows, in places of bars."""
TICK_REACH = 0.09
"""By which a published tick stands out of its bar."""
BATCH_DROP_POINTS, DATAFLOW_DROP_POINTS = 4.0, 17.0
"""From the axis down to the two lines of names."""
ROOM_ABOVE = 1.08


def dataflow_study_figure(
    points: Sequence[ReusePoint], title: str, published: Mapping[PointKey, float] | None = None
) -> Figure:
    """Return a panel per PE count, all on one scale.

    Parameters
    ----------
    points
        In the order of the bars.
    title
        What ran.
    published
        Total energy per MAC, drawn as a tick across its bar. [MACs]
    """
    pe_counts = tuple(dict.fromkeys(point.storage.pes for point in points))
    size = (style.TIMELINE_WIDTH_INCHES, 0.8 + len(pe_counts) * style.LAYERS_HEIGHT_INCHES / 2)
    figure = Figure(figsize=size, dpi=style.DPI, facecolor=style.PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(pe_counts), 1, squeeze=False, sharey=True)[:, 0]
    for axes, pes in zip(panels, pe_counts, strict=True):
        draw_points(axes, [point for point in points if point.storage.pes == pes], published or {})
        axes.set_title(f"{pes} PEs", fontsize=style.TEXT_POINTS, color=style.INK, loc="left")
    handles, labels = panels[0].get_legend_handles_labels()
    if published:
        handles.append(Line2D([], [], color=style.INK, linewidth=style.LINE_POINTS))
        labels.append("published")
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=style.SMALL_POINTS, reverse=True)
    figure.suptitle(title, fontsize=style.TITLE_POINTS, color=style.INK, x=0.01, ha="left")
    return figure


def draw_points(axes: Axes, points: Sequence[ReusePoint], published: Mapping[PointKey, float]) -> None:
    """Draw points of one PE count, grouped by dataflow; one without a mapping gets a word instead of a bar."""
    places = _places(points)
    base = np.zeros(len(points))
    for level, name, fill in STACK:
        heights = np.array([point.energy_per_mac(level) if point.is_feasible else 0.0 for point in points])
        axes.bar(places, heights, bottom=base, width=BAR_WIDTH, label=name, color=fill.colour, hatch=fill.hatch,
                 edgecolor=style.INK, linewidth=0.35)  # fmt: skip
        base = base + heights
    for point, place in zip(points, places, strict=True):
        energy = published.get(point.key)
        if energy is not None:
            reach = BAR_WIDTH / 2 + TICK_REACH
            axes.hlines(energy, place - reach, place + reach, color=style.INK, linewidth=style.LINE_POINTS, zorder=4)
        if not point.is_feasible:
            axes.text(place, 0.15, "no mapping", rotation=90, ha="center", va="bottom", fontsize=style.SMALL_POINTS,
                      color=style.INK)  # fmt: skip
    _dress(axes, points, places)


def _places(points: Sequence[ReusePoint]) -> np.ndarray:
    """Return where each bar stands: side by side, with a gap before each new dataflow."""
    groups = list(dict.fromkeys(point.dataflow for point in points))
    return np.array([index + GROUP_GAP * groups.index(point.dataflow) for index, point in enumerate(points)])


def _dress(axes: Axes, points: Sequence[ReusePoint], places: np.ndarray) -> None:
    axes.set_ylabel("energy per MAC [1 = the MAC]", fontsize=style.TEXT_POINTS, color=style.INK)
    axes.set_xticks(places, [f"{point.batch}" for point in points])
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.tick_params(axis="x", length=0)
    for dataflow in dict.fromkeys(point.dataflow for point in points):
        middle = np.mean([place for place, point in zip(places, points, strict=True) if point.dataflow is dataflow])
        _write_below(axes, float(middle), DATAFLOW_DROP_POINTS, dataflow.value)
    _write_below(axes, places[0] - 1, BATCH_DROP_POINTS, "images")
    axes.set_xlim(places[0] - 1, places[-1] + 1)
    axes.set_ylim(0, max(axes.get_ylim()[1], ROOM_ABOVE * max(map(_height, points))))
    axes.grid(visible=True, axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _write_below(axes: Axes, place: float, drop_points: float, text: str) -> None:
    axes.annotate(text, (place, 0), xycoords=("data", "axes fraction"), xytext=(0, -drop_points),
                  textcoords="offset points", ha="center", va="top", color=style.INK,
                  fontsize=style.SMALL_POINTS if drop_points == BATCH_DROP_POINTS else style.TEXT_POINTS)  # fmt: skip


def _height(point: ReusePoint) -> float:
    return point.total_energy_per_mac if point.is_feasible else 0.0

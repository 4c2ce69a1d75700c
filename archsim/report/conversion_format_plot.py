"""Formats side by side -> Figure: accuracy against energy and size, or the costs alone where no images were given.

Called by `conversion_page.py`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from archsim.report import style
from archsim.report.conversion_axes import dress, dress_accuracy, new_figure, title_figure
from archsim.report.conversion_rows import known
from archsim.report.label_placement import Box, Surroundings, gap_to, leader_pieces, place_labels
from archsim.report.quantity import BYTE_SCALES, ENERGY_SCALES, scale_of, shortened, three_digits
from archsim.study.conversion import ConversionReport, FormatRow

PANEL_INCHES = (5.2, 4.0)
ROW_INCHES = 0.28
HEAD_INCHES = 1.3
MOST_LABEL_CHARACTERS = 22
CLEAR_RADII = 1.7
"""Room that names leave around a marker, in its own radii."""
COSTS = {"energy_pj": ("energy of one image", ENERGY_SCALES), "weight_bytes": ("weights and biases", BYTE_SCALES)}
"""Cost -> what its axis is called, and the units to choose one of."""


def formats_figure(report: ConversionReport) -> Figure:
    """Draw one panel per cost that is known for every format drawn."""
    measured = [row for row in report.rows if known(row.accuracy)]
    rows = measured or list(report.rows)
    costs = [cost for cost in COSTS if all(getattr(row, cost) is not None for row in rows)]
    width, height = PANEL_INCHES
    figure = new_figure(max(1.25, len(costs)) * width, height if measured else HEAD_INCHES + ROW_INCHES * len(rows))
    panels = figure.subplots(1, len(costs), sharey=True, squeeze=False).flatten().tolist()
    for axes, cost in zip(panels, costs, strict=True):
        (_draw_accuracy if measured else _draw_cost)(axes, rows, cost)
    for axes in panels[1:]:
        axes.set_ylabel("")
    hidden = len(report.rows) - len(rows)
    note = f" ({hidden} without accuracy not shown)" if hidden else ""
    where = f", one image on {shortened(report.arch, MOST_LABEL_CHARACTERS)}" if report.arch else ""
    title_figure(figure, report.network, f"formats{where}{note}")
    figure.draw_without_rendering()
    if measured:
        for axes, cost in zip(panels, costs, strict=True):
            _name_points(axes, rows, cost)
    return figure


def _draw_accuracy(axes: Axes, rows: Sequence[FormatRow], cost: str) -> None:
    xs, quantity = _scaled(rows, cost)
    ys = [_per_cent(row) for row in rows]
    axes.plot(xs, ys, linestyle="none", marker="o", markersize=style.MARKER_POINTS, color=style.READ_FILL.colour,
              zorder=7)  # fmt: skip
    dress(axes, x=f"{quantity}: less is better", y="accuracy [%]")
    axes.set_xlim(0.0, 1.12 * max(*xs, 0.0) or 1.0)
    dress_accuracy(axes, [row.accuracy for row in rows])


def _draw_cost(axes: Axes, rows: Sequence[FormatRow], cost: str) -> None:
    xs, quantity = _scaled(rows, cost)
    bars = axes.barh(range(len(rows)), xs, height=0.7, color=style.COMPONENT_FILLS[2].colour, edgecolor=style.INK,
                     linewidth=0.35)  # fmt: skip
    axes.bar_label(bars, [three_digits(x) for x in xs], padding=3, fontsize=style.SMALL_POINTS)
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    dress(axes, x=f"{quantity}: less is better", is_x_grid=True)
    axes.margins(x=0.15)


def _scaled(rows: Sequence[FormatRow], cost: str) -> tuple[list[float], str]:
    words, scales = COSTS[cost]
    values = [float(getattr(row, cost)) for row in rows]
    scale = scale_of(max(values), scales)
    return [value / scale.divisor for value in values], f"{words} [{scale.unit}]"


def _per_cent(row: FormatRow) -> float:
    return 100 * row.accuracy.share if row.accuracy else 0.0


def _name(row: FormatRow) -> str:
    return shortened(row.format, MOST_LABEL_CHARACTERS)


def _name_points(axes: Axes, rows: Sequence[FormatRow], cost: str) -> None:
    """Write each format beside its point, with a line where that is far; the axes have their final place."""
    xs, _ = _scaled(rows, cost)
    points = list(zip(xs, map(_per_cent, rows), strict=True))
    texts = [axes.text(x, y, _name(row), fontsize=style.SMALL_POINTS, zorder=6,
                       color=style.INK, path_effects=style.halo(), parse_math=False)
             for (x, y), row in zip(points, rows, strict=True)]  # fmt: skip
    boxes = [Box(*text.get_window_extent().extents) for text in texts]
    anchors = [(float(x), float(y)) for x, y in axes.transData.transform(points)]
    radius = CLEAR_RADII * style.MARKER_POINTS * style.DPI / 72 / 2
    around = Surroundings(
        bounds=Box(*axes.bbox.extents), blocked=(), lines=(), points=[Box(x, y, x, y).grown(radius) for x, y in anchors]
    )
    to_data = axes.transData.inverted()
    places = place_labels(anchors, [(box.right - box.left, box.top - box.bottom) for box in boxes], around)
    for text, box, place, anchor in zip(texts, boxes, places, anchors, strict=True):
        text.set_in_layout(False)
        if place is None:
            text.remove()
            continue
        x, y = axes.transData.transform(text.get_position())
        text.set_position(tuple(to_data.transform((x + place.left - box.left, y + place.bottom - box.bottom))))
        if leader_pieces(place, anchor):
            dx, dy = gap_to(place, anchor)
            ends = to_data.transform([anchor, (anchor[0] + dx, anchor[1] + dy)])
            axes.plot(ends[:, 0], ends[:, 1], color=style.FAINT, linewidth=0.7, zorder=3)

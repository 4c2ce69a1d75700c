"""ConversionReport -> Figures: size and accuracy per pass, bits per layer.

Called by `conversion_page.py`; formats side by side are drawn by `conversion_format_plot.py`, the weights themselves
by `conversion_histogram_plot.py`.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from archsim.report import style
from archsim.report.conversion_axes import are_upright, dress, dress_accuracy, name_bars, new_figure, title_figure
from archsim.report.conversion_rows import known, width_bits
from archsim.report.quantity import BYTE_SCALES, scale_of, three_digits
from archsim.study.conversion import FLOAT_NAME, Accuracy, ConversionReport, LayerRecord, bytes_of

WIDTH_INCHES = (6.2, 13.0)
INCHES_PER_BAR = 0.2
PANEL_INCHES = 2.2
NAMES_INCHES = (0.6, 1.9)
"""Title, and names of bars upright, or on their side."""
LEGEND_INCHES = 0.9
MOST_LAYERS = 60
MOST_VALUES = 14
"""Bars that have room for their number above them."""
BAR_FILL = style.COMPONENT_FILLS[2]
WEIGHT_FILL = style.READ_FILL
IFMAP_FILL = style.WRITE_FILL


def passes_figure(report: ConversionReport) -> Figure:
    """Draw the size after each pass, and the accuracy below it where images were given."""
    names = [FLOAT_NAME, *(each.name for each in report.passes)]
    sizes = [bytes_of(bits) for bits in (report.float_weight_bits, *(each.weight_bits for each in report.passes))]
    accuracies = [known(each) for each in (report.float_accuracy, *(each.accuracy for each in report.passes))]
    is_measured = any(accuracies)
    width = _width(len(names))
    figure = new_figure(width, _height(1 + is_measured, names, width))
    panels = figure.subplots(1 + is_measured, 1, sharex=True, squeeze=False).flatten().tolist()
    _draw_sizes(panels[0], sizes)
    if is_measured:
        _draw_accuracies(panels[1], accuracies)
        panels[0].tick_params(labelbottom=False, bottom=False)
    name_bars(panels[-1], names, width)
    figure.align_ylabels()
    title_figure(figure, report.network, "size and accuracy per pass" if is_measured else "size per pass")
    return figure


def bits_figure(report: ConversionReport) -> Figure:
    """Draw the width of weights and ifmaps per layer, and each layer's share of all stored weights below."""
    ranked = sorted(range(len(report.layers)), key=lambda index: -report.layers[index].weight_bits)[:MOST_LAYERS]
    layers = [report.layers[index] for index in sorted(ranked)]
    width = _width(len(layers))
    names = [each.name for each in layers]
    figure = new_figure(width, _height(2, names, width - LEGEND_INCHES))
    above, below = figure.subplots(2, 1, sharex=True)
    _draw_widths(above, layers)
    total_bits = sum(each.weight_bits for each in report.layers) or 1
    _draw_bars(below, [100 * each.weight_bits / total_bits for each in layers])
    dress(below, y="share of stored weights [%]")
    above.tick_params(labelbottom=False, bottom=False)
    name_bars(below, names, width - LEGEND_INCHES)
    figure.align_ylabels()
    hidden = len(report.layers) - len(layers)
    note = f" ({len(layers)} of {len(report.layers)}: those with most stored weights)" if hidden else ""
    title_figure(figure, report.network, f"bits per layer{note}")
    return figure


def _draw_sizes(axes: Axes, sizes: Sequence[int]) -> None:
    scale = scale_of(max(sizes), BYTE_SCALES)
    _draw_bars(axes, [size / scale.divisor for size in sizes])
    dress(axes, y=f"weights and biases [{scale.unit}]")


def _draw_bars(axes: Axes, heights: Sequence[float]) -> None:
    bars = axes.bar(range(len(heights)), heights, width=0.7, color=BAR_FILL.colour, edgecolor=style.INK, linewidth=0.35)
    if len(heights) <= MOST_VALUES:
        axes.bar_label(bars, [three_digits(height) for height in heights], padding=2, fontsize=style.SMALL_POINTS)
        axes.margins(y=0.15)


def _draw_accuracies(axes: Axes, accuracies: Sequence[Accuracy | None]) -> None:
    places = [place for place, each in enumerate(accuracies) if each]
    per_cents = [100 * each.share for each in accuracies if each]
    axes.plot(places, per_cents, color=WEIGHT_FILL.colour, marker="o", markersize=style.MARKER_POINTS - 1,
              linewidth=style.LINE_POINTS)  # fmt: skip
    dress(axes, y="accuracy [%]")
    dress_accuracy(axes, accuracies)
    if len(accuracies) <= MOST_VALUES:
        for index, place in enumerate(places):
            (dx, dy), align = _beside_line(per_cents, index)
            axes.annotate(f"{per_cents[index]:.2f}", (place, per_cents[index]), xytext=(dx, dy), ha=align,
                          textcoords="offset points", fontsize=style.SMALL_POINTS, color=style.INK)  # fmt: skip


def _beside_line(values: Sequence[float], index: int) -> tuple[tuple[float, float], Literal["left", "center", "right"]]:
    """Return where a number stands beside its point so that the line does not run through it. [points]"""
    falls_here = index > 0 and values[index - 1] > values[index]
    rises_next = index + 1 < len(values) and values[index + 1] > values[index]
    if falls_here and rises_next:
        return (0, -13), "center"
    if falls_here:
        return (2, 5), "left"
    return ((-2, 5), "right") if rises_next else ((0, 6), "center")


def _draw_widths(axes: Axes, layers: Sequence[LayerRecord]) -> None:
    """Draw pairs of bars; a format that names no width has none."""
    places = np.arange(len(layers))
    kinds = (
        ("weight", WEIGHT_FILL, -0.2, [width_bits(each.weight_format) for each in layers]),
        ("ifmap", IFMAP_FILL, 0.2, [width_bits(each.ifmap_format) for each in layers]),
    )
    for label, fill, shift, widths in kinds:
        if any(widths):
            axes.bar(places + shift, [width or 0 for width in widths], width=0.38, label=label, color=fill.colour,
                     hatch=fill.hatch, edgecolor=style.INK, linewidth=0.35)  # fmt: skip
    dress(axes, y="width of a word [bit]")
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    if axes.containers:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=style.SMALL_POINTS)


def _height(panels: int, names: Sequence[str], bars_inches: float) -> float:
    upright, aside = NAMES_INCHES
    return panels * PANEL_INCHES + (upright if are_upright(names, bars_inches) else aside)


def _width(bars: int) -> float:
    narrow, wide = WIDTH_INCHES
    return min(wide, max(narrow, 2.4 + INCHES_PER_BAR * bars, 1.1 * min(bars, 8)))

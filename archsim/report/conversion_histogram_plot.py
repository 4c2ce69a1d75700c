"""Weight histograms of a conversion -> Figure: one small picture per layer, before and after.

Called by `conversion_page.py`.
"""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from archsim.report import style
from archsim.report.conversion_axes import dress, new_figure, title_of
from archsim.report.conversion_histograms import WeightHistogram
from archsim.report.quantity import shortened, three_digits

MOST_PANELS = 30
MOST_COLUMNS = 5
PANEL_INCHES = (2.35, 1.65)
HEAD_INCHES = 0.95
"""Title, legend and the quantity below."""
NARROWEST_INCHES = 5.6
MOST_LABEL_CHARACTERS = 20
ZEROS_DOMINATE = 0.4
"""Share of zeros after the conversion from which counts are drawn on a log scale."""


def histogram_figure(histograms: Sequence[WeightHistogram], network: str) -> Figure:
    """Draw the layers in running order, at most 30: those with most weights.

    Before: filled bins. After: a line over the same bins, or a stem on every level of a coarse format, which
    stands for all weights of the level. Both are counts on one axis; each layer has its own scales.
    """
    ranked = sorted(histograms, key=lambda each: -each.layer.weights)[:MOST_PANELS]
    shown = [each for each in histograms if any(each is kept for kept in ranked)]
    columns = min(MOST_COLUMNS, max(1, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    width, height = PANEL_INCHES
    figure = new_figure(max(NARROWEST_INCHES, columns * width), rows * height + HEAD_INCHES)
    panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axes, each in zip(panels, shown, strict=False):
        _draw(axes, each)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    hidden = len(histograms) - len(shown)
    note = f" ({len(shown)} of {len(histograms)} layers: those with most weights)" if hidden else ""
    figure.supxlabel("value of a weight", fontsize=style.TEXT_POINTS, color=style.INK)
    figure.supylabel("weights [words]", fontsize=style.TEXT_POINTS, color=style.INK)
    _add_legend(figure, shown, title_of(network, f"weights before and after{note}"))
    return figure


def _draw(axes: Axes, each: WeightHistogram) -> None:
    axes.stairs(each.before, each.edges, fill=True, color=style.GRID, edgecolor=style.FAINT, linewidth=0.6)
    if len(each.levels):
        axes.vlines(each.levels, 0.0, each.level_counts, color=style.READ_FILL.colour, linewidth=1.1)
        axes.plot(each.levels, each.level_counts, "o", color=style.READ_FILL.colour, markersize=2.2)
    else:
        axes.stairs(each.after, each.edges, color=style.READ_FILL.colour, linewidth=0.9)
    dress(axes)
    is_log = each.layer.values_after.size > 0 and float((each.layer.values_after == 0).mean()) >= ZEROS_DOMINATE
    if is_log:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
    else:
        axes.set_ylim(bottom=0.0)
        axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: three_digits(value)))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: three_digits(value)))
    axes.tick_params(labelsize=style.SMALL_POINTS - 1)
    name = shortened(each.layer.name, MOST_LABEL_CHARACTERS)
    words = f"{shortened(each.layer.weight_format, MOST_LABEL_CHARACTERS)}{', log counts' if is_log else ''}"
    axes.set_title(f"{name}\n{words}", fontsize=style.SMALL_POINTS, color=style.INK, loc="left", parse_math=False)


def _add_legend(figure: Figure, shown: Sequence[WeightHistogram], title: str) -> None:
    """Put the title above all, and below it what is there."""
    dark = style.READ_FILL.colour
    entries: list[Patch | Line2D] = []
    if shown:
        entries.append(Patch(facecolor=style.GRID, edgecolor=style.FAINT, label="before (floats, batch norm folded)"))
    if any(not len(each.levels) for each in shown):
        entries.append(Line2D([], [], color=dark, label="after, same bins"))
    if any(len(each.levels) for each in shown):
        entries.append(Line2D([], [], color=dark, marker="o", markersize=3, label="after, per level"))
    legend = figure.legend(handles=entries, loc="outside upper left", ncols=max(1, len(entries)), frameon=False,
                           fontsize=style.SMALL_POINTS, title=title, title_fontsize=style.TITLE_POINTS,
                           alignment="left", borderaxespad=0.1)  # fmt: skip
    legend.get_title().set_parse_math(False)

"""What the pictures of a conversion share: a figure, the dress of its axes, names of bars that do not collide.

Called by `conversion_plot.py`, `conversion_format_plot.py` and `conversion_histogram_plot.py`.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from archsim.report import style
from archsim.report.quantity import shortened
from archsim.study.conversion import Accuracy

MOST_LABEL_CHARACTERS = 26
MOST_TITLE_CHARACTERS = 60
UPRIGHT_CHARACTERS_PER_INCH = 14
"""Names of bars stand upright where a bar's place has room for them."""
MARGIN_INCHES = 0.8
"""Width that the left axis takes."""
FEWEST_PLACES = 4
EDGE_PLACES = 0.4
"""Beside the outermost bars, both sides together; a place is as wide as a bar and its gap."""
LEAST_SPAN_POINTS = 1.0
"""Of an accuracy axis, so that a change of nothing does not fill it. [percentage points]"""


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """Return an empty figure that lays itself out."""
    figure = Figure(figsize=(width_inches, height_inches), dpi=style.DPI, facecolor=style.PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def title_of(network: str, words: str) -> str:
    """Return a title that fits, whatever the network is called."""
    return f"{shortened(network, MOST_TITLE_CHARACTERS)}: {words}"


def title_figure(figure: Figure, network: str, words: str) -> None:
    """Write the title over all axes, at the left."""
    figure.suptitle(title_of(network, words), x=0.01, ha="left", fontsize=style.TITLE_POINTS, color=style.INK,
                    parse_math=False)  # fmt: skip


def dress(axes: Axes, *, x: str = "", y: str = "", is_x_grid: bool = False) -> None:
    """Name the quantities with their units, draw the grid behind the data, drop the frame's upper right."""
    axes.set_xlabel(x, fontsize=style.TEXT_POINTS, color=style.INK)
    axes.set_ylabel(y, fontsize=style.TEXT_POINTS, color=style.INK)
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.grid(visible=True, axis="both" if x and y else "x" if is_x_grid else "y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def accuracy_limits(per_cents: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis: around the values, with room for a number above each. [%]"""
    low, high = min(per_cents), max(per_cents)
    span = max(high - low, LEAST_SPAN_POINTS)
    return max(0.0, low - 0.3 * span), high + 0.35 * span


def dress_accuracy(axes: Axes, accuracies: Sequence[Accuracy | None]) -> None:
    """Name the axis, and leave out what lies above 100 %."""
    seen = [each for each in accuracies if each]
    axes.set_ylim(*accuracy_limits([100 * each.share for each in seen]))
    low, high = axes.get_ylim()
    ticks = MaxNLocator(6).tick_values(low, high)
    axes.set_yticks([tick for tick in ticks if low <= tick <= min(high, 100.0)])
    counts = sorted({each.images for each in seen})
    images = f"% of {counts[0]:,} images" if len(counts) == 1 else "%"
    axes.set_ylabel(f"accuracy [{images}]", fontsize=style.TEXT_POINTS, color=style.INK)


def are_upright(names: Sequence[str], width_inches: float) -> bool:
    """Whether the names of bars, shortened, fit side by side."""
    place_inches = (width_inches - MARGIN_INCHES) / (max(len(names), FEWEST_PLACES) + EDGE_PLACES)
    room = UPRIGHT_CHARACTERS_PER_INCH * place_inches
    return min(max(map(len, names), default=0), MOST_LABEL_CHARACTERS) <= room


def name_bars(axes: Axes, names: Sequence[str], width_inches: float) -> None:
    """Put the names under the bars at 0, 1, 2...: upright where all fit side by side, else on their side."""
    labels = [shortened(name, MOST_LABEL_CHARACTERS) for name in names]
    rotation = 0 if are_upright(names, width_inches) else 90
    axes.set_xticks(range(len(labels)), labels, rotation=rotation, parse_math=False)
    half = (max(len(labels), FEWEST_PLACES) + EDGE_PLACES) / 2
    axes.set_xlim((len(labels) - 1) / 2 - half, (len(labels) - 1) / 2 + half)

"""Published numbers beside simulated ones -> Figure: a panel per quantity, a pair of bars per row.

Called by `archsim validate --plot`, which hands in panels made by `validate/panels.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

from archsim.report import style
from archsim.report.pictures import check_png, png_bytes
from archsim.report.quantity import shortened, three_digits
from archsim.report.style import Fill
from archsim.study.directory import write_directory
from archsim.study.run_tables import csv_text

COLUMNS = ("panel", "quantity", "row", "published", "simulated", "error", "is_recalled", "is_gated")
LOG_FROM = 100.0
"""Largest / smallest bar from which an axis is logarithmic."""
PANELS_ACROSS = 2
MOST_PAIRS_BESIDE = 10
"""Pairs of bars up to which panels stand side by side."""
MOST_PAIRS = 30
"""Of a panel."""
MOST_LABEL_CHARACTERS, MOST_TITLE_CHARACTERS = 30, 64
UPRIGHT_UP_TO_CHARACTERS = 11
FEWEST_PLACES = 5
BAR_WIDTH = 0.38
HEADROOM = 0.22
"""Of the axis above the highest bar, for the errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPair:
    """One published number and the simulated one.

    Parameters
    ----------
    label
        Below the bars.
    published, simulated
        In the panel's unit.
    error
        Above the bars; empty = they do not differ.
    is_recalled
        The published number was recalled from memory.
    is_gated
        False = it is held to no bound.
    """

    label: str
    published: float
    simulated: float
    error: str
    is_recalled: bool = False
    is_gated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The rows of one quantity.

    Parameters
    ----------
    title
        What is compared where.
    quantity
        With its unit, for the axis.
    pairs
        In the order of the table.
    """

    title: str
    quantity: str
    pairs: tuple[BarPair, ...]


def write_comparison(panels: Sequence[Panel], picture: Path) -> None:
    """Write the panels as a PNG, with all numbers as a CSV beside it.

    Raises
    ------
    ConfigError
        ``picture`` does not end in ``.png``, or the disk refuses.
    """
    check_png(picture, "a comparison")
    rows = [
        (panel.title, panel.quantity, pair.label, pair.published, pair.simulated, pair.error, pair.is_recalled, pair.is_gated)
        for panel in panels
        for pair in panel.pairs
    ]  # fmt: skip
    files = {
        picture.name: png_bytes(comparison_figure(panels)),
        picture.with_suffix(".csv").name: csv_text(COLUMNS, rows).encode(),
    }
    write_directory(picture.parent, files)


def comparison_figure(panels: Sequence[Panel]) -> Figure:
    """Return small multiples: two across, or one where rows are many; a long panel goes on in the next."""
    panels = [part for panel in panels for part in _parts(panel)]
    most = max(len(panel.pairs) for panel in panels)
    across = PANELS_ACROSS if most <= MOST_PAIRS_BESIDE and len(panels) > 1 else 1
    down = ceil(len(panels) / across)
    width, height = style.PANEL_INCHES
    labels = sum(max(map(_label_inches, panels[start : start + across])) for start in range(0, len(panels), across))
    size = (across * max(width, 1.2 + style.INCHES_PER_PAIR * most), down * height + labels + 0.5)
    figure = Figure(figsize=size, dpi=style.DPI, facecolor=style.PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for panel, place in zip(panels, axes, strict=False):
        draw_panel(place, panel)
    for spare in axes[len(panels) :]:
        spare.set_axis_off()
    figure.legend(
        handles=_legend(panels), loc="outside upper left", ncols=4, frameon=False, fontsize=style.SMALL_POINTS
    )
    return figure


def _parts(panel: Panel) -> list[Panel]:
    """Share the pairs out over panels of almost equal length."""
    count = ceil(len(panel.pairs) / MOST_PAIRS)
    each = ceil(len(panel.pairs) / count)
    parts = [panel.pairs[start : start + each] for start in range(0, len(panel.pairs), each)]
    return [
        replace(panel, pairs=part, title=f"{panel.title} ({index} of {count})" if count > 1 else panel.title)
        for index, part in enumerate(parts, start=1)
    ]


def draw_panel(axes: Axes, panel: Panel) -> None:
    """Draw each pair of bars with its error above; the axis is logarithmic where the bars differ a hundredfold."""
    pairs = panel.pairs
    is_log = _is_log(pairs)
    floor = _floor(pairs) if is_log else 0.0
    places = np.arange(len(pairs))
    for place, pair in zip(places.tolist(), pairs, strict=True):
        _draw_bar(
            axes,
            place - BAR_WIDTH / 2,
            pair.published,
            style.RECALLED_FILL if pair.is_recalled else style.PUBLISHED_FILL,
        )
        _draw_bar(axes, place + BAR_WIDTH / 2, pair.simulated, style.SIMULATED_FILL)
        top = max(pair.published, pair.simulated, floor)
        shown = f"({pair.error})" if pair.error and not pair.is_gated else pair.error
        axes.annotate(shown, (place, top), xytext=(0, 2), textcoords="offset points", ha="center", va="bottom",
                      fontsize=style.SMALL_POINTS, color=style.INK)  # fmt: skip
    _dress(axes, panel)
    _scale(axes, pairs, floor)


def _draw_bar(axes: Axes, place: float, value: float, fill: Fill) -> None:
    axes.bar(place, value, width=BAR_WIDTH, color=fill.colour, hatch=fill.hatch, edgecolor=style.INK, linewidth=0.35)


def _values(pairs: Sequence[BarPair]) -> list[float]:
    return [value for pair in pairs for value in (pair.published, pair.simulated) if value > 0]


def _is_log(pairs: Sequence[BarPair]) -> bool:
    values = _values(pairs)
    return bool(values) and max(values) > LOG_FROM * min(values)


def _floor(pairs: Sequence[BarPair]) -> float:
    """Return the foot of a logarithmic axis: the power of ten below the smallest bar."""
    return float(10 ** np.floor(np.log10(min(_values(pairs)) / 1.5)))


def _scale(axes: Axes, pairs: Sequence[BarPair], floor: float) -> None:
    top = max(_values(pairs), default=1.0)
    if floor:
        axes.set_yscale("log")
        axes.set_ylim(floor, top * (top / floor) ** HEADROOM)
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, top * (1 + HEADROOM))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: three_digits(value)))


def _dress(axes: Axes, panel: Panel) -> None:
    pairs = panel.pairs
    axes.set_title(
        shortened(panel.title, MOST_TITLE_CHARACTERS), fontsize=style.TEXT_POINTS, color=style.INK, loc="left"
    )
    axes.set_ylabel(panel.quantity, fontsize=style.SMALL_POINTS, color=style.INK)
    labels = [shortened(pair.label, MOST_LABEL_CHARACTERS) for pair in pairs]
    axes.set_xticks(range(len(pairs)), labels, rotation=90 if _label_inches(panel) else 0)
    half = max(len(pairs), FEWEST_PLACES) / 2 + 0.2
    axes.set_xlim((len(pairs) - 1) / 2 - half, (len(pairs) - 1) / 2 + half)
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.grid(visible=True, axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _label_inches(panel: Panel) -> float:
    """Return what labels that stand on end take below the axis; 0 where all are short enough to lie. [inches]"""
    longest = min(max(len(pair.label) for pair in panel.pairs), MOST_LABEL_CHARACTERS)
    if longest <= UPRIGHT_UP_TO_CHARACTERS and len(panel.pairs) <= MOST_PAIRS_BESIDE:
        return 0.0
    return longest * style.SMALL_CHARACTER_INCHES


def _legend(panels: Sequence[Panel]) -> list[Patch]:
    pairs = [pair for panel in panels for pair in panel.pairs]
    entries = [("published", style.PUBLISHED_FILL), ("simulated", style.SIMULATED_FILL)]
    if any(pair.is_recalled for pair in pairs):
        entries.insert(1, ("published, recalled from memory", style.RECALLED_FILL))
    marks = [Patch(facecolor=fill.colour, hatch=fill.hatch, edgecolor=style.INK, linewidth=0.35, label=name)
             for name, fill in entries]  # fmt: skip
    bracket = "(error): held to no bound"
    return marks if all(pair.is_gated for pair in pairs) else [*marks, Patch(fill=False, linewidth=0, label=bracket)]

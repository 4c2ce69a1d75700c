"""Every colour, size and font of every picture; readable in grey, by lightness, hatch and marker.

Called by the plot files of this folder only.
"""

from typing import Literal, NamedTuple

from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke

from archsim.terms import Bottleneck

LineName = Literal["-", "--", "-.", ":"]


class Fill(NamedTuple):
    """How an area is filled: a colour of its own lightness, and a hatch."""

    colour: str
    hatch: str


DPI = 150
TEXT_POINTS = 9.0
SMALL_POINTS = 7.5
SMALL_CHARACTER_INCHES = 0.065
"""Mean width of a character of that size."""
TITLE_POINTS = 10.5
LINE_POINTS = 1.4
MARKER_POINTS = 6.0

INK = "#222222"
FAINT = "#8a8a8a"
GRID = "#e3e3e3"
PAPER = "#ffffff"

ROOFLINE_INCHES = (8.6, 5.0)
ROOFLINE_AXES = (0.085, 0.115, 0.705, 0.80)
"""Left, bottom, width, height of the axes, as shares of the figure; the legend stands at their right."""

LAYERS_HEIGHT_INCHES = 7.2
LAYERS_WIDTH_INCHES = (6.8, 14.0)
INCHES_PER_BAR = 0.18

RUN_COLOURS = ("#1f4e79", "#d1762b", "#3f8f5f", "#8d4a9b", "#6b6b6b", "#b8a130")
RUN_LINES: tuple[LineName, ...] = ("-", "--", "-.", ":")
RUN_MARKER_FILLS: tuple[Literal["full", "none", "left", "top"], ...] = ("full", "none", "left", "top")
BOTTLENECK_MARKERS = {
    Bottleneck.COMPUTE: "o",
    Bottleneck.MAPPING: "s",
    Bottleneck.ON_CHIP: "D",
    Bottleneck.DRAM_BANDWIDTH: "v",
    Bottleneck.DRAM_LATENCY: "^",
    Bottleneck.NONE: "X",
}
CAUSE_FILLS = {
    "compute": Fill("#17365d", ""),
    "mapping loss": Fill("#b9c6d6", "xxx"),
    "on-chip stall": Fill("#5f8fbf", "///"),
    "DRAM bandwidth stall": Fill("#e9a35b", ""),
    "DRAM latency stall": Fill("#fbe6cd", "..."),
}
COMPONENT_FILLS = (
    Fill("#17365d", ""),
    Fill("#d9ecd9", "xxx"),
    Fill("#5f8fbf", "///"),
    Fill("#e9a35b", ""),
    Fill("#2f6b4f", "\\\\\\"),
    Fill("#c9c9c9", "..."),
    Fill("#8d4a7b", ""),
    Fill("#f4e3b5", ""),
)
OTHER_FILL = Fill("#f2f2f2", "++")

TIMELINE_WIDTH_INCHES = 11.0
TIMELINE_MARGIN_INCHES = 1.75
"""Title and nanoseconds above, clocks and legend below."""
LANE_INCHES = 0.30
TIMELINE_LEFT, TIMELINE_RIGHT = 0.115, 0.80
"""Sides of the lanes, as shares of the figure; the bar of bus use stands at their right."""
ROW_TINTS = ("#dce8f4", "#f6e7d2", "#dff0df", "#efe0ef", "#f3f0cf", "#e6e6e6")
"""Rows that a bank holds open: neighbours in time differ."""
READ_FILL = Fill("#17365d", "")
WRITE_FILL = Fill("#e9a35b", "////")
TURNAROUND_FILL = Fill("#ffffff", "xxxx")
REFRESH_FILL = Fill("#d5d5d5", "....")
BUS_USE_FILLS = {
    "data": READ_FILL,
    "row": Fill("#5f8fbf", "///"),
    "turnaround": Fill("#e9a35b", "xxx"),
    "bank_group": Fill("#d9ecd9", "\\\\\\"),
    "refresh": REFRESH_FILL,
    "idle": Fill("#ffffff", ""),
    "other": Fill("#8d4a7b", ""),
}

ZERO_HEIGHT_INCHES = 4.4
ZERO_FILLS = {
    "nonzero values, ideal": Fill("#17365d", ""),
    "fragmentation": Fill("#5f8fbf", "///"),
    "imbalance": Fill("#d9ecd9", "xxx"),
    "synchronisation": Fill("#2f6b4f", "\\\\\\"),
    "bank conflicts": Fill("#8d4a7b", ""),
    "memory": Fill("#e9a35b", ""),
    "saved": Fill("#ffffff", ""),
}

PUBLISHED_FILL = Fill("#c9c9c9", "")
RECALLED_FILL = Fill("#ffffff", "////")
SIMULATED_FILL = Fill("#17365d", "")
PANEL_INCHES = (5.4, 2.7)
"""Width at least, and height, of one comparison of published and simulated numbers."""
INCHES_PER_PAIR = 0.46
"""Width of a published bar and the simulated one beside it, with the error above them."""


def run_colour(run_index: int) -> str:
    """Return the colour of a run among several."""
    return RUN_COLOURS[run_index % len(RUN_COLOURS)]


def halo() -> list[AbstractPathEffect]:
    """Return an outline in the paper's colour that lifts words off the lines behind them."""
    return [Stroke(linewidth=2.0, foreground=PAPER), Normal()]

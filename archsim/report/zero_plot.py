"""RunResult -> Figure: what each layer takes of the cycles it would take without skipping zeros, and where gain was lost.

Called by `report/pictures.py` for chips that skip.
"""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from archsim.report import style
from archsim.report.quantity import shortened
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult
from archsim.study.zero_table import waterfall

MOST_BARS = 60
MOST_LABEL_CHARACTERS = 22
UPRIGHT_UP_TO_BARS = 6
ROOM_ABOVE = 1.1
"""Height of the axes, where a bar of a layer without skipping is 1: its gain stands above it."""
PARTS: dict[str, Callable[[LayerResult], int]] = {
    "nonzero values, ideal": lambda layer: (
        waterfall(layer).ideal_cycles + min(0, waterfall(layer).fragmentation_cycles)
    ),
    "fragmentation": lambda layer: max(0, waterfall(layer).fragmentation_cycles),
    "imbalance": lambda layer: waterfall(layer).imbalance_cycles,
    "synchronisation": lambda layer: waterfall(layer).sync_cycles,
    "bank conflicts": lambda layer: waterfall(layer).conflict_cycles,
    "memory": lambda layer: layer.total_cycles - layer.compute_cycles,
    "saved": lambda layer: layer.cycles_saved,
}
"""What a bar is made of, from below. [cycles]"""


def zero_figure(run: RunResult) -> Figure | None:
    """Return a bar per layer that skipped zeros, those of most cycles where they are many; None where there is none."""
    skipping = [layer for layer in run.layers if layer.run.skip and layer.dense and layer.dense.total_cycles]
    if not skipping:
        return None
    kept = sorted(skipping, key=lambda layer: -layer.total_cycles)[:MOST_BARS]
    layers = [layer for layer in skipping if layer in kept]
    narrow, wide = style.LAYERS_WIDTH_INCHES
    figure = Figure(
        figsize=(min(wide, max(narrow, 3.2 + style.INCHES_PER_PAIR * len(layers))), style.ZERO_HEIGHT_INCHES),
        dpi=style.DPI, facecolor=style.PAPER, layout="constrained",
    )  # fmt: skip
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    draw_zeros(axes, layers)
    left_out = f" ({len(skipping) - len(layers)} smaller layers not shown)" if len(skipping) > len(layers) else ""
    title = f"{shortened(run.name, 60)}: cycles with zeros skipped{left_out}"
    axes.set_title(title, fontsize=style.TITLE_POINTS, color=style.INK, loc="left")
    return figure


def draw_zeros(axes: Axes, layers: list[LayerResult]) -> None:
    """Draw each layer's cycles as shares of those without skipping, and above them its gain."""
    dense = np.array([layer.total_cycles + layer.cycles_saved for layer in layers], dtype=np.float64)
    base, places = np.zeros(len(layers)), np.arange(len(layers))
    for name, part in PARTS.items():
        shares = np.array([part(layer) for layer in layers]) / dense
        if shares.any():
            fill = style.ZERO_FILLS[name]
            axes.bar(places, shares, bottom=base, width=0.8, label=name, color=fill.colour, hatch=fill.hatch,
                     edgecolor=style.INK, linewidth=0.35)  # fmt: skip
            base = base + shares
    for place, layer in enumerate(layers):
        gain = (layer.total_cycles + layer.cycles_saved) / max(1, layer.total_cycles)
        axes.text(place, 1.015, f"{gain:.2f}x", ha="center", va="bottom", fontsize=style.SMALL_POINTS, color=style.INK)
    labels = [shortened(layer.layer, MOST_LABEL_CHARACTERS) for layer in layers]
    axes.set_xticks(places, labels, rotation=0 if len(layers) <= UPRIGHT_UP_TO_BARS else 90)
    axes.set_xlim(-0.7, max(len(layers), 4) - 0.3)
    axes.set_ylim(0, ROOM_ABOVE)
    axes.set_ylabel("cycles / cycles without skipping, stalls included", fontsize=style.TEXT_POINTS, color=style.INK)
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.grid(visible=True, axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=style.SMALL_POINTS, reverse=True)

"""RunResult -> Figure: cycles per layer by cause above energy per layer by component.

Called by `report/pictures.py`; `draw_cycles` and `draw_energy` also serve a user's own axes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from archsim.report import style
from archsim.report.quantity import CYCLE_SCALES, ENERGY_SCALES, scale_of, shortened
from archsim.report.style import Fill
from archsim.study.layer_result import LayerResult
from archsim.study.result import RunResult

MOST_BARS = 60
MOST_OTHER_BARS = 4
MOST_LABEL_CHARACTERS = 26
MOST_COMPONENTS = len(style.COMPONENT_FILLS)
SMALLEST_VISIBLE_SHARE = 0.002
FEWEST_BAR_PLACES = 4
UPRIGHT_UP_TO_BARS = 8
UPRIGHT_UP_TO_CHARACTERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: a layer, or the sum of several layers that have none of their own."""

    label: str
    layers: tuple[LayerResult, ...]


def layers_figure(run: RunResult) -> Figure:
    """Return both panels, as wide as the number of layers asks for, up to a limit."""
    bars = bars_of(run)
    narrow, wide = style.LAYERS_WIDTH_INCHES
    width = min(wide, max(narrow, 3.2 + style.INCHES_PER_BAR * len(bars)))
    figure = Figure(
        figsize=(width, style.LAYERS_HEIGHT_INCHES), dpi=style.DPI, facecolor=style.PAPER, layout="constrained"
    )
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    draw_cycles(above, bars)
    draw_energy(below, bars)
    above.tick_params(labelbottom=False, bottom=False)
    figure.align_ylabels()
    above.set_title(_title(run, bars), fontsize=style.TITLE_POINTS, color=style.INK, loc="left")
    return figure


def bars_of(run: RunResult) -> list[Bar]:
    """Choose what gets a bar: at most 60 layers, those with the largest share of cycles or energy.

    The others are summed up by operator at the right. Layers that cost neither cycles nor energy
    (views, uncosted operators) get no bar.
    """
    costed = [layer for layer in run.layers if layer.total_cycles or layer.energy_pj]
    cycles, energy_pj = max(run.total_cycles, 1), run.energy_pj or 1.0
    ranked = sorted(costed, key=lambda each: -max(each.total_cycles / cycles, each.energy_pj / energy_pj))
    own = {layer.layer for layer in ranked[:MOST_BARS]}
    bars = [
        Bar(label=shortened(layer.layer, MOST_LABEL_CHARACTERS), layers=(layer,))
        for layer in costed
        if layer.layer in own
    ]
    return [*bars, *_bars_by_op(ranked[MOST_BARS:])]


def _bars_by_op(others: Sequence[LayerResult]) -> list[Bar]:
    """One bar per operator, the operators with most layers first, the last bar for all that remain."""
    ops = [op for op, _ in Counter(layer.op for layer in others).most_common()]
    alone = ops if len(ops) <= MOST_OTHER_BARS else ops[: MOST_OTHER_BARS - 1]
    by_op = {op: tuple(layer for layer in others if layer.op == op) for op in alone}
    rest = tuple(layer for layer in others if layer.op not in by_op)
    bars = [
        Bar(label=shortened(_name(op, layers), MOST_LABEL_CHARACTERS), layers=layers) for op, layers in by_op.items()
    ]
    return [*bars, Bar(label=f"{len(rest)} others", layers=rest)] if rest else bars


def _name(op: str, layers: tuple[LayerResult, ...]) -> str:
    return f"other: {layers[0].layer}" if len(layers) == 1 else f"{len(layers)} other {op}"


def draw_cycles(axes: Axes, bars: Sequence[Bar]) -> None:
    """Draw each bar's cycles: PEs all busy, what the mapping loses, and the three kinds of stall."""
    mapping = _sums(bars, "mapping_loss_cycles")
    causes = {
        "compute": _sums(bars, "compute_cycles") - mapping,
        "mapping loss": mapping,
        "on-chip stall": _sums(bars, "onchip_stall_cycles"),
        "DRAM bandwidth stall": _sums(bars, "dram_bandwidth_stall_cycles"),
        "DRAM latency stall": _sums(bars, "dram_latency_stall_cycles"),
    }
    scale = scale_of(_highest(causes), CYCLE_SCALES)
    _draw_stacks(axes, {name: values / scale.divisor for name, values in causes.items()}, style.CAUSE_FILLS)
    _dress(axes, bars, f"time [{scale.unit}]")


def draw_energy(axes: Axes, bars: Sequence[Bar]) -> None:
    """Draw each bar's energy, split into components, the smallest beyond eight summed up."""
    parts: dict[str, list[float]] = {}
    for index, bar in enumerate(bars):
        for layer in bar.layers:
            for component, energy_pj in layer.energy.components:
                parts.setdefault(component, [0.0] * len(bars))[index] += energy_pj
    stacks = {name: np.array(values) for name, values in parts.items()}
    fills = dict(zip(stacks, style.COMPONENT_FILLS, strict=False))
    if len(stacks) > MOST_COMPONENTS:
        stacks, fills = _with_others(stacks)
    scale = scale_of(_highest(stacks), ENERGY_SCALES)
    _draw_stacks(axes, {name: values / scale.divisor for name, values in stacks.items()}, fills)
    _dress(axes, bars, f"energy [{scale.unit}]")


FloatArray = np.ndarray[tuple[int], np.dtype[np.float64]]


def _sums(bars: Sequence[Bar], column: str) -> FloatArray:
    return np.array([sum(getattr(layer, column) for layer in bar.layers) for bar in bars], dtype=np.float64)


def _highest(stacks: Mapping[str, FloatArray]) -> float:
    return max(sum(stacks.values(), start=np.zeros(1)).tolist(), default=0.0)


def _with_others(stacks: dict[str, FloatArray]) -> tuple[dict[str, FloatArray], dict[str, Fill]]:
    kept = set(sorted(stacks, key=lambda name: -float(stacks[name].sum()))[:MOST_COMPONENTS])
    others = [values for name, values in stacks.items() if name not in kept]
    shown = {name: values for name, values in stacks.items() if name in kept}
    fills = dict(zip(shown, style.COMPONENT_FILLS, strict=True))
    return shown | {"others": sum(others, start=np.zeros(1))}, fills | {"others": style.OTHER_FILL}


def _draw_stacks(axes: Axes, stacks: Mapping[str, FloatArray], fills: Mapping[str, Fill]) -> None:
    """Draw stacked bars; a part too small to be seen in any bar gets no entry in the legend."""
    base = np.zeros(1)
    visible = _highest(stacks) * SMALLEST_VISIBLE_SHARE
    for name, heights in stacks.items():
        if not heights.any():
            continue
        label = name if heights.max() >= visible else "_"
        axes.bar(np.arange(len(heights)), heights, bottom=base, width=0.8, label=label, color=fills[name].colour,
                 hatch=fills[name].hatch, edgecolor=style.INK, linewidth=0.35)  # fmt: skip
        base = base + heights


def _dress(axes: Axes, bars: Sequence[Bar], quantity: str) -> None:
    axes.set_ylabel(quantity, fontsize=style.TEXT_POINTS, color=style.INK)
    is_upright = len(bars) <= UPRIGHT_UP_TO_BARS and all(len(bar.label) <= UPRIGHT_UP_TO_CHARACTERS for bar in bars)
    axes.set_xticks(range(len(bars)), [bar.label for bar in bars], rotation=0 if is_upright else 90)
    half = max(len(bars), FEWEST_BAR_PLACES) / 2 + 0.2
    axes.set_xlim((len(bars) - 1) / 2 - half, (len(bars) - 1) / 2 + half)
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.grid(visible=True, axis="y", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if axes.containers:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=style.SMALL_POINTS,
                    reverse=True)  # fmt: skip


def _title(run: RunResult, bars: Sequence[Bar]) -> str:
    hidden = len(run.layers) - sum(len(bar.layers) for bar in bars)
    note = f" ({hidden} without cost not shown)" if hidden else ""
    return f"{shortened(run.name, 60)}: time and energy per layer{note}"

"""The roofs of a roofline picture and the words on them; called by `report/roofline_plot.py`."""

from itertools import pairwise
from math import atan2, cos, degrees, sin

from matplotlib.axes import Axes
from matplotlib.text import Text

from archsim.report import style
from archsim.report.label_placement import Box
from archsim.report.quantity import OPS_SCALES, shown, three_digits
from archsim.study.roofline import RooflinePoints

LINE_STEPS = 100
ON_CHIP_EDGE = 1.9
"""The strip for layers without DRAM traffic begins at the right limit of the axis divided by this."""


def draw_roofs(axes: Axes, roofline: RooflinePoints, run_index: int) -> list[Box]:
    """Draw both roofs and the ridge; return small boxes along them, in pixels, for labels to keep off."""
    left, right = axes.get_xlim()
    bottom = axes.get_ylim()[0]
    ridge, slope, top = roofline.ridge_ops_per_byte, roofline.dram_gb_per_second, roofline.compute_gops
    line = style.RUN_LINES[run_index % len(style.RUN_LINES)]
    colour = style.run_colour(run_index)
    roof = [(right, top), (ridge or left, top)]
    if ridge and slope:
        start = max(left, bottom / slope)
        roof.append((start, start * slope))
        axes.plot([ridge, ridge], [bottom, top], color=colour, linewidth=0.7, linestyle=":")
    axes.plot(*zip(*roof, strict=True), color=colour, linewidth=style.LINE_POINTS, linestyle=line)
    pieces = [*pairwise(roof), *([((ridge, bottom), (ridge, top))] if ridge else [])]
    return [box for begin, end in pieces for box in _boxes_along(axes, begin, end)]


def write_roofs(axes: Axes, roofline: RooflinePoints) -> list[Text]:
    """Write the value of each roof and of the ridge beside it."""
    right, bottom = axes.get_xlim()[1], axes.get_ylim()[0]
    ridge, slope = roofline.ridge_ops_per_byte, roofline.dram_gb_per_second
    name = f"compute roof {shown(roofline.compute_gops, OPS_SCALES)}" + (
        "" if ridge else " (ideal DRAM: no other roof)"
    )
    texts = [_write(axes, (right, roofline.compute_gops), name, (-4, 3), ha="right")]
    if ridge and slope:
        texts.append(_write_slope(axes, slope))
        texts.append(_write(axes, (ridge, bottom), f"ridge {three_digits(ridge)} ops/B", (3, 3)))
    return texts


def draw_on_chip_edge(axes: Axes) -> Text:
    """Fence off the strip at the right where layers without DRAM traffic stand."""
    x, bottom = axes.get_xlim()[1] / ON_CHIP_EDGE, axes.get_ylim()[0]
    axes.axvline(x, color=style.FAINT, linewidth=0.7, linestyle="--", zorder=1)
    return _write(axes, (x, bottom), "no DRAM traffic", (11, 4), rotation=90)


def _write_slope(axes: Axes, slope: float) -> Text:
    """Write along the DRAM roof, from its lower end, clear of markers on it."""
    start = max(axes.get_xlim()[0], axes.get_ylim()[0] / slope)
    low, high = axes.transData.transform([(start, start * slope), (start * 10, start * 10 * slope)])
    angle = atan2(high[1] - low[1], high[0] - low[0])
    along, above = 16, 5
    offset = (along * cos(angle) - above * sin(angle), along * sin(angle) + above * cos(angle))
    words = f"DRAM roof {three_digits(slope)} GB/s"
    return _write(axes, (start, start * slope), words, offset, rotation=degrees(angle))


def _write(axes: Axes, place: tuple[float, float], words: str, offset: tuple[float, float], *,
           ha: str = "left", rotation: float = 0.0) -> Text:  # fmt: skip
    return axes.annotate(words, place, xytext=offset, textcoords="offset points", ha=ha, va="bottom", zorder=5,
                         rotation=rotation, rotation_mode="anchor", fontsize=style.SMALL_POINTS,
                         color=style.run_colour(0), path_effects=style.halo())  # fmt: skip


def _boxes_along(axes: Axes, begin: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    (x, y), (end_x, end_y) = axes.transData.transform([begin, end])
    shares = [step / LINE_STEPS for step in range(LINE_STEPS + 1)]
    places = ((x + (end_x - x) * share, y + (end_y - y) * share) for share in shares)
    return [Box(at_x, at_y, at_x, at_y).grown(2.0) for at_x, at_y in places]

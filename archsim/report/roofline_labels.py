"""The names of the layers in a roofline picture, none over another; called by `report/roofline_plot.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.text import Text

from archsim.report import style
from archsim.report.label_placement import Box, Surroundings, gap_to, leader_pieces, place_labels
from archsim.report.quantity import shortened
from archsim.study.roofline import RooflinePoint

MOST_LABELS = 10
MOST_LABEL_CHARACTERS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Layers that stand at one place of one run's roofline, drawn as one marker.

    Parameters
    ----------
    points
        At least one.
    run_index
        Which of the runs in the picture.
    x
        Where it is drawn; = ``ops_per_byte`` where the layer has DRAM traffic.
    """

    points: tuple[RooflinePoint, ...]
    run_index: int
    x: float

    @property
    def y(self) -> float:
        """Performance of the first layer. [1e9 ops/s]"""
        return self.points[0].achieved_gops

    @property
    def total_cycles(self) -> int:
        """Of all its layers. [cycles]"""
        return sum(point.total_cycles for point in self.points)

    @property
    def label(self) -> str:
        """Name of the first layer and how many there are."""
        name = shortened(self.points[0].layer, MOST_LABEL_CHARACTERS)
        return name if len(self.points) == 1 else f"{name} … x{len(self.points)}"


def draw_labels(axes: Axes, marks: Sequence[Mark], texts: Sequence[Text], lines: Sequence[Box]) -> None:
    """Name the marks with most cycles where there is room, with a line to the mark where that is far.

    Parameters
    ----------
    axes
        With its final limits.
    marks
        Every mark in the picture; names rather do not cover them.
    texts, lines
        What names may not touch, and areas they would rather not cover. [lines: pixels]
    """
    named = sorted(marks, key=lambda mark: -mark.total_cycles)[:MOST_LABELS]
    labels = [axes.text(mark.x, mark.y, mark.label, fontsize=style.SMALL_POINTS, color=style.INK, zorder=6,
                        path_effects=style.halo()) for mark in named]  # fmt: skip
    boxes = [_box_of(label) for label in labels]
    radius = style.MARKER_POINTS * style.DPI / 72 / 2
    pixels = {mark: _pixels(axes, mark) for mark in marks}
    around = Surroundings(
        bounds=Box(*axes.bbox.extents),
        blocked=[_box_of(text) for text in texts],
        points=[Box(x, y, x, y).grown(radius) for x, y in pixels.values()],
        lines=lines,
    )
    anchors = [pixels[mark] for mark in named]
    places = place_labels(anchors, [(box.right - box.left, box.top - box.bottom) for box in boxes], around)
    for label, box, place, anchor in zip(labels, boxes, places, anchors, strict=True):
        if place is None:
            label.remove()
        else:
            _move(axes, label, (place.left - box.left, place.bottom - box.bottom))
            _draw_leader(axes, place, anchor)


def _move(axes: Axes, label: Text, by_pixels: tuple[float, float]) -> None:
    x, y = axes.transData.transform(label.get_position())
    new_x, new_y = axes.transData.inverted().transform((x + by_pixels[0], y + by_pixels[1]))
    label.set_position((float(new_x), float(new_y)))


def _draw_leader(axes: Axes, place: Box, anchor: tuple[float, float]) -> None:
    if leader_pieces(place, anchor):
        dx, dy = gap_to(place, anchor)
        ends = axes.transData.inverted().transform([anchor, (anchor[0] + dx, anchor[1] + dy)])
        axes.plot(ends[:, 0], ends[:, 1], color=style.FAINT, linewidth=0.7, zorder=3)


def _pixels(axes: Axes, mark: Mark) -> tuple[float, float]:
    x, y = axes.transData.transform((mark.x, mark.y))
    return float(x), float(y)


def _box_of(text: Text) -> Box:
    return Box(*text.get_window_extent().extents)

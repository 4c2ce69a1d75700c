"""Where labels can stand beside their points without touching each other: boxes, in pixels.

Called by `report/roofline_plot.py`. Greedy: the first label chooses first, and a label for which there
is no free place is left out rather than laid over another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

DIRECTIONS = 24
DISTANCES_PIXELS = (9.0, 16.0, 26.0, 40.0, 58.0, 80.0, 105.0, 135.0, 170.0)
GAP_PIXELS = 2.0
LEADER_FROM_PIXELS = 14.0
"""Labels further from their point than this need a line to it."""
POINT_COST = 150.0
LINE_COST = 60.0
MOST_COST = 2 * POINT_COST
"""A label that could only stand over two strange points would mislead: it is left out."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the canvas. [pixels]"""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )  # fmt: skip

    def contains(self, other: "Box") -> bool:
        """Whether the other lies inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.bottom <= other.bottom
            and other.top <= self.top
        )  # fmt: skip

    def grown(self, pixels: float) -> "Box":
        """Return the rectangle with a margin on every side."""
        return Box(self.left - pixels, self.bottom - pixels, self.right + pixels, self.top + pixels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What labels have to mind.

    Parameters
    ----------
    bounds
        Labels stay inside.
    blocked
        Areas that no label may touch.
    points, lines
        Areas of markers, and of short pieces of lines, that labels would rather not cover.
    """

    bounds: Box
    blocked: Sequence[Box]
    points: Sequence[Box]
    lines: Sequence[Box]


def place_labels(
    anchors: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], around: Surroundings
) -> list[Box | None]:
    """Choose a place for each label, the most important first.

    Parameters
    ----------
    anchors
        (x, y) of the points that the labels name. [pixels]
    sizes
        (width, height) of the labels. [pixels]
    around
        What is there already.

    Returns
    -------
    list
        The place of each label, parallel to ``anchors``; None where none is free.
    """
    taken = list(around.blocked)
    leaders: list[Box] = []
    places: list[Box | None] = []
    for anchor, size in zip(anchors, sizes, strict=True):
        free = [
            (box, cost)
            for box, cost in _candidates(anchor, size)
            if around.bounds.contains(box) and not _count(box.grown(GAP_PIXELS), taken + leaders)
        ]
        free = [place for place in free if not any(_count(piece, taken) for piece in leader_pieces(place[0], anchor))]
        costs = [cost + _nuisance(box, anchor, around, leaders) for box, cost in free]
        best = free[costs.index(min(costs))] if min(costs, default=MOST_COST) < MOST_COST else None
        places.append(best[0] if best else None)
        if best:
            taken.append(best[0])
            leaders += leader_pieces(best[0], anchor)
    return places


def leader_pieces(box: Box, anchor: tuple[float, float]) -> list[Box]:
    """Return small boxes along the line from a label to its point; none where the label stands beside it."""
    dx, dy = gap_to(box, anchor)
    length = hypot(dx, dy)
    if length < LEADER_FROM_PIXELS:
        return []
    steps = int(length / 4)
    places = ((anchor[0] + dx * step / steps, anchor[1] + dy * step / steps) for step in range(1, steps))
    return [Box(x, y, x, y).grown(1.0) for x, y in places]


def _candidates(anchor: tuple[float, float], size: tuple[float, float]) -> Iterable[tuple[Box, float]]:
    """Boxes around the point whose nearest edge stands at each distance, with that distance as their cost."""
    for distance in DISTANCES_PIXELS:
        for index in range(DIRECTIONS):
            angle = 2 * pi * index / DIRECTIONS
            centre_x = anchor[0] + cos(angle) * (distance + size[0] / 2)
            centre_y = anchor[1] + sin(angle) * (distance + size[1] / 2)
            box = Box(centre_x - size[0] / 2, centre_y - size[1] / 2, centre_x + size[0] / 2, centre_y + size[1] / 2)
            yield box, hypot(*gap_to(box, anchor))


def gap_to(box: Box, point: tuple[float, float]) -> tuple[float, float]:
    """Return (dx, dy) from the point to the nearest place of the box; (0, 0) inside. [pixels]"""
    dx = min(max(point[0], box.left), box.right) - point[0]
    dy = min(max(point[1], box.bottom), box.top) - point[1]
    return dx, dy


def _nuisance(box: Box, anchor: tuple[float, float], around: Surroundings, leaders: Sequence[Box]) -> float:
    """Return what the label covers, and what its leader crosses away from the point it leads to."""
    pieces = leader_pieces(box, anchor)
    here = Box(*anchor, *anchor).grown(DISTANCES_PIXELS[0])
    others = [point for point in around.points if not point.overlaps(here)]
    crossed = sum(any(point.overlaps(piece) for piece in pieces) for point in others)
    tangled = sum(piece.overlaps(leader) for piece in pieces for leader in leaders)
    covered = _count(box, around.points)
    untidy = int(_count(box, around.lines) > 0) + int(tangled > 0)
    return POINT_COST * (covered + crossed) + LINE_COST * untidy


def _count(box: Box, others: Iterable[Box]) -> int:
    return sum(box.overlaps(other) for other in others)

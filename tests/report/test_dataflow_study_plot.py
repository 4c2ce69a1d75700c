"""The picture of the dataflow study."""

from itertools import pairwise

import pytest
from matplotlib.figure import Figure

from archsim.report.dataflow_study_plot import STACK, dataflow_study_figure
from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.study import ReuseDataflow, ReusePoint, dataflow_study

LAYER = SquareLayer(name="conv", channels=8, filters=16, ifmap_side=58, kernel=3, ofmap_side=56)
POINTS = dataflow_study([LAYER], batches=(1, 64))
PUBLISHED = {(ReuseDataflow.RS, 256, 1): 9.0}


@pytest.fixture(scope="module")
def figure() -> Figure:
    drawn = dataflow_study_figure(POINTS, "a layer", PUBLISHED)
    drawn.canvas.draw()
    return drawn


def feasible(pes: int) -> list[ReusePoint]:
    return [point for point in POINTS if point.storage.pes == pes and point.is_feasible]


def test_bars_stack_up_to_the_total_of_each_point(figure) -> None:
    for axes, pes in zip(figure.axes, (256, 512), strict=True):
        tops = [patch.get_y() + patch.get_height() for patch in axes.containers[-1] if patch.get_y()]
        assert tops == pytest.approx([point.total_energy_per_mac for point in feasible(pes)])
        assert len(axes.containers) == len(STACK)


def test_a_point_without_a_mapping_has_a_word_for_a_bar(figure) -> None:
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert words.count("no mapping") == sum(not point.is_feasible for point in POINTS) > 0


def test_published_energies_are_ticks_that_stand_out_of_their_bars(figure) -> None:
    (tick,) = [line for axes in figure.axes for line in axes.collections]
    ((start, end),) = [segment[:, 0] for segment in tick.get_segments()]
    bar = figure.axes[0].containers[0][0]
    assert start < bar.get_x()
    assert end > bar.get_x() + bar.get_width()
    assert "published" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_nothing_overlaps_and_everything_is_inside(figure) -> None:
    for axes in figure.axes:
        labels = [*axes.get_xticklabels(), *(text for text in axes.texts if text.get_text() != "no mapping")]
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: (-round(box.y0, -1), box.x0))
        assert not any(first.overlaps(second) for first, second in pairwise(boxes))
        for artist in (*labels, axes.yaxis.label, axes.title):
            box = artist.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert box.y0 >= 0
            assert box.y1 <= figure.bbox.y1


def test_without_published_numbers_there_are_no_ticks() -> None:
    plain = dataflow_study_figure(POINTS, "a layer")
    assert not plain.axes[0].collections
    assert "published" not in [text.get_text() for text in plain.legends[0].get_texts()]

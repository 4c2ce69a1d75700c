"""Tests of the picture of layers."""

from itertools import pairwise

import pytest

from archsim.report.layers_plot import MOST_BARS, MOST_OTHER_BARS, bars_of, layers_figure
from archsim.study.result import RunResult


def test_axes_carry_units(any_run: RunResult) -> None:
    above, below = layers_figure(any_run).axes
    assert above.get_ylabel().startswith("time [")
    assert above.get_ylabel().endswith("cycles]")
    assert below.get_ylabel() in {"energy [µJ]", "energy [mJ]"}


def test_tick_labels_do_not_overlap(any_run: RunResult) -> None:
    figure = layers_figure(any_run)
    figure.canvas.draw()
    for axis in (figure.axes[1].xaxis, figure.axes[0].yaxis, figure.axes[1].yaxis):
        boxes = [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]
        assert not any(first.overlaps(second) for first, second in pairwise(boxes))


def test_everything_is_inside_the_figure(any_run: RunResult) -> None:
    figure = layers_figure(any_run)
    figure.canvas.draw()
    for axes in figure.axes:
        legend = axes.get_legend()
        assert legend is not None
        for artist in (*axes.get_xticklabels(), axes.yaxis.label, axes.title, legend):
            extent = artist.get_window_extent()
            assert extent.x0 >= -1
            assert extent.x1 <= figure.bbox.x1 + 1
            assert extent.y0 >= -1
            assert extent.y1 <= figure.bbox.y1 + 1


def test_many_layers_are_thinned_and_none_is_lost(resnet: RunResult) -> None:
    bars = bars_of(resnet)
    assert len(bars) <= MOST_BARS + MOST_OTHER_BARS
    shown = [layer.layer for bar in bars for layer in bar.layers]
    assert sorted(shown) == sorted(layer.layer for layer in resnet.layers if layer.op != "reshape")
    assert sum(layer.total_cycles for bar in bars for layer in bar.layers) == resnet.total_cycles
    assert any(bar.label.startswith("48 other relu") for bar in bars)


def test_the_height_of_the_stack_is_the_total(alexnet: RunResult) -> None:
    above, below = layers_figure(alexnet).axes
    tops = max(patch.get_y() + patch.get_height() for patch in above.patches)  # type: ignore[attr-defined]
    assert tops * 1e6 == pytest.approx(max(layer.total_cycles for layer in alexnet.layers))
    tops = max(patch.get_y() + patch.get_height() for patch in below.patches)  # type: ignore[attr-defined]
    assert tops * 1e9 == pytest.approx(max(layer.energy_pj for layer in alexnet.layers))


def test_the_legend_has_no_entry_for_what_does_not_occur(ideal: RunResult) -> None:
    above, below = layers_figure(ideal).axes
    for axes, expected in ((above, {"compute", "mapping loss", "on-chip stall"}), (below, {"mac", "glb", "dram"})):
        legend = axes.get_legend()
        assert legend is not None
        assert {text.get_text() for text in legend.get_texts()} == expected


def test_the_figure_grows_with_the_layers_up_to_a_limit(alexnet: RunResult, resnet: RunResult) -> None:
    assert layers_figure(alexnet).get_figwidth() < layers_figure(resnet).get_figwidth() <= 14

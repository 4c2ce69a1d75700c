"""Tests of the roofline picture."""

from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from archsim.report.roofline_plot import roofline_figure
from archsim.study.result import RunResult
from archsim.study.roofline import roofline_points


def axes_of(*runs: RunResult) -> Axes:
    figure = roofline_figure([roofline_points(run) for run in runs])
    figure.canvas.draw()
    return figure.axes[0]


def words_in(axes: Axes) -> list[Text]:
    return [text for text in axes.texts if text.get_text()]


def labels_in(axes: Axes) -> list[Text]:
    """Return the names of layers: what is written on the roofs is an annotation."""
    return [text for text in words_in(axes) if not isinstance(text, Annotation)]


def test_no_words_overlap(any_run: RunResult) -> None:
    for first, second in combinations(words_in(axes_of(any_run)), 2):
        assert not first.get_window_extent().overlaps(second.get_window_extent()), (first, second)


def test_words_stay_inside_the_figure(any_run: RunResult) -> None:
    axes = axes_of(any_run)
    figure = axes.get_figure()
    assert figure is not None
    legend = axes.get_legend()
    assert legend is not None
    for artist in (*words_in(axes), axes.xaxis.label, axes.yaxis.label, axes.title, legend):
        extent = artist.get_window_extent()
        assert extent.x0 >= 0
        assert extent.y0 >= 0
        assert extent.x1 <= figure.bbox.x1
        assert extent.y1 <= figure.bbox.y1


def test_axes_carry_units(alexnet: RunResult) -> None:
    axes = axes_of(alexnet)
    assert "[ops / DRAM byte]" in axes.get_xlabel()
    assert "[GOPS" in axes.get_ylabel()


def test_the_place_with_most_cycles_is_named(any_run: RunResult) -> None:
    # alexnet: fc6, fc7, fc8 stand together; ideal: conv2 is longest; resnet: eleven equal convolutions of stage 3
    names = {label.get_text() for label in labels_in(axes_of(any_run))}
    assert names & {"fc6 … x3", "conv2", "layer3.0.conv3 … x11"}


def test_at_most_ten_names_and_equal_layers_share_one(resnet: RunResult) -> None:
    names = [label.get_text() for label in labels_in(axes_of(resnet))]
    assert 5 <= len(names) <= 10
    assert any(" … x" in name for name in names)


def test_roofs_and_ridge_are_written(alexnet: RunResult) -> None:
    # 2 * 256 * 0.5 = 256 GOPS; 16 B * 0.5 = 8 GB/s; 256 / 8 = 32 ops/B
    texts = {text.get_text() for text in words_in(axes_of(alexnet))}
    assert {"compute roof 256 GOPS", "DRAM roof 8 GB/s", "ridge 32 ops/B"} <= texts


def test_ideal_dram_has_only_the_compute_roof_and_says_so(ideal: RunResult) -> None:
    texts = {text.get_text() for text in words_in(axes_of(ideal))}
    assert "compute roof 256 GOPS (ideal DRAM: no other roof)" in texts
    assert not any("GB/s" in text or "ridge" in text for text in texts)


def test_the_legend_names_only_bottlenecks_that_occur(alexnet: RunResult, ideal: RunResult) -> None:
    for run, kinds in ((alexnet, ["compute", "dram bandwidth"]), (ideal, ["compute"])):
        legend = axes_of(run).get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == kinds


def test_layers_without_dram_traffic_stand_at_the_right_edge(on_chip: RunResult) -> None:
    axes = axes_of(on_chip)
    assert "no DRAM traffic" in {text.get_text() for text in words_in(axes)}
    assert "kept1 … x2" in {text.get_text() for text in words_in(axes)}


def test_several_runs_have_their_roofs_in_the_legend(alexnet: RunResult, resnet: RunResult) -> None:
    legend = axes_of(alexnet, resnet).get_legend()
    assert legend is not None
    entries = [text.get_text() for text in legend.get_texts()]
    assert "alexnet on square16\n256 GOPS, 8 GB/s\nridge 32 ops/B" in entries
    assert len(entries) == 4

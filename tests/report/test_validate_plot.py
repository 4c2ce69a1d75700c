"""The picture of published numbers beside simulated ones."""

from itertools import pairwise
from pathlib import Path

import pytest

from archsim.report.validate_plot import BarPair, Panel, comparison_figure, write_comparison


def pair(label: str, published: float, simulated: float, **marks: bool) -> BarPair:
    return BarPair(label=label, published=published, simulated=simulated, error="+12.3 %", **marks)


def panel(*values: float, label: str = "conv{}") -> Panel:
    pairs = tuple(pair(label.format(index), value, 0.9 * value) for index, value in enumerate(values))
    return Panel(title="total cycles", quantity="total cycles [cycles]", pairs=pairs)


@pytest.mark.parametrize(("largest", "scale"), [(99, "linear"), (101, "log")])
def test_an_axis_is_logarithmic_from_a_hundredfold_on(largest: float, scale: str) -> None:
    # 1 simulated as 0.9: the ratio counts from there
    (axes,) = comparison_figure([panel(1, 0.9 * largest)]).axes
    assert axes.get_yscale() == scale


def test_recalled_bars_are_hatched_and_the_legend_says_so() -> None:
    pairs = (pair("a", 1, 2), pair("b", 1, 2, is_recalled=True))
    figure = comparison_figure([Panel(title="t", quantity="q [u]", pairs=pairs)])
    hatches = [bool(bar.get_hatch()) for bar in figure.axes[0].patches]
    assert hatches == [False, False, True, False]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["published", "published, recalled from memory", "simulated"]


def test_the_error_of_a_row_that_is_not_gated_stands_in_brackets() -> None:
    pairs = (pair("a", 1, 2), pair("b", 1, 2, is_gated=False))
    figure = comparison_figure([Panel(title="t", quantity="q [u]", pairs=pairs)])
    assert [text.get_text() for text in figure.axes[0].texts] == ["+12.3 %", "(+12.3 %)"]
    assert figure.legends[0].get_texts()[-1].get_text() == "(error): held to no bound"


@pytest.mark.parametrize(
    "panels",
    [
        [panel(*range(1, 7)), panel(3), panel(1, 1e6)],
        [panel(*range(5, 60), label="res5c_branch2{}")],
        [panel(*([7] * 30), label="layer1_block2_conv3_branch4_conv{}")],
    ],
)
def test_no_words_collide_and_none_leaves_the_picture(panels: list[Panel]) -> None:
    figure = comparison_figure(panels)
    figure.canvas.draw()
    for axes in (each for each in figure.axes if each.axison):
        for words in (axes.texts, axes.get_xticklabels()):
            boxes = [text.get_window_extent() for text in words if text.get_text()]
            assert not any(first.overlaps(second) for first, second in pairwise(boxes))
            assert all(box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
        assert axes.get_window_extent().height > 100
        below = min(label.get_window_extent().y0 for label in axes.get_xticklabels())
        assert below >= -1


def test_a_long_panel_goes_on_in_the_next_and_loses_no_row() -> None:
    figure = comparison_figure([panel(*range(1, 72))])
    assert [axes.get_title("left") for axes in figure.axes] == [f"total cycles ({index} of 3)" for index in (1, 2, 3)]
    assert sum(len(axes.patches) for axes in figure.axes) == 2 * 71


def test_the_numbers_lie_beside_the_picture(tmp_path: Path) -> None:
    write_comparison([panel(1, 2)], tmp_path / "p.png")
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines[0] == "panel,quantity,row,published,simulated,error,is_recalled,is_gated"
    assert lines[1:] == ["total cycles,total cycles [cycles],conv0,1,0.9,+12.3 %,false,true",
                         "total cycles,total cycles [cycles],conv1,2,1.8,+12.3 %,false,true"]  # fmt: skip
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")

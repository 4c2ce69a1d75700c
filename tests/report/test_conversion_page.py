"""Tests of the pictures and the page of a conversion, and of how they are written."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from archsim.errors import ConfigError
from archsim.report import conversion_page
from archsim.report.conversion_format_plot import formats_figure
from archsim.report.conversion_histogram_plot import MOST_PANELS, histogram_figure
from archsim.report.conversion_histograms import weight_histogram
from archsim.report.conversion_page import CONVERSION_FILES, conversion_files, write_conversion
from archsim.report.conversion_plot import MOST_LAYERS, bits_figure, passes_figure
from archsim.study.conversion import ConversionReport
from archsim.study.run_tables import csv_rows
from tests.report.conversion_cases import NASTY, make_deep_report, make_layer, make_report

CASES = {
    "four_layers": make_report(),
    "sixty_layers": make_deep_report(),
    "one_layer_no_images": make_report((make_layer("fc", 300),), images=0, is_costed=False),
    "names_that_just_fit": make_report(tuple(make_layer(f"stage{index}_matmul", 90) for index in range(4))),
    "nasty_name": make_report((make_layer(NASTY, 900, "int4"),), network=NASTY),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def report(request: pytest.FixtureRequest) -> ConversionReport:
    found: ConversionReport = request.param
    return found


def figures_of(report: ConversionReport) -> list[Figure]:
    histograms = [weight_histogram(layer) for layer in report.layers]
    return [passes_figure(report), bits_figure(report), formats_figure(report),
            histogram_figure(histograms, report.network)]  # fmt: skip


@cache
def files_of(report: ConversionReport) -> dict[str, bytes]:
    return conversion_files(report)


class Page(HTMLParser):
    """Collects the tags, and the text outside of style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_pictures_keep_inside_and_their_words_apart(report: ConversionReport) -> None:
    for figure in figures_of(report):
        figure.canvas.draw()
        for axes in (each for each in figure.axes if each.get_visible()):
            ticks = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
            ticks = [box for box in ticks if axes.bbox.x0 - 1 <= (box.x0 + box.x1) / 2 <= axes.bbox.x1 + 1]  # in view
            assert not any(first.overlaps(second) for first, second in pairwise(ticks))
            heads = [each for each in (axes.title, axes.xaxis.label, axes.yaxis.label) if each.get_text()]
            for extent in (*ticks, *(artist.get_window_extent() for artist in (*heads, *axes.texts))):
                assert extent.x0 >= -1
                assert extent.y0 >= -1
                assert extent.x1 <= figure.bbox.x1 + 1
                assert extent.y1 <= figure.bbox.y1 + 1
            boxes = [text.get_window_extent() for text in axes.texts]
            assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))


def test_axes_carry_quantity_and_unit() -> None:
    report = make_report()
    sizes, accuracies = passes_figure(report).axes
    assert sizes.get_ylabel() == "weights and biases [kB]"
    assert accuracies.get_ylabel() == "accuracy [% of 500 images]"
    widths, shares = bits_figure(report).axes
    assert (widths.get_ylabel(), shares.get_ylabel()) == ("width of a word [bit]", "share of stored weights [%]")
    energies, bytes_ = formats_figure(report).axes
    assert energies.get_xlabel() == "energy of one image [nJ]: less is better"
    assert bytes_.get_xlabel() == "weights and biases [kB]: less is better"


def test_every_format_is_named_beside_its_point() -> None:
    report = make_report()
    for axes in formats_figure(report).axes:
        assert {text.get_text() for text in axes.texts} == {row.format for row in report.rows}


def test_many_layers_are_thinned_and_the_picture_says_so() -> None:
    layers = tuple(make_layer(f"l{index}", 20 + index) for index in range(80))
    report = make_report(layers)
    assert len(bits_figure(report).axes[1].patches) == MOST_LAYERS
    assert "60 of 80" in bits_figure(report).get_suptitle()
    figure = histogram_figure([weight_histogram(layer) for layer in layers], "any")
    assert sum(axes.get_visible() for axes in figure.axes) == MOST_PANELS
    assert "30 of 80" in figure.legends[0].get_title().get_text()


def test_the_legend_names_only_what_is_drawn() -> None:
    histograms = [weight_histogram(make_layer("a", 500, "int4"))]
    legend = histogram_figure(histograms, "any").legends[0]
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["before (floats, batch norm folded)", "after, per level"]


def test_every_conversion_has_all_its_files(report: ConversionReport) -> None:
    assert files_of(report).keys() == set(CONVERSION_FILES)


def test_the_same_report_gives_the_same_files(tmp_path: Path) -> None:
    report = CASES["four_layers"]
    write_conversion(report, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files_of(report)


def test_numbers_lie_beside_the_pictures_with_every_digit(tmp_path: Path) -> None:
    report = make_report()
    write_conversion(report, tmp_path)
    tables = {path.stem: [cells for _, cells in csv_rows(path.read_text())] for path in tmp_path.glob("*.csv")}
    assert len(tables["passes"]) == 1 + 1 + 3
    assert len(tables["layers"]) == 1 + 4
    assert tables["passes"][1][-1] == ""
    weights = sum(int(row[-1]) for row in tables["histograms"][1:] if row[1] == "after")
    assert weights == sum(layer.weights for layer in report.layers)
    energy = tables["formats"][0].index("energy_pj")
    assert [float(row[energy]) for row in tables["formats"][1:]] == [row.energy_pj for row in report.rows]
    assert json.loads((tmp_path / "conversion.json").read_text())["correct"] == 495


def test_the_page_stands_alone_and_takes_names_as_text(report: ConversionReport) -> None:
    page = Page(files_of(report)["conversion.html"].decode())
    assert "script" not in page.tags
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert len(page.sources) == 4
    text = " ".join(page.words)
    for words in (report.network, *report.assumptions, *(layer.name for layer in report.layers)):
        assert words in text
    for name, value in report.recipe:
        assert name in text
        assert value in text


def test_the_page_shows_every_row_with_units() -> None:
    text = files_of(CASES["four_layers"])["conversion.html"].decode()
    assert text.count("<tr><td") == 4 + 4 + 6
    assert re.search(r"energy<br>nJ", text)
    assert "baseline fp32: below 1 over it is better" in text


def test_what_has_no_rows_is_left_out_and_an_older_one_removed(tmp_path: Path) -> None:
    write_conversion(make_report(), tmp_path)
    bare = ConversionReport(
        model="m.onnx", network="bare", recipe=(), passes=(), layers=(), float_accuracy=None, accuracy=None,
        float_weight_bits=0,
    )  # fmt: skip
    write_conversion(bare, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "conversion.json", "conversion.html", "passes.csv", "passes.png",
    }  # fmt: skip


def test_a_failed_picture_leaves_the_directory_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_report: ConversionReport) -> None:
        raise RuntimeError("crash")

    monkeypatch.setattr(conversion_page, "bits_figure", fail)
    with pytest.raises(RuntimeError, match="crash"):
        write_conversion(make_report(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        write_conversion(make_report(), tmp_path / "out")

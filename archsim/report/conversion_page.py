"""The files of a conversion: its numbers as JSON and CSV, its pictures, and a page to show in a design review.

Called by `cli_convert.py` and whoever stores a converted workload: `conversion_files` gives the content of all, by name,
so that they can be written together with other files or not at all.
"""

import base64
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined

from archsim.report import style
from archsim.report.cell_table import NUMBER_CHARACTERS
from archsim.report.conversion_format_plot import formats_figure
from archsim.report.conversion_histogram_plot import histogram_figure
from archsim.report.conversion_histograms import HISTOGRAM_COLUMNS, WeightHistogram, histogram_rows, weight_histogram
from archsim.report.conversion_json import conversion_mapping
from archsim.report.conversion_plot import bits_figure, passes_figure
from archsim.report.conversion_rows import (
    FORMAT_COLUMNS,
    LAYER_COLUMNS,
    PASS_COLUMNS,
    csv_bytes,
    format_rows,
    layer_rows,
    pass_rows,
)
from archsim.report.conversion_tables import TextTable, format_table, layer_table, pass_table, summary_rows
from archsim.report.pictures import png_bytes
from archsim.study.conversion import ConversionReport
from archsim.study.directory import write_directory
from archsim.study.plain_json import json_text

TEMPLATE = "conversion_page.html.j2"
PICTURE_TABLES = {
    "passes.png": "passes.csv",
    "formats.png": "formats.csv",
    "bits.png": "layers.csv",
    "histograms.png": "histograms.csv",
}
"""Picture -> the file with its numbers."""
PNG_WIDTH = slice(16, 20)
"""Bytes of a PNG that hold its width in pixels (PNG specification, IHDR)."""
CONVERSION_FILES = ("conversion.json", "conversion.html", *PICTURE_TABLES, *PICTURE_TABLES.values())
"""All that a conversion may write; pictures and tables without rows are left out."""


class Picture(NamedTuple):
    """A PNG that stands in the page as text: where its numbers are, how wide it is drawn."""

    name: str
    numbers: str
    uri: str
    width_inches: float


class Section(NamedTuple):
    """A part of the page: a heading, its pictures, and its table."""

    heading: str
    pictures: list["Picture"]
    table: TextTable

    @property
    def is_number(self) -> list[bool]:
        """Which columns stand at the right."""
        columns = list(zip(*self.table.rows, strict=True))
        return [all(set(cell) <= NUMBER_CHARACTERS for cell in column) for column in columns]


def write_conversion(report: ConversionReport, directory: str | Path) -> None:
    """Write a conversion's numbers, pictures and page into a directory, all or none.

    Raises
    ------
    ConfigError
        ``directory`` cannot be written.
    """
    write_directory(Path(directory), conversion_files(report), stale=CONVERSION_FILES)


def conversion_files(report: ConversionReport) -> dict[str, bytes]:
    """Return the content of every file by name; what the report has no rows for is left out."""
    histograms = [weight_histogram(layer) for layer in report.layers]
    tables, pictures = _tables(report, histograms), _pictures(report, histograms)
    texts = {"conversion.json": json_text(conversion_mapping(report)), "conversion.html": _page(report, pictures)}
    return {name: text.encode(errors="backslashreplace") for name, text in texts.items()} | tables | pictures


def _tables(report: ConversionReport, histograms: Sequence[WeightHistogram]) -> dict[str, bytes]:
    tables = {"passes.csv": csv_bytes(PASS_COLUMNS, pass_rows(report))}
    if report.layers:
        tables["layers.csv"] = csv_bytes(LAYER_COLUMNS, layer_rows(report))
        tables["histograms.csv"] = csv_bytes(HISTOGRAM_COLUMNS, histogram_rows(histograms))
    if report.rows:
        tables["formats.csv"] = csv_bytes(FORMAT_COLUMNS, format_rows(report))
    return tables


def _pictures(report: ConversionReport, histograms: Sequence[WeightHistogram]) -> dict[str, bytes]:
    figures = {"passes.png": passes_figure(report)}
    if report.rows:
        figures["formats.png"] = formats_figure(report)
    if report.layers:
        figures["bits.png"] = bits_figure(report)
        figures["histograms.png"] = histogram_figure(histograms, report.network)
    return {name: png_bytes(figure) for name, figure in figures.items()}


def _page(report: ConversionReport, pictures: dict[str, bytes]) -> str:
    """Return the page; pictures stand in it, so that it can be sent as one file."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    source = files("archsim.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    sections = [
        Section("Formats side by side", _inline(pictures, "formats.png"), format_table(report)),
        Section("Passes", _inline(pictures, "passes.png"), pass_table(report)),
        Section("Layers", _inline(pictures, "bits.png", "histograms.png"), layer_table(report)),
    ]
    return environment.from_string(source).render(
        network=report.network,
        summary=list(summary_rows(report)),
        recipe=report.recipe,
        assumptions=report.assumptions,
        sections=[each for each in sections if each.table.rows],
    )


def _inline(pictures: dict[str, bytes], *names: str) -> list[Picture]:
    return [
        Picture(
            name=name,
            numbers=PICTURE_TABLES[name],
            uri=f"data:image/png;base64,{base64.b64encode(pictures[name]).decode()}",
            width_inches=int.from_bytes(pictures[name][PNG_WIDTH]) / style.DPI,
        )
        for name in names
        if name in pictures
    ]

"""Tests of the numbers of a conversion: rows, JSON, tables, histograms."""

import json
from dataclasses import replace

import numpy as np
import pytest

from archsim.report.conversion_histograms import MOST_BINS, histogram_rows, weight_histogram
from archsim.report.conversion_json import conversion_mapping
from archsim.report.conversion_rows import FORMAT_COLUMNS, LAYER_COLUMNS, PASS_COLUMNS, baseline_of, format_rows
from archsim.report.conversion_tables import conversion_tables, format_table, pass_table, summary_rows
from archsim.report.conversion_terminal import print_conversion
from archsim.study.plain_json import json_text
from tests.report.conversion_cases import NASTY, make_deep_report, make_layer, make_report


def test_the_mapping_has_the_promised_keys_and_values() -> None:
    found = conversion_mapping(make_report())
    assert (found["correct"], found["images"], found["accuracy"]) == (495, 500, 0.99)
    assert (found["float_correct"], found["float_accuracy"]) == (498, 0.996)
    assert found["format"] == "mixed"
    assert found["baseline"] == "fp32"
    assert found["float_weight_bytes"] == 4 * (144 + 4608 + 9216 + 5120 + 4 * 16)
    # int8, int8, int4, ternary in 2 bits, and four times 16 biases of 32 bits
    assert found["weight_bytes"] == 144 + 4608 + 9216 // 2 + 5120 // 4 + 4 * 64
    assert found["weight_bytes_to_float"] == pytest.approx(found["weight_bytes"] / found["float_weight_bytes"])
    assert found["recipe"]["calibration"] == "mse"


def test_the_mapping_is_json_and_keeps_everything_but_arrays() -> None:
    report = make_report()
    found = json.loads(json_text(conversion_mapping(report)))
    assert found == conversion_mapping(report)
    for key, columns in (("passes", PASS_COLUMNS), ("layers", LAYER_COLUMNS), ("formats", FORMAT_COLUMNS)):
        assert all(tuple(row) == columns for row in found[key])
    assert [row["layer"] for row in found["layers"]] == [each.name for each in report.layers]
    assert [row["seconds"] for row in found["passes"][1:]] == [each.seconds for each in report.passes]
    assert tuple(found["assumptions"]) == report.assumptions


def test_one_format_of_all_layers_is_named() -> None:
    assert conversion_mapping(make_report((make_layer("a", 50), make_layer("b", 60))))["format"] == "int8"


def test_without_images_accuracy_is_null_and_no_column_stands_empty() -> None:
    report = make_report(images=0, is_costed=False)
    found = conversion_mapping(report)
    assert found["accuracy"] is found["correct"] is found["float_accuracy"] is None
    heads = {head for table in conversion_tables(report) for head in table.columns}
    assert not any("accuracy" in head or "energy" in head for head in heads)
    assert ("accuracy after", "not measured: no images were given") in list(summary_rows(report))
    assert "accuracy" not in format_table(report).title


def test_ratios_are_over_the_named_baseline_wherever_it_stands() -> None:
    report = make_report()
    turned = replace(report, rows=tuple(reversed(report.rows)))
    baseline = baseline_of(turned)
    assert baseline is not None
    assert baseline.format == "fp32"
    rows = [dict(zip(FORMAT_COLUMNS, row, strict=True)) for row in format_rows(turned)]
    int8 = next(row for row in rows if row["format"] == "int8")
    assert int8["energy_pj_to_baseline"] == pytest.approx(0.25)
    assert int8["accuracy_change"] == pytest.approx(-1 / 500)
    assert [row["is_baseline"] for row in rows] == [False] * 5 + [True]


def test_without_fp32_the_first_format_is_the_baseline() -> None:
    report = make_report()
    baseline = baseline_of(replace(report, rows=report.rows[1:]))
    assert baseline is not None
    assert baseline.format == "int8"


def test_the_pass_table_opens_with_the_float_model() -> None:
    table = pass_table(make_report())
    assert [row[0] for row in table.rows] == ["fp32", "fold_batchnorm", "calibrate", "quantise"]
    assert "weights\nkB" in table.columns
    assert dict(zip(table.columns, table.rows[-1], strict=True))["accuracy\n%"] == "99.00"


@pytest.mark.parametrize("fmt", ["int8", "int4", "ternary"])
def test_no_weight_is_lost_from_a_histogram(fmt: str) -> None:
    layer = make_layer("any", 4000, fmt, seed=7)
    found = weight_histogram(layer)
    assert found.before.sum() == found.after.sum() == layer.weights
    assert len(found.before) <= MOST_BINS + 4
    if fmt != "int8":
        assert found.level_counts.sum() == layer.weights
        assert dict(zip(found.levels, found.level_counts, strict=True))[0.0] == (layer.values_after == 0).sum()


def test_every_bin_holds_as_many_levels_as_the_next() -> None:
    layer = replace(
        make_layer("all", 255), values_before=np.arange(-127, 128) / 64, values_after=np.arange(-127, 128) / 64
    )
    assert len(set(weight_histogram(layer).after[1:-1])) == 1  # the ends of the range may cut a bin


@pytest.mark.parametrize("values", [np.zeros(5), np.zeros(0), np.full(3, 2.0)])
def test_a_layer_of_equal_weights_or_none_has_a_histogram(values: np.ndarray) -> None:
    layer = replace(make_layer("same", 5), values_before=values, values_after=values)
    assert weight_histogram(layer).before.sum() == len(values)
    assert sum(int(row[-1]) for row in histogram_rows([weight_histogram(layer)]) if row[1] == "after") == len(values)


def test_names_stand_as_they_are_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_conversion(make_report((make_layer("[bold]a<b>[/bold]", 90),), network="x[/]y"))
    shown = capsys.readouterr().out
    assert "[bold]a<b>[/bold]" in shown
    assert "x[/]y" in shown
    assert "fold_batchnorm" in shown


def test_the_terminal_takes_sixty_layers_and_long_names(capsys: pytest.CaptureFixture[str]) -> None:
    print_conversion(make_deep_report())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 140
    assert sum(line.startswith("block") for line in lines) == 59
    assert NASTY[:10] in "\n".join(lines)

"""Tests of the terminal's tables."""

from dataclasses import replace

from rich.console import Console, RenderableType

from archsim.report.tables import run_table, summary_panel
from archsim.study.result import RunResult


def printed(what: RenderableType) -> str:
    console = Console(width=160, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def test_every_layer_of_a_small_run_has_a_row_and_the_total_is_last(alexnet: RunResult) -> None:
    lines = [line for line in printed(run_table(alexnet)).splitlines() if line.strip()]
    assert [line.split()[0] for line in lines[3:]] == [layer.layer for layer in alexnet.layers] + ["total"]
    assert f"{alexnet.total_cycles:,}" in lines[-1]


def test_many_vector_layers_share_a_row_per_operator(resnet: RunResult) -> None:
    text = printed(run_table(resnet))
    assert "48 x relu" in text
    assert "16 x add" in text
    assert "layer1.0.relu1" not in text
    assert text.count("conv") == 53 + 49  # the operator of 53, the names of all but the 4 downsamples


def test_a_name_with_brackets_is_not_taken_for_markup(one_layer: RunResult) -> None:
    layer = one_layer.layers[0]
    odd = replace(one_layer, layers=(replace(layer, run=replace(layer.run, layer="a[bold]b[/x]")),))
    assert "a[bold]b[/x]" in printed(run_table(odd))


def test_the_panel_has_totals_with_units_and_the_assumptions(alexnet: RunResult) -> None:
    text = printed(summary_panel(replace(alexnet, model_assumptions=("layers do not overlap",))))
    for expected in ("14.2 ms", "TOPS/W", "62 MB", "10.5 mJ", "3.75 mm²", "- layers do not overlap", "1 MAC = 2 ops"):
        assert expected in text


def test_an_uncosted_layer_is_marked(alexnet: RunResult) -> None:
    layer = alexnet.layers[0]
    odd = replace(alexnet, layers=(replace(layer, run=replace(layer.run, is_costed=False)), *alexnet.layers[1:]))
    assert "conv1 (not costed)" in printed(run_table(odd))
    assert "not costed" in printed(summary_panel(odd))


def test_in_a_narrow_terminal_names_fold_and_numbers_stay_whole(alexnet: RunResult) -> None:
    layer = alexnet.layers[0]
    long = replace(alexnet, layers=(replace(layer, run=replace(layer.run, layer="a_name_of_20_letters")),))
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(run_table(long))
    assert f"{layer.total_cycles:,}" in capture.get()
    assert "a_name_of_20_letters" not in capture.get()


def test_a_very_long_name_loses_its_middle(alexnet: RunResult) -> None:
    layer = alexnet.layers[0]
    long = replace(alexnet, layers=(replace(layer, run=replace(layer.run, layer="begin" + "x" * 100 + "end")),))
    name = next(line.split()[0] for line in printed(run_table(long)).splitlines() if line.startswith("begin"))
    assert (len(name), name[-3:]) == (32, "end")


def test_many_uncosted_layers_are_counted_by_operator(resnet: RunResult) -> None:
    none = tuple(replace(each, run=replace(each.run, is_costed=bool(each.macs))) for each in resnet.layers)
    assert "48 x relu, 16 x add" in printed(summary_panel(replace(resnet, layers=none)))


def test_the_panel_says_where_chip_and_network_come_from(alexnet: RunResult) -> None:
    text = printed(summary_panel(replace(alexnet, workload=replace(alexnet.workload, source="a paper"))))
    assert "a paper" in text
    assert alexnet.arch.source in text


def test_a_narrow_table_leaves_out_macs_and_operators_alone(alexnet: RunResult) -> None:
    wide, narrow = (run_table(alexnet, is_narrow=narrow) for narrow in (False, True))
    left_out = {str(column.header) for column in wide.columns} - {str(column.header) for column in narrow.columns}
    assert left_out == {"op", "MACs"}
    assert f"{alexnet.layers[0].total_cycles:,}" in printed(narrow)

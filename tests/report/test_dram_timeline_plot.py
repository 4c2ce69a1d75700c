"""The timeline picture: nothing collides, nothing falls outside, every command is drawn."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from archsim.arch.dram_devices import load_device
from archsim.engine.dram_channel import run_dram_trace
from archsim.engine.dram_run import BusUse, DramRun, DramTrace
from archsim.report import style
from archsim.report.dram_timeline_plot import shown_banks, timeline_figure
from archsim.report.pictures import png_bytes
from archsim.study.dram_timeline import BankPlace, dram_timeline, telling_stretch


def make_run(device: str) -> DramRun:
    """1500 bursts: a stream of reads, one of writes, and reads here and there that open rows for a short time."""
    number = np.arange(1500)
    stream = number % 3
    scattered = 64 * (number * 7919 % (1 << 18))
    address = np.select([stream == 0, stream == 1], [64 * (number // 3), (96 << 20) + 64 * (number // 3)], scattered)
    trace = DramTrace(address=address, is_write=stream == 1, arrival=np.zeros(1500, dtype=np.int64))
    return run_dram_trace(load_device(device), trace, log=True)


@pytest.fixture(params=["DDR4_2400", "DDR4_2400_2rank", "HBM2_1ch_bgint", "LPDDR4_3200"])
def run(request: pytest.FixtureRequest) -> DramRun:
    return make_run(request.param)


def figure_of(run: DramRun, clocks: int = 400) -> Figure:
    start, end = telling_stretch(run, clocks)
    return timeline_figure(dram_timeline(run, start=start, end=end), f"three streams on {run.device.name}")


def shown_texts(figure: Figure) -> list[Text]:
    """Every word that can be seen: no ticks off the axes, none of an axes that is switched off."""
    figure.canvas.draw()
    above = figure.axes[0].child_axes[0]
    hidden: set[Text] = set()
    for axes in (*figure.axes, above):
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, sorted(axes.get_ylim()))):
            pairs = zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
            is_off = not axes.axison or (axes is above and axis is axes.yaxis)
            hidden |= {label for label, place in pairs if is_off or not limits[0] <= place <= limits[1]}
    return [text for text in figure.findobj(Text) if text.get_text() and text.get_visible() and text not in hidden]


def test_words_do_not_collide(run: DramRun) -> None:
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown_texts(figure_of(run))]
    for (one, first), (other, second) in combinations(boxes, 2):
        assert not first.overlaps(second), (one, other)


def test_everything_is_inside_the_figure(run: DramRun) -> None:
    figure = figure_of(run)
    for text in shown_texts(figure):
        box = text.get_window_extent()
        assert box.x0 >= -1, text.get_text()
        assert box.x1 <= figure.bbox.x1 + 1, text.get_text()
        assert box.y0 >= -1, text.get_text()
        assert box.y1 <= figure.bbox.y1 + 1, text.get_text()


@pytest.mark.parametrize("clocks", [400, 2500])
def test_the_name_of_a_row_is_not_wider_than_the_row(run: DramRun, clocks: int) -> None:
    start, end = telling_stretch(run, clocks)
    timeline = dram_timeline(run, start=start, end=end)
    axes = timeline_figure(timeline, "t").axes[0]
    spans = [
        (
            f"row {row.row}",
            *(axes.transData.transform((clock, 0))[0] for clock in (max(row.start, start), min(row.end, end))),
        )
        for row in timeline.open_rows
    ]
    named = [text for text in axes.texts if text.get_text().startswith("row")]
    assert named or clocks > 400
    for text in named:
        box, name = text.get_window_extent(), text.get_text()
        assert any(name == row and left <= box.x0 and box.x1 <= right for row, left, right in spans), name


def test_every_burst_and_column_command_is_drawn(run: DramRun) -> None:
    start, end = telling_stretch(run, 400)
    timeline = dram_timeline(run, start=start, end=end)
    axes = timeline_figure(timeline, "t").axes[0]
    blocks = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    on_bus = {round(block.get_x()) for block in blocks if block.get_y() < 0}
    assert {burst.start for burst in timeline.bursts} <= on_bus
    columns = [mark for mark in timeline.marks if mark.kind in (1, 2)]
    assert sum(block.get_zorder() == 4 for block in blocks) == len(columns) > 0


def test_reads_and_writes_differ_without_colour() -> None:
    assert style.READ_FILL.hatch != style.WRITE_FILL.hatch
    fills = [(fill.hatch, fill.colour) for fill in style.BUS_USE_FILLS.values()]
    assert len(set(fills)) == len(fills)


def test_every_use_of_the_bus_has_a_fill() -> None:
    assert list(style.BUS_USE_FILLS) == [use.value for use in BusUse]


def test_the_bar_of_bus_use_is_as_high_as_the_whole(run: DramRun) -> None:
    _, bar = figure_of(run).axes
    assert sum(patch.get_height() for patch in bar.patches) == pytest.approx(100)  # type: ignore[attr-defined]
    legend = bar.get_legend()
    assert legend is not None
    data = 100 * dict(run.bus_use)[BusUse.DATA] / (run.cycles * run.device.channels)
    assert f"data {data:.1f} %" in [text.get_text() for text in legend.get_texts()]


def test_the_legend_names_only_what_occurs() -> None:
    number = np.arange(20)
    trace = DramTrace(address=64 * number, is_write=number < 0, arrival=0 * number)
    run = run_dram_trace(load_device("DDR4_2400_noref"), trace, log=True)
    figure = timeline_figure(dram_timeline(run, start=0, end=run.cycles), "reads only")
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["activate", "read", "row open"]


def test_a_stretch_without_commands_says_so() -> None:
    run = make_run("DDR4_2400")
    figure = timeline_figure(dram_timeline(run, start=10**7, end=10**7 + 100), "nothing")
    assert "no command in these clocks" in [text.get_text() for text in shown_texts(figure)]


def test_with_too_many_banks_the_busiest_are_shown_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.report.dram_timeline_plot.MOST_BANKS", 3)
    number = np.arange(800)  # bank group, then bank: 8 KiB apart; every other burst goes to the seventh bank
    address = np.where(number % 2, 8192 * 6 + 64 * (number % 128), 8192 * (number % 16))
    trace = DramTrace(address=address, is_write=number < 0, arrival=np.zeros(800, dtype=np.int64))
    run = run_dram_trace(load_device("DDR4_2400"), trace, log=True)
    timeline = dram_timeline(run, start=0, end=run.cycles)
    shown = shown_banks(timeline)
    assert len(timeline.banks) > len(shown) == 3
    assert BankPlace(0, 2, 1) in shown
    assert list(shown) == sorted(shown)


def test_the_same_run_gives_the_same_bytes() -> None:
    first, second = (png_bytes(figure_of(make_run("DDR4_2400"))) for _ in range(2))
    assert first == second

"""The picture of docs/webinar.md: accuracy over word width, and time and energy of the engines below it.

Called by `reproduce_webinar.py`.
"""

from collections.abc import Callable, Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from webinar_accuracy import Retrained, SweepRow
from webinar_engine import SOFTWARE, EngineRow

from archsim.numerics.format_grammar import parse_format
from archsim.report import style
from archsim.report.conversion_axes import new_figure

FIGURE_INCHES = (8.6, 7.4)
WIDEST_DRAWN = 18
"""Beyond it every line is flat. [b]"""
TICKS = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18)


def webinar_figure(sweeps: Sequence[SweepRow], retrained: Sequence[Retrained], engines: Sequence[EngineRow]) -> Figure:
    """Draw what is there: accuracies need MNIST, retrained ones time as well."""
    figure = new_figure(*FIGURE_INCHES)
    grid = figure.add_gridspec(2, 2, height_ratios=(1.15, 1.0))
    _draw_accuracy(figure.add_subplot(grid[0, :]), sweeps, retrained)
    _draw_time(figure.add_subplot(grid[1, 0]), engines)
    _draw_energy(figure.add_subplot(grid[1, 1]), engines)
    figure.suptitle("mnist_webinar in fixed point, and on the engine behind a bus of 32 bits", x=0.01, ha="left",
                    fontsize=style.TITLE_POINTS, color=style.INK)  # fmt: skip
    return figure


def _draw_accuracy(axes: Axes, sweeps: Sequence[SweepRow], retrained: Sequence[Retrained]) -> None:
    overflow = [row for row in sweeps if row.experiment == "a_overflow"]
    lines = (
        ("9 fraction bits, overflow wraps", "s", ":", [row for row in overflow if row.overflow == "WRAP"]),
        ("9 fraction bits, overflow saturates", "^", "--", [row for row in overflow if row.overflow == "SAT"]),
        ("saturating, best split of each width", "o", "-", best_splits(sweeps)),
    )
    for index, (label, marker, dashes, rows) in enumerate(lines):
        points = sorted(
            (row.integer_bits + row.fraction_bits, 100 * row.measured.share) for row in rows if row.measured is not None
        )
        points = [point for point in points if point[0] <= WIDEST_DRAWN]
        axes.plot([x for x, _ in points], [y for _, y in points], marker=marker, linestyle=dashes, label=label,
                  color=style.run_colour(index), linewidth=style.LINE_POINTS, markersize=style.MARKER_POINTS,
                  markerfacecolor=style.PAPER if index < 2 else style.run_colour(index))  # fmt: skip
    learnt = [(parse_format(each.row.weights).width_bits, 100 * each.after.share) for each in retrained]
    if learnt:
        axes.plot([x for x, _ in learnt], [y for _, y in learnt], marker="*", linestyle="none", markersize=11,
                  color=style.INK, label="retrained for one epoch, width of the weights", zorder=7)  # fmt: skip
    images = max((row.measured.images for row in sweeps if row.measured is not None), default=0)
    _dress(axes, "width of a word [b]", f"accuracy, {images:,} test images [%]" if images else "accuracy [%]")
    axes.set_xticks(TICKS)
    axes.set_ylim(0, 103)
    if sweeps:
        axes.legend(fontsize=style.SMALL_POINTS, frameon=False, loc="lower left", bbox_to_anchor=(0.17, 0.12))
    else:
        axes.text(0.5, 0.5, "not measured: MNIST is not here", transform=axes.transAxes, ha="center",
                  fontsize=style.TEXT_POINTS, color=style.INK)  # fmt: skip


def best_splits(sweeps: Iterable[SweepRow]) -> list[SweepRow]:
    """Return the most accurate row of each width of part B."""
    best: dict[int, SweepRow] = {}
    for row in sweeps:
        width = row.integer_bits + row.fraction_bits
        if row.experiment == "b_ptq" and (width not in best or _share(row) > _share(best[width])):
            best[width] = row
    return [best[width] for width in sorted(best)]


def _share(row: SweepRow) -> float:
    return 0.0 if row.measured is None else row.measured.share


def _draw_time(axes: Axes, engines: Sequence[EngineRow]) -> None:
    clock = engines[0].clock_mhz
    _draw_engines(axes, engines, ((f"engine at {clock:g} MHz (assumed)", lambda row: row.milliseconds),))
    for place, row in enumerate(engines):
        axes.annotate(f"{row.total_cycles:,}\ncycles", (place, row.milliseconds), (0, 8), textcoords="offset points",
                      ha="center", fontsize=style.SMALL_POINTS, color=style.INK, path_effects=style.halo())  # fmt: skip
    milliseconds = SOFTWARE.seconds * 1e3
    _draw_software(axes, (milliseconds, f"software: {milliseconds:.0f} ms"),
                   (milliseconds / SOFTWARE.times, f"{SOFTWARE.times:.0f} times faster, as claimed"))  # fmt: skip
    axes.set_ylim(0.05, 400)
    axes.set_ylabel("time of one inference [ms]: less is better", fontsize=style.TEXT_POINTS, color=style.INK)


def _draw_energy(axes: Axes, engines: Sequence[EngineRow]) -> None:
    ways: tuple[tuple[str, Callable[[EngineRow], float]], ...] = (
        ("engine, bus, waiting DDR4", lambda row: (row.chip_pj + row.transfer_pj + row.standby_pj) / 1e6),
        ("engine and bus", lambda row: (row.chip_pj + row.transfer_pj) / 1e6),
        ("engine alone", lambda row: row.chip_pj / 1e6),
    )
    _draw_engines(axes, engines, ways)
    microjoules = SOFTWARE.joules * 1e6
    _draw_software(axes, (microjoules, f"software: {microjoules:.0f} µJ"),
                   (microjoules / SOFTWARE.times, f"{SOFTWARE.times:.0f} times less, as claimed"))  # fmt: skip
    axes.set_ylim(0.3, 2000)
    axes.set_ylabel("energy of one inference [µJ]: less is better", fontsize=style.TEXT_POINTS, color=style.INK)
    axes.legend(fontsize=style.SMALL_POINTS, frameon=False, loc="upper right")


def _draw_engines(
    axes: Axes, engines: Sequence[EngineRow], ways: Sequence[tuple[str, Callable[[EngineRow], float]]]
) -> None:
    """Draw one line per quantity over the widths, widest first, on a logarithmic axis."""
    for index, (_, value) in enumerate(ways):
        axes.plot(range(len(engines)), [value(row) for row in engines], marker="so^"[index], linestyle=("-", "--", ":")[index],
                  label=ways[index][0], color=style.run_colour(index), linewidth=style.LINE_POINTS,
                  markersize=style.MARKER_POINTS)  # fmt: skip
    axes.set_yscale("log")
    _dress(axes, "width of a word [b] / values per bus word", "")
    axes.set_xticks(range(len(engines)), [f"{row.width_bits} / {row.values_per_word}" for row in engines])
    axes.set_xlim(-0.45, len(engines) - 0.55)
    if len(ways) == 1:
        axes.set_title(ways[0][0], fontsize=style.TEXT_POINTS, color=style.INK, loc="left")


def _draw_software(axes: Axes, *lines: tuple[float, str]) -> None:
    for index, (height, words) in enumerate(lines):
        axes.axhline(height, color=style.INK, linewidth=1.0, linestyle="-" if index == 0 else "-.")
        axes.annotate(words, (1.0, height), (0, 3), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
                      ha="right", fontsize=style.SMALL_POINTS,
                      color=style.INK, path_effects=style.halo())  # fmt: skip


def _dress(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=style.TEXT_POINTS, color=style.INK)
    axes.set_ylabel(y, fontsize=style.TEXT_POINTS, color=style.INK)
    axes.tick_params(labelsize=style.SMALL_POINTS, colors=style.INK)
    axes.grid(visible=True, color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
